// Calls of the service's own API, of the same origin. Whatever goes wrong comes out as a Problem with
// words for people; the network's absence is one of them.

// A Problem has the API's stable code (or one of those below), text for people in both languages, the
// seconds to wait if the API said so, the status of the response, 0 if there was none, and the whole
// RFC 9457 problem if the answer was one.
export class Problem extends Error {
  constructor(code, text, wait = 0, status = 0, answer = null) {
    super(code);
    this.code = code;
    this.text = text;
    this.wait = wait;
    this.status = status;
    this.answer = answer;
  }
}

// temporary are the problems that trying again may solve.
export const temporary = (problem) => problem.status === 0 || problem.status === 429 || problem.status >= 500;

// within returns a signal that ends a call after so many milliseconds, in web views inside apps too, which are years
// behind the browser beside them and do not have AbortSignal.timeout.
const within = (milliseconds) => {
  const controller = new AbortController();
  setTimeout(() => controller.abort(), milliseconds);
  return controller.signal;
};

// A Client calls one API. name is what it is called in both languages; marker, if there is a session,
// is the header that makes a call the page's own: no form and no other site can send it.
export class Client {
  #name;
  #marker;
  #session = false;

  constructor(name, marker) {
    this.#name = name;
    this.#marker = marker;
  }

  // useSession makes all further calls those of who signed in. Without it they are the public's,
  // whoever else uses this browser.
  useSession() {
    this.#session = true;
  }

  // call sends a request, with a body as JSON or, if it is a file, as it is, and returns the JSON of the
  // answer, or null if it has none. options are those of response.
  async call(method, path, body, { headers = {}, ...options } = {}) {
    const sent = { headers: { Accept: "application/json", ...headers }, ...options };
    if (body instanceof Blob) sent.body = body;
    else if (body !== undefined) {
      sent.headers["Content-Type"] = "application/json";
      sent.body = JSON.stringify(body);
    }
    const json = parse(await this.#read(await this.response(method, path, sent)));
    if (json === undefined) throw this.problemOf({});
    return json;
  }

  // response sends a request and returns the response, if it is no refusal, to be read. patience is how
  // many milliseconds it may take.
  async response(method, path, { body, headers = {}, patience = 30_000 } = {}) {
    const init = { method, body, headers: { ...headers }, cache: "no-store", credentials: this.#session ? "same-origin" : "omit", signal: within(patience) };
    if (this.#session && method !== "GET") init.headers[this.#marker] = "1";
    let response;
    try {
      response = await fetch(path, init);
    } catch {
      throw new Problem("unreachable", this.#says("unreachable"));
    }
    if (!response.ok) throw this.#refusal(response, parse(await this.#read(response)));
    return response;
  }

  async #read(response) {
    try {
      return await response.text();
    } catch {
      throw new Problem("unreachable", this.#says("unreachable"));
    }
  }

  // problemOf is what went wrong as something with a text: an answer that has not the shape that the
  // API promises is taken for none.
  problemOf(error) {
    return error.text ? error : new Problem("unavailable", this.#says("unavailable"), 0, 502);
  }

  // #refusal is the Problem for an answer that is none: an RFC 9457 problem, or what a proxy said.
  #refusal(response, answer) {
    const wait = Number(response.headers.get("Retry-After")) || 0;
    const code = response.status === 429 ? "busy" : response.status >= 500 ? "unavailable" : "refused";
    return new Problem(answer?.code ?? code, answer?.text ?? this.#says(code), wait, response.status, answer);
  }

  #says(code) {
    const { zh, en } = this.#name;
    return {
      unreachable: { zh: `连不上${zh}。请检查网络，稍后再试。`, en: `The ${en} cannot be reached. Check the network and try again later.` },
      unavailable: { zh: `${zh}暂时不能应答。请稍后再试。`, en: `The ${en} cannot answer at present. Try again later.` },
      busy: { zh: "现在请求较多。请稍等片刻再试。", en: "There are many requests just now. Wait a little and try again." },
      refused: { zh: `${zh}没有接受这项请求。`, en: `The ${en} did not accept this request.` },
    }[code];
  }
}

function parse(text) {
  if (text === "") return null;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

// key returns a new idempotency key: the same one is sent again when it is not known whether the call
// before it was answered.
export const key = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, "0")).join("");

// base64 of bytes, standard alphabet with padding, as our APIs take them.
export function base64(bytes) {
  let binary = "";
  for (let i = 0; i < bytes.length; i += 0x8000) binary += String.fromCharCode(...bytes.subarray(i, i + 0x8000));
  return btoa(binary);
}

// keyOf returns the idempotency key of a call by what somebody has answered: as long as the answers ask for the same, it is the
// same key, so the call can be sent again when it is not known what became of it.
export function keyOf(answers, path, body) {
  const asked = JSON.stringify([path, body]);
  if (answers.once?.asked !== asked) answers.once = { asked, key: key() };
  return answers.once.key;
}
