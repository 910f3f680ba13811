// The form of a licence, from its type's description: one question per field, what was wrong with the
// answers at the fields themselves, and the record as the API takes it.
import { make } from "./dom.js";
import { write } from "./lang.js";

const hints = {
  date: { zh: "如 2006-05-06 或 20060506", en: "Such as 2006-05-06 or 20060506" },
  names: { zh: "有多人时每行一人", en: "One on each line" },
  ids: { zh: "有多个时每行一个，顺序与姓名一致", en: "One on each line, in the order of the names" },
  "resident-id": { zh: "18 位公民身份号码", en: "The resident identity number of 18 characters" },
  uscc: { zh: "18 位统一社会信用代码", en: "The unified social credit code of 18 characters" },
  "property-unit": { zh: "28 位不动产单元号", en: "The property unit number of 28 characters" },
};
const longest = { names: 65_536, ids: 65_536, text: 65_536 };
const severalLines = ["text", "names", "ids"];
const lists = ["names", "ids"];

// A Form asks for what a licence of a type says. answers, if given, are those to begin with.
export class Form {
  #type;
  #questions = new Map(); // by key: {input, problem}
  #summary = make("div", { class: "error", role: "alert", hidden: true });

  constructor(type, answers = {}) {
    this.#type = type;
    this.element = make("div", {}, this.#summary, type.fields.map((f) => this.#question(f, answers.fields?.[f.key])));
    if (type.validity === "term") {
      this.element.append(make("div", { class: "pair" }, this.#day("validFrom", { zh: "有效期起", en: "Valid from" }, answers.validFrom), this.#day("validUntil", { zh: "有效期至", en: "Valid until" }, answers.validUntil)));
    }
  }

  #question(field, answer) {
    const lines = severalLines.includes(field.kind);
    const text = Array.isArray(answer) ? answer.join("\n") : String(answer ?? "");
    const properties = { maxlength: longest[field.kind] ?? 4096, autocomplete: "off", autocapitalize: "off", spellcheck: "false" };
    const input = lines
      ? make("textarea", { ...properties, rows: field.kind === "text" ? 4 : 2 }, text)
      : make("input", { ...properties, type: "text", value: text, inputmode: field.kind === "decimal" ? "decimal" : null });
    return this.#labelled(field.key, field.required ? field.label : optional(field.label), hints[field.kind], input);
  }

  #day(key, label, answer) {
    return this.#labelled(key, optional(label), null, make("input", { class: "short", type: "date", value: answer ?? "" }));
  }

  #labelled(key, label, hint, input) {
    const id = `f-${key}`;
    const problem = make("p", { class: "field-problem", id: `${id}-problem` });
    input.id = id;
    input.setAttribute("aria-describedby", `${hint ? `${id}-hint ` : ""}${id}-problem`);
    this.#questions.set(key, { input, problem });
    return make("div", { class: "question", "data-key": key }, make("label", { for: id }, label), hint && make("span", { class: "hint", id: `${id}-hint` }, hint), input, problem);
  }

  // request is the record as the API takes it.
  request() {
    const request = { type: this.#type.id, fields: {} };
    for (const field of this.#type.fields) {
      const answer = this.#questions.get(field.key).input.value;
      if (answer.trim() === "") continue;
      request.fields[field.key] = lists.includes(field.kind) ? answer.split("\n").map((l) => l.trim()).filter(Boolean) : answer;
    }
    for (const key of ["validFrom", "validUntil"]) {
      const answer = this.#questions.get(key)?.input.value;
      if (answer) request[key] = answer;
    }
    return request;
  }

  // show says what is wrong, each at its field, and all of it above with a way there.
  show(problems) {
    for (const { input, problem } of this.#questions.values()) {
      input.removeAttribute("aria-invalid");
      write(problem, { zh: "", en: "" });
    }
    this.#summary.hidden = problems.length === 0;
    if (problems.length === 0) return;
    this.#summary.replaceChildren(make("h2", {}, { zh: "请更正下列内容", en: "Please put these right" }), make("ul", {}, problems.map((p) => this.#line(p))));
    scrollTo(0, 0);
    this.#summary.tabIndex = -1;
    this.#summary.focus({ preventScroll: true });
  }

  #line(p) {
    const text = { zh: p.text.zh, en: p.message };
    const question = this.#questions.get(p.field);
    if (!question) return make("li", {}, make("span", {}, text));
    question.input.setAttribute("aria-invalid", "true");
    write(question.problem, text);
    const label = this.#type.fields.find((f) => f.key === p.field)?.label ?? { zh: p.field, en: p.field };
    return make("li", {}, make("button", { class: "link", type: "button", onclick: () => question.input.focus() }, { zh: `${label.zh}：${text.zh}`, en: `${label.en}: ${text.en}` }));
  }
}

const optional = (label) => ({ zh: `${label.zh}（可不填）`, en: `${label.en} (optional)` });
