// The issuing service's API. Every call is that of the person who signed in.
import { Client } from "./request.js";

export { base64, key, keyOf } from "./request.js";

const client = new Client({ zh: "制证服务", en: "issuing service" }, "CredLedger-Desk");
client.useSession();

export const get = (path) => client.call("GET", path);
export const post = (path, body, headers) => client.call("POST", path, body, { headers });
export const remove = (path) => client.call("DELETE", path);

// upload sends a file, however long that takes on a slow line.
export const upload = (path, file, headers) => client.call("POST", path, file, { headers, patience: 3_600_000 });

// lines returns the first lines of what a path answers, without waiting for the others.
export async function lines(path, most) {
  const response = await client.response("GET", path);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    text += value ?? "";
    const found = text.split("\n");
    if (done || found.length > most) {
      reader.cancel().catch(() => {});
      return found.slice(0, most).filter(Boolean);
    }
  }
}

export const problemOf = (error) => client.problemOf(error);
