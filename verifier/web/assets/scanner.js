// The field into which a scanner types: codes end with Enter or Tab, or with nothing at all, and may
// come through an input method that makes full-width letters of them and swallows the Enter.
import { recognise, whole } from "./code.js";

const rest = 250; // milliseconds without a key after which a whole code counts as ended

// scanner calls found with every code that is typed or pasted into the field, and refused with what
// is none, then clears the field for the next. What is typed while nothing else has the focus goes
// to the field, too.
export function scanner(field, found, refused) {
  let timer = 0;

  const take = async () => {
    const text = field.value;
    field.value = "";
    for (const one of several(text)) {
      if (await whole(one)) found(recognise(one).text);
      else refused(recognise(one).kind);
    }
  };
  const changed = () => {
    clearTimeout(timer);
    timer = setTimeout(async () => {
      const text = field.value;
      const parts = several(text);
      if (parts.length === 0) return;
      for (const one of parts) if (!(await whole(one))) return;
      if (field.value === text) take();
    }, rest);
  };

  field.addEventListener("keydown", (event) => {
    const ends = event.key === "Enter" || event.key === "Tab";
    if (!ends || event.isComposing || event.shiftKey || field.value === "") return;
    event.preventDefault();
    clearTimeout(timer);
    take();
  });
  field.addEventListener("input", changed);
  field.addEventListener("compositionend", changed);
  field.form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (field.value !== "") take();
    field.focus();
  });
  document.addEventListener("keydown", (event) => {
    const nowhere = event.target === document.body || event.target.closest?.("[tabindex='-1']") === event.target;
    if (nowhere && field.checkVisibility() && event.key.length === 1 && !event.ctrlKey && !event.metaKey && !event.altKey) field.focus();
  });
}

// several splits what was typed without an end between the codes: each begins with its scheme.
const several = (text) => text.split(/(?=[hｈHＨ][tｔTＴ][tｔTＴ][pｐPＰ][sｓSＳ]?[:：][/／、]{2})/).filter((part) => part.trim() !== "");
