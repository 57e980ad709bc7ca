// Clocks that run, and forms that keep what was typed until it is saved. Works on without this file.
"use strict";

function showClocks() {
  const now = Date.now();
  for (const clock of document.querySelectorAll(".clock[data-since]")) {
    const seconds = Math.max(0, Math.floor((now - Date.parse(clock.dataset.since)) / 1000));
    const hours = Math.floor(seconds / 3600);
    const text = [hours, Math.floor(seconds / 60) % 60, seconds % 60]
      .slice(hours ? 0 : 1)
      .map((part) => String(part).padStart(2, "0"))
      .join(":");
    clock.textContent = text;
    clock.classList.toggle("is-late", Boolean(clock.dataset.late) && seconds > Number(clock.dataset.late));
  }
}
setInterval(showClocks, 1000);
document.addEventListener("DOMContentLoaded", showClocks);
document.addEventListener("htmx:afterSwap", showClocks);

// What is typed into a record's form is kept in this browser session until the form is sent.
function keepForm(form) {
  const key = "kept:" + form.dataset.keep;
  const version = () => (form.elements.version ? form.elements.version.value : "");
  const kept = JSON.parse(sessionStorage.getItem(key) || "null");
  if (kept && kept.version === version() && !document.querySelector(".note--warning table")) {
    for (const [name, value] of kept.fields) {
      for (const field of form.querySelectorAll(`[name="${CSS.escape(name)}"]`)) {
        if (field.type === "radio" || field.type === "checkbox") field.checked = field.value === value || field.checked;
        else if (field.type !== "hidden") field.value = value;
      }
    }
  } else if (kept) sessionStorage.removeItem(key);
  form.addEventListener("input", () => {
    const fields = [...new FormData(form)].filter(([name]) => name !== "csrfmiddlewaretoken");
    sessionStorage.setItem(key, JSON.stringify({ version: version(), fields }));
  });
  form.addEventListener("submit", () => sessionStorage.removeItem(key));
}
document.addEventListener("DOMContentLoaded", () => document.querySelectorAll("form[data-keep]").forEach(keepForm));

// A failed tap is sent again, with the same token, when the network is back.
document.addEventListener("htmx:sendError", (event) => {
  const from = event.detail.elt;
  from.classList.add("is-waiting");
  setTimeout(() => from.isConnected && window.htmx.trigger(from, "submit"), 3000);
});
