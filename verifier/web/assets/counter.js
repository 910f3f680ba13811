// The counter's page: a clerk signs in by name, says what is being applied for, and scans what the
// applicant shows; the API judges each licence, and then the case as a whole.
import { asClerk, call, problemOf } from "./api.js";
import { Camera } from "./camera.js";
import { caseResult } from "./case.js";
import { recognise } from "./code.js";
import { make } from "./dom.js";
import { inFiles } from "./files.js";
import "./frame.js";
import { remember, write } from "./lang.js";
import { scanner } from "./scanner.js";
import { Shown } from "./shown.js";
import { step, tell, wordsOf } from "./steps.js";

const find = (id) => document.getElementById(id);
const result = document.querySelector("[data-step=result]");
const camera = new Camera(find("video"));

let caller = null; // who signed in, as /v1/me says
let before = null; // who signed in before, in this page
let matters = []; // that the agency may name
let matter = null; // that is being applied for
let number = ""; // of the case
let departments = []; // ids of those that the case is for

const words = {
  over: { zh: "登录已过期，请重新登录。已扫的证照还在。", en: "You are signed out. Sign in again; what was scanned is still here." },
  none: { zh: "本单位没有可办理的事项，请联系管理员。", en: "Your agency has no matters here. Ask the administrator." },
  notACode: { zh: "这不是亮证码或核验码。", en: "This is not a code of a licence." },
  incomplete: { zh: "没有扫完整，请再扫一次。", en: "It was not read whole: scan it again." },
  again: { zh: "这张码已经扫过了。", en: "This code was scanned already." },
  department: { zh: "请至少选一个部门。", en: "Choose at least one department." },
  nothing: { zh: "请先扫码，添加至少一张证照。", en: "Scan at least one licence first." },
  waiting: { zh: "还有证照正在核验，请稍候。", en: "A licence is still being checked. One moment." },
  start: { zh: "用相机扫码", en: "Use the camera" },
  stop: { zh: "关闭相机", en: "Close the camera" },
};

const shown = new Shown({
  list: find("shown"),
  verify: (request) => call("POST", "/v1/verifications", { ...request, context: context() }),
  changed: listChanged,
  problem: refuse,
});

// context is that of one licence; the verification of the case as a whole is for all departments.
const context = () => ({ matter: matter.id, case: number, onBehalf: departments[0] });

function show(name) {
  closeCamera();
  const current = step(name);
  scrollTo(0, 0);
  if (name === "work") find("scan").focus();
  else (current.querySelector(".headline") ?? current).focus({ preventScroll: true });
}

// refuse says what went wrong. Who is no longer signed in signs in again and finds everything there;
// somebody else does not.
function refuse(error) {
  const problem = problemOf(error);
  if (problem.status === 401 && caller) {
    signedOut();
    tell(words.over);
    return;
  }
  tell(wordsOf(problem));
}

// -- signing in and out

async function begin() {
  try {
    const me = await call("GET", "/v1/me");
    if (me.kind !== "clerk") return show("sign-in");
    const { matters: all } = await call("GET", "/v1/matters");
    if (before !== null && before !== name(me)) forget();
    before = name(me);
    caller = me;
    matters = all.filter((m) => me.matters.includes(m.id));
    write(find("who").querySelector("p"), { zh: `${me.agency.name.zh} · ${me.clerk.unit} · ${me.clerk.name}`, en: `${me.agency.name.en} · ${me.clerk.unit} · ${me.clerk.name}` });
    find("who").hidden = false;
    tell(matters.length === 0 && words.none);
    if (matter) return show("work");
    choose();
  } catch (problem) {
    show("sign-in");
    refuse(problem);
  }
}

const name = (me) => `${me.agency.id} ${me.clerk.name}`;

function signedOut() {
  caller = null;
  find("who").hidden = true;
  find("password").value = "";
  show("sign-in");
}

find("sign-in").addEventListener("submit", async (event) => {
  event.preventDefault();
  const [agency, clerk, password] = [find("agency").value.trim(), find("clerk").value.trim(), find("password").value];
  find("password").value = "";
  try {
    await call("POST", "/v1/sessions", { agency, clerk, password });
  } catch (problem) {
    refuse(problem);
    find("password").focus();
    return;
  }
  remember("agency", agency);
  tell(null);
  show("busy");
  await begin();
});

find("sign-out").addEventListener("click", async () => {
  try {
    await call("DELETE", "/v1/sessions");
  } catch (problem) {
    if (problem.status !== 401) return refuse(problem); // still signed in: not to be left like that
  }
  location.reload(); // nothing of a case stays behind
});

// -- the case

function choose() {
  const list = find("matters");
  list.replaceChildren(...matters.map((m) => choice("radio", "matter", m.id, m.name, m.id === matter?.id || matters.length === 1, () => chosen(m))));
  find("number").value = number;
  const known = matters.find((m) => m.id === matter?.id) ?? (matters.length === 1 ? matters[0] : null);
  if (known) chosen(known);
  else find("departments-question").hidden = true;
  show("case");
}

// chosen offers the departments that a matter serves and this counter acts for, all of them being
// meant at first.
function chosen(m) {
  const served = m.departments.filter((d) => caller.onBehalf?.includes(d.id));
  find("departments-question").hidden = served.length < 2;
  find("departments").replaceChildren(...served.map((d) => choice("checkbox", "department", d.id, d.name, m.id !== matter?.id || departments.includes(d.id))));
}

function choice(type, name, value, text, checked, onchange) {
  const required = type === "radio";
  return make("label", {}, make("input", { type, name, value, checked, required, onchange }), make("span", {}, text));
}

find("case").addEventListener("submit", (event) => {
  event.preventDefault();
  const answers = new FormData(event.target);
  matter = matters.find((m) => m.id === answers.get("matter"));
  number = find("number").value.trim();
  departments = answers.getAll("department");
  if (find("departments").childElementCount > 0 && departments.length === 0) return tell(words.department);
  tell(null);
  write(find("work-title"), matter.name);
  write(find("work-case"), { zh: `办件号 ${number}`, en: `Case ${number}` });
  listChanged();
  show("work");
});

find("change").addEventListener("click", () => choose());

// -- what is shown

function listChanged(said) {
  find("none").hidden = shown.items.length > 0;
  if (said) write(find("announce"), said);
  const types = shown.types();
  find("needed").replaceChildren(...(matter?.requirements ?? []).map((r) => needed(r, r.alternatives.some((a) => types.has(a.type)))));
}

const needed = (requirement, met) =>
  make("li", { "data-role": requirement.role, "data-met": met },
    shown.mark(met),
    make("div", {}, make("span", {}, requirement.name), requirement.min === 0 && make("div", { class: "quiet small" }, { zh: "不是必需", en: "Not required" }),
      make("span", { class: "unseen" }, met ? { zh: "（已出示）", en: " (shown)" } : { zh: "（未出示）", en: " (not shown yet)" })));

function add(request, text) {
  const fresh = shown.add(request, text);
  write(find("scan-problem"), fresh ? { zh: "", en: "" } : words.again);
}

scanner(find("scan"),
  (text) => add({ code: text }, text),
  (kind) => write(find("scan-problem"), kind === "other" ? words.notACode : words.incomplete));

find("camera").addEventListener("click", async () => {
  if (!find("viewfinder").hidden) return closeCamera();
  find("viewfinder").hidden = false;
  write(find("camera"), words.stop);
  const read = new Set(); // so that a code that could not be checked is not tried with every picture of it
  try {
    await camera.start((text) => {
      const { kind, text: plain } = recognise(text);
      if (kind !== "other" && !read.has(plain)) {
        read.add(plain);
        if (!shown.has(plain)) navigator.vibrate?.(80);
        add({ code: plain }, plain);
      }
      return false;
    });
  } catch (problem) {
    closeCamera();
    refuse(problem);
  }
});

function closeCamera() {
  camera.stop();
  find("viewfinder").hidden = true;
  write(find("camera"), words.start);
}

find("pick").addEventListener("click", () => find("files").click());
find("files").addEventListener("change", async (event) => {
  const files = [...event.target.files];
  event.target.value = "";
  if (files.length > 0) await addFiles(files);
  find("scan").focus();
});
addEventListener("dragover", (event) => event.preventDefault());
addEventListener("drop", (event) => {
  event.preventDefault();
  if (find("scan").checkVisibility()) addFiles([...event.dataTransfer.files]);
});

async function addFiles(files) {
  try {
    const request = await inFiles(files);
    add(request, request.code);
  } catch (problem) {
    refuse(problem);
  }
}

// -- the case as a whole

find("decide").addEventListener("click", async () => {
  tell(null);
  write(find("scan-problem"), { zh: "", en: "" });
  if (shown.items.length === 0) return write(find("scan-problem"), words.nothing);
  if (shown.pending()) return write(find("scan-problem"), words.waiting);
  show("busy");
  const request = { case: number, licences: shown.requests() };
  if (departments.length > 0) request.onBehalf = departments;
  try {
    const answer = await call("POST", `/v1/matters/${encodeURIComponent(matter.id)}/verifications`, request);
    result.replaceChildren(...caseResult(answer, matter, caller.clerk, () => show("work"), next));
    show("result");
  } catch (problem) {
    show("work");
    refuse(problem);
  }
});

function next() {
  forget();
  choose();
}

// forget leaves nothing of a case.
function forget() {
  shown.clear();
  result.replaceChildren();
  matter = null;
  number = "";
  departments = [];
}

try {
  find("agency").value = localStorage.getItem("agency") ?? "";
} catch {
  // no storage: it is typed
}
asClerk();
begin();
