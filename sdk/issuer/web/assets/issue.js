// Issuing one licence: choose its type, fill it in, see what would be anchored, then issue it or put
// it aside; what was put aside can be undone until it is issued.
import { get, key, post, problemOf, remove } from "./api.js";
import { icon, make } from "./dom.js";
import { Form } from "./form.js";
import { moment } from "./time.js";
import { both, button, download, once, row } from "./words.js";

const words = {
  which: { zh: "制发哪种证照？", en: "Which licence is to be issued?" },
  check: { zh: "请核对", en: "Please check" },
  nothingYet: { zh: "还没有上链。制发后，上链的是加盐摘要和本单位签名，下列内容只留在证照库和持证人手里。", en: "Nothing is anchored yet. What goes onto the ledger is a salted digest with your department's signature; what follows stays in the vault and with the holder." },
  issue: { zh: "制发并上链", en: "Issue and anchor" },
  keep: { zh: "先放入待制发", en: "Put aside for now" },
  change: { zh: "返回修改", en: "Back, to change it" },
  undo: { zh: "撤销（不制发）", en: "Undo (do not issue)" },
  issued: { zh: "已制发，已上链存证", en: "Issued and anchored" },
  earlier: { zh: "这一件此前已经制发，没有重复制发。", en: "It had been issued before, and was not issued again." },
  empty: { zh: "（空）", en: "(empty)" },
};

// issue asks for the type, unless there is but one, and for what the licence says.
export async function issue(desk, typeID) {
  const types = desk.typesFor("issue");
  const type = types.length === 1 ? types[0] : types.find((t) => t.id === typeID);
  if (!type) {
    return [make("h1", {}, words.which), make("ul", { class: "ways" }, types.map((t) => make("li", {}, make("a", { class: "way", href: `#/issue/${t.id}` }, t.name))))];
  }
  return filling(desk, type, {});
}

// renewing begins with what another licence says, whose place the new one is to take.
export const renewing = (desk, type, predecessor, { fields, validFrom, validUntil }) =>
  filling(desk, type, { predecessor, validFrom, validUntil, fields: Object.fromEntries(fields.map((f) => [f.key, f.value])) });

// filling is the form, with answers to begin with and what is wrong with them.
function filling(desk, type, answers, problems = []) {
  const form = new Form(type, answers);
  const preview = async () => {
    desk.tell(null);
    const request = form.request();
    if (answers.predecessor) request.predecessor = answers.predecessor;
    try {
      const { problems, licence } = await post("/v1/previews", request);
      form.show(problems);
      if (problems.length === 0) desk.replace(...checking(desk, type, request, licence));
    } catch (error) {
      desk.refuse(error);
    }
  };
  const submit = make("button", { class: "button", type: "submit" }, { zh: "核对", en: "Check it" });
  queueMicrotask(() => form.show(problems)); // once it is in the page
  return [
    make("h1", {}, both(answers.predecessor ? { zh: "换发", en: "Reissue: " } : { zh: "制发", en: "Issue: " }, type.name)),
    answers.predecessor && make("p", { class: "lead" }, { zh: `新证照将取代 #${answers.predecessor}。`, en: `The new licence will take the place of #${answers.predecessor}.` }),
    make("form", { class: "narrow", id: "filling", novalidate: true, onsubmit: (event) => { event.preventDefault(); once(submit, preview); } }, form.element, make("div", { class: "buttons" }, submit)),
  ];
}

// checking shows what would be issued. Its idempotency key is that of this record: however often it is
// sent, one licence comes of it.
function checking(desk, type, request, licence) {
  const idempotency = key();
  const back = () => desk.replace(...filling(desk, type, request));
  const refused = (error) => {
    const { answer } = problemOf(error);
    if (!answer?.problems) return desk.refuse(error);
    desk.replace(...filling(desk, type, request, answer.problems));
  };
  return [
    make("h1", {}, both(words.check, { zh: "：", en: ": " }, type.name)),
    make("div", { class: "note" }, icon("unknown"), make("p", {}, words.nothingYet)),
    contents(licence),
    make("div", { class: "buttons" },
      button(words.issue, () => post("/v1/licences", request, { "Idempotency-Key": idempotency }).then((answer) => desk.replace(...issued(desk, answer))).catch(refused), { first: true, name: "issue" }),
      button(words.keep, () => post("/v1/drafts", request).then(() => desk.go("")).catch(refused), { name: "keep" }),
      button(words.change, back, { name: "change" })),
  ];
}

// contents lists what a licence says.
export function contents({ fields, validFrom, validUntil }) {
  const list = make("dl", { class: "fields" });
  for (const f of fields) {
    const values = [f.value ?? []].flat();
    list.append(row(f.label, values.length > 0 ? values.map((v) => make("span", { class: "several", lang: "zh-CN" }, v)) : make("span", { class: "quiet" }, words.empty), { "data-key": f.key }));
  }
  if (validFrom) list.append(row({ zh: "有效期起", en: "Valid from" }, validFrom));
  if (validUntil) list.append(row({ zh: "有效期至", en: "Valid until" }, validUntil));
  return list;
}

// issued says that a licence is issued, and what can be done with it now.
function issued(desk, { licence, credential, earlier }) {
  return [
    make("div", { class: "done" }, icon("valid", "mark"), make("div", {}, make("h1", {}, words.issued), make("p", {}, both(desk.nameOf(licence.type), ` #${licence.id}`)))),
    earlier && make("p", {}, words.earlier),
    licence.predecessor && make("div", { class: "note" }, icon("restricted"), make("p", {}, { zh: "旧证照仍然有效，请把它标为已被取代。", en: "The former licence is still in force: mark it as superseded." })),
    make("dl", { class: "fields" },
      row({ zh: "制发时间", en: "Issued" }, moment(licence.issuedAt)),
      licence.anchor && row({ zh: "上链位置（区块 / 序号）", en: "Place on the ledger (block / index)" }, `${licence.anchor.block} / ${licence.anchor.index}`),
      row({ zh: "证照摘要（SM3）", en: "Digest (SM3)" }, licence.digest, { class: "code" })),
    make("div", { class: "buttons" },
      licence.predecessor && desk.can(licence.type, "status") && make("a", { class: "button", href: `#/licence/${licence.predecessor}/superseded/${licence.id}` }, both({ zh: "取代旧证照 ", en: "Supersede " }, `#${licence.predecessor}`)),
      desk.can(licence.type, "open") && make("a", { class: licence.predecessor ? "button second" : "button", href: `#/sheet/${licence.id}` }, icon("print"), make("span", {}, { zh: "打印纸质核验件", en: "Print the sheet" })),
      credential && button({ zh: "保存证照文件", en: "Save the credential" }, () => download(credential, `licence-${licence.id}.cbor`, "application/vnd.credledger.credential"), { drawn: "save", name: "save" }),
      make("a", { class: "button second", href: `#/licence/${licence.id}` }, { zh: "查看", en: "Look at it" }),
      button({ zh: "再制发一件", en: "Issue another" }, () => desk.go(`issue/${licence.type}`), { name: "another" })),
  ];
}

// draft shows what was put aside, to be issued or undone.
export async function draft(desk, id) {
  const { draft, request, preview } = await get(`/v1/drafts/${encodeURIComponent(id)}`);
  const type = desk.typeOf(draft.type);
  const path = `/v1/drafts/${draft.id}`;
  return [
    make("h1", {}, both({ zh: "待制发：", en: "To be issued: " }, type.name)),
    make("p", { class: "quiet" }, both(`${draft.by} · `, moment(draft.createdAt), { zh: "，保留至 ", en: ", kept until " }, moment(draft.expiresAt))),
    preview.licence ? make("div", { class: "note" }, icon("unknown"), make("p", {}, words.nothingYet)) : make("div", { class: "error" }, make("h2", {}, { zh: "现在不能制发", en: "It cannot be issued now" }), make("ul", {}, preview.problems.map((p) => make("li", {}, make("span", {}, { zh: p.text.zh, en: p.message }))))),
    contents(preview.licence ?? { fields: type.fields.map((f) => ({ ...f, value: request.fields[f.key] ?? null })) }),
    make("div", { class: "buttons" },
      preview.licence && button(words.issue, () => post(`${path}/issue`).then((answer) => desk.replace(...issued(desk, answer))).catch(desk.refuse), { first: true, name: "issue" }),
      button(words.undo, () => remove(path).then(() => desk.go("")).catch(desk.refuse), { name: "undo" })),
  ];
}
