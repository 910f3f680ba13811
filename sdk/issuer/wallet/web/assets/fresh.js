// Proving once more who one is, before what could do harm in somebody else's hands.
import { make } from "./dom.js";
import { goes } from "./words.js";

const words = {
  title: { zh: "请再登录一次", en: "Please sign in once more" },
  why: { zh: "这一步涉及您的个人信息。为防止别人用您的手机操作，需要再确认一次是您本人。", en: "This concerns your personal data. So that nobody else can do it with your phone, please prove again that it is you." },
  after: { zh: "登录后会回到这里，十分钟内不用再登录。", en: "You come back here afterwards, and are not asked again for ten minutes." },
  go: { zh: "去登录", en: "Sign in" },
  back: { zh: "返回", en: "Back" },
};

const address = (path) => `/v1/sign-in?fresh=1&to=${encodeURIComponent(path)}`;

// isFresh is whether the person proved lately who they are, for all that the page can tell; the service
// knows better. The phone's clock may be wrong: only how long it has gone since counts.
export const isFresh = (wallet) => !(wallet.freshUntil < Date.now() + 15_000);

// freshly is how somebody gets to sign in again and back to a path; from is where else they can go.
export const freshly = (path, from) => [
  make("h1", {}, words.title),
  make("p", { class: "lead" }, words.why),
  make("p", {}, words.after),
  make("div", { class: "buttons" }, make("a", { class: "button", href: address(path), "data-do": "fresh" }, words.go), goes(words.back, from, { name: "back" })),
];

// needsFresh is whether that is what a problem asks for.
export const needsFresh = (error) => error.code === "fresh-sign-in-required";
