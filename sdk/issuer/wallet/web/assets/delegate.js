// Naming a helper: for what, with which licences, what they may do, how long, and who it is.
import { get, postOnce } from "./api.js";
import { make } from "./dom.js";
import { freshly, isFresh, needsFresh } from "./fresh.js";
import { namesOf } from "./grants.js";
import { ways } from "./help.js";
import { button, choice, choices, done, form, goes, listed, question, row, same, wrong } from "./words.js";

const words = {
  what: { zh: "请人帮您办什么事？", en: "What shall they do for you?" },
  none: { zh: "没有需要您证照的事项。", en: "No matter needs a licence of yours." },
  licences: { zh: "可以用您的哪些证照？", en: "Which of your licences may they use?" },
  may: { zh: "可以做什么？多久？", en: "What may they do, and how long?" },
  mayLegend: { zh: "可以替您", en: "For you, they may" },
  days: { zh: "期限", en: "For" },
  who: { zh: "请谁帮忙？", en: "Who is it?" },
  number: { zh: "帮办人的公民身份号码", en: "The helper's identity number" },
  numberHint: { zh: "18 位。请当面核对对方的身份证。", en: "18 characters. Look at their identity card." },
  length: { zh: "公民身份号码是 18 位，请再看一遍。", en: "An identity number has 18 characters: please look again." },
  choose: { zh: "请至少选一项。", en: "Choose at least one." },
  next: { zh: "下一步", en: "Continue" },
  check: { zh: "请核对，再确认", en: "Please check, then confirm" },
  trust: { zh: "请只找您信得过的人。陌生人打电话让您操作的，不要做。", en: "Name only people you trust. If a stranger calls and tells you to do this, do not." },
  yes: { zh: "确认，请这个人帮忙", en: "Yes, let them help" },
  no: { zh: "不请了", en: "No, name nobody" },
  named: { zh: "已经办好", en: "Done" },
  tell: { zh: "请告诉对方：用自己的身份登录，在「代办」里就能看到。", en: "Tell them to sign in as themselves: they find it under “Help”." },
  back: { zh: "回到帮办代办", en: "Back to helping" },
};

const days = [1, 7, 30, 90];

export async function delegate(wallet, stage) {
  if (!isFresh(wallet)) return freshly("delegate", "help");
  const a = wallet.answers("delegate");
  a.matters = a.matters ?? (await get("/v1/matters")).matters.filter((m) => m.licences.length > 0);
  a.name = a.name ?? (await namesOf());
  if (!stage) return matter(wallet, a);
  if (!a.matter) return wallet.instead("delegate");
  if (stage === "licences") return licences(wallet, a);
  if (!a.licences) return wallet.instead("delegate/licences");
  if (stage === "may") return may(wallet, a);
  if (!a.may) return wallet.instead("delegate/may");
  return stage === "check" && a.helper ? check(wallet, a) : who(wallet, a);
}

const matter = (wallet, a) => [
  make("h1", {}, words.what),
  a.matters.length === 0 ? make("p", {}, words.none) : make("ul", { class: "ways" }, a.matters.map((m) => make("li", {}, make("button", { class: "way", type: "button", "data-way": m.id, onclick: () => {
    Object.assign(a, { matter: m, licences: null });
    wallet.go("delegate/licences");
  } }, make("span", {}, make("b", {}, m.name)))))),
];

const licences = (wallet, a) => [
  make("p", { class: "of" }, a.matter.name),
  make("h1", {}, words.licences),
  several(wallet, "licences", (problem) => [choices(words.licences, a.matter.licences.map((id) => choice("checkbox", "licence", id, a.name(id), { hint: same(`#${id}`), checked: a.licences ? a.licences.includes(id) : a.matter.licences.length === 1 }))), problem], "licence", (said) => {
    a.licences = said.getAll("licence").map(Number);
    wallet.go("delegate/may");
  }),
];

const may = (wallet, a) => [
  make("p", { class: "of" }, a.matter.name),
  make("h1", {}, words.may),
  several(wallet, "may", (problem) => [
    choices(words.mayLegend, Object.keys(ways).map((w) => choice("checkbox", "may", w, ways[w], { checked: a.may ? a.may.includes(w) : w === "show" }))), problem,
    choices(words.days, days.map((n) => choice("radio", "days", n, { zh: n === 1 ? "只限今天" : `${n} 天`, en: n === 1 ? "Today only" : `${n} days` }, { checked: n === (a.days ?? days[1]) }))),
  ], "may", (said) => {
    Object.assign(a, { may: said.getAll("may"), days: Number(said.get("days")) });
    wallet.go("delegate/who");
  }),
];

// several is a form of which at least one answer is needed.
function several(wallet, name, questions, needed, act) {
  const problem = make("p", { class: "field-problem", role: "alert" });
  return form(wallet, name, questions(problem), words.next, (said) => (said.has(needed) ? act(said) : problem.replaceChildren(make("span", {}, words.choose))));
}

const who = (wallet, a) => [
  make("h1", {}, words.who),
  make("div", { class: "warning" }, make("p", {}, words.trust)),
  form(wallet, "who", [question("helper", words.number, words.numberHint, { maxlength: 32, value: a.helper ?? "", lang: "zh-CN" })], words.next, (said) => {
    const number = said.get("helper").replace(/[\s\u3000]/g, "").toUpperCase();
    if (wrong("helper", /^[0-9]{17}[0-9X]$/.test(number) ? null : words.length)) return;
    a.helper = number;
    wallet.go("delegate/check");
  }),
];

const check = (wallet, a) => [
  make("h1", {}, words.check),
  make("dl", { class: "fields" },
    row({ zh: "帮办人", en: "Helper" }, a.helper),
    row({ zh: "办什么事", en: "What for" }, a.matter.name),
    row({ zh: "证照", en: "Licences" }, listed(a.licences.map(a.name))),
    row({ zh: "可以做", en: "May" }, listed(a.may.map((w) => ways[w]))),
    row({ zh: "期限", en: "For" }, { zh: a.days === 1 ? "只限今天" : `${a.days} 天，含今天`, en: a.days === 1 ? "Today only" : `${a.days} days, today included` })),
  make("div", { class: "buttons stacked" },
    button(words.yes, async () => {
      try {
        await postOnce("/v1/delegations", { helper: a.helper, licences: a.licences, matter: a.matter.id, may: a.may, days: a.days }, a);
        wallet.replace([done(words.named), make("p", {}, words.tell), make("div", { class: "buttons" }, goes(words.back, "help", { kind: "", name: "back" }))]);
      } catch (error) {
        if (needsFresh(error)) return wallet.replace(freshly("delegate", "help"));
        wallet.refuse(error);
      }
    }, { kind: "", name: "yes" }),
    goes(words.no, "help", { name: "no" })),
];
