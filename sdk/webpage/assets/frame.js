// What every page has around its contents: the language, and the mode for older people.
import { language, remember, setLanguage, translate } from "./lang.js";

// elder reports whether the mode for older people is on.
export const elder = () => document.documentElement.dataset.mode === "elder";

function setMode(mode) {
  document.documentElement.dataset.mode = mode;
  remember("mode", mode);
  showMode();
}

const elderButton = document.getElementById("elder");
const languageButton = document.getElementById("language");

function showMode() {
  elderButton.setAttribute("aria-pressed", String(elder()));
}

// showLanguage names the other language in itself.
function showLanguage() {
  const other = language() === "zh" ? { lang: "en", name: "English" } : { lang: "zh-CN", name: "中文" };
  languageButton.lang = other.lang;
  languageButton.textContent = other.name;
}

elderButton.addEventListener("click", () => setMode(elder() ? "standard" : "elder"));
languageButton.addEventListener("click", () => {
  setLanguage(language() === "zh" ? "en" : "zh");
  showLanguage();
});

// The way past the header does not lead through the address, which says what the page shows.
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  document.getElementById("main").focus();
});

// On paper, what is folded up is open.
const opened = new Set();
addEventListener("beforeprint", () => {
  for (const details of document.querySelectorAll("details:not([open])")) {
    details.open = true;
    opened.add(details);
  }
});
addEventListener("afterprint", () => {
  for (const details of opened) details.open = false;
  opened.clear();
});

showMode();
showLanguage();
translate(document);
