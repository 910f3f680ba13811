// The wallet's API. Every call is that of the person who signed in, for themselves or for whom they
// help.
import { Client, keyOf } from "./request.js";

const client = new Client({ zh: "证照服务", en: "licence service" }, "CredLedger-Wallet");
client.useSession();

let helping = null; // the delegation under which all that can be done for somebody is done
let last = Date.now(); // when the service was called last

// helpUnder has all further calls that a helper can make be made under a delegation; null ends that.
export const helpUnder = (delegation) => (helping = delegation);

// idle is how many milliseconds ago the service was called last.
export const idle = () => Date.now() - last;

const forOthers = /^\/v1\/(licences|matters|codes|prints|grants)(\/|$)/;

async function call(method, path, body, more = {}) {
  const headers = helping && forOthers.test(path) ? { "CredLedger-For": helping, ...more } : more;
  const answer = await client.call(method, path, body, { headers });
  last = Date.now();
  return answer;
}

export const get = (path) => call("GET", path);
export const post = (path, body) => call("POST", path, body);

// postOnce is post for what must not be done twice, however often it is sent for the same answers.
export const postOnce = (path, body, answers) => call("POST", path, body, { "Idempotency-Key": keyOf(answers, path, body) });

export const remove = (path) => call("DELETE", path);

// me is who has signed in, and at what time by the service's clock, NaN if that is not known: the answer
// that the page asked for before anything else, if it came.
export async function me() {
  try {
    const first = await globalThis.firstAnswer;
    if (first.ok) return { ...(await first.json()), at: Date.parse(first.headers.get("Date")) };
  } catch {
    // what is wrong, the client knows how to say
  }
  return { ...(await get("/v1/me")), at: NaN };
}

export const problemOf = (error) => client.problemOf(error);

// part is an id as a part of a path, whatever it holds.
export const part = (id) => encodeURIComponent(id ?? "");
