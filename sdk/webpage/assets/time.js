// Times and days for people. Times are those of Beijing, wherever the reader is, and say so.

// moment returns a time (RFC 3339) as text in both languages.
export function moment(time) {
  const date = new Date(time);
  if (Number.isNaN(date.getTime())) return { zh: String(time), en: String(time) };
  const show = (locale) => new Intl.DateTimeFormat(locale, { dateStyle: "long", timeStyle: "short", timeZone: "Asia/Shanghai" }).format(date);
  return { zh: `${show("zh-CN")}（北京时间）`, en: `${show("en-GB")} (Beijing time)` };
}

// day returns a day (ISO 8601) as text in both languages.
export function day(text) {
  const date = new Date(`${text}T00:00:00Z`);
  if (Number.isNaN(date.getTime())) return { zh: String(text), en: String(text) };
  const show = (locale) => new Intl.DateTimeFormat(locale, { dateStyle: "long", timeZone: "UTC" }).format(date);
  return { zh: show("zh-CN"), en: show("en-GB") };
}

// age returns a number of seconds as a rough span.
export function age(seconds) {
  const [n, zh, en] =
    seconds < 60 ? [seconds, "秒", "second"] :
    seconds < 3600 ? [Math.floor(seconds / 60), "分钟", "minute"] :
    seconds < 172800 ? [Math.floor(seconds / 3600), "小时", "hour"] :
    [Math.floor(seconds / 86400), "天", "day"];
  return { zh: `${n} ${zh}`, en: `${n} ${en}${n === 1 ? "" : "s"}` };
}
