// Reading a QR code from pixels: by the browser itself where it can, else by the bundled reader,
// which is loaded when first needed.

const canvas = document.createElement("canvas");
const context = () => canvas.getContext("2d", { willReadFrequently: true });
const maxSide = 4096; // of a picture, in pixels: the bundled reader's limit
const maxSent = 3000; // of a picture that is sent

let native; // the browser's detector, null if it has none
let bundled; // a promise of the bundled reader's module

async function detector() {
  if (native === undefined) {
    const formats = (await globalThis.BarcodeDetector?.getSupportedFormats?.().catch(() => [])) ?? [];
    native = formats.includes("qr_code") ? new BarcodeDetector({ formats: ["qr_code"] }) : null;
  }
  return native;
}

// readFrame returns the text of a code in one picture of the camera, or "" if there is none.
export const readFrame = (video) => read(video, video.videoWidth, video.videoHeight, {});

// readPhoto returns the text of a code in a picture file, or "" if none is found here; it takes as
// long as a photograph may need.
export async function readPhoto(blob) {
  const bitmap = await createImageBitmap(blob);
  try {
    for (const side of [1600, maxSide]) {
      const scale = Math.min(1, side / Math.max(bitmap.width, bitmap.height));
      const text = await read(bitmap, Math.round(bitmap.width * scale), Math.round(bitmap.height * scale), { effort: Infinity, timeLimit: 1500 });
      if (text || scale === 1) return text;
    }
    return "";
  } finally {
    bitmap.close();
  }
}

// shrink returns a picture file as a JPEG of no more than maxSent pixels a side, to be sent.
export async function shrink(blob) {
  const bitmap = await createImageBitmap(blob);
  const scale = Math.min(1, maxSent / Math.max(bitmap.width, bitmap.height));
  draw(bitmap, Math.round(bitmap.width * scale), Math.round(bitmap.height * scale));
  bitmap.close();
  const jpeg = await new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.85));
  return new Uint8Array(await jpeg.arrayBuffer());
}

function draw(source, width, height) {
  canvas.width = width;
  canvas.height = height;
  const pixels = context();
  pixels.fillStyle = "#fff"; // behind what is transparent
  pixels.fillRect(0, 0, width, height);
  pixels.drawImage(source, 0, 0, width, height);
  return pixels;
}

async function read(source, width, height, effort) {
  if (!width || !height) return "";
  const pixels = draw(source, width, height);
  const browser = await detector();
  if (browser) {
    const found = await browser.detect(canvas).catch(() => []);
    if (found.length > 0) return found[0].rawValue;
    if (!effort.effort) return ""; // the camera's next picture comes at once
  }
  bundled ??= import("./vendor/qr/decode.js");
  const { decodeQR } = await bundled;
  try {
    return decodeQR(pixels.getImageData(0, 0, width, height), effort);
  } catch {
    return ""; // there is no code in this picture
  }
}
