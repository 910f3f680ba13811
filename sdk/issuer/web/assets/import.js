// Importing a list: a trial run first, which issues nothing and says what would be rejected, then the
// import itself, with its progress, what it rejected and why.
import { get, key, lines, upload } from "./api.js";
import { make } from "./dom.js";
import { isOver, progress, stateOf } from "./job.js";
import { moment } from "./time.js";
import { both, button, row } from "./words.js";

const words = {
  title: { zh: "批量导入", en: "Import a list" },
  lead: { zh: "把已有的证照一次制发上链。先试算，看哪些会退回；试算不制发任何证照。", en: "Issue licences that exist already, all at once. A trial run first shows what would be rejected; it issues nothing." },
  file: { zh: "文件", en: "File" },
  hint: { zh: "CSV（首行为栏目名）、JSON、JSON Lines 或 XML，编码 UTF-8", en: "CSV with a header line, JSON, JSON Lines or XML, in UTF-8" },
  noFile: { zh: "请选择文件。", en: "Choose a file." },
  trial: { zh: "先试算（不制发）", en: "Trial run (issues nothing)" },
  go: { zh: "制发全部", en: "Issue them all" },
  sending: { zh: "正在上传……", en: "Uploading …" },
};
const kinds = { csv: "text/csv", json: "application/json", jsonl: "application/jsonl", ndjson: "application/jsonl", xml: "application/xml" };
const shown = 50; // rejections in the page; the file has them all

const files = new Map(); // the file of each job of this page, so that an import can follow its trial run

// begin sends a file, and goes on to its job. A file that is sent again, because the answer was lost,
// is the same job.
const keys = new WeakMap();
async function begin(desk, type, file, dryRun) {
  if (!keys.has(file)) keys.set(file, {});
  const known = keys.get(file);
  const name = `${type} ${dryRun}`;
  known[name] ??= key();
  const kind = kinds[file.name.split(".").pop().toLowerCase()] ?? "text/csv";
  try {
    const job = await upload(`/v1/imports?type=${encodeURIComponent(type)}&dryRun=${dryRun}`, file.slice(0, file.size, kind), { "Idempotency-Key": known[name], "Content-Type": kind });
    files.set(job.id, file);
    desk.go(`job/${job.id}`);
  } catch (error) {
    desk.refuse(error);
  }
}

export async function importing(desk) {
  const types = desk.typesFor("import");
  const { jobs } = await get("/v1/jobs");
  const type = make("select", { class: "short", id: "import-type" }, types.map((t) => make("option", { value: t.id }, t.name)));
  const file = make("input", { type: "file", id: "import-file", accept: ".csv,.json,.jsonl,.ndjson,.xml", "aria-describedby": "import-hint import-problem" });
  const problem = make("p", { class: "field-problem", id: "import-problem", role: "alert" });
  const send = (dryRun) => async () => {
    problem.replaceChildren();
    if (!file.files[0]) {
      problem.append(make("span", {}, words.noFile));
      file.focus();
      return;
    }
    problem.append(make("span", { class: "quiet" }, words.sending));
    await begin(desk, type.value, file.files[0], dryRun);
    problem.replaceChildren();
  };
  return [
    make("h1", {}, words.title),
    make("p", { class: "lead" }, words.lead),
    make("form", { class: "narrow", onsubmit: (event) => event.preventDefault() },
      make("div", { class: "question" }, make("label", { for: "import-type" }, { zh: "证照类型", en: "Type of licence" }), type),
      make("div", { class: "question" }, make("label", { for: "import-file" }, words.file), make("span", { class: "hint", id: "import-hint" }, words.hint), file, problem),
      make("div", { class: "buttons" }, button(words.trial, send(true), { first: true, name: "trial" }), button(words.go, send(false), { name: "import" }))),
    jobs.length > 0 && make("h2", {}, { zh: "近来的导入", en: "Imports so far" }),
    jobs.length > 0 && make("ul", { class: "list" }, jobs.map((j) => make("li", {}, make("a", { href: `#/job/${j.id}` }, both(desk.nameOf(j.type), ` #${j.id}`)), make("span", { class: "quiet" }, moment(j.startedAt)), progress(j)))),
  ];
}

export async function job(desk, id) {
  const path = `/v1/jobs/${encodeURIComponent(id)}`;
  const first = await get(path);
  const state = make("div", { role: "status" });
  const details = make("div", {});
  const show = async (j) => {
    state.replaceChildren(progress(j));
    details.replaceChildren(...(await particulars(desk, path, j)).filter(Boolean));
  };
  await show(first);
  if (!isOver(first)) follow(desk, path, show);
  return [
    make("h1", {}, both(first.dryRun ? { zh: "试算：", en: "Trial run: " } : { zh: "导入：", en: "Import: " }, desk.nameOf(first.type), ` #${first.id}`)),
    make("p", { class: "quiet" }, both(`${first.by} · `, moment(first.startedAt))),
    state, details,
  ];
}

// follow asks how far the job is until it is over or the view is left. A call that fails is one that
// is tried again: the job goes on without us.
async function follow(desk, path, show) {
  for (let wait = 300; ; wait = Math.min(wait * 1.5, 3000)) {
    await new Promise((resolve) => setTimeout(resolve, wait));
    if (desk.signal.aborted) return;
    try {
      const j = await get(path);
      if (desk.signal.aborted) return;
      await show(j);
      desk.tell(null);
      if (isOver(j)) return;
    } catch (error) {
      if (desk.signal.aborted) return;
      desk.refuse(error);
    }
  }
}

async function particulars(desk, path, j) {
  const file = files.get(j.id);
  const rejected = j.rejected > 0 && isOver(j);
  return [
    make("dl", { class: "fields" },
      row({ zh: "已读记录", en: "Records read" }, String(j.records)),
      row(j.dryRun ? { zh: "可以制发", en: "Can be issued" } : { zh: "已制发上链", en: "Issued and anchored" }, String(j.accepted), { "data-count": "accepted" }),
      row({ zh: "退回", en: "Rejected" }, String(j.rejected), { "data-count": "rejected" }),
      row({ zh: "状态", en: "State" }, stateOf(j)),
      j.problem && row({ zh: "中止的原因", en: "Why it broke off" }, j.problem.text)),
    j.problem && make("p", { class: "quiet", lang: "en" }, j.problem.detail),
    make("div", { class: "buttons" },
      j.state === "done" && j.dryRun && j.accepted > 0 && file && button({ zh: `制发这 ${j.accepted} 件`, en: `Issue these ${j.accepted}` }, () => begin(desk, j.type, file, false), { first: true, name: "import" }),
      j.state === "done" && !j.dryRun && j.accepted > 0 && make("a", { class: "button second", href: `${path}/credentials`, download: `credentials-${j.id}.cborseq` }, { zh: "保存证照文件", en: "Save the credentials" }),
      rejected && make("a", { class: "button second", href: `${path}/rejects?format=csv`, download: `rejects-${j.id}.csv` }, { zh: "保存退回清单（CSV）", en: "Save the rejects (CSV)" })),
    rejected && make("h2", {}, { zh: "退回的记录", en: "What was rejected" }),
    rejected && (await rejects(desk, path, j)),
  ];
}

// rejects is a table of the first of them.
async function rejects(desk, path, j) {
  const all = (await lines(`${path}/rejects`, shown)).map((l) => JSON.parse(l));
  const label = (key) => desk.typeOf(j.type)?.fields.find((f) => f.key === key)?.label ?? key ?? "";
  const head = [{ zh: "记录", en: "Record" }, { zh: "行", en: "Line" }, { zh: "栏目", en: "Field" }, { zh: "问题", en: "What is wrong" }];
  return make("div", {},
    make("table", { id: "rejects" },
      make("thead", {}, make("tr", {}, head.map((h) => make("th", { scope: "col" }, h)))),
      make("tbody", {}, all.map((r) => make("tr", {}, make("td", {}, String(r.record)), make("td", {}, String(r.line)), make("td", {}, label(r.field)), make("td", {}, reason(r)))))),
    all.length >= shown && make("p", { class: "quiet" }, { zh: `只显示前 ${shown} 条，全部见清单文件。`, en: `The first ${shown}; the file has them all.` }));
}

const reasons = {
  "unknown-field": "没有这个栏目",
  "missing-field": "缺少必填内容",
  "duplicate-field": "内容重复",
  "bad-value": "填写不符合要求",
  malformed: "格式不对",
  "too-large": "内容过长",
  "not-utf8": "编码不是 UTF-8",
  "licence-active": "该证号已有有效证照",
};

const reason = (r) => ({ zh: reasons[r.code] ?? r.code, en: r.message });
