// Words and parts that several views have in common.
import { icon, make, once } from "./dom.js";
import { both, same } from "./lang.js";
import { day } from "./time.js";

export { once, row } from "./dom.js";
export { both, same } from "./lang.js";

const states = {
  active: { zh: "有效", en: "In force" },
  suspended: { zh: "已暂停", en: "Suspended" },
  superseded: { zh: "已被新证取代", en: "Superseded" },
  revoked: { zh: "已撤销", en: "Revoked" },
  expired: { zh: "已过期", en: "Expired" },
  "not-yet-valid": { zh: "尚未生效", en: "Not yet valid" },
};

const marks = { active: "pass", suspended: "restricted", superseded: "not-current", revoked: "fail", expired: "not-current", "not-yet-valid": "restricted" };

// badge is a state as a mark and a word; label, if given, is the type's own word for it.
export const badge = (state, label) => make("span", { class: "badge", "data-state": state }, icon(marks[state] ?? "unknown"), make("span", {}, label ?? states[state] ?? same(state)));

// listed joins texts as a list.
export const listed = (texts) => ({ zh: texts.map((t) => t.zh).join("、"), en: texts.map((t) => t.en).join(", ") });

// button is one, with what happens when it is pressed; while that is under way it cannot be pressed
// again. kind is "", "second" or "grave".
export function button(text, act, { kind = "second", drawn = null, name = null } = {}) {
  const element = make("button", { class: `button ${kind}`.trim(), type: "button", "data-do": name, onclick: () => once(element, act) }, drawn && icon(drawn), make("span", {}, text));
  return element;
}

// goes is a link that looks like a button.
export const goes = (text, path, { kind = "second", drawn = null, name = null } = {}) =>
  make("a", { class: `button ${kind}`.trim(), href: `#/${path}`, "data-do": name }, drawn && icon(drawn), make("span", {}, text));

// form asks questions; act gets the answers. Whatever act throws is shown.
export function form(wallet, name, questions, submit, act) {
  const button = make("button", { class: "button", type: "submit" }, submit);
  const element = make("form", { class: "narrow", id: name, novalidate: true, onsubmit: (event) => {
    event.preventDefault();
    once(button, async () => {
      try {
        await act(new FormData(element), element);
      } catch (error) {
        wallet.refuse(error);
      }
    });
  } }, questions, make("div", { class: "buttons" }, button));
  return element;
}

// question is one with a field for the answer, and where to say what is wrong with it.
export function question(id, label, hint, properties = {}, tag = "input") {
  return make("div", { class: "question" },
    make("label", { for: id }, label),
    hint && make("span", { class: "hint", id: `${id}-hint` }, hint),
    make(tag, { id, name: id, class: tag === "input" ? "short" : null, type: tag === "input" ? "text" : null, autocomplete: "off", autocapitalize: "off", spellcheck: "false", "aria-describedby": `${hint ? `${id}-hint ` : ""}${id}-problem`, ...properties }),
    make("p", { class: "field-problem", id: `${id}-problem` }));
}

// wrong says at a question what is wrong with its answer, and goes there. Without a text, nothing is.
export function wrong(id, text) {
  const [input, problem] = [document.getElementById(id), document.getElementById(`${id}-problem`)];
  if (!text) {
    input.removeAttribute("aria-invalid");
    problem.replaceChildren();
    return false;
  }
  input.setAttribute("aria-invalid", "true");
  problem.replaceChildren(make("span", {}, text));
  input.focus();
  return true;
}

// choice is one of several answers to choose from, with a hint.
export const choice = (type, name, value, text, { hint = null, checked = false, kind = null } = {}) =>
  make("label", { class: kind }, make("input", { type, name, value, checked }), make("span", {}, make("span", {}, text), hint && make("span", { class: "hint" }, hint)));

export const choices = (legend, options, properties = {}) =>
  make("fieldset", properties, make("legend", {}, legend), make("div", { class: "choices" }, options));

// until is a day in words.
export const until = (date) => both({ zh: "有效期至 ", en: "Valid until " }, day(date));

// way is something to go to.
export const way = (href, drawn, text, hint, { kind = "", name = null } = {}) =>
  make("a", { class: `way ${kind}`.trim(), href: `#/${href}`, "data-way": name }, drawn && icon(drawn), make("span", {}, make("b", {}, text), hint && make("span", { class: "hint" }, hint)));

// done says that something is done.
export const done = (heading, ...more) => make("div", { class: "done", role: "status" }, icon("valid", "mark"), make("div", {}, make("h1", {}, heading), more.map((m) => m && make("p", {}, m))));

// sure asks before something that cannot be taken back. Both ways on are large and say what they do.
export const sure = (heading, texts, yes, no) => [
  make("div", { class: "asked" }, make("h1", {}, heading), texts.map((t) => make("p", {}, t))),
  make("div", { class: "buttons stacked" }, yes, no),
];
