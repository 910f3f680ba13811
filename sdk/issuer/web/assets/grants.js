// The grants about a licence: which agency may have which fields of it, how often it has had them; to be given and
// withdrawn on behalf of a holder who stands at the counter and was identified.
import { get, keyOf, post, problemOf } from "./api.js";
import { make } from "./dom.js";
import { moment } from "./time.js";
import { both, once, row } from "./words.js";

const words = {
  title: { zh: "授权用证", en: "Grants" },
  none: { zh: "没有授权。", en: "There are none." },
  give: { zh: "代持证人授权", en: "Give one for the holder" },
  withdraw: { zh: "代持证人撤回", en: "Withdraw it for the holder" },
  agency: { zh: "授权给", en: "To" },
  matter: { zh: "用于事项", en: "For" },
  fields: { zh: "可用的字段", en: "Fields" },
  more: { zh: "已按事项勾选最少的字段，多选请先告知持证人。", en: "The least that the matter takes is chosen. Tell the holder before you add to it." },
  uses: { zh: "次数", en: "How many times" },
  until: { zh: "有效期至", en: "Until" },
  identified: { zh: "如何核对了持证人的身份", en: "How the holder was identified" },
  identifiedHint: { zh: "证件种类、核对人、窗口。加密留存。", en: "Which document, seen by whom and where. It is kept sealed." },
};

const states = {
  kept: { zh: "待上链", en: "On its way to the ledger" },
  given: { zh: "有效", en: "In force" },
  withdrawn: { zh: "已撤回", en: "Withdrawn" },
  over: { zh: "已过期", en: "Expired" },
  used: { zh: "已用完", en: "Used up" },
};

const means = {
  "holder-key": { zh: "持证人签署", en: "Signed by the holder" },
  counter: { zh: "窗口代签", en: "At the counter" },
  platform: { zh: "网上办理", en: "Online" },
  delegate: { zh: "他人代办", en: "By a helper" },
};

// granting lists the grants when it is unfolded.
export function granting(desk, l, type) {
  const inside = make("div", { id: "grants" });
  const show = async () => {
    try {
      const answer = await get(`/v1/grants?licence=${l.id}`);
      inside.replaceChildren(
        answer.grants.length === 0 ? make("p", { class: "quiet" }, words.none) : make("ul", { class: "found" }, answer.grants.map((g) => grant(desk, answer, type, g, show))),
        ...(l.state === "active" && type ? [giving(desk, l, type, answer, show)] : []));
    } catch (error) {
      inside.replaceChildren(make("p", {}, problemOf(error).text));
    }
  };
  const details = make("details", { "data-part": "grants", ontoggle: () => details.open && show() }, make("summary", {}, words.title), inside);
  return details;
}

const named = (list, id) => list.find((x) => x.id === id)?.name ?? { zh: id, en: id };
const labelOf = (type, key) => type?.fields.find((f) => f.key === key)?.label ?? { zh: key, en: key };

function stateOf(g) {
  if (g.state === "given" && g.used >= g.uses) return "used";
  if (g.state === "given" && new Date(g.notAfter) < new Date()) return "over";
  return g.state;
}

function grant(desk, answer, type, g, show) {
  const state = stateOf(g);
  const labels = g.fields.map((key) => labelOf(type, key));
  return make("li", { "data-grant": g.state },
    make("h3", {}, both(g.agencyName ?? { zh: g.agency, en: g.agency })),
    make("dl", { class: "fields" },
      row({ zh: "状态", en: "State" }, states[state]),
      row(words.matter, named(answer.matters, g.matter)),
      row(words.fields, { zh: labels.map((t) => t.zh).join("、"), en: labels.map((t) => t.en).join(", ") }),
      row({ zh: "已用 / 可用次数", en: "Used / allowed" }, `${g.used} / ${g.uses}`),
      row(words.until, moment(g.notAfter)),
      row({ zh: "授权方式", en: "Given" }, both(means[g.means] ?? g.means, { zh: "，", en: ", " }, moment(g.signedAt))),
      row({ zh: "授权摘要（SM3）", en: "Digest of the grant (SM3)" }, g.grant, { class: "code" })),
    g.state !== "withdrawn" && identifying(`withdraw-${g.grant.slice(0, 16)}`, words.withdraw, [], async (identified) => {
      await post(`/v1/grants/${g.grant}/withdraw`, { identified });
    }, desk, show));
}

// identifying is a form about a holder who was identified, unfolded when wanted.
function identifying(id, heading, questions, act, desk, then) {
  const submit = make("button", { class: "button", type: "submit" }, heading);
  const identified = make("input", { type: "text", id: `${id}-identified`, required: true, maxlength: 500, autocomplete: "off", "aria-describedby": `${id}-hint` });
  const form = make("form", { class: "narrow", id, onsubmit: (event) => {
    event.preventDefault();
    once(submit, async () => {
      try {
        await act(identified.value.trim());
      } catch (error) {
        desk.refuse(error);
        return;
      }
      desk.tell(null);
      await then();
    });
  } }, questions,
    make("div", { class: "question" }, make("label", { for: `${id}-identified` }, words.identified), make("span", { class: "hint", id: `${id}-hint` }, words.identifiedHint), identified),
    make("div", { class: "buttons" }, submit));
  return make("details", {}, make("summary", {}, heading), make("div", {}, form));
}

// giving asks for a grant; what the matter takes at least is chosen.
function giving(desk, l, type, answer, show) {
  const select = (id, label, from) => make("div", { class: "question" }, make("label", { for: id }, label),
    make("select", { id, required: true }, make("option", { value: "" }, { zh: "请选择", en: "Choose" }), from.map((x) => make("option", { value: x.id }, x.name))));
  const boxes = new Map(type.fields.map((f) => [f.key, make("input", { type: "checkbox", name: "field", value: f.key })]));
  const matter = select("grant-matter", words.matter, answer.matters);
  const agency = select("grant-agency", words.agency, answer.agencies);
  matter.querySelector("select").addEventListener("change", (event) => {
    const least = answer.matters.find((m) => m.id === event.target.value)?.fields ?? [];
    for (const [key, box] of boxes) box.checked = least.includes(key);
  });
  const uses = make("input", { class: "short", type: "text", id: "grant-uses", inputmode: "numeric", pattern: "[1-9][0-9]{0,2}|1000", required: true, value: "1" });
  const until = make("input", { class: "short", type: "date", id: "grant-until", required: true });
  const asked = {};
  return identifying("give", words.give, [
    agency, matter,
    make("fieldset", {}, make("legend", {}, words.fields), make("p", { class: "hint" }, words.more),
      make("div", { class: "choices" }, type.fields.map((f) => make("label", {}, boxes.get(f.key), make("span", {}, f.label))))),
    make("div", { class: "question" }, make("label", { for: "grant-uses" }, words.uses), uses),
    make("div", { class: "question" }, make("label", { for: "grant-until" }, words.until), until),
  ], async (identified) => {
    const last = new Date(`${until.value}T23:59:59+08:00`);
    const body = {
      licence: l.id, agency: agency.querySelector("select").value, matter: matter.querySelector("select").value,
      fields: [...boxes].filter(([, box]) => box.checked).map(([key]) => key), uses: Number(uses.value),
      notAfter: last.toISOString().replace(/\.\d+Z$/, "Z"), identified,
    };
    await post("/v1/grants", body, { "Idempotency-Key": keyOf(asked, "/v1/grants", body) });
  }, desk, show);
}
