// Two languages, Chinese first. An element with text in both has it in data-zh and data-en, so the
// whole page can be switched at any time, what the service answered included.

export const language = () => (document.documentElement.lang === "en" ? "en" : "zh");

// write sets an element's text, {zh, en}, and returns the element. Text never becomes markup.
export function write(element, text) {
  element.dataset.zh = text.zh;
  element.dataset.en = text.en;
  element.textContent = text[language()];
  return element;
}

// translate brings everything below the root into the present language. In the pages, Chinese is the
// text of the element and English its data-en.
export function translate(root) {
  for (const element of root.querySelectorAll("[data-en]")) {
    element.dataset.zh ??= element.textContent;
    element.textContent = element.dataset[language()];
  }
}

export function setLanguage(code) {
  document.documentElement.lang = code === "en" ? "en" : "zh-CN";
  remember("lang", code);
  translate(document);
}

// same is a text that is the same in both languages.
export const same = (text) => ({ zh: String(text), en: String(text) });

// both joins texts in both languages, {zh, en} or the same in both.
export const both = (...texts) => ({
  zh: texts.map((t) => t.zh ?? t).join(""),
  en: texts.map((t) => t.en ?? t).join(""),
});

// remember keeps a choice of the reader's; a browser that stores nothing just forgets it.
export function remember(name, value) {
  try {
    localStorage.setItem(name, value);
  } catch {
    // nothing to be done
  }
}
