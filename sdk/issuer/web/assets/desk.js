// The desk: who is signed in, which view is shown, and what went wrong. An address names a view and
// the row of what it is about, never anything that a licence says.
import { approvals } from "./approvals.js";
import { get, post, problemOf, remove } from "./api.js";
import { draft, issue } from "./issue.js";
import { make } from "./dom.js";
import "./frame.js";
import { importing, job } from "./import.js";
import { write } from "./lang.js";
import { licence } from "./licence.js";
import { objections } from "./objections.js";
import { search } from "./search.js";
import { sheet } from "./sheet.js";
import { replace, resume, step, tell, wordsOf } from "./steps.js";
import { today } from "./today.js";
import { button } from "./words.js";

const views = { "": today, issue, draft, import: importing, job, search, licence, sheet, approvals, objections };
const tabs = { "": "today", issue: "issue", draft: "issue", import: "import", job: "import", search: "search", licence: "search", sheet: "search", approvals: "approvals", objections: "objections" };

const words = {
  cannot: { zh: "暂时打不开", en: "This cannot be shown at present" },
  again: { zh: "再试一次", en: "Try again" },
  over: { zh: "登录已过期，请重新登录。没办完的还在。", en: "You are signed out. Sign in again; what you were doing is still here." },
  nothing: { zh: "您没有任何证照类型的权限，请联系管理员。", en: "You have no right for any type of licence. Ask the administrator." },
};

const find = (id) => document.getElementById(id);

let before = null; // who signed in before, in this page
let leave = null; // ends what the view that is shown still does
let turn = 0; // of showing a view

// desk is what the views get: who is there, and what they may do.
const desk = {
  caller: null, // as /v1/me says
  types: [],
  typeOf: (id) => desk.types.find((t) => t.id === id),
  nameOf: (id) => desk.typeOf(id)?.name ?? { zh: id, en: id },
  can: (type, right) => desk.caller.rights.some((r) => r.type === type && r.rights.includes(right)),
  typesFor: (right) => desk.types.filter((t) => desk.can(t.id, right)),
  tell,
  refuse,
  replace: (...contents) => replace(contents),
  go(path) {
    if (location.hash === `#/${path}`) return show();
    location.hash = `#/${path}`;
  },
  reload: () => show(),
};

// refuse says what an error is. Who is no longer signed in signs in again and finds everything there;
// somebody else does not.
function refuse(error) {
  const problem = problemOf(error);
  if (problem.status === 401 && desk.caller) {
    signedOut();
    tell(words.over);
    return;
  }
  tell(wordsOf(problem));
}

// -- views

// show shows the view that the address names.
async function show() {
  if (!desk.caller) return;
  const mine = ++turn;
  leave?.abort();
  leave = new AbortController();
  const [name, ...rest] = location.hash.replace(/^#\/?/, "").split("/");
  const known = Object.hasOwn(views, name) ? name : "";
  for (const tab of document.querySelectorAll("[data-tab]")) {
    if (tab.dataset.tab === tabs[known]) tab.setAttribute("aria-current", "page");
    else tab.removeAttribute("aria-current");
  }
  tell(null);
  const slow = setTimeout(() => mine === turn && step("busy"), 300);
  try {
    const shown = await views[known](Object.assign(Object.create(desk), { signal: leave.signal }), ...rest);
    if (mine !== turn) return;
    replace(shown);
  } catch (error) {
    if (mine !== turn) return;
    replace([make("h1", {}, words.cannot), make("div", { class: "buttons" }, button(words.again, show, { name: "again" }))]);
    refuse(error);
  } finally {
    clearTimeout(slow);
  }
}

addEventListener("hashchange", show);
addEventListener("click", (event) => {
  const link = event.target.closest?.("a[href^='#/']");
  if (link && link.hash === location.hash) show(); // from what a view has become back to its beginning
});

// -- signing in and out

async function begin() {
  try {
    const me = await get("/v1/me");
    if (me.kind !== "person") return signIn();
    const { types } = await get("/v1/types");
    if (before !== null && before !== me.name) return clear(); // somebody else
    const again = before !== null;
    before = me.name;
    desk.caller = me;
    desk.types = types;
    write(find("who").querySelector("p"), { zh: `${me.issuer.name.zh} · ${me.unit} · ${me.name}`, en: `${me.issuer.name.en} · ${me.unit} · ${me.name}` });
    find("who").hidden = find("tabs").hidden = false;
    for (const [tab, right] of Object.entries({ issue: "issue", import: "import", search: "search", objections: "objection" })) {
      document.querySelector(`[data-tab=${tab}]`).hidden = desk.typesFor(right).length === 0;
    }
    document.querySelector("[data-tab=approvals]").hidden = desk.typesFor("approve").length + desk.typesFor("status").length === 0;
    const job = location.hash.startsWith("#/job/"); // which went on meanwhile, so it is looked at anew
    if (again && !job && find("view").childElementCount > 0) return resume();
    await show();
    if (types.length === 0) tell(words.nothing);
  } catch (error) {
    signIn();
    refuse(error);
  }
}

function signIn() {
  step("sign-in");
  find(find("name").value ? "password" : "name").focus();
}

function signedOut() {
  turn++;
  leave?.abort();
  desk.caller = null;
  find("who").hidden = find("tabs").hidden = true;
  find("password").value = "";
  signIn();
}

find("sign-in").addEventListener("submit", async (event) => {
  event.preventDefault();
  const [name, password] = [find("name").value.trim(), find("password").value];
  find("password").value = "";
  try {
    await post("/v1/sessions", { name, password });
  } catch (error) {
    refuse(error);
    find("password").focus();
    return;
  }
  tell(null);
  step("busy");
  await begin();
});

find("sign-out").addEventListener("click", async () => {
  try {
    await remove("/v1/sessions");
  } catch (error) {
    if (problemOf(error).status !== 401) return refuse(error); // still signed in: not to be left like that
  }
  clear();
});

// clear begins anew, so that nothing stays behind.
function clear() {
  history.replaceState(null, "", "/");
  location.reload();
}

begin();
