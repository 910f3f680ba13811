// What for, and which fields: how a code, a sheet and a grant begin. What the matter needs is chosen
// already; whoever wants to give more is warned.
import { get, part } from "./api.js";
import { icon, make } from "./dom.js";
import { freshly, isFresh } from "./fresh.js";
import { both, button, choice, choices, form, goes, listed, sure } from "./words.js";

const words = {
  what: { zh: "办什么事？", en: "What is it for?" },
  minimum: { zh: "会自动选好办这件事需要的内容，不多给。", en: "What the matter needs is chosen for you, and no more." },
  other: { zh: "其他用途", en: "Something else" },
  otherHint: { zh: "自己选择出示哪些内容", en: "You choose what is shown" },
  none: { zh: "没有需要这张证照的事项。", en: "No matter needs this licence." },
  which: { zh: "出示哪些内容？", en: "What is to be shown?" },
  needed: { zh: "办这件事需要的", en: "Needed for it" },
  all: { zh: "证照上的内容", en: "On the licence" },
  more: { zh: "还要出示别的内容", en: "Show something else too" },
  moreLegend: { zh: "这件事不需要的", en: "Not needed for it" },
  sensitive: { zh: "敏感信息", en: "Sensitive" },
  warned: { zh: "下面的内容办这件事用不着：", en: "These are not needed for it:" },
  alone: { zh: "没有选事项，对方为何要看，请您自己把握。", en: "You chose no matter: make sure why the other side wants to see this." },
  again: { zh: "要继续，需要再登录一次。", en: "To go on, you will have to sign in once more." },
  choose: { zh: "请至少选一项。", en: "Choose at least one." },
  next: { zh: "下一步", en: "Continue" },
  sure: { zh: "给的比需要的多，确定吗？", en: "This is more than is needed. Are you sure?" },
  lessen: { zh: "不，只给需要的", en: "No, only what is needed" },
  insist: { zh: "确定，多给", en: "Yes, all of it" },
  back: { zh: "返回", en: "Back" },
  unshowable: { zh: "这张证照现在不能出示", en: "This licence cannot be shown at present" },
};

// load gets a licence and the matters that can use it.
async function load(id) {
  const [{ licence, fields, restrictions }, { matters }] = await Promise.all([get(`/v1/licences/${part(id)}`), get("/v1/matters")]);
  return { licence, fields, restrictions, matters: matters.filter((m) => m.needs.some((n) => n.type === licence.type)) };
}

// needOf is what a matter needs of a licence; matter is null for none.
export const needOf = (matter, licence) => matter?.needs.find((n) => n.type === licence.type) ?? { fields: [], inPerson: false };

// askMatter asks for the matter; chosen gets it, null for something else.
function askMatter(wallet, heading, { licence, matters }, chosen, { other = true } = {}) {
  const one = (name, drawn, text, hint, matter) => make("li", {}, make("button", { class: "way", type: "button", "data-way": name, onclick: () => chosen(matter) }, icon(drawn), make("span", {}, make("b", {}, text), make("span", { class: "hint" }, hint))));
  return [
    make("p", { class: "of" }, licence.typeName),
    make("h1", {}, heading ?? words.what),
    make("p", {}, words.minimum),
    matters.length === 0 && make("p", {}, words.none),
    make("ul", { class: "ways" },
      matters.map((m) => one(m.id, "incomplete", m.name, both(needOf(m, licence).part), m)),
      other && !wallet.acting && one("other", "person", words.other, words.otherHint, null)),
  ];
}

// askFields asks for the fields; chosen gets their keys.
function askFields(wallet, { licence, fields }, matter, before, chosen, heading = words.which) {
  const need = needOf(matter, licence);
  const hint = (f) => f.classification === "sensitive" && words.sensitive;
  const option = (f, kind) => choice("checkbox", "field", f.key, f.label, { hint: hint(f), checked: before ? before.includes(f.key) : !kind, kind });
  const needed = fields.filter((f) => need.fields.includes(f.key));
  const others = fields.filter((f) => !need.fields.includes(f.key));
  const warning = make("div", { class: "warning", role: "status", hidden: true });
  const problem = make("p", { class: "field-problem", role: "alert" });
  const warn = () => {
    problem.replaceChildren();
    const beyond = others.filter((f) => keys().includes(f.key));
    warning.hidden = beyond.length === 0;
    warning.replaceChildren(make("p", {}, matter ? words.warned : words.alone), matter ? make("ul", {}, beyond.map((f) => make("li", {}, f.label))) : "", isFresh(wallet) ? "" : make("p", {}, words.again));
  };
  const element = form(wallet, "fields", [
    needed.length > 0 && choices(words.needed, needed.map((f) => option(f, null))),
    others.length > 0 && !wallet.acting && (matter
      ? make("details", { open: Boolean(before?.some((k) => !need.fields.includes(k))) }, make("summary", {}, words.more), make("div", {}, choices(words.moreLegend, others.map((f) => option(f, "beyond")))))
      : choices(words.all, others.map((f) => option(f, "beyond")))),
    warning, problem,
  ], words.next, async () => {
    if (keys().length === 0) return void problem.replaceChildren(make("span", {}, words.choose));
    await chosen(keys());
  });
  const keys = () => new FormData(element).getAll("field");
  element.addEventListener("change", warn);
  if (before) queueMicrotask(warn);
  return [make("p", { class: "of" }, about(licence, matter)), make("h1", {}, heading), element];
}

// about is the licence and the matter in one line.
export const about = (licence, matter) => (matter ? both(licence.typeName, " · ", matter.name) : licence.typeName);

// beyond are the chosen fields that the matter does not need.
const beyond = ({ licence, fields }, matter, keys) => fields.filter((f) => keys.includes(f.key) && !needOf(matter, licence).fields.includes(f.key));

// askBeyond asks whether all that is really to be given.
function askBeyond({ matter, keys, loaded }, lessen, insist) {
  const labels = listed(beyond(loaded, matter, keys).map((f) => f.label));
  const what = matter
    ? both({ zh: `办「${matter.name.zh}」用不着：`, en: `Not needed for “${matter.name.en}”: ` }, labels, { zh: "。", en: "." })
    : both(words.alone, { zh: "将给出：", en: " You would give: " }, labels, { zh: "。", en: "." });
  return sure(words.sure, [what], button(matter ? words.lessen : words.back, lessen, { kind: "", name: "lessen" }), button(words.insist, insist, { name: "insist" }));
}

// choosing shows the steps that choose: of what for, of the fields, and the question whether more than
// is needed shall be given. It returns false once all is chosen, and leads on to the path next. way is
// the path of the first step, and a are the answers: loaded, matter, keys, beyond.
export async function choosing(wallet, way, id, stage, a, next, { title, fields, other } = {}) {
  const ahead = (path) => wallet.go(`${way}/${path}`);
  a.loaded = a.loaded ?? (await load(id));
  if (!a.loaded.licence.showable) return [make("p", { class: "of" }, a.loaded.licence.typeName), make("h1", {}, words.unshowable), make("p", {}, a.loaded.licence.stateText), make("div", { class: "buttons" }, goes(words.back, `licence/${part(id)}`, { name: "back" }))];
  if (!stage) {
    return askMatter(wallet, title, a.loaded, (matter) => {
      Object.assign(a, { matter, keys: null, beyond: false });
      ahead("fields");
    }, { other });
  }
  if (a.matter === undefined) return wallet.instead(way);
  const extra = () => beyond(a.loaded, a.matter, a.keys).length > 0;
  if (stage === "fields") {
    return askFields(wallet, a.loaded, a.matter, a.keys, (keys) => {
      Object.assign(a, { keys, beyond: false });
      ahead(extra() ? "sure" : next);
    }, fields);
  }
  if (!a.keys) return wallet.instead(way);
  if (stage === "sure") {
    return askBeyond(a, () => {
      if (!a.matter) return history.back();
      a.keys = needOf(a.matter, a.loaded.licence).fields.filter((k) => a.keys.includes(k));
      if (a.keys.length === 0) a.keys = needOf(a.matter, a.loaded.licence).fields;
      ahead(next);
    }, () => {
      a.beyond = true;
      ahead(next);
    });
  }
  if (extra() && !a.beyond) return wallet.instead(`${way}/sure`);
  if (a.beyond && !isFresh(wallet)) return freshly(way, `licence/${part(id)}`);
  return false;
}

// request is what was chosen, as the API takes it.
export const request = ({ loaded, matter, keys, beyond }) => ({ licence: loaded.licence.id, fields: keys, ...(matter && { matter: matter.id }), ...(beyond && { beyond: true }) });
