// On every page: lock when hands have been off for a while; keep what is typed (see draft.js).
import { keepDrafts, SENT } from "./draft.js";

const idleS = Number(document.body.dataset.idleS || 0);
let touched = Date.now();
let told = Date.now();

function here() {
  touched = Date.now();
  if (touched - told > 60_000) {
    told = touched;
    fetch("/alive", { headers: { Accept: "application/json" } }).catch(() => {});
  }
}

function lockWhenIdle() {
  if (Date.now() - touched >= idleS * 1000) {
    const back = location.pathname + location.search;
    location.assign("/unlock?next=" + encodeURIComponent(back));
  }
}

if (idleS) {
  for (const kind of ["pointerdown", "keydown", "scroll"]) {
    addEventListener(kind, here, { passive: true });
  }
  setInterval(lockWhenIdle, 5_000);
}
keepDrafts();

// Signing out forgets what only this browser has; whoever does it is asked first.
document.querySelector("form.who")?.addEventListener("submit", (event) => {
  const kept = Object.keys(localStorage).filter((key) => key.startsWith("openbont:"));
  const unsent = kept.filter((key) => !key.endsWith(SENT) && !kept.includes(key + SENT));
  const words = "Some words are not saved on the server yet, and will be forgotten. Sign out?";
  if (unsent.length && !confirm(words)) { event.preventDefault(); return; }
  for (const key of kept) localStorage.removeItem(key);
});
