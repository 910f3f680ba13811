// Reading aloud, by the browser's own voices.
import { language } from "./lang.js";

export const speaks = () => "speechSynthesis" in globalThis && typeof SpeechSynthesisUtterance === "function";

// speak says the text, {zh, en}, in the page's language, and nothing else that was being said.
export function speak(text) {
  if (!speaks()) return;
  speechSynthesis.cancel();
  const utterance = new SpeechSynthesisUtterance(text[language()]);
  utterance.lang = language() === "zh" ? "zh-CN" : "en-GB";
  utterance.rate = 0.85;
  speechSynthesis.speak(utterance);
}

export function hush() {
  if (speaks()) speechSynthesis.cancel();
}
