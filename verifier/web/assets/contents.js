// What a licence disclosed, and where it stands on the ledger.
import { make } from "./dom.js";
import { day, moment } from "./time.js";

const labels = {
  issued: { zh: "制发日期", en: "Issued" },
  validFrom: { zh: "有效期起", en: "Valid from" },
  validUntil: { zh: "有效期至", en: "Valid until" },
};

// title names the licence and who issued it; null for one that is invalid, whose claims are not
// repeated.
export function title(verdict, level = "h2") {
  if (!verdict.licence || verdict.outcome === "invalid") return null;
  const { typeName, issuer, issuerName } = verdict.licence;
  const by = issuerName ?? { zh: issuer, en: issuer };
  return make("div", { class: "what" }, make(level, {}, typeName), make("p", {}, { zh: `${by.zh} 颁发`, en: `Issued by ${by.en}` }));
}

// fields lists what was disclosed. What is sensitive is masked until it is asked for.
export function fields(verdict, withheld = []) {
  if (verdict.outcome === "invalid") {
    return [make("p", {}, { zh: "核验不通过，所以不显示码中所写的内容。", en: "It did not pass, so what it claims is not shown." })];
  }
  const out = [];
  if (verdict.outcome === "undetermined") {
    out.push(make("p", { class: "quiet" }, { zh: "以下是出示的内容，尚未核实。", en: "This is what was shown; it is not confirmed." }));
  }
  const list = make("dl", { class: "fields" });
  const masked = [];
  for (const field of verdict.fields) {
    const value = make("dd", { "data-key": field.key });
    const values = [field.value ?? []].flat();
    const plain = () => value.replaceChildren(...values.map((v) => make("span", { class: "several", lang: "zh-CN" }, v)));
    if (field.classification === "sensitive" && values.length > 0 && field.masked !== values.join("")) {
      masked.push({ value, plain, hidden: field.masked });
    }
    if (values.length === 0) value.append(make("span", { class: "quiet" }, { zh: "（空）", en: "(empty)" }));
    else plain();
    list.append(make("div", {}, make("dt", {}, field.label), value));
  }
  append(list, verdict.licence);
  out.push(list);
  if (masked.length > 0) out.push(reveal(masked));
  if (withheld.length > 0) {
    out.push(make("p", { class: "quiet small" }, { zh: `另有 ${withheld.length} 项，本单位无权查看或没有要求，未予提供。`, en: `${withheld.length} more: not needed here, or not for your agency to see.` }));
  }
  return out;
}

// append adds the dates that every licence has.
function append(list, licence) {
  if (!licence) return;
  const rows = [
    [labels.issued, moment(licence.issuedAt)],
    [labels.validFrom, licence.validFrom && day(licence.validFrom)],
    [labels.validUntil, licence.validUntil && day(licence.validUntil)],
  ];
  for (const [label, text] of rows) {
    if (text) list.append(make("div", {}, make("dt", {}, label), make("dd", {}, text)));
  }
}

// reveal is the button that shows and hides what is masked, which it is at first.
function reveal(masked) {
  let shown = true;
  const words = { show: { zh: "显示隐去的内容", en: "Show what is hidden" }, hide: { zh: "隐去敏感内容", en: "Hide what is sensitive" } };
  const p = make("p", { class: "reveal" });
  const toggle = () => {
    shown = !shown;
    for (const { value, plain, hidden } of masked) {
      if (shown) plain();
      else value.replaceChildren(hidden);
    }
    button.replaceChildren(make("span", {}, shown ? words.hide : words.show));
  };
  const button = make("button", { class: "link", type: "button", onclick: toggle });
  toggle();
  p.append(button);
  return p;
}

// particulars are for those who want to look it up on the ledger.
export function particulars(verdict) {
  const { licence, anchor, ledger } = verdict;
  const rows = [];
  const row = (zh, en, value) => {
    if (value !== null && value !== undefined) rows.push(make("div", {}, make("dt", {}, { zh, en }), make("dd", { class: "code" }, String(value))));
  };
  if (verdict.outcome !== "invalid") {
    row("证照摘要（SM3）", "Digest (SM3)", licence?.digest);
    row("颁发机构标识", "Issuer", licence?.issuer && `${licence.issuer} / ${licence.unit}`);
    row("证照类型", "Type", licence && `${licence.type} v${licence.typeVersion}`);
    row("存证位置", "Place on the ledger", anchor && `${anchor.position.block} / ${anchor.position.index}`);
    row("存证交易", "Transaction", anchor?.transaction);
    row("存证根", "Root", anchor?.root);
    row("上链时间不早于", "Anchored after", anchor?.before?.time);
    row("上链时间不晚于", "Anchored before", anchor?.after?.time);
  }
  row("账本标识", "Ledger", ledger?.id);
  row("账本高度", "Height of the ledger", ledger?.height);
  row("账本时间", "Time of the ledger", ledger?.heartbeat?.time);
  row("问题（供开发者）", "Problem, for developers", verdict.problem);
  if (rows.length === 0) return null;
  return make("details", {}, make("summary", {}, { zh: "账本上的位置等技术信息", en: "Technical particulars" }), make("div", {}, make("dl", { class: "fields" }, rows)));
}
