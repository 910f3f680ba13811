// Helping: who may act for me, and for whom I act. A helper signs in as themselves, and everything they
// do is recorded as done by them for the holder.
import { get, part, post } from "./api.js";
import { icon, make } from "./dom.js";
import { namesOf } from "./grants.js";
import { day, moment } from "./time.js";
import { button, done, goes, listed, row, same, sure } from "./words.js";

const words = {
  title: { zh: "帮办代办", en: "Helping" },
  mine: { zh: "请人帮我办", en: "Somebody helps me" },
  lead: { zh: "家人、村居干部可以用自己的身份登录，替您办指定的一件事。他们做的每一步都有记录，您随时可以停止。", en: "A relative or neighbourhood worker can sign in as themselves and do one matter for you. Each step is recorded, and you can end it at any time." },
  name: { zh: "请人帮忙", en: "Name a helper" },
  nobody: { zh: "您没有请人帮忙。", en: "Nobody may act for you." },
  theirs: { zh: "我帮别人办", en: "I help somebody" },
  none: { zh: "没有人请您帮忙。", en: "You may act for nobody." },
  begin: { zh: "开始代办", en: "Begin to act" },
  end: { zh: "停止", en: "End it" },
  acts: { zh: "做过的事", en: "What was done" },
  nothing: { zh: "还没有做什么。", en: "Nothing yet." },
  sureMine: { zh: "不再让这个人帮您办？", en: "Shall this person no longer act for you?" },
  sureTheirs: { zh: "不再帮这个人办？", en: "Will you no longer act for this person?" },
  effect: { zh: "立即生效，不能恢复。以后需要，可以重新请人帮忙。", en: "It ends at once and for good. A helper can be named again later." },
  kept: { zh: "已经授权出去的，请到「我的授权」里撤回。", en: "Grants that were given stay: withdraw them under “My grants”." },
  yes: { zh: "是，停止", en: "Yes, end it" },
  no: { zh: "不，保留", en: "No, keep it" },
  ended: { zh: "已经停止", en: "It has ended" },
  back: { zh: "回到帮办代办", en: "Back to helping" },
  gone: { zh: "这项代办已经结束。", en: "This has ended already." },
};

export const ways = {
  show: { zh: "出示证照", en: "show licences" },
  print: { zh: "打印", en: "print" },
  grant: { zh: "授权部门使用", en: "give and withdraw grants" },
};

const acts = {
  read: { zh: "看了内容", en: "Read what it says" },
  code: { zh: "出示了码", en: "Showed a code" },
  print: { zh: "打印了", en: "Printed it" },
  grant: { zh: "授权了部门", en: "Gave a grant" },
  withdraw: { zh: "撤回了授权", en: "Withdrew a grant" },
};

const states = {
  open: { zh: "进行中", en: "In force" },
  expired: { zh: "已到期", en: "Expired" },
  withdrawn: { zh: "已停止", en: "Ended" },
};

export async function help(wallet) {
  const [{ given, received }, name] = await Promise.all([get("/v1/delegations"), namesOf()]);
  return [
    make("h1", {}, words.title),
    make("section", { id: "given" }, make("h2", {}, words.mine), make("p", {}, words.lead),
      make("div", { class: "buttons" }, goes(words.name, "delegate", { kind: "", name: "delegate" })),
      given.length === 0 ? make("p", { class: "quiet" }, words.nobody) : make("ul", { class: "cards" }, given.map((d) => card(wallet, d, same(d.helper), name, false)))),
    make("section", { id: "received" }, make("h2", {}, words.theirs),
      received.length === 0 ? make("p", { class: "quiet" }, words.none) : make("ul", { class: "cards" }, received.map((d) => card(wallet, d, holderOf(d), null, true)))),
  ];
}

const holderOf = (d) => same(d.holderName ?? d.holder);

function card(wallet, d, who, name, helper) {
  const open = d.state === "open";
  return make("li", { class: "card", "data-delegation": d.delegation },
    make("h3", { lang: "zh-CN" }, who),
    make("span", { class: "badge", "data-state": open ? "active" : d.state }, icon(open ? "pass" : d.state === "expired" ? "not-current" : "fail"), make("span", {}, states[d.state] ?? same(d.state))),
    make("dl", { class: "fields" },
      row({ zh: "办什么事", en: "What for" }, d.matterName ?? same(d.matter)),
      name && row({ zh: "证照", en: "Licences" }, listed(d.licences.map(name))),
      row({ zh: "可以做", en: "May" }, listed(d.may.map((w) => ways[w] ?? same(w)))),
      d.endedAt ? row({ zh: "停止时间", en: "Ended" }, moment(d.endedAt)) : row({ zh: "最后一天", en: "Last day" }, day(d.until))),
    make("details", {}, make("summary", {}, words.acts), make("div", {}, d.acts.length === 0 ? make("p", {}, words.nothing) : make("ol", { class: "list" }, d.acts.map((a) => make("li", {}, make("span", { class: "quiet" }, moment(a.at)), make("span", {}, acts[a.act] ?? same(a.act)), name && make("span", {}, name(a.licence))))))),
    open && make("div", { class: "buttons" },
      helper && button(words.begin, () => wallet.actFor(d), { kind: "", drawn: "person", name: "begin" }),
      goes(words.end, `end/${part(d.delegation)}`, { name: "end" })));
}

// end asks once whether a delegation shall end, whichever of the two asks.
export async function end(wallet, id) {
  const { given, received } = await get("/v1/delegations");
  const mine = given.find((d) => d.delegation === id);
  const d = mine ?? received.find((one) => one.delegation === id);
  if (!d || d.state !== "open") return [make("h1", {}, words.gone), make("div", { class: "buttons" }, goes(words.back, "help", { kind: "", name: "back" }))];
  const matter = d.matterName ?? same(d.matter);
  const who = mine ? same(d.helper) : holderOf(d);
  return sure(mine ? words.sureMine : words.sureTheirs, [{ zh: `${who.zh}，${matter.zh}。`, en: `${who.en}, ${matter.en}.` }, words.effect, mine && d.may.includes("grant") && words.kept].filter(Boolean),
    button(words.yes, async () => {
      try {
        await post(`/v1/delegations/${part(id)}/withdraw`);
        wallet.replace([done(words.ended), make("div", { class: "buttons" }, goes(words.back, "help", { kind: "", name: "back" }))]);
      } catch (error) {
        wallet.refuse(error);
      }
    }, { kind: "grave", name: "yes" }),
    goes(words.no, "help", { name: "no" }));
}
