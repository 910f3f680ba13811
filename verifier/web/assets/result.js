// The result of one check: the verdict, the contents, the checks and the receipt. All follow one
// another; in the mode for older people each is a screen of its own.
import { fields, particulars, title } from "./contents.js";
import { icon, make } from "./dom.js";
import { part as receiptPart } from "./receipt.js";
import { speak, speaks } from "./speech.js";
import { checks, notes, panel, spoken, verdictPanel } from "./verdict.js";

const words = {
  again: { zh: "核验另一张", en: "Check another" },
  retry: { zh: "再试一次", en: "Try again" },
  listen: { zh: "读给我听", en: "Read it to me" },
  back: { zh: "上一步", en: "Back" },
  shown: { zh: "出示的内容", en: "What it shows" },
  checked: { zh: "核验了什么", en: "What was checked" },
  receipt: { zh: "核验回执", en: "Receipt" },
  result: { zh: "核验结果", en: "Result" },
};

// result returns the parts for an answer of the API, and what reads its verdict aloud.
export function result(answer, again) {
  const { verdict, withheld, receipt } = answer;
  const say = () => speak(spoken(verdict));
  const parts = [
    part("verdict", verdictPanel(verdict), notes(verdict), listen(say), againButton(again)),
    part("contents", title(verdict) ?? make("h2", {}, words.shown), fields(verdict, withheld)),
    part("checks", make("h2", {}, words.checked), checks(verdict), particulars(verdict)),
    part("receipt", make("h2", {}, words.receipt), receiptPart(receipt)),
  ];
  steps(parts, again);
  return { parts: [...parts, againButton(again)], say };
}

// failure returns the parts when the verifier gave no answer. That says nothing about the licence.
export function failure(problem, retry, again) {
  const text = { zh: "暂时无法核验,不代表证照有问题", en: "Cannot be verified at present: this says nothing against the licence" };
  const wait = problem.wait > 0 ? { zh: `请等 ${problem.wait} 秒再试。`, en: `Wait ${problem.wait} seconds.` } : null;
  const say = () => speak({ zh: `${text.zh}。${problem.text.zh}`, en: `${text.en}. ${problem.text.en}` });
  const parts = [
    part("verdict",
      panel("undetermined", text, make("p", { class: "advice" }, problem.text), wait && make("p", { class: "advice" }, wait)),
      listen(say),
      make("div", { class: "buttons" },
        make("button", { class: "button", type: "button", onclick: retry }, words.retry),
        make("button", { class: "button second", type: "button", onclick: again }, words.again)),
    ),
  ];
  parts[0].setAttribute("data-current", "");
  return { parts, say };
}

const part = (name, ...children) => make("div", { class: "part", "data-part": name }, children.flat());

function listen(say) {
  if (!speaks()) return null;
  return make("div", { class: "buttons elder-only" }, make("button", { class: "button second listen", type: "button", onclick: say }, icon("speak"), make("span", {}, words.listen)));
}

const againButton = (again) => make("div", { class: "buttons standard-only" }, make("button", { class: "button", type: "button", onclick: again }, words.again));

// steps gives every part the buttons that lead from one to the next, for the mode in which they are
// screens.
function steps(parts, again) {
  const names = {
    contents: { zh: "看证照内容", en: "See what it shows" },
    checks: { zh: "看核验了什么", en: "See what was checked" },
    receipt: { zh: "看核验回执", en: "See the receipt" },
  };
  const show = (shown) => {
    for (const p of parts) p.toggleAttribute("data-current", p === shown);
    scrollTo(0, 0);
    const heading = shown.querySelector(".headline, h2");
    heading.tabIndex = -1;
    heading.focus({ preventScroll: true });
  };
  parts.forEach((p, i) => {
    const [before, after] = [parts[i - 1], parts[i + 1]];
    if (before) p.prepend(make("h1", { class: "unseen elder-only" }, words.result)); // of a screen of its own
    p.append(make("div", { class: "buttons elder-only" },
      after && make("button", { class: "button second next", type: "button", onclick: () => show(after) }, names[after.dataset.part]),
      before && make("button", { class: "button second back", type: "button", onclick: () => show(before) }, words.back),
      make("button", { class: "button", type: "button", onclick: again }, words.again)));
  });
  parts[0].setAttribute("data-current", "");
}
