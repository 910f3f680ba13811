// Showing a licence: the one-time code, which is what a counter scans, or the one that works without
// a network.
import { post, part } from "./api.js";
import { about, choosing, needOf, request } from "./choose.js";
import { icon, make } from "./dom.js";
import { freshly, needsFresh } from "./fresh.js";
import { drawing } from "./symbol.js";
import { button, goes } from "./words.js";

const words = {
  title: { zh: "请对方扫这个码", en: "Let them scan this code" },
  bright: { zh: "请把手机屏幕调亮，码对着扫码枪，不要遮挡。", en: "Make the screen bright, hold the code to the scanner and do not cover it." },
  once: { zh: "只能用一次。截图没有用。", en: "It works once. A picture of the screen is of no use." },
  over: { zh: "码已过期，请换一个新码。", en: "The code has expired. Get a new one." },
  soon: { zh: "快要过期了。", en: "It is about to expire." },
  renew: { zh: "换一个新码", en: "Get a new code" },
  offline: { zh: "没有网络？用离线码", en: "No network there? Use the offline code" },
  online: { zh: "改用一次性码", en: "Use the one-time code" },
  offlineTitle: { zh: "离线码", en: "Offline code" },
  offlineNote: { zh: "离线码不证明是您本人出示，对方会核对您的身份证。", en: "The offline code does not prove who shows it: your identity card will be compared." },
  saved: { zh: "码里有您的证照内容，不要发给别人。", en: "It holds what you chose of the licence: do not send it to anybody." },
  inPerson: { zh: "这件事要求本人出示，离线码可能不被接受。", en: "This matter asks that you show it yourself: the offline code may not be accepted." },
  away: { zh: "现在拿不到一次性码", en: "No one-time code at present" },
  awayNote: { zh: "核验服务暂时连不上，不是您证照的问题。可以用离线码，对方会核对您的身份证。", en: "The verification service cannot be reached. That is nothing against your licence. Use the offline code; your identity card will be compared." },
  again: { zh: "再试一次", en: "Try again" },
  shown: { zh: "对方能看到", en: "They will see" },
  cannotScan: { zh: "扫不了？", en: "Cannot be scanned?" },
  read: { zh: "把下面的文字给工作人员，在核验页面输入：", en: "Give this text to the clerk, who can type it on the page for checking:" },
  back: { zh: "回到这张证照", en: "Back to the licence" },
  rate: { zh: "办完了？给服务打分", en: "Finished? Rate the service" },
};

export async function show(wallet, id, stage, a = wallet.answers(`show/${id}`)) {
  const way = `show/${part(id)}`;
  const choice = await choosing(wallet, way, id, stage, a, "code");
  if (choice !== false) return choice;
  const kind = stage === "offline" ? "self-contained" : "reference";
  try {
    const code = await post("/v1/codes", { ...request(a), kind });
    return kind === "reference" ? oneTime(wallet, way, a, code) : offline(wallet, way, a, code);
  } catch (error) {
    if (needsFresh(error)) return freshly(way, `licence/${part(id)}`);
    if (error.code === "verifier-unavailable") return away(wallet, way);
    throw error;
  }
}

// oneTime is a code with the time that it still has.
function oneTime(wallet, way, a, code) {
  const left = make("div", {});
  const count = make("p", { class: "count", role: "timer" });
  const spoken = make("p", { class: "unseen", role: "status" });
  const renew = button(words.renew, () => wallet.reload(), { name: "renew" });
  const box = make("div", { class: "codes" }, drawing(code.symbol, words.title), make("div", { class: "left", "aria-hidden": "true" }, left), count, spoken);
  const began = [performance.now(), Date.now()]; // the one may stop while a phone sleeps, the other may be set
  const tick = () => {
    const gone = Math.max(performance.now() - began[0], Date.now() - began[1]) / 1000;
    const seconds = Math.max(0, Math.ceil(code.lasts - gone));
    left.style.transform = `scaleX(${seconds / Math.max(code.lasts, 1)})`;
    if (seconds <= 10 && !spoken.hasChildNodes()) spoken.append(make("span", {}, words.soon));
    if (seconds > 0) return void count.replaceChildren(make("span", {}, { zh: `还有 ${seconds} 秒`, en: `${seconds} s left` }));
    clearInterval(clock);
    box.classList.add("over");
    renew.className = "button";
    count.replaceChildren(make("span", {}, words.over));
    spoken.replaceChildren(make("span", {}, words.over));
  };
  const clock = setInterval(tick, 250);
  wallet.signal.addEventListener("abort", () => clearInterval(clock));
  tick();
  return [
    heading(words.title, a),
    box,
    make("p", {}, words.bright),
    make("p", { class: "quiet" }, words.once),
    make("div", { class: "buttons stacked" }, renew, goes(words.offline, `${way}/offline`, { name: "offline" })),
    seen(a), typed(code.code), after(a, code),
  ];
}

function offline(wallet, way, a, code) {
  return [
    heading(words.offlineTitle, a),
    make("div", { class: "note" }, icon("person"), make("p", {}, words.offlineNote)),
    needOf(a.matter, a.loaded.licence).inPerson && make("div", { class: "note" }, icon("restricted"), make("p", {}, words.inPerson)),
    make("div", { class: "codes" }, drawing(code.symbol, words.offlineTitle)),
    make("p", {}, words.saved),
    make("div", { class: "buttons stacked" }, goes(words.online, `${way}/code`, { name: "online" })),
    seen(a), typed(code.code), after(a, code),
  ];
}

const away = (wallet, way) => [
  make("h1", {}, words.away),
  make("p", { class: "lead" }, words.awayNote),
  make("div", { class: "buttons stacked" }, goes(words.offlineTitle, `${way}/offline`, { kind: "", name: "offline" }), button(words.again, () => wallet.reload(), { name: "again" })),
];

const heading = (text, { loaded, matter }) => [make("p", { class: "of" }, about(loaded.licence, matter)), make("h1", {}, text)];

const seen = ({ loaded, keys }) => make("details", {}, make("summary", {}, { zh: `${words.shown.zh}（${keys.length} 项）`, en: `${words.shown.en} (${keys.length})` }), make("div", {}, make("ul", { class: "list seen" }, loaded.fields.filter((f) => keys.includes(f.key)).map((f) => make("li", {}, f.label)))));

const typed = (text) => make("details", { "data-unsaid": true }, make("summary", {}, words.cannotScan), make("div", {}, make("p", {}, words.read), make("p", { class: "code", id: "code-text", lang: "en" }, text)));

const after = ({ loaded }, { use }) => make("div", { class: "buttons" }, goes(words.back, `licence/${loaded.licence.id}`, { name: "back" }), goes(words.rate, `rate/${part(use)}`, { name: "rate" }));
