// How far an import has come, in words and as a bar.
import { make } from "./dom.js";

const states = {
  waiting: { zh: "排队中", en: "Waiting" },
  running: { zh: "进行中", en: "Under way" },
  done: { zh: "已完成", en: "Done" },
  failed: { zh: "已中止", en: "Broken off" },
};

// isOver reports whether nothing more will come of a job.
export const isOver = (job) => job.state === "done" || job.state === "failed";

export const stateOf = (job) => {
  const state = states[job.state] ?? { zh: job.state, en: job.state };
  return job.dryRun ? { zh: `试算${state.zh}`, en: `Trial run: ${state.en.toLowerCase()}` } : state;
};

// progress is a bar with its numbers; a screen reader hears the numbers.
export function progress(job) {
  const share = job.bytes > 0 ? Math.min(100, Math.floor((100 * job.bytesRead) / job.bytes)) : 0;
  const accepted = job.dryRun ? { zh: "可制发", en: "can be issued" } : { zh: "已制发", en: "issued" };
  const state = stateOf(job);
  return make("div", { class: "progress", "data-state": job.state },
    make("progress", { max: 100, value: job.state === "done" ? 100 : share, "aria-hidden": "true" }),
    make("span", {}, {
      zh: `${state.zh}，${accepted.zh} ${job.accepted} 件，退回 ${job.rejected} 件`,
      en: `${state.en}, ${job.accepted} ${accepted.en}, ${job.rejected} rejected`,
    }));
}
