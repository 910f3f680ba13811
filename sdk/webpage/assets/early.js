// Runs before anything is painted, so that the page does not change its size or language before the
// reader's eyes: takes what the address asks for, else what was chosen before.
(function () {
  "use strict";
  var asked = new URLSearchParams(location.search);
  function chosen(name, values) {
    var value = asked.get(name);
    try {
      if (values.indexOf(value) >= 0) localStorage.setItem(name, value);
      else value = localStorage.getItem(name);
    } catch (e) { /* no storage: nothing is remembered */ }
    return values.indexOf(value) >= 0 ? value : values[0];
  }
  document.documentElement.dataset.mode = chosen("mode", ["standard", "elder"]);
  document.documentElement.lang = chosen("lang", ["zh", "en"]) === "en" ? "en" : "zh-CN";
})();
