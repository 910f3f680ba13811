// One licence: what holds of it, and, for a purpose that is recorded, what it says; from here it is
// changed, printed and handed out.
import { base64, get, post } from "./api.js";
import { changing, releasing, restricting } from "./change.js";
import { icon, make } from "./dom.js";
import { granting } from "./grants.js";
import { contents, renewing } from "./issue.js";
import { moment } from "./time.js";
import { askPurpose, badge, both, button, download, once, purposeIn, row } from "./words.js";

const words = {
  open: { zh: "查看内容", en: "See what it says" },
  masked: { zh: "内容没有打开。查看会写入记录。", en: "Its contents are not open. To see them is recorded." },
  history: { zh: "办理与查看记录", en: "Who did what" },
  print: { zh: "打印纸质核验件", en: "Print the sheet" },
  save: { zh: "保存证照文件", en: "Save the credential" },
  attach: { zh: "附到 OFD 或 PDF 文件", en: "Attach it to an OFD or PDF file" },
  renew: { zh: "换发新证照", en: "Reissue it" },
  revoke: { zh: "解除绑定", en: "Revoke" },
};

// licence shows a licence; to and successor, if there, begin the change to that state.
export async function licence(desk, id, to, successor) {
  const { licence: l, restrictions, bindings } = await get(`/v1/licences/${encodeURIComponent(id)}`);
  const type = desk.typeOf(l.type);
  const may = (right) => desk.can(l.type, right);
  return [
    make("div", { class: "title" }, make("h1", {}, both(desk.nameOf(l.type), ` #${l.id}`)), badge(l.state)),
    restrictions.map((r) => make("div", { class: "note", "data-restriction": r.id }, icon("restricted"), make("p", {}, both(r.label ?? { zh: "有限制", en: "Restricted" }, { zh: `（自 ${r.effective} 起）`, en: ` (from ${r.effective})` })))),
    l.lost && make("div", { class: "note" }, icon("unknown"), make("p", {}, { zh: "证照库没有它的内容。", en: "The vault does not have what it says." })),
    l.erasedAt && make("div", { class: "note" }, icon("none"), make("p", {}, both({ zh: "内容已于此时销毁：", en: "What it said was erased on " }, moment(l.erasedAt)))),
    make("dl", { class: "fields" },
      row({ zh: "制发时间", en: "Issued" }, moment(l.issuedAt)),
      l.validUntil && row({ zh: "有效期至", en: "Valid until" }, l.validUntil),
      l.predecessor && row({ zh: "取代了", en: "Takes the place of" }, make("a", { href: `#/licence/${l.predecessor}` }, `#${l.predecessor}`)),
      row({ zh: "上链位置（区块 / 序号）", en: "Place on the ledger (block / index)" }, l.anchor ? `${l.anchor.block} / ${l.anchor.index}` : { zh: "正在上链", en: "on its way" }),
      row({ zh: "证照摘要（SM3）", en: "Digest (SM3)" }, l.digest, { class: "code" })),
    may("open") && !l.lost && !l.erasedAt && opening(desk, l, type),
    may("status") && type && changing(desk, l, type, to, successor),
    may("restrict") && type && restricting(desk, l, type),
    may("restrict") && restrictions.some((r) => r.code) && releasing(desk, l, restrictions),
    may("grant") && granting(desk, l, type),
    bindings.length > 0 && bound(desk, bindings, may("bind")),
    may("open") && history(desk, l),
  ];
}

// opening asks for the purpose, and then shows what the licence says.
function opening(desk, l, type) {
  const opened = make("div", { id: "opened" }, make("p", { class: "quiet" }, words.masked));
  const submit = make("button", { class: "button", type: "submit" }, words.open);
  const open = async () => {
    const purpose = purposeIn("open-purpose");
    try {
      const answer = await post(`/v1/licences/${l.id}/open`, { purpose });
      desk.tell(null);
      opened.replaceChildren(contents({ ...answer, validUntil: l.validUntil }), make("div", { class: "buttons" },
        make("a", { class: "button second", href: `#/sheet/${l.id}` }, icon("print"), make("span", {}, words.print)),
        type && desk.can(l.type, "issue") && button(words.renew, () => desk.replace(...renewing(desk, type, l.id, { ...answer, validUntil: l.validUntil })), { name: "renew" }),
        button(words.save, () => save(desk, l, purpose), { drawn: "save", name: "save" }),
        attaching(desk, l, purpose)));
    } catch (error) {
      desk.refuse(error);
    }
  };
  const form = make("form", { class: "inline", id: "open", onsubmit: (event) => { event.preventDefault(); once(submit, open); } }, askPurpose("open-purpose"), submit);
  return make("section", {}, make("h2", {}, words.open), form, opened);
}

async function save(desk, l, purpose) {
  try {
    const { credential } = await post(`/v1/licences/${l.id}/credential`, { purpose });
    download(credential, `licence-${l.id}.cbor`, "application/vnd.credledger.credential");
  } catch (error) {
    desk.refuse(error);
  }
}

// attaching lets the credential be attached to the file that a holder gets.
function attaching(desk, l, purpose) {
  const attach = async () => {
    const file = input.files[0];
    input.value = "";
    if (!file) return;
    try {
      const answer = await post(`/v1/licences/${l.id}/attach`, { file: base64(new Uint8Array(await file.arrayBuffer())), purpose });
      desk.tell(null);
      download(answer.file, file.name, answer.format === "pdf" ? "application/pdf" : "application/ofd");
    } catch (error) {
      desk.refuse(error);
    }
  };
  const input = make("input", { type: "file", id: "attach", class: "unseen", accept: ".ofd,.pdf", tabindex: -1, "aria-hidden": "true", onchange: attach });
  return [button(words.attach, () => input.click(), { name: "attach" }), input];
}

// bound lists the holders' keys that are bound to the licence.
function bound(desk, bindings, may) {
  const over = (b) => b.revokedAt || new Date(b.notAfter) < new Date();
  const revoke = async (b) => {
    try {
      await post(`/v1/bindings/${b.id}/revoke`, { purpose: "desk" });
      desk.reload();
    } catch (error) {
      desk.refuse(error);
    }
  };
  return make("section", {}, make("h2", {}, { zh: "持证人手机绑定", en: "Holders' keys" }),
    make("ul", { class: "list" }, bindings.map((b) => make("li", {},
      make("span", {}, both(`#${b.id} · `, moment(b.notBefore), " – ", moment(b.notAfter))),
      b.revokedAt ? make("span", { class: "quiet" }, { zh: "已解除", en: "Revoked" }) : may && !over(b) && button(words.revoke, () => revoke(b), { name: "unbind" })))));
}

// history is fetched when it is unfolded.
function history(desk, l) {
  const list = make("ol", { class: "list", id: "history" });
  const details = make("details", { ontoggle: async () => {
    if (!details.open) return;
    try {
      const { events } = await get(`/v1/licences/${l.id}/history`);
      list.replaceChildren(...events.map((e) => make("li", {}, make("span", { class: "quiet" }, moment(e.at)), make("span", {}, e.text), make("span", {}, [e.by, e.purpose].filter(Boolean).join(" · ")))));
    } catch (error) {
      desk.refuse(error);
    }
  } }, make("summary", {}, words.history), make("div", {}, list));
  return details;
}
