// The result of a case: one overall verdict, what is missing, what met each requirement, the rules
// between the licences, what is left for the clerk to look at, and each licence with its receipts.
import { fields, particulars, title } from "./contents.js";
import { icon, make } from "./dom.js";
import { complete, download, part as receiptPart } from "./receipt.js";
import { moment } from "./time.js";
import { checks, notes, panel, verdictPanel } from "./verdict.js";

const words = {
  missing: { zh: "还缺什么", en: "What is missing" },
  requirements: { zh: "所需材料", en: "What the matter needs" },
  rules: { zh: "材料之间是否一致", en: "Do the licences agree?" },
  review: { zh: "请人工查看", en: "For you to look at" },
  licences: { zh: "逐张结果", en: "Each licence" },
  save: { zh: "保存全部回执", en: "Save all receipts" },
  print: { zh: "打印存档", en: "Print for the file" },
  more: { zh: "返回补充材料", en: "Back, to add to it" },
  next: { zh: "办下一件", en: "Next case" },
};

const marks = { valid: "pass", restricted: "restricted", invalid: "fail", "not-current": "not-current", incomplete: "incomplete", inconsistent: "inconsistent", "not-presented": "none", undetermined: "unknown" };
const outcomes = {
  valid: { zh: "核验通过", en: "Passed" },
  restricted: { zh: "有限制", en: "Restricted" },
  "not-current": { zh: "已失效", en: "Not in force" },
  invalid: { zh: "核验不通过", en: "Did not pass" },
  incomplete: { zh: "缺少材料", en: "Something is missing" },
  undetermined: { zh: "暂时无法核验", en: "Cannot be verified at present" },
  "not-presented": { zh: "未提供（不是必需）", en: "Not shown (not required)" },
};
const judgements = {
  pass: { zh: "一致", en: "Agrees" },
  fail: { zh: "不一致", en: "Does not agree" },
  unknown: { zh: "无法判断", en: "Cannot be told" },
  "not-applicable": { zh: "不适用", en: "Does not apply" },
};

// caseResult returns the parts of the result of a case. matter is the matter as the API describes it,
// clerk who signed in.
export function caseResult(answer, matter, clerk, more, next) {
  const { result, licences } = answer;
  const at = moment(licences[0].verdict.checkedAt);
  return [
    panel(result.outcome, result.text,
      make("p", { class: "advice" }, answer.matter.name),
      make("p", { class: "as-of" }, { zh: `办件号 ${answer.case}，经办人 ${clerk.name}（${clerk.unit}），核验于 ${at.zh}`, en: `Case ${answer.case}, clerk ${clerk.name} (${clerk.unit}), checked on ${at.en}` })),
    missing(result),
    make("h2", {}, words.requirements), requirements(result, licences),
    result.rules.length > 0 && make("h2", {}, words.rules), result.rules.length > 0 && rules(result),
    (matter.review ?? []).length > 0 && make("h2", {}, words.review), (matter.review ?? []).length > 0 && review(matter),
    buttons(answer, more, next),
    make("h2", {}, words.licences),
    licences.map((l, i) => one(l, i, result)),
  ].flat().filter(Boolean);
}

function missing(result) {
  if (result.missing.length === 0) return null;
  return make("div", { class: "missing" }, make("h2", {}, words.missing), make("ul", {}, result.missing.map((m) => make("li", {}, m.text))));
}

function requirements(result, licences) {
  return make("ul", { class: "list" }, result.requirements.map((r) => {
    const shown = r.licences.flatMap((l) => l.items).map((i) => ({ zh: `第 ${i + 1} 张`, en: `no. ${i + 1}` }));
    const said = outcomes[r.outcome] ?? outcomes.undetermined;
    return make("li", { "data-result": mark(r.outcome), "data-role": r.role }, icon(marks[r.outcome] ?? "unknown"),
      make("div", {}, make("div", {}, r.name), make("div", { class: "quiet" }, {
        zh: [said.zh, shown.map((s) => s.zh).join("、")].filter(Boolean).join("："),
        en: [said.en, shown.map((s) => s.en).join(", ")].filter(Boolean).join(": "),
      })));
  }));
}

const mark = (outcome) => ({ valid: "pass", invalid: "fail" })[outcome] ?? "unknown";

function rules(result) {
  return make("ul", { class: "list" }, result.rules.map((r) =>
    make("li", { "data-result": r.result, "data-rule": r.id }, icon(r.result === "not-applicable" ? "none" : r.result),
      make("div", {}, make("div", {}, r.text), make("div", { class: "quiet" }, judgements[r.result] ?? judgements.unknown)))));
}

// review is a list of boxes that the clerk ticks, for the paper: nobody is sent them.
function review(matter) {
  return make("div", {}, matter.review.map((text) => make("label", { class: "tick" }, make("input", { type: "checkbox" }), make("span", {}, text))));
}

// buttons lead on: to the next case, or back to this one if there is something to add.
function buttons(answer, more, next) {
  const button = (name, text, onclick, first, drawn) => make("button", { class: first ? "button" : "button second", type: "button", "data-do": name, onclick }, drawn && icon(drawn), make("span", {}, text));
  const add = ["incomplete", "undetermined"].includes(answer.result.outcome);
  const both = [button("next", words.next, next, !add), button("more", words.more, more, add)];
  return make("div", { class: "buttons" },
    add ? both.reverse() : both,
    button("save", words.save, () => save(answer), false, "save"),
    button("print", words.print, () => print(), false, "print"));
}

// save keeps what belongs into the file of the case: what came of it, and the receipts; no values.
async function save(answer) {
  const receipts = await Promise.all(answer.licences.flatMap((l, i) => l.receipts.map(async (r) => ({ licence: i, onBehalf: r.onBehalf, receipt: await complete(r.receipt) }))));
  download({ matter: answer.matter, case: answer.case, result: answer.result, receipts }, `case-${answer.case.replace(/[^\p{L}\p{N}_-]+/gu, "-")}.json`);
}

// one is one licence, folded up if there is nothing to say against it.
function one({ verdict, withheld, receipts }, i, result) {
  const name = (verdict.outcome !== "invalid" && verdict.licence?.typeName) || { zh: "证照", en: "Licence" };
  const compared = result.requirements.some((r) => r.licences.some((l) => l.identityChecked && l.items.includes(i)));
  const unused = result.unused.includes(i);
  return make("details", { class: "licence", open: verdict.outcome !== "valid" },
    make("summary", {}, { zh: `第 ${i + 1} 张：${name.zh}，${verdict.text.zh}`, en: `No. ${i + 1}: ${name.en}. ${verdict.text.en}` }),
    make("div", {},
      verdictPanel(verdict, "h3"),
      unused && make("p", { class: "quiet" }, { zh: "这项业务用不到这张证照。", en: "The matter has no use for this licence." }),
      compared ? make("p", {}, { zh: "经办人已核对持证人身份证。", en: "The clerk compared the holder's identity card." }) : notes(verdict),
      title(verdict, "h3"), fields(verdict, withheld),
      checks(verdict), particulars(verdict),
      receipts.map((r) => receiptPart(r.receipt, result.departments.find((d) => d.id === r.onBehalf)?.name ?? null))));
}
