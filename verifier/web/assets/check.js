// The page on which anybody checks a licence: a code from the camera, a picture, a file or typed
// text; or one that opened the page by its own address.
import { call, problemOf, temporary } from "./api.js";
import { Camera } from "./camera.js";
import { recognise, whole } from "./code.js";
import { inFiles } from "./files.js";
import { elder } from "./frame.js";
import { write } from "./lang.js";
import { failure, result } from "./result.js";
import { hush } from "./speech.js";
import { step, tell } from "./steps.js";

const find = (id) => document.getElementById(id);
const camera = new Camera(find("video"));
let turn = 0; // numbers what was begun, so that the answer to what was given up is not shown

const words = {
  notACode: { zh: "这不是亮证码或核验码，请换一个码。", en: "This is not a code of a licence. Try another one." },
  incomplete: { zh: "编码不完整，或有误。请完整地复制，或重新扫码。", en: "The code is not whole, or has a mistake. Copy all of it, or scan it again." },
  empty: { zh: "请先粘贴或输入编码。", en: "Paste or type the code first." },
  opening: { zh: "正在打开相机……", en: "Opening the camera …" },
  looking: { zh: "对准码，拿稳。看清后会自动核验。", en: "Hold it steady. It is checked as soon as it can be read." },
  failed: { zh: "这次没有核验成", en: "This could not be checked" },
};

// show makes one step the only one, moves the focus there, and lets the browser's Back lead to the
// start. What a code said does not stay in the address.
function show(name) {
  turn++;
  if (name !== "camera") camera.stop();
  hush();
  const shown = step(name);
  if (name !== "start" && !history.state?.away) history.pushState({ away: true }, "", "/");
  scrollTo(0, 0);
  (shown.querySelector("h1[tabindex]") ?? shown).focus({ preventScroll: true });
  return turn;
}

function start() {
  tell(null);
  if (history.state?.away) history.back();
  else show("start");
}

// check asks the API. What is passed in is a request, or a promise of one.
async function check(asked) {
  const mine = show("busy");
  let request, parts;
  try {
    request = await asked;
    parts = result(await call("POST", "/v1/verifications", request), start);
  } catch (error) {
    const problem = problemOf(error);
    if (mine !== turn) return;
    if (!request || !temporary(problem)) return refuse(problem);
    parts = failure(problem, () => check(request), start);
  }
  if (mine === turn) conclude(parts);
}

// conclude shows the parts of a result, and reads its verdict aloud to those who asked for that.
function conclude({ parts, say }) {
  document.querySelector("[data-step=result]").replaceChildren(...parts);
  show("result");
  if (elder()) say();
}

// refuse says on the start step what could not be used.
function refuse(problem) {
  show("start");
  history.replaceState(null, "", "/");
  tell(problem.text, words.failed);
}

// -- the camera

find("scan").addEventListener("click", async () => {
  const mine = show("camera");
  const hint = write(find("camera-hint"), words.opening);
  const torch = find("torch");
  torch.hidden = true;
  try {
    await camera.start((text) => {
      if (recognise(text).kind === "other") {
        write(hint, words.notACode);
        return false;
      }
      navigator.vibrate?.(80);
      check({ code: text });
      return true;
    });
  } catch (problem) {
    if (mine === turn) refuse(problemOf(problem));
    return;
  }
  if (mine !== turn) return;
  write(hint, words.looking);
  torch.onclick = camera.torch();
  torch.hidden = !torch.onclick;
});

// -- files: chosen, dropped, pasted

find("pick").addEventListener("click", () => find("files").click());
find("files").addEventListener("change", (event) => {
  const files = [...event.target.files];
  event.target.value = "";
  if (files.length > 0) check(inFiles(files));
});
addEventListener("dragover", (event) => event.preventDefault());
addEventListener("drop", (event) => {
  event.preventDefault();
  const files = [...event.dataTransfer.files];
  const text = event.dataTransfer.getData("text");
  if (files.length > 0) check(inFiles(files));
  else if (text) typed(text);
});
addEventListener("paste", (event) => {
  const files = [...event.clipboardData.files];
  const text = event.clipboardData.getData("text");
  if (files.length > 0) check(inFiles(files));
  else if (text && event.target !== find("text")) typed(text);
  else return;
  event.preventDefault();
});

// -- text: pasted, typed, or from a scanner that types

find("write").addEventListener("click", () => {
  write(find("text-problem"), { zh: "", en: "" });
  find("text").value = "";
  show("write");
  find("text").focus();
});
find("typing").addEventListener("submit", (event) => {
  event.preventDefault();
  typed(find("text").value);
});
find("text").addEventListener("keydown", async (event) => {
  if (event.key !== "Enter" || event.isComposing || event.shiftKey) return;
  event.preventDefault();
  typed(find("text").value);
});

async function typed(text) {
  if (await whole(text)) return check({ code: recognise(text).text });
  show("write");
  find("text").value = text;
  write(find("text-problem"), text.trim() === "" ? words.empty : recognise(text).kind === "other" ? words.notACode : words.incomplete);
  find("text").focus();
}

for (const button of document.querySelectorAll("[data-go]")) button.addEventListener("click", start);
addEventListener("popstate", () => {
  tell(null);
  show("start");
});
addEventListener("hashchange", opened);

// opened checks what the page's own address says: a code after its #, or a one-time reference. A
// browser that only prepares the page in advance does not use the reference up.
async function opened() {
  const address = location.href;
  if (["", "#main"].includes(location.hash) && recognise(address).kind !== "reference") return; // #main is the page's own
  if (document.prerendering) await new Promise((go) => document.addEventListener("prerenderingchange", go, { once: true }));
  history.replaceState(null, "", "/");
  if (recognise(address).kind === "reference") return check({ code: address });
  return typed(address);
}

opened();
