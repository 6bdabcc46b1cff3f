// Sliders -> numbers of the model -> curves, sentences and table.
import { plot } from "./plot.js";
import { hear } from "./ready.js";

const form = document.querySelector(".knobs");
const told = document.getElementById("told");
let shown; // curves on the page
let before; // those from before the slider was taken; they stay as a dotted line
let taken = false;
let asked = 0;

function draw({ curves }) {
  before = before || curves;
  const weeks = curves.day.map((day) => day / 7);
  const share = curves.share_of_muscle.map((one) => 100 * one);
  for (const place of document.querySelectorAll("[data-plot]")) {
    const name = place.dataset.plot;
    if (name === "captured_u_per_cm3") {
      const lines = [[before[name], "before"], [curves[name], "curve"]];
      plot(place, share, lines, { x: "share of the muscle, %", y: "U/cm³ or more", xTop: 100 });
    } else {
      const names = name === "strength" ? ["tone", "strength"] : [name];
      const lines = [...names.map((one) => [before[one], "before"]),
        ...names.map((one, at) => [curves[one], at ? "curve second" : "curve"])];
      const percent = lines.map(([values, kind]) => [values.map((one) => 100 * one), kind]);
      plot(place, weeks, percent, { x: "week", y: "% of untouched", xTop: weeks[weeks.length - 1], yTop: 100 });
    }
  }
  shown = curves;
}

function tell({ rows, said }) {
  for (const place of document.querySelectorAll("[data-said]")) {
    place.textContent = said[place.dataset.said];
  }
  const cells = document.querySelectorAll("#table tbody tr > *");
  rows.flat().forEach((text, at) => { cells[at].textContent = text; });
}

async function ask() {
  const turn = ++asked;
  const query = new URLSearchParams(new FormData(form));
  const answer = await fetch(`/understand/course?${query}`, { headers: { Accept: "application/json" } });
  const found = await answer.json();
  if (turn !== asked) return;
  if (!answer.ok) {
    told.textContent = found.error.problem;
    told.classList.remove("visually-hidden");
    return;
  }
  draw(found);
  tell(found);
  told.textContent = `Strength: ${found.said.strength}`;
  told.classList.add("visually-hidden");
  history.replaceState(null, "", `?${query}`);
}

function read(slider) {
  form.querySelector(`[data-of="${slider.name}"]`).textContent = slider.value;
  slider.setAttribute("aria-valuetext", `${slider.value} ${slider.dataset.unit}`);
}

form.addEventListener("input", ({ target }) => {
  if (!taken) before = shown;
  taken = true;
  if (target.name === "nerve") form.safety_factor.value = target.selectedOptions[0].dataset.safety;
  if (target.name === "nerve") read(form.safety_factor);
  if (target.type === "range") read(target);
  ask().catch(() => { told.textContent = "The workbench does not answer."; });
});
form.addEventListener("change", () => { taken = false; });
form.addEventListener("submit", (event) => { event.preventDefault(); ask(); });
document.getElementById("show").hidden = true;
ask();
hear(form);
