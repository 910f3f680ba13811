// Language and mode for older people, of a page in one file. It runs before anything is painted; the
// buttons are there once the page is.
(function () {
  "use strict";
  var root = document.documentElement;
  function recall(name) {
    try { return localStorage.getItem(name); } catch (e) { return null; } // a page from a file may have no storage
  }
  function remember(name, value) {
    try { localStorage.setItem(name, value); } catch (e) { /* then nothing is remembered */ }
  }
  var asked = new URLSearchParams(location.search);
  var lang = asked.get("lang") || recall("lang"), mode = asked.get("mode") || recall("mode");
  if (lang === "zh" || lang === "en") root.lang = lang === "en" ? "en" : "zh-CN";
  root.dataset.mode = mode === "elder" ? "elder" : "standard";

  function show() {
    var english = root.lang === "en", language = document.getElementById("language");
    document.getElementById("elder").setAttribute("aria-pressed", String(root.dataset.mode === "elder"));
    language.textContent = english ? "中文" : "English";
    language.lang = english ? "zh-CN" : "en";
    document.title = document.querySelector("h1 ." + (english ? "en" : "zh")).textContent;
  }
  document.addEventListener("DOMContentLoaded", function () {
    document.getElementById("elder").addEventListener("click", function () {
      root.dataset.mode = root.dataset.mode === "elder" ? "standard" : "elder";
      remember("mode", root.dataset.mode);
      show();
    });
    document.getElementById("language").addEventListener("click", function () {
      root.lang = root.lang === "en" ? "zh-CN" : "en";
      remember("lang", root.lang === "en" ? "en" : "zh");
      show();
    });
    show();
  });

  // On paper, what is folded up is open.
  addEventListener("beforeprint", function () {
    document.querySelectorAll("details").forEach(function (d) { d.dataset.was = d.open ? "open" : ""; d.open = true; });
  });
  addEventListener("afterprint", function () {
    document.querySelectorAll("details").forEach(function (d) { d.open = d.dataset.was === "open"; });
  });
})();
