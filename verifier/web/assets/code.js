// What a scanned or typed text is: a self-contained code (letters, or an address with the letters
// after its #), a one-time reference (an address whose path is /r/TOKEN), or neither. What a code
// says is for the API to judge; here it is only told apart and seen to be whole.

const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ$*+-./:";
const maxInflated = 64 << 10; // bytes

// What a Chinese input method makes of the punctuation that codes have, beside the full-width forms.
const punctuation = { "。": ".", "、": "/", "￥": "$", "¥": "$", "×": "*" };

// narrow turns what a scanner types through a Chinese input method into the plain characters, and
// drops white space.
function narrow(text) {
  return text
    .replace(/[\uff01-\uff5e]/g, (c) => String.fromCharCode(c.charCodeAt(0) - 0xfee0))
    .replace(/[。、￥¥×]/g, (c) => punctuation[c])
    .replace(/[\s\u3000\ufeff\u0000-\u001f]+/g, "");
}

// recognise returns {kind: "code" | "reference" | "other", text}.
export function recognise(typed) {
  const text = narrow(typed);
  if (/^(https?:\/\/[^/#]+)?\/?#[0-9a-z$*+\-./:]{40,}$/i.test(text)) return { kind: "code", text };
  if (/^https?:\/\/[^/#]+\/r\/[0-9a-z_-]{16,}$/i.test(text)) return { kind: "reference", text };
  if (/^[0-9A-Z$*+\-./:]{120,}$/i.test(text) && !/^https?:/i.test(text)) return { kind: "code", text };
  return { kind: "other", text };
}

// whole reports whether a text is a reference, or a self-contained code none of whose letters is
// missing: the checksum in its compressed form tells.
export async function whole(text) {
  const { kind, text: plain } = recognise(text);
  if (kind !== "code") return kind === "reference";
  const packed = fromLetters(plain.slice(plain.indexOf("#") + 1).toUpperCase());
  return packed !== null && inflates(packed);
}

// fromLetters returns the bytes of the letters, three for two bytes, or null.
function fromLetters(letters) {
  if (letters.length % 3 === 1) return null;
  const out = new Uint8Array(Math.floor(letters.length / 3) * 2 + (letters.length % 3 ? 1 : 0));
  let n = 0;
  for (let i = 0; i < letters.length; i += 3) {
    const group = letters.slice(i, i + 3);
    let value = 0;
    for (const c of group) value = value * 43 + alphabet.indexOf(c);
    if (value > (group.length === 3 ? 0xffff : 0xff)) return null;
    if (group.length === 3) out[n++] = value >> 8;
    out[n++] = value & 0xff;
  }
  return out;
}

async function inflates(packed) {
  if (typeof DecompressionStream !== "function") return true; // an older browser: the API will tell
  const stream = new DecompressionStream("deflate"); // RFC 1950, whose checksum it compares
  const writer = stream.writable.getWriter();
  writer.write(packed).catch(() => {});
  writer.close().catch(() => {});
  try {
    const reader = stream.readable.getReader();
    for (let size = 0; ; ) {
      const { done, value } = await reader.read();
      if (done) return true;
      size += value.length;
      if (size > maxInflated) return false;
    }
  } catch {
    return false;
  }
}
