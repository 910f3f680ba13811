// What was answered so far on a way of several steps, each with an address of its own, so that the
// browser's Back leads to the step before. It is kept only as long as one does not leave the way.
let kept = { way: null, answers: {} };

// answers are those of a way; begin are the ones to begin with.
export function answers(way, begin = {}) {
  if (kept.way !== way) kept = { way, answers: begin };
  return kept.answers;
}

export const forget = () => (kept = { way: null, answers: {} });
