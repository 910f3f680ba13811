// Who has looked at a licence, when and what for: agencies, never the clerks in them by name.
import { get, part } from "./api.js";
import { icon, make } from "./dom.js";
import { moment } from "./time.js";
import { button, goes, listed, row, same } from "./words.js";

const words = {
  title: { zh: "谁看过这张证照", en: "Who has looked at this licence" },
  none: { zh: "还没有谁看过。", en: "Nobody has looked at it yet." },
  public: { zh: "公众查验（您出示给的人）", en: "A member of the public (to whom you showed it)" },
  away: { zh: "核验服务暂时连不上，下面可能不全。请稍后再看。", en: "The verification service cannot be reached, so some may be missing. Look again later." },
  when: { zh: "时间", en: "When" },
  what: { zh: "因何事", en: "What for" },
  fields: { zh: "看到的内容", en: "What was seen" },
  asked: { zh: "想要的内容", en: "What was asked for" },
  unsaid: { zh: "没有说明", en: "Not said" },
  nothing: { zh: "只核验真伪", en: "Only whether it is genuine" },
  result: { zh: "结果", en: "Outcome" },
  more: { zh: "更早的", en: "Earlier ones" },
  object: { zh: "不是我办的？提出异议", en: "Not yours? Object" },
  back: { zh: "回到这张证照", en: "Back to the licence" },
};

export async function looks(wallet, id) {
  const path = `/v1/licences/${part(id)}/accesses`;
  const list = make("ul", { class: "cards", id: "looks" });
  const more = make("div", { class: "buttons" });
  const add = ({ accesses, next }) => {
    list.append(...accesses.map(one));
    more.replaceChildren(...(next ? [button(words.more, async () => {
      try {
        add(await get(`${path}?before=${part(next)}`));
      } catch (error) {
        wallet.refuse(error);
      }
    }, { name: "more" })] : []));
  };
  const first = await get(path);
  add(first);
  return [
    make("h1", {}, words.title),
    !first.verifier && make("div", { class: "note", id: "partly" }, icon("undetermined"), make("p", {}, words.away)),
    first.accesses.length === 0 ? make("p", {}, words.none) : list,
    more,
    make("div", { class: "buttons" }, goes(words.object, `object/${part(id)}`, { name: "object" }), goes(words.back, `licence/${part(id)}`, { name: "back" })),
  ];
}

const one = (a) => make("li", { class: "card", "data-outcome": a.outcome },
  make("h2", {}, a.agencyName ?? (a.agency ? same(a.agency) : words.public)),
  a.unit && make("p", { class: "quiet" }, a.unit),
  make("dl", { class: "fields" },
    row(words.when, moment(a.time)),
    row(words.what, a.matterName ?? (a.matter ? same(a.matter) : words.unsaid)),
    row(["refused", "unanswered"].includes(a.outcome) ? words.asked : words.fields, a.fields.length > 0 ? listed(a.fields.map((f) => f.label)) : words.nothing),
    row(words.result, a.outcomeText)));
