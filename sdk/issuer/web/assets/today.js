// Today at the desk: what was issued and rejected, what waits, what expires soon.
import { get, post, remove } from "./api.js";
import { make } from "./dom.js";
import { progress } from "./job.js";
import { day, moment } from "./time.js";
import { badge, both, button } from "./words.js";

const words = {
  title: { zh: "今日", en: "Today" },
  issued: { zh: "今日制发", en: "Issued today" },
  drafts: { zh: "待制发（尚未上链，可撤销）", en: "To be issued (nothing anchored yet)" },
  approvals: { zh: "待审批", en: "Waiting for approval" },
  jobs: { zh: "批量导入", en: "Imports" },
  expiring: { zh: "30 天内到期", en: "Expiring within 30 days" },
  none: { zh: "没有。", en: "None." },
  see: { zh: "去审批", en: "To the approvals" },
};

export async function today(desk) {
  const now = await get("/v1/desk");
  const date = day(now.today);
  const count = now.issued.reduce((sum, i) => sum + i.count, 0);
  return [
    make("div", { class: "title" }, make("h1", {}, words.title), make("p", { class: "quiet" }, date)),
    make("div", { class: "buttons" },
      desk.typesFor("issue").length > 0 && make("a", { class: "button", href: "#/issue" }, { zh: "制发一件", en: "Issue a licence" }),
      desk.typesFor("import").length > 0 && make("a", { class: "button second", href: "#/import" }, { zh: "批量导入", en: "Import a list" }),
      desk.typesFor("search").length > 0 && make("a", { class: "button second", href: "#/search" }, { zh: "查找证照", en: "Look up a licence" }),
      button({ zh: "刷新", en: "Refresh" }, () => desk.reload(), { name: "refresh" })),
    make("div", { class: "cards" },
      card("issued", words.issued, count, [
        make("p", { class: "counts" }, now.issued.map((i) => make("span", {}, both(desk.nameOf(i.type), ` ${i.count}`)))),
        list(now.recent.slice(0, 10), (l) => [link(desk, l), make("span", { class: "quiet" }, clock(l.issuedAt)), badge(l.state)]),
      ]),
      card("drafts", words.drafts, now.drafts.length, list(now.drafts, (d) => draft(desk, d))),
      card("approvals", words.approvals, now.proposals.length, now.proposals.length > 0 && make("p", {}, make("a", { href: "#/approvals" }, words.see))),
      card("jobs", words.jobs, now.rejected > 0 && { zh: `今日退回 ${now.rejected} 条`, en: `${now.rejected} records rejected today` }, list(now.jobs, (j) => [make("a", { href: `#/job/${j.id}` }, both(desk.nameOf(j.type), ` #${j.id}`)), progress(j)])),
      card("expiring", words.expiring, now.expiring.length, list(now.expiring, (l) => [link(desk, l), make("span", {}, { zh: `${l.validUntil} 到期`, en: `until ${l.validUntil}` })]))),
  ];
}

// card is one of the subjects, with how many there are of it.
function card(name, heading, count, contents) {
  const said = typeof count === "number" ? String(count) : count;
  return make("section", { class: "card", "data-card": name },
    make("h2", {}, heading, said && make("span", { class: "count" }, said)),
    contents || make("p", { class: "quiet" }, words.none));
}

function list(items, line) {
  if (items.length === 0) return make("p", { class: "quiet" }, words.none);
  return make("ul", { class: "list" }, items.map((i) => make("li", {}, line(i))));
}

const link = (desk, l) => make("a", { href: `#/licence/${l.id}` }, both(desk.nameOf(l.type), ` #${l.id}`));

// clock is the time of a day in Beijing.
const clock = (time) => {
  const date = new Date(time);
  return Number.isNaN(date.getTime()) ? String(time) : new Intl.DateTimeFormat("zh-CN", { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: "Asia/Shanghai" }).format(date);
};

function draft(desk, d) {
  const of = both(desk.nameOf(d.type));
  return [
    make("a", { href: `#/draft/${d.id}` }, of),
    make("span", { class: "quiet" }, both(`${d.by} · `, moment(d.createdAt))),
    button({ zh: "制发", en: "Issue" }, () => act(desk, () => post(`/v1/drafts/${d.id}/issue`)), { name: "issue-draft" }),
    button({ zh: "撤销", en: "Undo" }, () => act(desk, () => remove(`/v1/drafts/${d.id}`)), { name: "undo" }),
  ];
}

async function act(desk, what) {
  try {
    await what();
  } catch (error) {
    desk.refuse(error);
    return;
  }
  desk.reload();
}
