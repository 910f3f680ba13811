// The sheet of paper (A4) with the self-contained code: whoever scans it sees what was chosen here,
// and nothing else of the licence.
import { get, post, problemOf } from "./api.js";
import { make } from "./dom.js";
import { same } from "./lang.js";
import { drawing } from "./symbol.js";
import { moment } from "./time.js";
import { askPurpose, both, button, once, purposeIn } from "./words.js";

const words = {
  title: { zh: "打印纸质核验件", en: "Print the sheet" },
  lead: { zh: "选择纸上要写明的内容。扫码的人看得到所选内容，看不到其他内容。", en: "Choose what the sheet says. Whoever scans its code sees that, and nothing else." },
  which: { zh: "写明的内容", en: "What it says" },
  purpose: { zh: "打开内容", en: "Open it" },
  make: { zh: "生成", en: "Make the sheet" },
  sheet: { zh: "纸质核验件", en: "Sheet for checking" },
  scan: { zh: "扫描此码核验真伪与当前状态", en: "Scan this code to check that it is genuine and in force" },
  paper: { zh: "纸上内容以扫码核验结果为准。", en: "What holds is what the check says, not the paper." },
};

export async function sheet(desk, id) {
  const { licence } = await get(`/v1/licences/${encodeURIComponent(id)}`);
  const submit = make("button", { class: "button", type: "submit" }, words.purpose);
  const open = async () => {
    const purpose = purposeIn("sheet-purpose");
    try {
      const { fields } = await post(`/v1/licences/${licence.id}/open`, { purpose });
      desk.tell(null);
      desk.replace(...choosing(desk, licence, fields, purpose));
    } catch (error) {
      desk.refuse(error);
    }
  };
  return [
    make("h1", {}, both(words.title, { zh: "：", en: ": " }, desk.nameOf(licence.type), ` #${licence.id}`)),
    make("p", { class: "lead" }, words.lead),
    make("form", { class: "inline", id: "sheet-open", onsubmit: (event) => { event.preventDefault(); once(submit, open); } }, askPurpose("sheet-purpose"), submit),
  ];
}

// choosing offers the fields that have a value; what is sensitive is on the sheet only if it is chosen.
function choosing(desk, licence, fields, purpose) {
  const type = desk.typeOf(licence.type);
  const sensitive = (key) => type?.fields.find((f) => f.key === key)?.classification === "sensitive" || !type?.fields.some((f) => f.key === key);
  const there = fields.filter((f) => [f.value ?? []].flat().length > 0);
  const submit = make("button", { class: "button", type: "submit" }, words.make);
  const draw = async () => {
    const keys = new FormData(form).getAll("field");
    try {
      const code = await post(`/v1/licences/${licence.id}/code`, { fields: keys, purpose });
      desk.tell(null);
      desk.replace(...drawn(desk, licence, there.filter((f) => keys.includes(f.key)), code, () => desk.replace(...choosing(desk, licence, fields, purpose))));
    } catch (error) {
      desk.refuse(problemOf(error));
    }
  };
  const form = make("form", { class: "narrow", id: "sheet-fields", onsubmit: (event) => { event.preventDefault(); once(submit, draw); } },
    make("fieldset", {}, make("legend", {}, words.which), make("div", { class: "choices" }, there.map((f) => make("label", {}, make("input", { type: "checkbox", name: "field", value: f.key, checked: !sensitive(f.key) }), make("span", {}, f.label))))),
    make("div", { class: "buttons" }, submit));
  return [make("h1", {}, words.title), make("p", { class: "lead" }, words.lead), form];
}

function drawn(desk, licence, fields, { code, symbol }, back) {
  const { issuer } = desk.caller;
  return [
    make("h1", { class: "no-print" }, words.title),
    make("div", { class: "buttons" }, button({ zh: "打印", en: "Print" }, () => print(), { first: true, drawn: "print", name: "print" }), button({ zh: "返回修改", en: "Back, to change it" }, back, { name: "back" })),
    make("article", { class: "sheet" },
      make("header", {}, make("p", {}, issuer.name), make("p", { class: "sheet-title" }, desk.nameOf(licence.type)), make("p", {}, words.sheet)),
      make("dl", {}, fields.map((f) => make("div", {}, make("dt", {}, f.label), make("dd", { lang: "zh-CN" }, [f.value].flat().map((v) => make("span", { class: "several" }, v)))))),
      make("figure", {}, drawing(symbol, same(code.slice(0, code.indexOf("#") + 1))), make("figcaption", {}, make("b", {}, words.scan), make("span", {}, words.paper))),
      make("footer", {}, make("span", {}, both({ zh: "打印于 ", en: "Printed on " }, moment(new Date().toISOString()))), make("span", {}, `#${licence.id}`))),
  ];
}
