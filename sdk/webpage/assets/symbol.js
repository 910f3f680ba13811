// A code as a picture: the dark modules are one path, in a square of size modules with the quiet zone.
import { write } from "./lang.js";

// drawing is the picture; name, {zh, en}, is what it is called where it cannot be seen.
export function drawing({ size, path }, name) {
  const make = (tag, properties) => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [key, value] of Object.entries(properties)) element.setAttribute(key, value);
    return element;
  };
  const out = make("svg", { class: "symbol", viewBox: `0 0 ${size} ${size}`, role: "img", "shape-rendering": "crispEdges" });
  out.append(write(make("title", {}), name), make("rect", { width: size, height: size, fill: "#fff" }), make("path", { d: path, fill: "#000" }));
  return out;
}
