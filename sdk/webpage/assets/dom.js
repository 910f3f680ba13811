// Elements made from data. Strings and {zh, en} become text, whatever they hold: there is no way
// from here to markup.
import { write } from "./lang.js";

// make returns an element. Of its properties, class, on... (a listener) and others (attributes; null,
// undefined and false are left out) are set; children are elements, strings or texts in both languages.
export function make(tag, properties, ...children) {
  const element = document.createElement(tag);
  set(element, properties);
  for (const child of children.flat()) {
    if (child === null || child === undefined || child === false) continue;
    if (child instanceof Node || typeof child === "string") element.append(child);
    else if (children.length === 1) write(element, child);
    else element.append(write(document.createElement("span"), child));
  }
  return element;
}

function set(element, properties) {
  for (const [name, value] of Object.entries(properties ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
}

// row is one line of a list of fields.
export const row = (label, value, properties = {}) => make("div", {}, make("dt", {}, label), make("dd", properties, value));

// once runs act, and switches the element off for as long.
export async function once(element, act) {
  if (element.getAttribute("aria-disabled") === "true") return;
  element.setAttribute("aria-disabled", "true");
  try {
    await act();
  } finally {
    element.removeAttribute("aria-disabled");
  }
}

const paths = {
  // Marks of outcomes: each has its own outline, so that they differ without colour.
  valid: ["M12 2a10 10 0 1 0 0 20 10 10 0 0 0 0-20", "m7.3 12.3 3.2 3.2 6.2-6.7"],
  restricted: ["M12 2.5 1.8 20.5h20.4z", "M12 9v5.5", "M12 17.4v.1"],
  "not-current": ["M12 2a10 10 0 1 0 0 20 10 10 0 0 0 0-20", "M5 5l14 14"],
  invalid: ["M8 2h8l6 6v8l-6 6H8l-6-6V8z", "m8.5 8.5 7 7", "m15.5 8.5-7 7"],
  undetermined: ["M21.5 11.5c0 4.7-4.3 8.5-9.5 8.5-1.3 0-2.6-.2-3.7-.7L3 21l1.6-4.4C3.3 15.2 2.5 13.4 2.5 11.5 2.5 6.8 6.8 3 12 3s9.5 3.8 9.5 8.5z", "M9.5 9.3a2.6 2.6 0 1 1 3.7 2.4c-.8.4-1.2.9-1.2 1.7", "M12 16v.1"],
  incomplete: ["M5 2.5h14v19H5z", "M8.5 7.5h7", "M8.5 12h3", "M8.5 16.5h.1", "M12.5 16.5h.1", "M16.5 16.5h.1"],
  inconsistent: ["M12 2a10 10 0 1 0 0 20 10 10 0 0 0 0-20", "M7 9.7h10", "M7 14.3h10", "m15 6.5-6 11"],
  none: ["M6 12h12"],
  pass: ["M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18", "m8 12.2 2.8 2.8 5.2-5.7"],
  fail: ["M8.3 3h7.4L21 8.3v7.4L15.7 21H8.3L3 15.7V8.3z", "m9 9 6 6", "m15 9-6 6"],
  unknown: ["M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18", "M9.7 9.7a2.3 2.3 0 1 1 3.3 2.1c-.7.4-1 .8-1 1.5", "M12 16v.1"],
  person: ["M3 5h18v14H3z", "M8.5 8.3a2 2 0 1 0 0 4 2 2 0 0 0 0-4", "M5.5 16c.4-1.5 1.6-2.3 3-2.3s2.6.8 3 2.3", "M14.5 10H18", "M14.5 14H18"],
  speak: ["M4 9.5v5h3.5L12 18.5v-13L7.5 9.5z", "M15.5 9a4 4 0 0 1 0 6", "M18 6.5a8 8 0 0 1 0 11"],
  print: ["M7 8V3h10v5", "M7 17H4V8h16v9h-3", "M7 14h10v7H7z"],
  save: ["M12 3v11", "m7.5 10 4.5 4.5 4.5-4.5", "M4 16v3a2 2 0 0 0 2 2h12a2 2 0 0 0 2-2v-3"],
};

// icon returns a drawing that says nothing to a screen reader: words beside it do.
export function icon(name, kind = "icon") {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  for (const [key, value] of Object.entries({ class: kind, viewBox: "0 0 24 24", "aria-hidden": "true" })) svg.setAttribute(key, value);
  for (const d of paths[name] ?? paths.unknown) {
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    path.setAttribute("d", d);
    svg.append(path);
  }
  return svg;
}
