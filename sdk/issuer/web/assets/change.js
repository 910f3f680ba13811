// Changes of what holds of a licence: its state, and the restrictions that lie on it, for reasons in
// the type's own words. What takes two people becomes a proposal.
import { post } from "./api.js";
import { make } from "./dom.js";
import { askPurpose, both, button, once, purposeIn, verbs } from "./words.js";

const words = {
  status: { zh: "变更状态", en: "Change its state" },
  to: { zh: "变更为", en: "Change to" },
  reason: { zh: "事由", en: "Reason" },
  effective: { zh: "生效日期（可不填，默认今日）", en: "From (optional: today)" },
  fromTheStart: { zh: "自始无效，不问日期。", en: "It holds from the very beginning; no date is asked." },
  two: { zh: "此项变更须由另一人审批。", en: "This takes the approval of a second person." },
  successor: { zh: "取代它的新证照编号（#号）", en: "The new licence that takes its place (its # number)" },
  proposed: { zh: "已提交，等待另一人审批。", en: "It waits for the approval of a second person." },
  restrict: { zh: "添加限制", en: "Lay a restriction on it" },
  kind: { zh: "限制种类", en: "Kind of restriction" },
  release: { zh: "解除限制", en: "Lift a restriction" },
  confirm: { zh: "确认", en: "Confirm" },
};

const option = (name, value, text, properties) => make("label", {}, make("input", { type: "radio", name, value, required: true, ...properties }), make("span", {}, text));

const dated = (id) => make("div", { class: "question" }, make("label", { for: id }, words.effective), make("input", { class: "short", type: "date", id }));

// folded is a change that is asked for in a form of its own, unfolded when wanted.
function folded(name, heading, questions, act, open = false) {
  const submit = make("button", { class: "button", type: "submit" }, words.confirm);
  const form = make("form", { class: "narrow", id: name, onsubmit: (event) => { event.preventDefault(); once(submit, () => act(new FormData(form))); } }, questions, make("div", { class: "buttons" }, submit));
  return make("details", { "data-change": name, open: Boolean(open) }, make("summary", {}, heading), make("div", {}, form));
}

// changing offers the changes of state that there are from the present one. to and other, if there, are
// the state and the successor to begin with.
export function changing(desk, l, type, to, other) {
  const there = type.transitions.filter((t) => t.from === l.state);
  if (there.length === 0) return null;
  const reasons = make("div", { class: "choices", id: "reasons" });
  const why = make("fieldset", { hidden: true }, make("legend", {}, words.reason), reasons);
  const date = dated("status-effective");
  const start = make("p", { class: "hint", hidden: true }, words.fromTheStart);
  const successor = make("input", { class: "short", type: "text", id: "successor", inputmode: "numeric", pattern: "#?[0-9]{1,15}", autocomplete: "off" });
  const next = make("div", { class: "question", hidden: true }, make("label", { for: "successor" }, words.successor), successor);
  const two = make("p", { class: "hint", hidden: true }, words.two);
  const because = (r) => {
    date.hidden = r.effect === "ab-initio";
    start.hidden = !date.hidden;
  };
  const chosen = (t) => {
    why.hidden = false;
    because({});
    two.hidden = t.approvals < 2;
    next.hidden = t.to !== "superseded";
    successor.required = !next.hidden;
    reasons.replaceChildren(...t.reasons.map((r) => option("reason", r.code, r.label, { onchange: () => because(r) })));
  };
  const act = async (answers) => {
    const request = { to: answers.get("to"), reason: answers.get("reason") };
    const effective = document.getElementById("status-effective").value;
    if (effective && !date.hidden) request.effective = effective;
    if (!next.hidden) request.successor = Number(successor.value.replace("#", ""));
    const purpose = purposeIn("status-purpose");
    if (purpose) request.purpose = purpose;
    await done(desk, `/v1/licences/${l.id}/status`, request);
  };
  const begun = there.find((t) => t.to === to);
  if (begun) chosen(begun);
  if (begun && other) successor.value = `#${other}`;
  return folded("status", words.status, [
    make("fieldset", {}, make("legend", {}, words.to), make("div", { class: "choices" }, there.map((t) => option("to", t.to, verbs[t.to] ?? { zh: t.to, en: t.to }, { checked: t.to === to, onchange: () => chosen(t) })))),
    why, start, date, next, askPurpose("status-purpose", false), two,
  ], act, begun);
}

export function restricting(desk, l, type) {
  if (type.restrictions.length === 0 || l.state === "revoked") return null;
  const act = async (answers) => {
    const request = { code: answers.get("code") };
    const effective = document.getElementById("restrict-effective").value;
    if (effective) request.effective = effective;
    const purpose = purposeIn("restrict-purpose");
    if (purpose) request.purpose = purpose;
    await done(desk, `/v1/licences/${l.id}/restrictions`, request);
  };
  return folded("restrict", words.restrict, [
    make("fieldset", {}, make("legend", {}, words.kind), make("div", { class: "choices" }, type.restrictions.map((r) => option("code", r.code, r.label)))),
    dated("restrict-effective"), askPurpose("restrict-purpose", false),
  ], act);
}

export function releasing(desk, l, restrictions) {
  const act = async (answers) => {
    const { id, code } = restrictions.find((r) => r.id === answers.get("id"));
    const request = { code, id };
    const purpose = purposeIn("release-purpose");
    if (purpose) request.purpose = purpose;
    await done(desk, `/v1/licences/${l.id}/releases`, request);
  };
  return folded("release", words.release, [
    make("fieldset", {}, make("legend", {}, words.release), make("div", { class: "choices" }, restrictions.filter((r) => r.code).map((r) => option("id", r.id, both(r.label, { zh: `（自 ${r.effective} 起）`, en: ` (from ${r.effective})` }))))),
    askPurpose("release-purpose", false),
  ], act);
}

// done has a change made, or proposed, and shows the licence as it is then.
async function done(desk, path, request) {
  try {
    const answer = await post(path, request);
    if (answer?.state !== "waiting") return desk.reload();
    desk.replace(make("h1", {}, words.proposed), make("p", {}, words.two), make("div", { class: "buttons" },
      make("a", { class: "button", href: "#/approvals" }, { zh: "查看审批", en: "See the approvals" }),
      button({ zh: "返回证照", en: "Back to the licence" }, () => desk.reload(), { name: "back" })));
  } catch (error) {
    desk.refuse(error);
  }
}
