// Giving a grant: which licence, for what, to whom, which fields, how often and how long; then all of
// it once more before it counts.
import { get, part, postOnce } from "./api.js";
import { choosing, request } from "./choose.js";
import { make } from "./dom.js";
import { freshly, needsFresh } from "./fresh.js";
import { both, button, choice, choices, done, form, goes, listed, row, way } from "./words.js";

const words = {
  which: { zh: "授权用哪张证照？", en: "Which licence is it about?" },
  none: { zh: "没有可以授权的证照。", en: "There is no licence to give a grant for." },
  what: { zh: "授权用来办什么事？", en: "What may it be used for?" },
  fields: { zh: "允许看哪些内容？", en: "What may they see?" },
  who: { zh: "授权给哪个部门？", en: "Which agency may have it?" },
  nobody: { zh: "办这件事的部门还不能接受授权", en: "No agency for this matter can take a grant yet" },
  show: { zh: "请到窗口亮证，或者用打印的纸质件。", en: "Show the licence at the counter, or a printed sheet." },
  limits: { zh: "用几次？用多久？", en: "How often, and how long?" },
  uses: { zh: "最多用几次", en: "At most" },
  days: { zh: "可以用多久", en: "For" },
  next: { zh: "下一步", en: "Continue" },
  check: { zh: "请核对，再确认授权", en: "Please check, then give the grant" },
  yes: { zh: "确认授权", en: "Give this grant" },
  no: { zh: "不授权了", en: "Give none" },
  given: { zh: "已经授权", en: "The grant is given" },
  perhaps: { zh: "可能已经办成：可以再按一次「确认授权」，不会重复授权。", en: " It may have been given: you can press “Give this grant” again, and it is given once only." },
  soon: { zh: "正在生效，一般一分钟内。", en: "It counts in a moment, usually within a minute." },
  later: { zh: "随时可以在「我的授权」里撤回。", en: "You can withdraw it at any time under “My grants”." },
  back: { zh: "看我的授权", en: "See my grants" },
  rate: { zh: "给服务打分", en: "Rate the service" },
};

const uses = [1, 3, 10];
const days = [7, 30, 90, 365];

// unsure is an error of which one cannot tell whether the grant was given all the same.
const unsure = (error) => (error.status === 0 ? Object.assign(error, { text: both(error.text, words.perhaps) }) : error);

const times = (n) => ({ zh: `${n} 次`, en: n === 1 ? "once" : `${n} times` });
const span = (n) => ({ zh: `${n} 天`, en: `${n} days` });

export async function give(wallet, id, stage) {
  if (!id) return whichLicence();
  const path = `give/${part(id)}`;
  const a = wallet.answers(path);
  const chosen = await choosing(wallet, path, id, stage, a, "agency", { title: words.what, fields: words.fields, other: false });
  if (chosen !== false) return chosen;
  if (a.matter.agencies.length === 0) return [make("h1", {}, words.nobody), make("p", {}, words.show), make("div", { class: "buttons" }, goes(words.back, "grants", { kind: "", name: "back" }))];
  if (a.matter.agencies.length === 1) a.agency = a.matter.agencies[0];
  if (stage === "agency") return a.agency && a.matter.agencies.length === 1 ? wallet.instead(`${path}/limits`) : agency(wallet, path, a);
  if (!a.matter.agencies.includes(a.agency)) return wallet.instead(`${path}/agency`);
  if (stage === "check" && a.uses) return check(wallet, path, a);
  return limits(wallet, path, a);
}

async function whichLicence() {
  const licences = (await get("/v1/licences")).licences.filter((l) => l.showable);
  return [
    make("h1", {}, words.which),
    licences.length === 0 ? make("p", {}, words.none) : make("ul", { class: "ways" }, licences.map((l) => make("li", {}, way(`give/${l.id}`, null, l.typeName, l.stateText)))),
  ];
}

const agency = (wallet, path, a) => [
  make("h1", {}, words.who),
  make("ul", { class: "ways" }, a.matter.agencies.map((one) => make("li", {}, make("button", { class: "way", type: "button", "data-agency": one.id, onclick: () => {
    a.agency = one;
    wallet.go(`${path}/limits`);
  } }, make("span", {}, make("b", {}, one.name)))))),
];

const limits = (wallet, path, a) => [
  make("h1", {}, words.limits),
  form(wallet, "limits", [
    choices(words.uses, uses.map((n) => choice("radio", "uses", n, times(n), { checked: n === (a.uses ?? uses[0]) }))),
    choices(words.days, days.map((n) => choice("radio", "days", n, span(n), { checked: n === (a.days ?? days[1]) }))),
  ], words.next, (said) => {
    a.uses = Number(said.get("uses"));
    a.days = Number(said.get("days"));
    wallet.go(`${path}/check`);
  }),
];

const check = (wallet, path, a) => [
  make("h1", {}, words.check),
  make("dl", { class: "fields" },
    row({ zh: "部门", en: "Agency" }, a.agency.name),
    row({ zh: "办什么事", en: "What for" }, a.matter.name),
    row({ zh: "证照", en: "Licence" }, a.loaded.licence.typeName),
    row({ zh: "可以看到", en: "May see" }, listed(a.loaded.fields.filter((f) => a.keys.includes(f.key)).map((f) => f.label))),
    row({ zh: "次数", en: "Uses" }, both({ zh: "最多 ", en: "At most " }, times(a.uses))),
    row({ zh: "期限", en: "For" }, both(span(a.days), { zh: "，含今天", en: ", today included" }))),
  make("div", { class: "buttons stacked" },
    button(words.yes, async () => {
      try {
        const { grant, use } = await postOnce("/v1/grants", { ...request(a), agency: a.agency.id, uses: a.uses, days: a.days }, a);
        wallet.replace([done(words.given, grant.state === "waiting" ? words.soon : null), make("p", {}, words.later), make("div", { class: "buttons" }, goes(words.back, "grants", { kind: "", name: "back" }), goes(words.rate, `rate/${part(use)}`, { name: "rate" }))]);
      } catch (error) {
        if (needsFresh(error)) return wallet.replace(freshly(path, "grants"));
        wallet.refuse(unsure(error));
      }
    }, { kind: "", name: "yes" }),
    goes(words.no, "grants", { name: "no" })),
];
