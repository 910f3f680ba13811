// The receipt of a verification: what is kept, on paper or as a file that `credledger receipt verify`
// checks without a network.
import { call } from "./api.js";
import { icon, make } from "./dom.js";

// place is the receipt's place in the access log, as its readable form says it; null if it says none.
function place(file) {
  const leaf = file?.readable?.leaf;
  const log = file?.proof?.readable?.log;
  return leaf && log ? { log, index: file.proof.index, leaf } : null;
}

// part describes a receipt and offers to save and print it. In a case, onBehalf is the name of the
// department that it is for, or null, and the case is printed as a whole.
export function part(file, onBehalf) {
  const at = place(file);
  const rows = at && [
    onBehalf && row({ zh: "用于部门", en: "For the department" }, onBehalf),
    row({ zh: "回执编号", en: "Receipt number" }, `${at.log} ${at.index}`),
    row({ zh: "记录摘要（SM3）", en: "Entry in the access log (SM3)" }, at.leaf),
  ];
  return make("div", { class: "receipt" },
    rows && make("dl", { class: "fields" }, rows),
    make("p", { class: "quiet small no-print" }, {
      zh: "回执由核验机构签名。保存的文件今后无需联网也能验证。",
      en: "The verifier has signed the receipt. The saved file can be checked years later, without a network.",
    }),
    make("div", { class: "buttons" },
      make("button", { class: "button second", type: "button", onclick: () => save(file) }, icon("save"), make("span", {}, { zh: "保存回执", en: "Save the receipt" })),
      onBehalf === undefined && make("button", { class: "button second", type: "button", onclick: () => print() }, icon("print"), make("span", {}, { zh: "打印", en: "Print" })),
    ),
  );
}

const row = (label, value) => make("div", {}, make("dt", {}, label), make("dd", { class: typeof value === "string" && "code" }, value));

// complete returns the receipt with the proof by a checkpoint on the ledger, if there is one by now.
export async function complete(file) {
  const at = place(file);
  if (!at) return file;
  try {
    const { proof } = await call("GET", `/v1/receipts/${at.index}?leaf=${encodeURIComponent(at.leaf)}`);
    return proof ? { ...file, proof } : file;
  } catch {
    return file; // it can be completed later
  }
}

async function save(file) {
  download(await complete(file), `receipt-${place(file)?.index ?? "unnumbered"}.json`);
}

// download saves a value as a JSON file.
export function download(value, name) {
  const address = URL.createObjectURL(new Blob([JSON.stringify(value, null, 2), "\n"], { type: "application/json" }));
  make("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}
