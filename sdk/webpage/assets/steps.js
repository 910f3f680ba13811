// A page of steps (elements with data-step), of which one is there to be seen, and the place above them
// where it says what went wrong (#problem).
import { write } from "./lang.js";

const steps = [...document.querySelectorAll("[data-step]")];
const failed = { zh: "这一步没有完成", en: "This could not be done" };

// step makes one step the only one to be seen, and returns it.
export function step(name) {
  for (const s of steps) s.hidden = s.dataset.step !== name;
  return steps.find((s) => s.dataset.step === name);
}

// tell says what went wrong, {zh, en}, below a heading; nothing takes it away.
export function tell(text, heading = failed) {
  const box = document.getElementById("problem");
  box.hidden = !text;
  if (!text) return;
  write(box.querySelector("h2"), heading);
  write(box.querySelector("p"), text);
  scrollTo(0, 0);
}

// wordsOf is what a Problem says, with how long to wait before it is tried again.
export const wordsOf = ({ text, wait }) => (wait > 0 ? { zh: `${text.zh}（请等 ${wait} 秒）`, en: `${text.en} (Wait ${wait} seconds.)` } : text);

// replace puts other contents into the view, which is in the step of this name, and shows it.
export function replace(contents) {
  tell(null);
  document.getElementById("view").replaceChildren(...contents.flat(3).filter(Boolean));
  resume();
}

// resume shows the view as it is, with the focus on its heading.
export function resume() {
  const heading = step("view").querySelector("h1");
  scrollTo(0, 0);
  if (!heading) return;
  heading.tabIndex = -1;
  heading.focus({ preventScroll: true });
}
