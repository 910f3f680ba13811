// What holders object to, to be answered in time, and what was answered.
import { get, post } from "./api.js";
import { make } from "./dom.js";
import { moment } from "./time.js";
import { both, once, row } from "./words.js";

const words = {
  title: { zh: "异议", en: "Objections" },
  lead: { zh: "持证人提出的异议，请在期限前答复。答复后不能更改，持证人可见。", en: "Holders' objections. Answer by the day on which it is due; the answer is final, and the holder sees it." },
  none: { zh: "没有待答复的异议。", en: "Nothing waits for an answer." },
  answered: { zh: "已答复的", en: "Answered" },
  noneAnswered: { zh: "没有。", en: "None." },
  outcome: { zh: "处理结果", en: "Outcome" },
  text: { zh: "答复", en: "Answer" },
  submit: { zh: "提交答复", en: "Answer" },
  late: { zh: "（已逾期）", en: " (overdue)" },
};

const abouts = {
  verdict: { zh: "核验结论", en: "A verdict" },
  state: { zh: "证照状态", en: "The state of the licence" },
  contents: { zh: "证照内容", en: "What the licence says" },
  access: { zh: "访问记录", en: "Who looked at it" },
};

const outcomes = {
  upheld: { zh: "异议成立", en: "Upheld" },
  "partly-upheld": { zh: "部分成立", en: "Upheld in part" },
  "not-upheld": { zh: "异议不成立", en: "Not upheld" },
};

export async function objections(desk) {
  const open = (await get("/v1/objections?state=open")).objections;
  const old = make("div");
  const details = make("details", { "data-part": "answered", ontoggle: async () => {
    if (!details.open) return;
    try {
      const { objections: answered } = await get("/v1/objections?state=answered");
      old.replaceChildren(answered.length === 0 ? make("p", { class: "quiet" }, words.noneAnswered) : make("ul", { class: "found" }, answered.map((o) => objection(desk, o))));
    } catch (error) {
      desk.refuse(error);
    }
  } }, make("summary", {}, words.answered), old);
  return [
    make("h1", {}, words.title),
    make("p", { class: "lead" }, words.lead),
    open.length === 0 ? make("p", {}, words.none) : make("ul", { class: "found", id: "objections" }, open.map((o) => objection(desk, o))),
    details,
  ];
}

// today is the day in Beijing.
const today = () => new Intl.DateTimeFormat("sv-SE", { timeZone: "Asia/Shanghai" }).format(new Date());

function objection(desk, o) {
  const late = !o.settled && o.due < today();
  return make("li", { "data-objection": o.id },
    make("h2", {}, both(abouts[o.about] ?? o.about, { zh: "：", en: ": " }, desk.nameOf(o.type), ` #${o.licence}`)),
    make("dl", { class: "fields" },
      row({ zh: "证照", en: "Licence" }, make("a", { href: `#/licence/${o.licence}` }, `#${o.licence}`)),
      row({ zh: "持证人说", en: "The holder says" }, o.text),
      row({ zh: "提出时间", en: "Made" }, moment(o.madeAt)),
      row({ zh: "答复期限", en: "Due" }, late ? both(o.due, words.late) : o.due),
      o.settled && row(words.outcome, outcomes[o.settled.outcome] ?? o.settled.outcome),
      o.settled && row(words.text, o.settled.text),
      o.settled && row({ zh: "答复人", en: "Answered by" }, both(o.settled.by, { zh: "，", en: ", " }, moment(o.settled.at)))),
    !o.settled && settling(desk, o));
}

function settling(desk, o) {
  const submit = make("button", { class: "button", type: "submit" }, words.submit);
  const id = `answer-${o.id}`;
  const form = make("form", { class: "narrow", onsubmit: (event) => {
    event.preventDefault();
    once(submit, async () => {
      const answers = new FormData(form);
      try {
        await post(`/v1/objections/${o.id}/settle`, { outcome: answers.get("outcome"), answer: document.getElementById(id).value.trim() });
      } catch (error) {
        desk.refuse(error);
        return;
      }
      desk.reload();
    });
  } },
    make("fieldset", {}, make("legend", {}, words.outcome), make("div", { class: "choices" }, Object.entries(outcomes).map(([value, text]) =>
      make("label", {}, make("input", { type: "radio", name: "outcome", value, required: true }), make("span", {}, text))))),
    make("div", { class: "question" }, make("label", { for: id }, words.text), make("textarea", { id, rows: 4, maxlength: 2000, required: true })),
    make("div", { class: "buttons" }, submit));
  return form;
}
