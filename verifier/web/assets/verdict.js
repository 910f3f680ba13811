// The verdict on a licence as people see it. The words are the API's; beside them stand what to do,
// and how old the view of the ledger is.
import { icon, make } from "./dom.js";
import { age, day, moment } from "./time.js";

const axes = {
  content: { zh: "内容完整", en: "Contents" },
  issuer: { zh: "颁发机构", en: "Issuer" },
  anchor: { zh: "上链存证", en: "On the ledger" },
  status: { zh: "现行状态", en: "Status" },
  restrictions: { zh: "有无限制", en: "Restrictions" },
  holder: { zh: "本人出示", en: "Shown by its holder" },
  freshness: { zh: "状态新旧", en: "How recent" },
};

const results = {
  pass: { zh: "通过", en: "Passed" },
  fail: { zh: "未通过", en: "Not passed" },
  unknown: { zh: "未知", en: "Not known" },
};

// What a failure of these is called, and the icon for it: they say nothing against the licence itself.
const failures = {
  status: { text: { zh: "当前无效", en: "Not in force" }, mark: "not-current" },
  restrictions: { text: { zh: "有限制", en: "Restricted" }, mark: "restricted" },
};

const advices = {
  valid: { zh: "可以据此办理。", en: "You can rely on it." },
  restricted: { zh: "有查封、抵押、异议等限制。办理前请向颁发机构了解。", en: "There is a seizure, a mortgage, an objection or the like. Ask the issuer before you go on." },
  "not-current": { zh: "请勿据此办理。请持证人提供现行有效的证照。", en: "Do not rely on it. Ask for a licence that is in force." },
  invalid: { zh: "请持证人重新出示，或向颁发机构核实。", en: "Ask the holder to show it again, or ask the issuer." },
  undetermined: { zh: "请稍后再核验，或用其他方式核实。", en: "Check again later, or in another way." },
};
const replaced = { zh: "请勿据此办理。该证照已有新证，请持证人出示新证。", en: "Do not rely on it. There is a newer licence: ask the holder to show that one." };

const changes = {
  active: { zh: "恢复有效", en: "in force again" },
  suspended: { zh: "暂停效力", en: "suspended" },
  superseded: { zh: "由新证替代", en: "superseded" },
  revoked: { zh: "作废", en: "revoked" },
};

function advice(verdict) {
  if (verdict.outcome === "not-current" && verdict.status?.state === "superseded") return replaced;
  return advices[verdict.outcome] ?? advices.undetermined;
}

// why is the reason that decided against the licence, or null if the outcome speaks for itself.
function why(verdict) {
  if (verdict.outcome !== "invalid" && verdict.outcome !== "undetermined") return null;
  const against = verdict.outcome === "invalid" ? ["fail"] : ["unknown", "fail"];
  for (const name of ["content", "issuer", "anchor", "status", "freshness", "restrictions", "holder"]) {
    const finding = verdict.axes[name];
    if (against.includes(finding.result)) return finding.text;
  }
  return null;
}

// clauses splits a text at its commas and colons, but for those in brackets, so that each clause
// can have a line of its own. The texts of both languages are split alike.
function clauses(text) {
  const out = [{ words: "", pause: "" }];
  let depth = 0;
  for (const c of text) {
    if (c === "(") depth++;
    if (c === ")") depth--;
    if (depth === 0 && ",:，：".includes(c)) {
      out.at(-1).pause = c;
      out.push({ words: "", pause: "" });
    } else {
      out.at(-1).words += c;
    }
  }
  return out;
}

// headline is a heading with a line for each clause; the pauses between are there to be read aloud
// and copied.
function headline(text, level) {
  const [zh, en] = [clauses(text.zh), clauses(text.en)];
  const heading = make(level, { tabindex: "-1", class: "headline" });
  for (let i = 0; i < Math.max(zh.length, en.length); i++) {
    const [z, e] = [zh[i] ?? { words: "", pause: "" }, en[i] ?? { words: "", pause: "" }];
    heading.append(make("span", { class: "line" }, make("span", {}, { zh: z.words, en: e.words }), make("span", { class: "pause" }, { zh: z.pause, en: e.pause })));
  }
  return heading;
}

// panel is a verdict as anybody understands it in a second.
export function panel(outcome, text, ...lines) {
  return drawn(outcome, text, "h1", lines);
}

function drawn(outcome, text, level, lines) {
  return make("div", { class: level === "h1" ? "verdict" : "verdict minor", "data-outcome": outcome }, icon(outcome, "mark"), make("div", {}, headline(text, level), lines));
}

// verdictPanel is the verdict on one licence, with what decided it; smaller if it is not what the
// page is about.
export function verdictPanel(verdict, level = "h1") {
  const reason = why(verdict);
  return drawn(verdict.outcome, verdict.text, level, [
    reason && make("p", { class: "advice" }, { zh: `原因：${reason.zh}。`, en: `Reason: ${reason.en}.` }),
    make("p", { class: "advice" }, advice(verdict)),
    since(verdict),
    asOf(verdict),
  ]);
}

function since(verdict) {
  if (verdict.outcome !== "not-current" || !verdict.status?.since) return null;
  const from = day(verdict.status.since);
  return make("p", { class: "as-of" }, { zh: `自 ${from.zh} 起。`, en: `Since ${from.en}.` });
}

// asOf says when it was checked, and how old what the verifier knew then was.
function asOf(verdict) {
  const at = moment(verdict.checkedAt);
  const old = verdict.ledger?.age;
  if (old === null || old === undefined) return make("p", { class: "as-of" }, { zh: `核验于 ${at.zh}。`, en: `Checked on ${at.en}.` });
  const span = age(old);
  return make("p", { class: "as-of" }, {
    zh: `核验于 ${at.zh}，依据${old < 60 ? "此刻" : ` ${span.zh}前`}的账本。`,
    en: `Checked on ${at.en}, by the ledger ${old < 60 ? "of that minute" : `as it was ${span.en} before`}.`,
  });
}

// notes are what is to be said beside the verdict: that the holder was not proven; what will change.
export function notes(verdict) {
  const out = [];
  if (verdict.note) out.push(note("person", verdict.note));
  const pending = verdict.status?.pending;
  if (pending && verdict.outcome !== "invalid") {
    const from = day(pending.effective);
    const change = changes[pending.state] ?? { zh: pending.state, en: pending.state };
    out.push(note("restricted", { zh: `该证照将自 ${from.zh} 起${change.zh}。`, en: `From ${from.en} it will be ${change.en}.` }));
  }
  return out;
}

const note = (name, text) => make("div", { class: "note" }, icon(name), make("p", {}, text));

// checks lists the axes, each with its result and the reason for it.
export function checks(verdict) {
  const list = make("ul", { class: "checks" });
  for (const [name, label] of Object.entries(axes)) {
    const finding = verdict.axes[name];
    const failed = finding.result === "fail" ? failures[name] : undefined;
    const result = failed?.text ?? results[finding.result] ?? results.unknown;
    list.append(make("li", { "data-axis": name, "data-result": failed?.mark ?? finding.result },
      icon(failed?.mark ?? finding.result),
      make("span", { class: "axis" }, label),
      make("span", { class: "reason" }, make("span", { class: "result" }, result), "  ", make("span", {}, finding.text)),
    ));
  }
  return list;
}

// spoken is the verdict as it is read aloud.
export function spoken(verdict) {
  const reason = why(verdict);
  const parts = [verdict.text, reason, advice(verdict), verdict.note].filter(Boolean);
  const name = verdict.outcome === "invalid" ? null : verdict.licence?.typeName;
  return {
    zh: [name?.zh, ...parts.map((p) => p.zh)].filter(Boolean).join("。"),
    en: [name?.en, ...parts.map((p) => p.en)].filter(Boolean).join(". "),
  };
}
