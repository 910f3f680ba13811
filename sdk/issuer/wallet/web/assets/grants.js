// What agencies may have without asking for papers, and taking that back.
import { get, part, post } from "./api.js";
import { icon, make } from "./dom.js";
import { moment } from "./time.js";
import { button, done, goes, listed, row, same, sure } from "./words.js";

const words = {
  title: { zh: "我的授权", en: "My grants" },
  lead: { zh: "授权以后，部门办事时可以直接向发证部门要您同意给的内容，您不用再交材料。随时可以撤回。", en: "An agency with a grant gets what you agreed to from the department that issued the licence, and asks you for no papers. You can withdraw it at any time." },
  none: { zh: "您还没有授权任何部门。", en: "You have given no grant." },
  give: { zh: "新的授权", en: "A new grant" },
  withdraw: { zh: "撤回", en: "Withdraw" },
  over: { zh: "已经结束的", en: "Those that are over" },
  sure: { zh: "撤回这项授权？", en: "Withdraw this grant?" },
  effect: { zh: "撤回后立即生效，不能恢复。以后要用，可以重新授权。", en: "It ends at once and for good. You can give a new one later." },
  kept: { zh: "已经提供出去的内容收不回来，记录会保留。", en: "What was given out already cannot be called back; the record of it stays." },
  yes: { zh: "是，撤回", en: "Yes, withdraw it" },
  no: { zh: "不，保留", en: "No, keep it" },
  withdrawn: { zh: "已经撤回", en: "It is withdrawn" },
  since: { zh: "从现在起，这项授权不能再用。", en: "From now on nothing is given under it." },
  back: { zh: "回到我的授权", en: "Back to my grants" },
  gone: { zh: "这项授权已经结束，不用撤回。", en: "This grant is over: there is nothing to withdraw." },
  numbers: { zh: "部门问编号时给它看", en: "If the agency asks for numbers" },
};

const states = {
  waiting: { zh: "正在生效", en: "About to count" },
  given: { zh: "有效", en: "In force" },
  "used-up": { zh: "次数已用完", en: "Used up" },
  expired: { zh: "已到期", en: "Expired" },
  withdrawn: { zh: "已撤回", en: "Withdrawn" },
};

const marks = { waiting: "incomplete", given: "pass", "used-up": "none", expired: "not-current", withdrawn: "fail" };

// means say how a grant was given by a holder: of a licence with several it may be another one than who reads this.
const means = {
  "holder-key": { zh: "持证人用自己的密钥签的", en: "Signed with a holder's own key" },
  counter: { zh: "持证人在窗口办的", en: "Given by a holder at a counter" },
  platform: { zh: "持证人登录后在这里办的", en: "Given here by a holder who had signed in" },
  delegate: { zh: "由他人代办", en: "Given by somebody who helped a holder" },
};

const open = (g) => g.state === "given" || g.state === "waiting";

const agencyOf = (g) => g.agencyName ?? same(g.agency);
const matterOf = (g) => g.matterName ?? same(g.matter);

// known gets the licences, by id.
const known = async () => new Map((await get("/v1/licences")).licences.map((l) => [l.id, l]));

const naming = (licences) => (id) => licences.get(id)?.typeName ?? same(`#${id}`);

// namesOf gets the names of the licences, by id.
export const namesOf = async () => naming(await known());

export async function grants(wallet) {
  const [{ grants }, licences] = await Promise.all([get("/v1/grants"), known()]);
  const [now, over] = [grants.filter(open), grants.filter((g) => !open(g))];
  const list = (some) => make("ul", { class: "cards" }, some.map((g) => card(g, licences)));
  return [
    make("h1", {}, words.title),
    make("p", {}, words.lead),
    (!wallet.acting || wallet.acting.may.includes("grant")) && make("div", { class: "buttons" }, goes(words.give, "give", { kind: "", name: "give" })),
    make("div", { id: "grants" }, now.length === 0 ? make("p", {}, words.none) : list(now)),
    over.length > 0 && make("details", {}, make("summary", {}, words.over), list(over)),
  ];
}

const card = (g, licences) => make("li", { class: "card", "data-grant": g.grant },
  make("h2", {}, agencyOf(g)),
  make("span", { class: "badge", "data-state": g.state === "given" ? "active" : g.state }, icon(marks[g.state] ?? "unknown"), make("span", {}, states[g.state] ?? same(g.state))),
  particulars(g, naming(licences)),
  open(g) && make("details", { "data-unsaid": true }, make("summary", {}, words.numbers), make("div", {}, make("dl", { class: "fields" },
    row({ zh: "授权摘要（SM3）", en: "Digest of the grant (SM3)" }, g.grant, { class: "code" }),
    row({ zh: "证照摘要（SM3）", en: "Digest of the licence (SM3)" }, licences.get(g.licence)?.digest ?? "", { class: "code" })))),
  open(g) && make("div", { class: "buttons" }, goes(words.withdraw, `withdraw/${part(g.grant)}`, { name: "withdraw" })));

const particulars = (g, name) => make("dl", { class: "fields" },
  row({ zh: "证照", en: "Licence" }, name(g.licence)),
  row({ zh: "办什么事", en: "What for" }, matterOf(g)),
  row({ zh: "可以看到", en: "May see" }, listed(g.fields.map((f) => f.label))),
  row({ zh: "次数", en: "Uses" }, { zh: `共 ${g.uses} 次，用了 ${g.used} 次`, en: `${g.used} of ${g.uses} used` }),
  row({ zh: "到期", en: "Ends" }, moment(g.notAfter)),
  row({ zh: "怎么办的", en: "How it was given" }, means[g.means] ?? same(g.means)),
  g.withdrawnAt && row({ zh: "撤回时间", en: "Withdrawn" }, moment(g.withdrawnAt)));

// withdraw asks once, in plain words, and then does it.
export async function withdraw(wallet, id) {
  const [{ grants }, name] = await Promise.all([get("/v1/grants"), namesOf()]);
  const g = grants.find((one) => one.grant === id);
  if (!g || !open(g)) return [make("h1", {}, words.gone), make("div", { class: "buttons" }, goes(words.back, "grants", { kind: "", name: "back" }))];
  const what = { zh: `${agencyOf(g).zh}：${name(g.licence).zh}，${matterOf(g).zh}。`, en: `${agencyOf(g).en}: ${name(g.licence).en}, ${matterOf(g).en}.` };
  return sure(words.sure, [what, words.effect, g.used > 0 && words.kept].filter(Boolean),
    button(words.yes, async () => {
      try {
        await post(`/v1/grants/${part(id)}/withdraw`);
        wallet.replace([done(words.withdrawn, words.since), make("div", { class: "buttons" }, goes(words.back, "grants", { kind: "", name: "back" }))]);
      } catch (error) {
        wallet.refuse(error);
      }
    }, { kind: "grave", name: "yes" }),
    goes(words.no, "grants", { name: "no" }));
}
