// The verifier's API, of the same origin. Whatever goes wrong comes out as a Problem with words for
// people; the network's absence is one of them.

const patience = 30_000; // milliseconds until an answer is no longer waited for

// A Problem has the API's stable code (or one of those below), text for people in both languages, the
// seconds to wait if the API said so, and the status of the response, 0 if there was none.
export class Problem extends Error {
  constructor(code, text, wait = 0, status = 0) {
    super(code);
    this.code = code;
    this.text = text;
    this.wait = wait;
    this.status = status;
  }
}

const texts = {
  unreachable: { zh: "连不上核验服务。请检查网络，稍后再试。", en: "The verifier cannot be reached. Check the network and try again later." },
  unavailable: { zh: "核验服务暂时不能应答。请稍后再试。", en: "The verifier cannot answer at present. Try again later." },
  busy: { zh: "现在核验的人较多。请稍等片刻再试。", en: "Many people are checking just now. Wait a little and try again." },
  refused: { zh: "核验服务没有接受这项请求。", en: "The verifier did not accept this request." },
};

// problemOf is what went wrong as something with a text: an answer that has not the shape that the
// API promises is taken for none.
export const problemOf = (error) => (error.text ? error : new Problem("unavailable", texts.unavailable, 0, 502));

// temporary are the problems that trying again may solve, and that say nothing about a licence.
export const temporary = (problem) => problem.status === 0 || problem.status === 429 || problem.status >= 500;

let session = false;

// asClerk makes all further calls of the page those of the clerk who signed in. Without it they are
// the public's, whoever else uses this browser.
export function asClerk() {
  session = true;
}

// call sends a request and returns the JSON of the answer, or null if it has none.
export async function call(method, path, body) {
  const init = { method, headers: { Accept: "application/json" }, cache: "no-store", credentials: session ? "same-origin" : "omit", signal: AbortSignal.timeout(patience) };
  if (session && method !== "GET") init.headers["CredLedger-Counter"] = "1"; // no form and no other site can send this
  if (body !== undefined) {
    init.headers["Content-Type"] = "application/json";
    init.body = JSON.stringify(body);
  }
  let response, text;
  try {
    response = await fetch(path, init);
    text = await response.text();
  } catch {
    throw new Problem("unreachable", texts.unreachable);
  }
  const answer = parse(text);
  if (response.ok) {
    if (answer === undefined) throw problemOf({});
    return answer;
  }
  throw refusal(response, answer);
}

function parse(text) {
  if (text === "") return null;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

// refusal is the Problem for an answer that is none: an RFC 9457 problem, or what a proxy said.
function refusal(response, answer) {
  const wait = Number(response.headers.get("Retry-After")) || 0;
  const [code, text] =
    response.status === 429 ? ["busy", texts.busy] :
    response.status >= 500 ? ["unavailable", texts.unavailable] :
    ["refused", texts.refused];
  return new Problem(answer?.code ?? code, answer?.text ?? text, wait, response.status);
}

// base64 of bytes, standard alphabet with padding, as the API takes them.
export function base64(bytes) {
  let binary = "";
  for (let i = 0; i < bytes.length; i += 0x8000) binary += String.fromCharCode(...bytes.subarray(i, i + 0x8000));
  return btoa(binary);
}
