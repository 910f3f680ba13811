// The verifier's API.
import { Client } from "./request.js";

export { base64, Problem, temporary } from "./request.js";

const client = new Client({ zh: "核验服务", en: "verifier" }, "CredLedger-Counter");

// asClerk makes all further calls of the page those of the clerk who signed in. Without it they are
// the public's, whoever else uses this browser.
export const asClerk = () => client.useSession();

export const call = (method, path, body) => client.call(method, path, body);

export const problemOf = (error) => client.problemOf(error);
