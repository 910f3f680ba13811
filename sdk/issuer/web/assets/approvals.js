// What waits for a second person. Nobody approves what they have proposed.
import { get, post } from "./api.js";
import { make } from "./dom.js";
import { moment } from "./time.js";
import { askPurpose, both, button, once, purposeIn, row, verbs } from "./words.js";

const words = {
  title: { zh: "审批", en: "Approvals" },
  lead: { zh: "下列变更须由提出人以外的另一人审批。", en: "These changes take the approval of somebody else than who proposed them." },
  none: { zh: "没有待审批的事项。", en: "Nothing waits for approval." },
  mine: { zh: "由您本人提出，须由他人审批。", en: "You have proposed it: somebody else has to approve it." },
  approve: { zh: "批准", en: "Approve" },
  refuse: { zh: "不批准", en: "Refuse" },
  withdraw: { zh: "撤回", en: "Withdraw" },
};

export async function approvals(desk) {
  const { proposals } = await get("/v1/proposals");
  return [
    make("h1", {}, words.title),
    make("p", { class: "lead" }, words.lead),
    proposals.length === 0 ? make("p", {}, words.none) : make("ul", { class: "found", id: "proposals" }, proposals.map((p) => proposal(desk, p))),
  ];
}

function proposal(desk, p) {
  const type = desk.typeOf(p.type);
  const reason = type?.transitions.flatMap((t) => t.reasons).find((r) => r.code === p.reason)?.label ?? { zh: p.reason, en: p.reason };
  const act = (what, body) => async () => {
    try {
      await post(`/v1/proposals/${p.id}/${what}`, body?.());
    } catch (error) {
      desk.refuse(error);
      return;
    }
    desk.reload();
  };
  const why = `refuse-${p.id}`;
  const submit = make("button", { class: "button second", type: "submit" }, p.mine ? words.withdraw : words.refuse);
  const refuse = make("form", { class: "inline", onsubmit: (event) => { event.preventDefault(); once(submit, act("refuse", () => ({ purpose: purposeIn(why) }))); } }, askPurpose(why), submit);
  const may = desk.can(p.type, "approve");
  return make("li", { "data-proposal": p.id },
    make("h2", {}, both(verbs[p.to] ?? { zh: p.to, en: p.to }, { zh: "：", en: ": " }, desk.nameOf(p.type), ` #${p.licence}`)),
    make("dl", { class: "fields" },
      row({ zh: "证照", en: "Licence" }, make("a", { href: `#/licence/${p.licence}` }, `#${p.licence}`)),
      row({ zh: "事由", en: "Reason" }, reason),
      p.successor && row({ zh: "接替证照", en: "Successor" }, make("a", { href: `#/licence/${p.successor}` }, `#${p.successor}`)),
      p.effective && row({ zh: "生效日期", en: "From" }, p.effective),
      row({ zh: "提出人", en: "Proposed by" }, both([p.by, p.purpose].filter(Boolean).join(" · "), { zh: "，", en: ", " }, moment(p.createdAt)))),
    p.mine && make("p", { class: "hint" }, words.mine),
    !p.mine && may && make("div", { class: "buttons" }, button(words.approve, act("approve"), { first: true, name: "approve" })),
    (p.mine || may) && make("details", {}, make("summary", {}, p.mine ? words.withdraw : words.refuse), make("div", {}, refuse)));
}
