// Looking a licence up, by its number or by its holder. What comes is masked; to see more, it is
// opened, with a purpose.
import { post } from "./api.js";
import { make } from "./dom.js";
import { write } from "./lang.js";
import { moment } from "./time.js";
import { askPurpose, badge, both, button, once, purposeIn } from "./words.js";

const words = {
  title: { zh: "查找证照", en: "Look up a licence" },
  by: { zh: "按什么查找", en: "Look up by" },
  number: { zh: "证号", en: "Licence number" },
  holder: { zh: "持证主体的证件号", en: "The holder's identity number" },
  type: { zh: "证照类型", en: "Type of licence" },
  all: { zh: "全部类型", en: "All types" },
  none: { zh: "没有找到。", en: "Nothing was found." },
  more: { zh: "更早的", en: "Earlier ones" },
  gone: { zh: "内容已销毁或遗失。", en: "What it says was erased or lost." },
};

export async function search(desk) {
  const types = desk.typesFor("search");
  const results = make("div", { id: "results", role: "status" });
  const any = make("option", { value: "" }, words.all);
  const type = make("select", { class: "short", id: "search-type" }, types.map((t) => make("option", { value: t.id }, t.name)));
  const text = make("input", { class: "short", type: "text", id: "search-text", required: true, maxlength: 256, autocomplete: "off", spellcheck: "false" });
  const label = make("label", { for: "search-text" }, words.number);
  const chosen = (by) => {
    write(label, by === "number" ? words.number : words.holder);
    if (by === "number") any.remove();
    else type.prepend(any);
    type.selectedIndex = 0;
  };
  const choice = (value, of, checked) => make("label", {}, make("input", { type: "radio", name: "by", value, checked, onchange: () => chosen(value) }), make("span", {}, of));
  const submit = make("button", { class: "button", type: "submit" }, { zh: "查找", en: "Look up" });
  const form = make("form", { class: "narrow", id: "search", onsubmit: (event) => {
    event.preventDefault();
    const by = new FormData(form).get("by");
    const request = { [by]: text.value.trim(), purpose: purposeIn("search-purpose") };
    if (type.value) request.type = type.value;
    once(submit, () => find(desk, request, results));
  } },
    make("fieldset", {}, make("legend", {}, words.by), make("div", { class: "choices two" }, choice("number", words.number, true), choice("holder", words.holder))),
    make("div", { class: "question" }, make("label", { for: "search-type" }, words.type), type),
    make("div", { class: "question" }, label, text),
    askPurpose("search-purpose"),
    make("div", { class: "buttons" }, submit));
  return [make("h1", {}, words.title), form, results];
}

async function find(desk, request, results) {
  desk.tell(null);
  if (!request.before) results.replaceChildren();
  try {
    const { licences, next } = await post("/v1/licences/search", request);
    if (!request.before) results.replaceChildren(licences.length === 0 ? make("p", {}, words.none) : make("ul", { class: "found" }));
    results.querySelector("ul")?.append(...licences.map((l) => found(desk, l)));
    results.querySelector("[data-do=more]")?.remove();
    if (next) results.append(button(words.more, () => find(desk, { ...request, before: next }, results), { name: "more" }));
  } catch (error) {
    desk.refuse(error);
  }
}

// found is one of what was found, with the fields that tell it from the others.
function found(desk, { licence, fields }) {
  const said = (fields ?? []).filter((f) => f.masked).slice(0, 5);
  return make("li", { "data-licence": String(licence.id) },
    make("div", { class: "one" }, make("a", { href: `#/licence/${licence.id}` }, both(desk.nameOf(licence.type), ` #${licence.id}`)), badge(licence.state), make("span", { class: "quiet small" }, moment(licence.issuedAt))),
    fields ? make("dl", { class: "brief" }, said.map((f) => make("div", {}, make("dt", {}, f.label), make("dd", { lang: "zh-CN" }, f.masked)))) : make("p", { class: "quiet" }, words.gone));
}
