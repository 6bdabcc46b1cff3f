// A form with data-draft saves itself: to this browser at once, to the server a moment later.
// What the browser keeps is dropped only when the server has said which version it wrote: to a save
// in its answer, to a signature by a form of a later version.
import { hear } from "./ready.js";

const WAIT_MS = 700;
export const SENT = ":sent";

export function keepDrafts() {
  for (const form of document.querySelectorAll("form[data-draft]")) keep(form);
}

function fieldsOf(form) {
  const fields = {};
  for (const [name, value] of new FormData(form)) {
    if (typeof value === "string" && name !== "do") fields[name] = value;
  }
  return fields;
}

function keep(form) {
  const place = "openbont:" + form.dataset.draft;
  const said = form.querySelector("[data-saved]");
  let timer = 0;
  let busy = false;
  let again = false;
  let waiting = null; // the button that was pressed while a save was on its way

  offer(form, place, said);

  async function save() {
    if (busy) { again = true; return; }
    busy = true;
    const answer = await send(form).catch(() => null);
    busy = false;
    if (answer?.ok) {
      const { version, at } = await answer.json();
      form.elements.seen.value = version;
      if (waiting) { form.requestSubmit(waiting); return; }
      if (again) { again = false; save(); return; }
      localStorage.removeItem(place);
      tell(said, "Draft saved " + at);
    } else if (answer?.status === 409) {
      tell(said, "Another tab or person changed this meanwhile. Your words are kept here.", true);
      const button = form.querySelector("[data-compare]");
      if (button) button.hidden = false;
    } else if (answer?.status === 401) {
      tell(said, "Signed out. Your words are kept in this browser. ", true);
      const link = document.createElement("a");
      link.href = location.pathname;
      link.textContent = "Sign in and come back";
      said?.append(link);
    } else {
      tell(said, "Not saved on the server yet. Your words are kept in this browser.", true);
      timer = setTimeout(save, 5 * WAIT_MS);
    }
  }

  form.addEventListener("input", () => {
    localStorage.setItem(place, JSON.stringify(fieldsOf(form)));
    tell(said, "…");
    clearTimeout(timer);
    timer = setTimeout(save, WAIT_MS);
  });
  form.addEventListener("submit", (event) => {
    clearTimeout(timer);
    if (busy && !waiting) { waiting = event.submitter; event.preventDefault(); return; }
    if (localStorage.getItem(place)) localStorage.setItem(place + SENT, form.elements.seen.value);
  });
  hear(form);
}

function send(form) {
  const body = new FormData(form);
  body.set("do", "save");
  return fetch(form.action, {
    method: "POST",
    headers: { Accept: "application/json" },
    body: new URLSearchParams([...body].filter(([, value]) => typeof value === "string")),
  });
}

// After a crash: what this browser kept and the server does not have.
function offer(form, place, said) {
  const kept = JSON.parse(localStorage.getItem(place) || "null");
  const sent = localStorage.getItem(place + SENT);
  localStorage.removeItem(place + SENT);
  if (!kept) return;
  if (sent && Number(form.elements.seen.value) > Number(sent)) { localStorage.removeItem(place); return; }
  const now = fieldsOf(form);
  const lost = Object.keys(kept).filter((name) => name !== "seen" && kept[name] !== now[name]);
  if (!lost.length) { localStorage.removeItem(place); return; }
  const box = document.createElement("span"); // beside what is said of saving, which goes on
  box.className = "saved failed";
  box.setAttribute("role", "status");
  box.textContent = "This browser kept words that were not saved. ";
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Put them back";
  button.addEventListener("click", () => {
    for (const name of lost) put(form, name, kept[name]);
    form.dispatchEvent(new Event("input", { bubbles: true }));
    box.remove();
  });
  box.append(button);
  addEventListener("DOMContentLoaded", () => said?.after(box)); // then every script of the page listens
}

function put(form, name, value) {
  if (!form.elements.namedItem(name)) form.dispatchEvent(new CustomEvent("wanted", { detail: name }));
  const field = form.elements.namedItem(name);
  if (!field) return;
  if (field instanceof RadioNodeList || field.type !== "checkbox") field.value = value;
  else field.checked = true;
  if (field instanceof Element) field.dispatchEvent(new Event("input", { bubbles: true }));
}

function tell(said, words, failed = false) {
  if (!said) return;
  said.textContent = words;
  said.classList.toggle("failed", failed);
}
