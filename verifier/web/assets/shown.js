// The licences that were shown for a case, each verified as soon as it is scanned.
import { problemOf } from "./api.js";
import { icon, make } from "./dom.js";

const words = {
  checking: { zh: "正在核验……", en: "Checking …" },
  compared: { zh: "已核对持证人身份证", en: "Identity card compared" },
  remove: { zh: "移除", en: "Remove" },
  unread: { zh: "没有核验成", en: "Could not be checked" },
  unknown: { zh: "证照", en: "Licence" },
};

// A Shown keeps the list. options: list, its element; verify(request), a promise of the API's answer;
// changed(said), called after every change with what there is to announce; problem(p), called with
// what is not about one licence.
export class Shown {
  items = [];
  #options;

  constructor(options) {
    this.#options = options;
  }

  // add begins to verify what was shown. text, if any, tells one code from another: false is returned
  // for one that is there already.
  add(request, text) {
    if (text && this.has(text)) return false;
    const item = { request, text, answer: null, problem: null, compared: false, node: make("li", {}) };
    this.items.push(item);
    this.#options.list.append(item.node);
    this.#verify(item);
    return true;
  }

  has(text) {
    return this.items.some((item) => item.text === text && !item.problem);
  }

  pending() {
    return this.items.some((item) => !item.answer && !item.problem);
  }

  clear() {
    this.items = [];
    this.#options.list.replaceChildren();
    this.#options.changed();
  }

  // types returns the ids of the types of which a licence was shown that may do.
  types() {
    const good = this.items.filter((item) => ["valid", "restricted"].includes(item.answer?.verdict.outcome));
    return new Set(good.map((item) => item.answer.verdict.licence.type));
  }

  // requests returns what the verification of the case is asked with: what was shown, sealed by the
  // API where it could be taken only once.
  requests() {
    return this.items.filter((item) => item.answer).map((item) => ({
      ...(item.answer.sealed ? { sealed: item.answer.sealed } : item.request),
      identityChecked: item.compared,
    }));
  }

  mark(met) {
    return icon(met ? "pass" : "none");
  }

  async #verify(item) {
    item.node.replaceChildren(make("div", { class: "one" }, make("span", { class: "word", role: "status" }, words.checking)));
    this.#options.changed();
    try {
      item.answer = await this.#options.verify(item.request);
      this.#draw(item);
    } catch (error) {
      item.answer = null;
      item.problem = problemOf(error);
      if (item.problem.status !== 401) return this.#draw(item);
      this.#remove(item);
      this.#options.problem(item.problem);
    }
  }

  #draw(item) {
    const verdict = item.answer?.verdict;
    const name = (verdict?.outcome !== "invalid" && verdict?.licence?.typeName) || words.unknown;
    const said = verdict ? verdict.text : item.problem.text;
    item.node.dataset.outcome = verdict?.outcome ?? "none";
    item.node.replaceChildren(make("div", { class: "one" },
      make("b", {}, name),
      make("span", { class: "word" }, icon(verdict?.outcome ?? "undetermined"), make("span", {}, said)),
      make("button", { class: "link", type: "button", onclick: () => this.#remove(item) }, make("span", {}, words.remove), make("span", { class: "unseen" }, name))));
    if (verdict?.note) item.node.append(this.#tick(item, verdict.note));
    this.#options.changed({ zh: `${name.zh}：${said.zh}`, en: `${name.en}: ${said.en}` });
  }

  // tick is the clerk's word that the holder's identity card was compared, where nothing else proves
  // who shows the licence.
  #tick(item, note) {
    const box = make("input", { type: "checkbox", onchange: (event) => (item.compared = event.target.checked) });
    return make("div", {}, make("p", { class: "quiet small" }, note), make("label", { class: "tick" }, box, make("span", {}, words.compared)));
  }

  #remove(item) {
    this.items = this.items.filter((other) => other !== item);
    item.node.remove();
    this.#options.changed();
  }
}
