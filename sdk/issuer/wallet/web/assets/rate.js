// Rating the service after a use, once, without a name.
import { post } from "./api.js";
import { make } from "./dom.js";
import { choice, choices, done, form, goes, question } from "./words.js";

const words = {
  title: { zh: "这次服务怎么样？", en: "How was the service?" },
  lead: { zh: "评价不记名。", en: "Your rating is kept without your name." },
  stars: { zh: "您的评价", en: "Your rating" },
  text: { zh: "哪里可以更好（可不填）", en: "What could be better (optional)" },
  choose: { zh: "请选一项。", en: "Choose one." },
  send: { zh: "提交评价", en: "Send it" },
  thanks: { zh: "谢谢您的评价", en: "Thank you" },
  back: { zh: "回到我的证照", en: "Back to my licences" },
  earlier: { zh: "已经评价过了", en: "You have rated this already" },
};

// levels are those of the national standard for rating government services.
const levels = [
  [5, { zh: "非常满意", en: "Very satisfied" }],
  [4, { zh: "满意", en: "Satisfied" }],
  [3, { zh: "基本满意", en: "Mostly satisfied" }],
  [2, { zh: "不满意", en: "Dissatisfied" }],
  [1, { zh: "非常不满意", en: "Very dissatisfied" }],
];

const back = () => make("div", { class: "buttons" }, goes(words.back, "", { kind: "", name: "back" }));

export async function rate(wallet, use) {
  const problem = make("p", { class: "field-problem", role: "alert" });
  return [
    make("h1", {}, words.title),
    make("p", {}, words.lead),
    form(wallet, "rating", [
      choices(words.stars, levels.map(([stars, text]) => choice("radio", "stars", stars, { zh: `${"★".repeat(stars)} ${text.zh}`, en: `${"★".repeat(stars)} ${text.en}` }))),
      problem,
      question("text", words.text, null, { maxlength: 500, rows: 3 }, "textarea"),
    ], words.send, async (said) => {
      if (!said.has("stars")) return void problem.replaceChildren(make("span", {}, words.choose));
      const text = said.get("text").replace(/\r\n/g, "\n").trim();
      try {
        await post("/v1/ratings", { use, stars: Number(said.get("stars")), ...(text && { text }) });
      } catch (error) {
        if (error.code !== "already-rated") throw error;
        return wallet.replace([make("h1", {}, words.earlier), back()]);
      }
      wallet.replace([done(words.thanks), back()]);
    }),
  ];
}
