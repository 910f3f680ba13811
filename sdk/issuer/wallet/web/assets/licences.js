// One's licences, what to see to, and one of them with what can be done with it.
import { get, part, post } from "./api.js";
import { icon, make } from "./dom.js";
import { freshly, isFresh, needsFresh } from "./fresh.js";
import { day, moment } from "./time.js";
import { badge, both, button, row, until, way } from "./words.js";

const words = {
  mine: { zh: "我的证照", en: "My licences" },
  theirs: { zh: "可以代办的证照", en: "Licences you may act for" },
  none: { zh: "本部门没有给您制发过证照。", en: "This department has issued no licence to you." },
  wrong: { zh: "觉得不对？请带身份证到窗口查询。", en: "Is that wrong? Ask at a counter, with your identity card." },
  see: { zh: "请留意", en: "Please note" },
  menu: { zh: "还能做什么", en: "What else there is" },
  read: { zh: "看证照内容", en: "Read what it says" },
  readHint: { zh: "每次查看都有记录", en: "Every time it is read is recorded" },
  empty: { zh: "（空）", en: "(empty)" },
  numbers: { zh: "账本上的编号等技术信息", en: "Technical particulars" },
};

const ways = {
  show: [{ zh: "亮证", en: "Show it" }, { zh: "出示二维码，给窗口扫", en: "A code for the counter to scan" }],
  print: [{ zh: "打印", en: "Print it" }, { zh: "没有手机的地方用", en: "For where there is no phone" }],
  looks: [{ zh: "谁看过", en: "Who has looked" }, { zh: "哪个部门、何时、因何事", en: "Which agency, when, what for" }],
  give: [{ zh: "授权部门使用", en: "Let an agency use it" }, { zh: "办事时不用再交材料", en: "So that no papers are asked for" }],
  object: [{ zh: "提出异议", en: "Object" }, { zh: "觉得哪里不对", en: "If something is wrong" }],
  grants: [{ zh: "我的授权", en: "My grants" }, { zh: "查看或者撤回", en: "See or withdraw them" }],
  help: [{ zh: "帮办代办", en: "Helping" }, { zh: "请人帮忙，或者帮别人", en: "Be helped, or help somebody" }],
  objections: [{ zh: "我的异议", en: "My objections" }, { zh: "看答复", en: "See the answers" }],
};

const drawn = { show: "pass", print: "print", looks: "unknown", give: "save", object: "undetermined", grants: "save", help: "person", objections: "undetermined" };

const to = (name, path, kind = "") => make("li", {}, way(path, drawn[name], ...ways[name], { kind, name }));

export async function home(wallet) {
  const { licences, reminders } = await get("/v1/licences");
  return [
    make("h1", {}, wallet.acting ? words.theirs : words.mine),
    reminders.length > 0 && make("section", { id: "reminders" }, make("h2", {}, words.see), make("ul", { class: "ways" }, reminders.map(reminder))),
    licences.length === 0
      ? [make("p", {}, words.none), make("p", { class: "quiet" }, words.wrong)]
      : make("ul", { class: "ways", id: "licences" }, licences.map((l) => make("li", {}, card(l)))),
    make("section", { class: "elder-only menu" }, make("h2", {}, words.menu), make("ul", { class: "ways" },
      to("grants", "grants"), !wallet.acting && [to("help", "help"), to("objections", "objections")])),
  ];
}

const card = (l) => make("a", { class: "way licence", "data-state": l.state, href: `#/licence/${l.id}` },
  make("span", {}, make("b", {}, l.typeName), make("span", { class: "hint" }, l.validUntil ? until(l.validUntil) : { zh: "长期有效", en: "No end date" }), badge(l.state, l.stateText), l.restricted && make("span", { class: "badge", "data-state": "suspended" }, icon("restricted"), make("span", {}, { zh: "有限制", en: "Restricted" }))));

const reminder = (r) => {
  const path = r.kind === "objection-answered" ? "objections" : r.grant ? "grants" : r.delegation ? "help" : `licence/${part(r.licence)}`;
  return make("li", { "data-reminder": r.kind }, way(path, "restricted", r.text, day(r.on), { kind: "caution" }));
};

export async function licence(wallet, id) {
  const { licence: l, restrictions } = await get(`/v1/licences/${part(id)}`);
  const may = (act) => !wallet.acting || wallet.acting.may.includes(act);
  const path = part(id);
  return [
    make("div", { class: "title" }, make("h1", {}, l.typeName), badge(l.state, l.stateText)),
    restrictions.map((r) => make("div", { class: "note" }, icon("restricted"), make("p", {}, both(r.text, { zh: `（自 ${r.since} 起）`, en: ` (from ${r.since})` })))),
    make("ul", { class: "ways" },
      l.showable && may("show") && to("show", `show/${path}`, "first"),
      l.showable && may("print") && to("print", `print/${path}`),
      l.showable && may("grant") && to("give", `give/${path}`),
      !wallet.acting && [to("looks", `looks/${path}`), to("object", `object/${path}`)]),
    make("dl", { class: "fields" },
      row({ zh: "制发时间", en: "Issued" }, moment(l.issuedAt)),
      row({ zh: "有效期至", en: "Valid until" }, l.validUntil ? day(l.validUntil) : { zh: "长期", en: "No end date" })),
    may("show") && reading(wallet, path),
    make("details", { "data-unsaid": true }, make("summary", {}, words.numbers), make("div", {}, make("dl", { class: "fields" }, row({ zh: "证照摘要（SM3）", en: "Digest (SM3)" }, l.digest, { class: "code" }), row({ zh: "编号", en: "Number" }, `#${l.id}`)))),
  ];
}

// reading opens the contents when that is wanted.
function reading(wallet, id) {
  const contents = make("div", { id: "contents", role: "status" });
  const open = button(words.read, async () => {
    if (!isFresh(wallet)) return wallet.replace(freshly(`licence/${id}`, `licence/${id}`));
    try {
      const { fields } = await post(`/v1/licences/${id}/open`);
      contents.replaceChildren(make("dl", { class: "fields" }, fields.map(field)));
      open.hidden = true;
      wallet.tell(null);
    } catch (error) {
      if (needsFresh(error)) return wallet.replace(freshly(`licence/${id}`, `licence/${id}`));
      wallet.refuse(error);
    }
  }, { name: "open" });
  return make("section", {}, make("h2", {}, words.read), make("p", { class: "quiet" }, words.readHint), make("div", { class: "buttons" }, open), contents);
}

const field = ({ key, label, value }) => {
  const values = [value ?? []].flat();
  return row(label, values.length > 0 ? values.map((v) => make("span", { class: "several", lang: "zh-CN" }, v)) : make("span", { class: "quiet" }, words.empty), { "data-key": key });
};
