// Objections: something is wrong, and the department that issued the licence has to answer by a day.
import { get, part, postOnce } from "./api.js";
import { icon, make } from "./dom.js";
import { namesOf } from "./grants.js";
import { day, moment } from "./time.js";
import { done, form, goes, question, row, same, wrong } from "./words.js";

const words = {
  title: { zh: "我的异议", en: "My objections" },
  none: { zh: "您没有提出过异议。要提出，请先打开那张证照。", en: "You have made no objection. To make one, open the licence that it is about." },
  which: { zh: "选一张证照", en: "Choose a licence" },
  about: { zh: "哪里不对？", en: "What is wrong?" },
  text: { zh: "请说一说", en: "Please tell us" },
  what: { zh: "情况说明", en: "What happened" },
  hint: { zh: "用您自己的话，最多 1000 字。不用写身份证号。", en: "In your own words, at most 1,000 characters. Do not write your identity number." },
  empty: { zh: "请写一点情况。", en: "Please write something." },
  send: { zh: "提交", en: "Send it" },
  made: { zh: "已经提交", en: "It is sent" },
  back: { zh: "看我的异议", en: "See my objections" },
  overdue: { zh: "已超过期限，还没有答复。", en: "It is late: there is no answer yet." },
  answer: { zh: "答复", en: "Answer" },
  rate: { zh: "给这次答复打分", en: "Rate the answer" },
};

const abouts = {
  verdict: { zh: "核验结果不对", en: "What a verification said" },
  state: { zh: "证照的状态不对（比如不该失效）", en: "Its state (for instance, it should be in force)" },
  contents: { zh: "证照上的内容不对", en: "What the licence says" },
  access: { zh: "有部门不该看我的证照", en: "Somebody looked at it who should not have" },
};

const outcomes = {
  upheld: { zh: "异议成立，已处理", en: "You are right, and it was put right" },
  "partly-upheld": { zh: "部分成立", en: "You are right in part" },
  "not-upheld": { zh: "异议不成立", en: "It was found to be in order" },
};

const marks = { upheld: "pass", "partly-upheld": "restricted", "not-upheld": "none" };

export async function objections() {
  const [{ objections }, name] = await Promise.all([get("/v1/objections"), namesOf()]);
  return [
    make("h1", {}, words.title),
    objections.length === 0 && make("p", {}, words.none),
    make("div", { class: "buttons" }, goes(words.which, "", { name: "which" })),
    make("ul", { class: "cards", id: "objections" }, objections.map((o) => card(o, name))),
  ];
}

const card = (o, name) => make("li", { class: "card", "data-objection": o.objection },
  make("h2", {}, abouts[o.about] ?? same(o.about)),
  make("p", { class: "quiet" }, name(o.licence)),
  make("p", { class: "said", lang: "zh-CN" }, o.text),
  make("dl", { class: "fields" },
    row({ zh: "提交时间", en: "Sent" }, moment(o.madeAt)),
    !o.answer && row({ zh: "最迟答复", en: "Answer due by" }, day(o.due))),
  o.overdue && !o.answer && make("p", { class: "field-problem" }, words.overdue),
  o.answer && make("div", { class: "answer" },
    make("h3", {}, words.answer),
    make("span", { class: "badge", "data-state": o.answer.outcome === "upheld" ? "active" : "suspended" }, icon(marks[o.answer.outcome] ?? "unknown"), make("span", {}, outcomes[o.answer.outcome] ?? same(o.answer.outcome))),
    make("p", { class: "said", lang: "zh-CN" }, o.answer.text),
    make("p", { class: "quiet" }, moment(o.answer.at))),
  o.use && make("div", { class: "buttons" }, goes(words.rate, `rate/${part(o.use)}`, { name: "rate" })));

export async function object(wallet, id, stage) {
  const path = `object/${part(id)}`;
  const a = wallet.answers(path);
  a.licence = a.licence ?? (await get(`/v1/licences/${part(id)}`)).licence;
  if (stage === "text" && a.about) return writing(wallet, a);
  return [
    make("p", { class: "of" }, a.licence.typeName),
    make("h1", {}, words.about),
    make("ul", { class: "ways", id: "about" }, Object.keys(abouts).map((key) => make("li", {}, make("button", { class: "way", type: "button", "data-way": key, onclick: () => {
      a.about = key;
      wallet.go(`${path}/text`);
    } }, make("span", {}, make("b", {}, abouts[key])))))),
  ];
}

const writing = (wallet, a) => [
  make("p", { class: "of" }, abouts[a.about]),
  make("h1", {}, words.text),
  form(wallet, "writing", [question("text", words.what, words.hint, { maxlength: 1000, rows: 6 }, "textarea")], words.send, async (said) => {
    const text = said.get("text").replace(/\r\n/g, "\n").trim();
    if (wrong("text", text ? null : words.empty)) return;
    const { due } = await postOnce("/v1/objections", { licence: a.licence.id, about: a.about, text }, a);
    const until = day(due);
    wallet.replace([done(words.made, { zh: `最迟 ${until.zh}答复您。`, en: `You get an answer by ${until.en}.` }), make("div", { class: "buttons" }, goes(words.back, "objections", { kind: "", name: "back" }))]);
  }),
];
