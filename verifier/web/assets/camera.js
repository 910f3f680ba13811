// Scanning with the camera.
import { readFrame } from "./read.js";

const pause = 60; // milliseconds between pictures, so that the page stays responsive

// A CameraProblem says in words why there is no picture, and what to do instead.
export class CameraProblem extends Error {
  constructor(text) {
    super(text.en);
    this.text = text;
  }
}

const problems = {
  NotAllowedError: { zh: "没有得到使用相机的许可。请在浏览器中允许使用相机，或改用照片、文字核验。", en: "The camera may not be used. Allow it in the browser, or use a photo or the text instead." },
  NotFoundError: { zh: "这台设备没有相机。请改用照片、文字核验。", en: "This device has no camera. Use a photo or the text instead." },
  NotReadableError: { zh: "相机正被别的程序使用。请关闭它再试，或改用照片核验。", en: "Another program uses the camera. Close it and try again, or use a photo." },
};
const insecure = { zh: "浏览器只允许在安全网址（https）上使用相机。请改用照片、文字核验。", en: "Browsers allow the camera on secure addresses (https) only. Use a photo or the text instead." };
const other = { zh: "打不开相机。请改用照片、文字核验。", en: "The camera cannot be opened. Use a photo or the text instead." };

// A Camera shows its picture in a video element and calls found with every text that it reads, until
// stopped. found may return true to say that it is content; then the camera stops by itself.
export class Camera {
  #video;
  #stream = null;
  #run = 0; // numbers the runs, so that one that was stopped while it waited ends

  constructor(video) {
    this.#video = video;
  }

  async start(found) {
    this.stop();
    const run = this.#run;
    const stream = await open();
    if (run !== this.#run) {
      close(stream);
      return;
    }
    this.#stream = stream;
    this.#video.srcObject = stream;
    await this.#video.play().catch(() => {}); // stopped meanwhile
    this.#scan(run, found);
  }

  stop() {
    this.#run++;
    if (this.#stream) close(this.#stream);
    this.#stream = null;
    this.#video.srcObject = null;
  }

  // torch returns a function that switches the light, or null if there is none.
  torch() {
    const track = this.#stream?.getVideoTracks()[0];
    if (!track?.getCapabilities?.().torch) return null;
    let lit = false;
    return () => track.applyConstraints({ advanced: [{ torch: (lit = !lit) }] }).catch(() => {});
  }

  async #scan(run, found) {
    while (run === this.#run) {
      const text = this.#video.readyState >= 2 ? await readFrame(this.#video).catch(() => "") : "";
      if (run !== this.#run) return;
      if (text && found(text) === true) {
        this.stop();
        return;
      }
      await new Promise((resume) => setTimeout(resume, pause));
    }
  }
}

async function open() {
  if (!navigator.mediaDevices?.getUserMedia) throw new CameraProblem(insecure);
  try {
    return await navigator.mediaDevices.getUserMedia({
      audio: false,
      video: { facingMode: { ideal: "environment" }, width: { ideal: 1920 }, height: { ideal: 1080 } },
    });
  } catch (error) {
    throw new CameraProblem(problems[error.name] ?? other);
  }
}

function close(stream) {
  for (const track of stream.getTracks()) track.stop();
}
