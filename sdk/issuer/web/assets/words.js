// Words that several views have in common.
import { icon, make, once } from "./dom.js";

export { once, row } from "./dom.js";
export { both } from "./lang.js";

const states = {
  active: { zh: "有效", en: "In force" },
  suspended: { zh: "暂停", en: "Suspended" },
  superseded: { zh: "已被取代", en: "Superseded" },
  revoked: { zh: "已撤销", en: "Revoked" },
};

// verbs are what brings a licence into a state.
export const verbs = {
  active: { zh: "恢复有效", en: "Restore" },
  suspended: { zh: "暂停", en: "Suspend" },
  superseded: { zh: "换证取代", en: "Supersede" },
  revoked: { zh: "撤销", en: "Revoke" },
};

const marks = { active: "pass", suspended: "restricted", superseded: "not-current", revoked: "fail" };

// badge is a state as a mark and a word.
export const badge = (state) => make("span", { class: "badge", "data-state": state }, icon(marks[state] ?? "unknown"), make("span", {}, states[state] ?? { zh: state, en: state }));

// purpose is what somebody looks into licences for; kept for the next time while the page is open.
let purpose = "";

// askPurpose is the question for it, and purposeIn what was answered.
export const askPurpose = (id, required = true) =>
  make("div", { class: "question" },
    make("label", { for: id }, required ? { zh: "用途（办件号或事由）", en: "Purpose (case number or reason)" } : { zh: "办件号或事由（可不填）", en: "Case number or reason (optional)" }),
    make("span", { class: "hint", id: `${id}-hint` }, { zh: "会写入该证照的记录。", en: "It is recorded with the licence." }),
    make("input", { class: "short", type: "text", id, required, maxlength: 100, autocomplete: "off", value: required ? purpose : null, "aria-describedby": `${id}-hint` }));

export function purposeIn(id) {
  const given = document.getElementById(id).value.trim();
  if (given) purpose = given;
  return given;
}

// button is one, with what happens when it is pressed; while that is under way it cannot be pressed
// again.
export function button(text, act, { first = false, drawn = null, name = null } = {}) {
  const element = make("button", { class: first ? "button" : "button second", type: "button", "data-do": name, onclick: () => once(element, act) }, drawn && icon(drawn), make("span", {}, text));
  return element;
}

// download saves bytes in base64 as a file.
export function download(content, name, type) {
  const bytes = Uint8Array.from(atob(content), (c) => c.charCodeAt(0));
  const address = URL.createObjectURL(new Blob([bytes], { type }));
  make("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}
