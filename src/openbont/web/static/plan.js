// The plan editor: every edit is asked for its numbers; undo and redo; proposals; sources.
import { draw, fit, repaint, table } from "./curves.js";
import { hear, original, ready } from "./ready.js";

const editor = document.getElementById("editor");
const form = editor.querySelector("form[data-draft]");
const rows = document.getElementById("rows");
const [undo, redo, stateLine] = ["undo", "redo", "state"].map((id) => document.getElementById(id));
const here = `/patients/${encodeURIComponent(editor.dataset.patient)}/plan`;
const STATES = {
  preparing: "The model of this patient is being made ready …",
  solving: "Sites or structures changed: solving their fields …",
  near: "Curves rest on the volumes before; they settle in a moment.",
  exact: "",
  stopped: "A stop stands: nothing is predicted.",
  none: "",
};
const SETTLE_MS = 1500; // hands are off
const mayWrite = "write" in editor.dataset;
let body = null;
let siteKey = "";

// ---- what stands in the form

function fields() {
  return new URLSearchParams([...new FormData(form)].filter(([name]) => name !== "do" && name !== "seen"));
}

function post(path, more = {}) {
  const sent = fields();
  for (const [name, value] of Object.entries(more)) sent.set(name, value);
  return fetch(here + path, { method: "POST", headers: { Accept: "application/json" }, body: sent });
}

function lines() {
  return [...rows.querySelectorAll("[data-row]")];
}

function numberOf(line) {
  return line.querySelector("select").name.split(".")[1];
}

// ---- live numbers: one question at a time, always the newest

let asking = false;
let again = null;
let timer = 0;

async function ask(kind = "live") {
  if (asking) { again = kind; return; }
  asking = true;
  const answer = await post("/live", { do: kind }).catch(() => null);
  asking = false;
  if (again) { const next = again; again = null; if (answer?.ok) show(await answer.json()); ask(next); return; }
  if (!answer?.ok) { stateLine.textContent = "The server does not answer; what you type is kept."; return; }
  const said = await answer.json();
  show(said);
  clearTimeout(timer);
  if (["preparing", "solving"].includes(said.state)) timer = setTimeout(ask, 300, "settled");
  else if (said.state === "near") timer = setTimeout(ask, SETTLE_MS, "settled");
}

function show(said) {
  wrongs(said.wrong);
  if (!said.rows) { stale(true); return; }
  sums(said);
  const findings = document.getElementById("findings");
  if (findings.dataset.said !== said.findings) {
    findings.innerHTML = said.findings;
    findings.dataset.said = said.findings;
  }
  stateLine.textContent = said.problem || STATES[said.state];
  stale(!said.predicted);
  if (said.predicted) {
    draw(document.getElementById("curves"), said.predicted);
    told(said.predicted);
    if (document.getElementById("curves-table").closest("details").open) {
      table(document.getElementById("curves-table"), said.predicted);
    }
    editor.latest = said.predicted;
  }
  where();
  editor.dispatchEvent(new CustomEvent("drawn", { detail: said }));
}

function stale(is) {
  document.getElementById("curves").classList.toggle("stale", is);
}

function wrongs(wrong) {
  for (const field of form.querySelectorAll("[aria-invalid]")) field.removeAttribute("aria-invalid");
  const [first] = Object.entries(wrong);
  for (const name of Object.keys(wrong)) {
    form.elements[name]?.setAttribute?.("aria-invalid", "true");
    form.elements[name]?.closest?.("details")?.setAttribute("open", "");
  }
  const line = document.getElementById("live-wrong");
  line.hidden = !first;
  line.textContent = first ? `${first[0].replace(/injections\.(\d+)(\.)?/, (_, at, more) => `row ${Number(at) + 1}${more ? ", " : ""}`).replaceAll("_", " ")}: ${first[1]}` : "";
}

function sums(said) {
  document.getElementById("total").textContent = said.total;
  const shown = new Map(lines().map((line) => [numberOf(line), line]));
  said.order.forEach((row, at) => {
    const line = shown.get(String(row));
    if (!line) return;
    line.dataset.at = at;
    line.classList.toggle("over", said.rows[at].over);
    line.querySelector("[data-spot]").textContent = at + 1;
    for (const cell of line.querySelectorAll("[data-of]")) {
      const value = said.rows[at][cell.dataset.of];
      cell.textContent = cell.dataset.of === "label" ? `label: ${value}` : value;
    }
  });
  document.getElementById("totals").replaceChildren(...said.totals.map(meter));
  const vials = document.getElementById("vials");
  vials.replaceChildren();
  for (const [term, value] of [["Open", said.vials.open.join("; ") || "none"], ["Waste", said.vials.waste]]) {
    vials.append(element("dt", term), element("dd", value));
  }
}

function meter(one) {
  const item = document.createElement("li");
  const over = one.used_u > one.max_u;
  item.className = over ? "over" : "";
  const bar = document.createElement("progress");
  bar.max = one.max_u;
  bar.value = Math.min(one.used_u, one.max_u);
  bar.setAttribute("aria-label", one.words);
  item.append(element("span", one.words), element("span", `${over ? "▲ " : ""}${one.used_u} of ${one.max_u} U`), bar);
  return item;
}

function element(tag, text, className = "") {
  const made = document.createElement(tag);
  made.textContent = text;
  if (className) made.className = className;
  return made;
}

function told(said) {
  const goals = said.goals.map((one) => [one.words, one.reached, one.without, one.best, one.weeks]);
  const kept = said.kept.map((one) => [one.words, one.kept, one.floor || "—", one.below || "—"]);
  const spared = said.spared.map((one) => [one.words, one.kept, one.least]);
  const made = [grid(["Goal", "Reach it", "Without toxin", "Best", "Weeks at target"], goals)];
  if (kept.length) made.push(grid(["Function", "Kept at its worst", "Asked to keep", "Draws below"], kept));
  if (spared.length) made.push(grid(["To be spared", "Stays", "At least"], spared));
  const facts = document.createElement("dl");
  facts.className = "facts";
  for (const [term, value, meaning] of said.facts) facts.append(element("dt", term), element("dd", `${value} (${meaning})`, "small"));
  document.getElementById("told").replaceChildren(...made, facts);
}

function grid(heads, lines) {
  const made = document.createElement("table");
  const top = made.createTHead().insertRow();
  for (const words of heads) { const cell = element("th", words); cell.scope = "col"; top.append(cell); }
  const inner = made.createTBody();
  for (const line of lines) { const row = inner.insertRow(); for (const text of line) row.insertCell().textContent = text; }
  const wrap = element("div", "", "scroll");
  wrap.append(made);
  return wrap;
}

// ---- undo and redo

const past = [];
let now = snapshot(original);
const future = [];

function snapshot(of = (field) => field.value) {
  const named = [...fields().keys()].map((name) => [name, form.elements[name]]);
  return Object.fromEntries(named.map(([name, field]) => [name, of(field)]));
}

function noted() {
  const next = snapshot();
  if (JSON.stringify(next) === JSON.stringify(now)) return;
  past.push(now);
  now = next;
  future.length = 0;
  buttons();
}

function buttons() {
  undo.disabled = !past.length;
  redo.disabled = !future.length;
}

function go(from, to) {
  if (!from.length) return;
  to.push(now);
  now = from.pop();
  put(now);
  buttons();
}

function put(shot) {
  const numbers = new Set(Object.keys(shot).map((name) => /^injections\.(\d+)\./.exec(name)?.[1]).filter(Boolean));
  for (const line of lines()) if (!numbers.has(numberOf(line))) line.remove();
  const there = new Set(lines().map(numberOf));
  for (const number of numbers) if (!there.has(number)) newRow(number);
  for (const [name, value] of Object.entries(shot)) if (form.elements[name]) form.elements[name].value = value;
  form.dispatchEvent(new Event("input", { bubbles: true }));
}

undo.addEventListener("click", () => go(past, future));
redo.addEventListener("click", () => go(future, past));
addEventListener("keydown", (event) => {
  if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "z" || event.target.name === "note") return;
  event.preventDefault();
  if (event.shiftKey) go(future, past); else go(past, future);
});

// ---- rows

function newRow(number) {
  const made = document.getElementById("empty-row").content.cloneNode(true);
  for (const one of made.querySelectorAll("[name]")) {
    one.name = one.name.replace(".999.", `.${number}.`);
    if (one.id) one.id = one.name;
  }
  rows.append(made);
  return lines().at(-1);
}

// Words that are put back may be of a row that the server never saw.
form.addEventListener("wanted", ({ detail }) => {
  const number = /^injections\.(\d+)\./.exec(detail)?.[1];
  if (number) newRow(number);
});

function changed() {
  form.dispatchEvent(new Event("input", { bubbles: true }));
}

function add(structure) {
  const line = newRow(Math.max(-1, ...lines().map((one) => Number(numberOf(one)))) + 1);
  line.querySelector("input[name$='.sites']").value = "1";
  line.querySelector("select").value = structure;
  line.querySelector(structure ? "input[name$='.dose_u']" : "select").focus();
  changed();
}

document.getElementById("add")?.addEventListener("click", () => add(""));
rows.addEventListener("click", (event) => {
  const line = event.target.closest("[data-row]");
  if (event.target.closest("[data-remove]")) { line.remove(); changed(); }
  else if (event.target.closest("[data-even]")) { line.querySelector("input[name$='.site_mm']").value = ""; changed(); }
  else if (event.target.closest("[data-why-row]")) why(line.dataset.at ?? "none");
});
rows.addEventListener("focusin", (event) => {
  const row = filled().indexOf(event.target.closest("[data-row]"));
  if (row >= 0 && row !== chosen()?.row) choose(sites.find((one) => one.row === row));
});

form.addEventListener("input", (event) => {
  if (event.target.name === "note") return;
  if (event.target.name?.endsWith(".structure")) event.target.closest("[data-row]").querySelector("[name$='.site_mm']").value = ""; // a place of another muscle
  ask();
  noted();
}, true); // before the draft is kept: the server works meanwhile

// ---- sources

const dialog = document.getElementById("why");

async function why(what) {
  const answer = await post(`/why?what=${what}`);
  document.getElementById("why-said").innerHTML = answer.ok ? await answer.text() : "<h2 id='why-title'>Nothing is known of this yet</h2>";
  dialog.showModal();
}

for (const one of document.querySelectorAll("[data-why]")) one.addEventListener("click", () => why(one.dataset.why));

// ---- proposals

const said = document.getElementById("propose-said");
document.getElementById("propose")?.addEventListener("click", async (event) => {
  event.target.disabled = true;
  for (;;) {
    const answer = await post("/propose").then((one) => one.json()).catch(() => ({ problem: "The server does not answer." }));
    if (answer.proposals) { options(answer.proposals); said.textContent = answer.proposals.length > 1 ? "The first is worth most within every limit; the others give up some of it for what they gain." : ""; break; }
    if (answer.problem || answer.error) { said.textContent = answer.problem || answer.error.problem; break; }
    said.textContent = `Working: ${answer.doing} …`;
    await new Promise((go) => setTimeout(go, 500));
  }
  event.target.disabled = false;
});

function options(proposals) {
  document.getElementById("options").replaceChildren(...proposals.map((one) => {
    const box = element("article", "", "option");
    const list = (items) => { const made = document.createElement("ul"); made.append(...items.map((text) => element("li", text))); return made; };
    box.append(element("h3", one.title), element("p", one.total, "big"), list(one.rows), element("p", `Worth ${one.value}`, "small"), list(one.goals));
    if (one.instead) box.append(element("p", one.instead, "small"));
    if (one.binding.length) box.append(element("h3", "What holds it back"), list(one.binding));
    const reasons = document.createElement("details");
    reasons.append(element("summary", "Why this plan"), element("p", one.why, "small"));
    const take = element("button", "Take this plan");
    take.type = "button";
    take.addEventListener("click", () => { put({ ...one.fields, note: form.elements.note.value }); rows.scrollIntoView({ block: "center" }); });
    box.append(reasons, take);
    return box;
  }));
}

// ---- where: sites, the body, guidance

const siteList = document.getElementById("site");
const siteSaid = document.getElementById("site-said");
const toRow = document.getElementById("to-row");
let sites = [];
let hand = null; // where the hand left a needle on the skin: steps go on from there
let follow = null; // the site to be chosen when the next sites are there

const keyOf = (one) => `${one.row}.${one.site}`;
const filled = () => lines().filter((line) => Object.values(rowOf(line)).some(Boolean));
const lineOf = (row) => filled()[row];
const chosen = () => follow ?? sites.find((one) => keyOf(one) === siteList.value);

function letter(number) {
  return String.fromCharCode(97 + (number % 26)).repeat(1 + Math.floor(number / 26));
}

async function where() {
  const key = lines().map((line) => [...line.querySelectorAll("select, input:not([name$='dose_u'])")].map((one) => one.value).join()).join(";");
  if (key === siteKey) return;
  const first = !siteKey;
  siteKey = key;
  const answer = await post("/sites").catch(() => null);
  if (!answer?.ok || key !== siteKey) return;
  const said = await answer.json();
  said.ways.forEach((way, row) => {
    const line = lineOf(row);
    if (!line) return;
    line.querySelector("[data-way-short]").textContent = way.short;
    line.querySelector("[data-way-whole]").innerHTML = way.whole;
  });
  const was = chosen();
  follow = null;
  const alone = (one) => said.sites.filter((other) => other.row === one.row).length === 1;
  sites = said.sites.map((one) => ({ ...one, label: `${one.row + 1}${alone(one) ? "" : letter(one.site)}` }));
  siteList.replaceChildren(new Option("choose", ""), ...sites.map((one) => new Option(`${one.label} ${one.words}`, keyOf(one))));
  document.querySelector(".sites").hidden = !sites.length;
  ready("sites");
  if (body) inside();
  body?.plan(lines().map((line) => line.querySelector("select").value));
  body?.put(sites, first ? "sites" : "");
  choose(sites.find((one) => was && keyOf(one) === keyOf(was)) ?? null);
}

function choose(one, turn = false) {
  siteList.value = one ? keyOf(one) : "";
  const here = one && lineOf(one.row);
  for (const line of lines()) line.classList.toggle("chosen", line === here);
  body?.choose(one, turn);
}

function tell(words, wrong = false) {
  siteSaid.textContent = words;
  siteSaid.classList.toggle("wrong", wrong);
}

siteList.addEventListener("input", (event) => event.stopPropagation()); // it is no part of the plan
siteList.addEventListener("change", () => { follow = null; choose(chosen(), true); tell(chosen()?.words ?? ""); });
toRow.addEventListener("click", () => {
  const missing = toRow.dataset.add;
  const line = lineOf(chosen()?.row) ?? rows.querySelector(".chosen");
  if (missing) add(missing);
  else line?.querySelector("input[name$='dose_u']").focus();
  offer("");
});

/** The button beside the sites: to the row of the site, or to add a muscle that has none. */
function offer(structure) {
  toRow.dataset.add = structure;
  toRow.textContent = structure ? "Add it to the plan" : "Go to its row";
  if (structure) document.querySelector(".sites").hidden = false;
}

// ---- moving a site

let asks = 0;

async function asked(one, [x, y, z], step = "") {
  const mine = (asks += 1);
  const answer = await post(`/move?row=${one.row}&site=${one.site}&x=${x}&y=${y}&z=${z}&step=${step}`).catch(() => null);
  if (mine !== asks) return null;
  return answer?.ok ? answer.json() : { refused: "The server does not answer; the site stays." };
}

/** What the place under the hand would mean, while it moves; never more than one question. */
let trying = false;
async function moving(one, xyz) {
  if (trying) return;
  trying = true;
  const answer = await asked(one, xyz);
  trying = false;
  if (answer) tell(answer.refused ?? answer.said, Boolean(answer.refused));
}

async function moved(one, xyz, step = "") {
  const answer = await asked(one, xyz, step);
  if (!answer) return;
  tell(answer.refused ? `Stays where it was: ${answer.refused}` : answer.said, Boolean(answer.refused));
  if (answer.refused) { body?.put(sites); choose(one); return; }
  const line = lineOf(one.row);
  const all = lines().flatMap((each) => (each === line ? answer.rows : [rowOf(each)]));
  follow = { row: one.row + one.site, site: 0, structure: one.structure };
  hand = { structure: one.structure, place: answer.rows[one.site].site_mm, skin_mm: answer.skin_mm };
  put(withRows(all));
  where();
}

function rowOf(line) {
  return Object.fromEntries(["structure", "dose_u", "sites", "site_mm"].map((name) => [name, line.querySelector(`[name$='.${name}']`).value]));
}

function withRows(all) {
  const shot = Object.fromEntries(Object.entries(snapshot()).filter(([name]) => !name.startsWith("injections.")));
  all.forEach((row, at) => { for (const [name, value] of Object.entries(row)) shot[`injections.${at}.${name}`] = value; });
  return shot;
}

function startOf(one) {
  const line = lineOf(one.row);
  const same = hand && line && hand.structure === one.structure && rowOf(line).site_mm === hand.place;
  return same ? hand.skin_mm : one.skin_mm;
}

let steps = 0;
let walking = Promise.resolve();

/** One step after the other; what a held key repeats meanwhile is dropped. */
function step(way, again = false) {
  if (!mayWrite || (again && steps)) return;
  steps += 1;
  walking = walking.then(async () => {
    const one = chosen() ?? sites[0];
    if (one) { choose(one); await moved(one, startOf(one), way); }
    steps -= 1;
  });
}

for (const one of document.querySelectorAll("[data-step]")) one.addEventListener("click", () => step(one.dataset.step));
document.getElementById("body-canvas").addEventListener("keydown", (event) => {
  const way = /^Arrow(Up|Down|Left|Right)$/.exec(event.key)?.[1];
  if (!way || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  step(way.toLowerCase(), event.repeat);
});

// ---- the body in 3-D, or pictures

function picked(structure) {
  const name = nameOf(structure);
  const row = filled().findIndex((one) => rowOf(one).structure === structure);
  const line = lineOf(row);
  const site = sites.find((one) => one.row === row);
  follow = null;
  choose(site ?? null);
  if (!site) { body.choose({ structure }); line?.classList.add("chosen"); }
  offer(line || !mayWrite ? "" : structure);
  tell(line ? `${name}: row ${row + 1}, ${line.querySelector("input[name$='dose_u']").value} U` : `${name} is not in the plan.`);
}

function nameOf(structure) {
  const option = [...document.getElementById("empty-row").content.querySelectorAll("option")].find((one) => one.value === structure);
  return option?.textContent ?? structure.replaceAll("_", " ");
}

async function startBody() {
  const canvas = document.getElementById("body-canvas");
  try {
    const { show: showBody } = await import("./body.js");
    body = await showBody(canvas, document.getElementById("body-labels"), here, {
      chosen: (one) => { follow = null; choose(one); offer(""); tell(one.words); },
      picked,
      over: (id, label) => { document.getElementById("body-over").textContent = id ? `${label ? `${label} ` : ""}${nameOf(id)}` : ""; },
      ...(mayWrite ? { moving, moved } : {}),
    });
    body.plan(lines().map((line) => line.querySelector("select").value));
    body.put(sites, "sites");
    choose(chosen());
    if (siteKey) inside();
    ready("body");
    canvas.dataset.ready = "";
  } catch {
    body = null;
    pictures("This browser draws no body in 3-D. The pictures show the same sites; choose a site above and move it with the arrows.");
  }
}

/** What is injected from within, a bladder, has no place on a standing body. */
function inside() {
  if (!body.names.size && !sites.length) pictures("The sites of this plan are not on a standing body: the pictures show them.");
}

/** Pictures in the place of the body. */
function pictures(words) {
  for (const id of ["stage", "views", "body-over"]) document.getElementById(id).hidden = true;
  document.getElementById("body-said").textContent = words;
  document.getElementById("pictures").open = true;
}

document.getElementById("views").addEventListener("click", (event) => {
  const from = event.target.closest("[data-view]")?.dataset.view;
  if (from) body?.view(from);
});
document.getElementById("muscles").addEventListener("click", ({ target }) => {
  const on = target.getAttribute("aria-pressed") !== "true";
  target.setAttribute("aria-pressed", on);
  body?.muscles(on);
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  body?.paint();
  if (editor.latest) repaint(document.getElementById("curves"), editor.latest);
});

const shownBelow = document.getElementById("pictures");

async function drawPictures() {
  if (!shownBelow.open) return;
  const answer = await post("/pictures");
  const place = document.getElementById("pictures-here");
  shownBelow.querySelector("[data-waiting]").hidden = true;
  if (answer.ok) place.innerHTML = await answer.text();
  else place.textContent = "No picture can be drawn of this plan.";
}

shownBelow.addEventListener("toggle", drawPictures);
document.getElementById("curves-table").closest("details").addEventListener("toggle", () => {
  if (editor.latest) table(document.getElementById("curves-table"), editor.latest);
});
addEventListener("resize", () => fit());

ask("settled");
hear(form);
drawPictures();
ready();
startBody();
