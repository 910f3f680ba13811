// What people choose, drop or paste as files, as a request to the API.
import { base64, Problem } from "./api.js";
import { recognise } from "./code.js";
import { readPhoto, shrink } from "./read.js";

const maxFile = 16 << 20; // bytes, of a document
const maxCredential = 64 << 10; // bytes

const problems = {
  tooMany: { zh: "请一次选一张照片或一个文件；证照文件可连同它的凭证两个一起选。", en: "Choose one picture or file; or a licence's file together with its credential." },
  tooLarge: { zh: "文件太大，不能超过 16 MB。", en: "The file is too large: 16 MB at most." },
  picture: { zh: "这张照片打不开。请换成 JPEG 或 PNG 格式的照片。", en: "This picture cannot be opened. Use a JPEG or PNG." },
};

const refuse = (name) => {
  throw new Problem(name, problems[name], 0, 422);
};

// inFiles returns the request for one file, or for a licence's file and its credential.
export async function inFiles(files) {
  if (files.some((f) => f.size > maxFile && !isPicture(f))) refuse("tooLarge");
  if (files.length === 1) return inFile(files[0]);
  if (files.length !== 2) refuse("tooMany");
  const [credential, file] = files.toSorted((a, b) => unlikely(a) - unlikely(b));
  if (unlikely(credential)) refuse("tooMany");
  return { credential: await content(credential), file: await content(file) };
}

async function inFile(file) {
  if (isPicture(file)) return inPicture(file);
  if (isDocument(file) || file.size > maxCredential) return { file: await content(file) };
  return { credential: await content(file) };
}

// inPicture reads the code in a picture here, if it can, so that a slow line carries a few hundred
// bytes; else the verifier, which has more patience, gets the picture.
async function inPicture(file) {
  let code, jpeg;
  try {
    code = await readPhoto(file);
    if (code && recognise(code).kind !== "other") return { code };
    jpeg = await shrink(file);
  } catch {
    refuse("picture");
  }
  return { image: base64(jpeg) };
}

const isPicture = (file) => file.type.startsWith("image/");
const isDocument = (file) => /\.(pdf|ofd)$/i.test(file.name) || file.type === "application/pdf";

// unlikely is greater for what is less likely to be a credential; 0 for what may be one.
function unlikely(file) {
  if (isPicture(file) || isDocument(file)) return 2;
  return file.size > maxCredential ? 1 : 0;
}

const content = async (file) => base64(new Uint8Array(await file.arrayBuffer()));
