// The sheet of paper: chosen like a code, then a PDF to be opened and printed.
import { part, post } from "./api.js";
import { about, choosing, needOf, request } from "./choose.js";
import { icon, make } from "./dom.js";
import { freshly, isFresh, needsFresh } from "./fresh.js";
import { elder } from "./frame.js";
import { language } from "./lang.js";
import { choice, choices, done, form, goes } from "./words.js";

const words = {
  title: { zh: "打印出来办什么事？", en: "What is the sheet for?" },
  fields: { zh: "纸上印哪些内容？", en: "What does the sheet say?" },
  how: { zh: "怎么印？", en: "How is it printed?" },
  size: { zh: "字的大小", en: "Size of the type" },
  normal: { zh: "普通字", en: "Normal type" },
  large: { zh: "大字", en: "Large type" },
  inPerson: { zh: "这件事要求本人出示，只有纸质件可能不被接受。", en: "This matter asks that you show it yourself: paper alone may not be accepted." },
  make: { zh: "生成", en: "Make the sheet" },
  ready: { zh: "可以打印了", en: "Ready to be printed" },
  lasts: { zh: "5 分钟内有效。", en: "It is there for five minutes." },
  open: { zh: "打开（PDF）", en: "Open it (PDF)" },
  app: { zh: "如果打不开，请用手机自带的浏览器打开本服务再试，或到窗口请工作人员打印。", en: "If it does not open, use this service in the phone's own browser, or ask at a counter." },
  paper: { zh: "纸上有核验码，谁拿到都能看到纸上的内容，请收好。", en: "The sheet has a code. Whoever has the sheet sees what it says: keep it safe." },
  back: { zh: "回到这张证照", en: "Back to the licence" },
  rate: { zh: "给服务打分", en: "Rate the service" },
};

export async function print(wallet, id, stage) {
  const way = `print/${part(id)}`;
  const home = `licence/${part(id)}`;
  if (!isFresh(wallet)) return freshly(way, home);
  const a = wallet.answers(way);
  const chosen = await choosing(wallet, way, id, stage, a, "size", { title: words.title, fields: words.fields });
  if (chosen !== false) return chosen;
  if (stage === "sheet" && a.sheet) return sheet(a, home);
  const large = a.large ?? elder();
  return [
    make("p", { class: "of" }, about(a.loaded.licence, a.matter)),
    make("h1", {}, words.how),
    needOf(a.matter, a.loaded.licence).inPerson && make("div", { class: "note" }, icon("restricted"), make("p", {}, words.inPerson)),
    form(wallet, "size", [choices(words.size, [choice("radio", "large", "", words.normal, { checked: !large }), choice("radio", "large", "1", words.large, { checked: large })])], words.make, async (said) => {
      a.large = said.get("large") === "1";
      try {
        a.sheet = await post("/v1/prints", { ...request(a), large: a.large, language: language() });
      } catch (error) {
        if (needsFresh(error)) return wallet.replace(freshly(way, home));
        throw error;
      }
      wallet.go(`${way}/sheet`);
    }),
  ];
}

const sheet = ({ sheet: { url, use } }, home) => [
  done(words.ready, words.lasts),
  make("div", { class: "buttons stacked" }, make("a", { class: "button", href: /^\/v1\/prints\/[0-9a-f]+$/.test(url) ? url : "#/", "data-do": "open-sheet" }, icon("print"), make("span", {}, words.open))),
  make("p", {}, words.paper),
  make("p", { class: "quiet" }, words.app),
  make("div", { class: "buttons" }, goes(words.back, home, { name: "back" }), goes(words.rate, `rate/${part(use)}`, { name: "rate" })),
];
