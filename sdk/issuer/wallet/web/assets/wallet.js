// My licences: who is signed in, for whom they act, which view is shown, and what went wrong. An
// address names a view and what it is about by an id, never anything that a licence says.
import { helpUnder, idle, me, problemOf, remove } from "./api.js";
import { make } from "./dom.js";
import "./frame.js";
import { language, write } from "./lang.js";
import * as licences from "./licences.js";
import { hush, speak, speaks } from "./speech.js";
import { answers, forget } from "./stages.js";
import { replace, step, tell, wordsOf } from "./steps.js";
import { both, button } from "./words.js";

// views are, by the name in the address: the section that they belong to, the module that has the view,
// which comes once the first screen is there, and the view's function in it.
const views = {
  "": ["licences", () => licences, "home"],
  licence: ["licences", () => licences, "licence"],
  show: ["licences", () => import("./show.js"), "show"],
  print: ["licences", () => import("./print.js"), "print"],
  looks: ["licences", () => import("./looks.js"), "looks"],
  rate: ["licences", () => import("./rate.js"), "rate"],
  grants: ["grants", () => import("./grants.js"), "grants"],
  withdraw: ["grants", () => import("./grants.js"), "withdraw"],
  give: ["grants", () => import("./give.js"), "give"],
  help: ["help", () => import("./help.js"), "help"],
  end: ["help", () => import("./help.js"), "end"],
  delegate: ["help", () => import("./delegate.js"), "delegate"],
  objections: ["objections", () => import("./objections.js"), "objections"],
  object: ["objections", () => import("./objections.js"), "object"],
};

const words = {
  cannot: { zh: "暂时打不开", en: "This cannot be shown at present" },
  again: { zh: "再试一次", en: "Try again" },
  over: { zh: "为了安全，登录已结束，请重新登录。", en: "For your safety you were signed out. Please sign in again." },
  ended: { zh: "代办已经结束，不能再替这个人办事。", en: "You may no longer act for this person." },
  trial: { zh: "（试用，人员是虚构的）", en: " (a trial: the people are made up)" },
};

const find = (id) => document.getElementById(id);

let leave = null; // ends what the view that is shown still does
let turn = 0; // of showing a view
let before = null; // the name of the view that was shown before
let coming = null; // the address whose view is on its way: a second tap does not ask for it again

// wallet is what the views get.
const wallet = {
  person: null, // who signed in, as /v1/me says
  freshUntil: NaN, // by the phone's clock; NaN: not known
  acting: null, // the delegation under which they act for somebody else
  answers,
  actFor,
  tell,
  refuse,
  replace,
  go(path) {
    if (location.hash !== `#/${path}`) location.hash = `#/${path}`;
    else if (location.hash !== coming) return display();
  },
  // instead goes on without leaving a step for the browser's Back.
  instead(path) {
    history.replaceState(null, "", `#/${path}`);
    return display();
  },
  reload: () => display(),
};

// refuse says what an error is. Who is no longer signed in has to sign in again.
function refuse(error) {
  const problem = problemOf(error);
  if (problem.status === 401 && wallet.person) return expire();
  if (problem.code === "delegation-ended" && wallet.acting) {
    actFor(null).then(() => tell(words.ended));
    return;
  }
  tell(wordsOf(problem));
}

// -- views

// display shows the view that the address names.
async function display() {
  if (!wallet.person) return;
  const mine = ++turn;
  leave?.abort();
  leave = new AbortController();
  coming = location.hash;
  hush();
  const [name, ...rest] = location.hash.replace(/^#\/?/, "").split("/").map(plain);
  const known = Object.prototype.hasOwnProperty.call(views, name) ? name : "";
  const [section, load, view] = views[known];
  if (known !== before) forget();
  before = known;
  for (const link of document.querySelectorAll("[data-section]")) {
    if (link.dataset.section === section) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  find("home-row").hidden = known === "";
  tell(null);
  const slow = setTimeout(() => mine === turn && step("busy"), 300);
  let again = () => location.reload(); // a browser may remember that a module did not come
  try {
    const module = await load();
    again = display;
    const shown = await module[view](Object.assign(Object.create(wallet), { signal: leave.signal }), ...rest);
    if (mine === turn && shown) replace(shown);
  } catch (error) {
    if (mine !== turn) return;
    cannot(error, again);
  } finally {
    clearTimeout(slow);
    if (mine === turn) coming = null;
  }
}

// cannot says that nothing can be shown, and why; again is what to do to try it again.
function cannot(error, again) {
  replace([make("h1", {}, words.cannot), make("div", { class: "buttons" }, button(words.again, again, { name: "again" }))]);
  refuse(error);
}

// plain is a part of an address as it was before it became one.
function plain(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return "";
  }
}

addEventListener("hashchange", display);
addEventListener("click", (event) => {
  const link = event.target.closest?.("a[href^='#/']");
  if (link && link.hash === location.hash && link.hash !== coming) display(); // from what a view has become back to its beginning
});

// -- reading aloud

// said is what the view says, sentence by sentence, without what is to be pressed.
function said() {
  const parts = [...find("view").querySelectorAll("h1, h2, p, dt, dd, legend, label, li, .way b, .way .hint, .badge")];
  const [comma, stop] = language() === "zh" ? ["，", "。"] : [", ", ". "];
  const sentence = (text) => (/[。？！.?!]$/.test(text) ? `${text} ` : text + stop);
  const text = (e) => e.innerText.trim().replace(/\s*\n\s*/g, comma);
  return parts.filter((e) => !parts.some((inner) => inner !== e && e.contains(inner)) && !e.closest("[data-unsaid], details:not([open])")).map(text).filter(Boolean).map(sentence).join("").trim();
}

find("listen").addEventListener("click", () => {
  const text = said();
  speak({ zh: text, en: text });
});
find("listen-row").hidden = !speaks();

// -- acting for somebody else

// actFor has everything that can be done for somebody be done under a delegation, from here on; null
// ends that.
function actFor(delegation) {
  wallet.acting = delegation;
  helpUnder(delegation?.delegation ?? null);
  forget();
  find("acting").hidden = !delegation;
  if (delegation) {
    const who = delegation.holderName ?? delegation.holder;
    write(find("acting").querySelector("p"), { zh: `您正在为 ${who} 代办，每一步都会记录。`, en: `You are acting for ${who}; every step is recorded.` });
  }
  for (const own of ["help", "objections"]) document.querySelector(`[data-section=${own}]`).hidden = Boolean(delegation);
  document.querySelector("[data-section=grants]").hidden = Boolean(delegation) && !delegation.may.includes("grant");
  return wallet.instead(delegation ? "" : "help");
}

find("end-acting").addEventListener("click", () => actFor(null));

// -- signing in and out

// refused are the reasons for which signing in did not succeed.
const refused = {
  "sign-in-refused": { zh: "没有登录成功，或者您取消了登录。", en: "You were not signed in, or you broke it off." },
  "sign-in-expired": { zh: "登录用的时间太长，请再试一次。", en: "Signing in took too long: try again." },
  "sign-in-other": { zh: "登录的不是同一个人。为了安全，请重新登录。", en: "Somebody else signed in. For safety, sign in again." },
  "sign-in-unavailable": { zh: "统一身份认证暂时连不上，请稍后再试。", en: "The identity platform cannot be reached: try again later." },
  "identity-missing": { zh: "统一身份认证没有提供您的身份号码，请到窗口办理。", en: "The identity platform does not tell who you are: ask at a counter." },
};

async function begin() {
  const problem = /^#problem=([a-z-]{1,40})$/.exec(location.hash)?.[1];
  if (problem) history.replaceState(null, "", "/");
  try {
    const { person, issuer, provider, at } = await me();
    write(find("issuer"), issuer.name);
    write(find("provider"), provider.trial ? both(provider.name, words.trial) : provider.name);
    if (!person) signIn();
    else {
      wallet.person = person;
      wallet.freshUntil = Date.now() + Date.parse(person.freshUntil) - at;
      const who = person.name ?? person.number;
      write(find("who").querySelector("p"), { zh: `${who}，您好`, en: `Signed in: ${who}` });
      find("who").hidden = find("sections").hidden = false;
      await display();
    }
    if (problem) tell(refused[problem] ?? refused["sign-in-refused"]);
  } catch (error) {
    if (problemOf(error).status === 401) return signIn();
    cannot(error, () => location.reload());
  }
}

// signIn leaves nothing on the screen of who was here before.
function signIn() {
  turn++;
  leave?.abort();
  hush();
  forget();
  wallet.person = wallet.acting = null;
  helpUnder(null);
  find("view").replaceChildren();
  find("who").hidden = find("sections").hidden = find("acting").hidden = true;
  step("sign-in");
  document.querySelector("[data-step=sign-in] h1").focus({ preventScroll: true });
}

function expire() {
  signIn();
  history.replaceState(null, "", "/");
  tell(words.over);
}

// Once the session is over for want of use, nothing of it stays on the screen.
setInterval(() => {
  if (wallet.person && idle() > wallet.person.idleSeconds * 1000) expire();
}, 5000);

find("sign-out").addEventListener("click", async () => {
  try {
    await remove("/v1/sessions");
  } catch (error) {
    if (problemOf(error).status !== 401) return refuse(error); // still signed in: not to be left like that
  }
  history.replaceState(null, "", "/");
  location.reload();
});

begin().then(() => {
  for (const [, load] of Object.values(views)) Promise.resolve(load()).catch(() => {}); // it is asked for again when it is needed
});
