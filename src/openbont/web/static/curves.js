// Curves with their band: the middle 80 % of the draws, the course without toxin, and the target.
import uPlot from "./vendor/uPlot.esm.js";

const GROUPS = { goal: "Goal", kept: "To be kept", spill: "To be spared" };
const held = new Map();

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function rowsOf(weeks, curve) {
  const target = weeks.map(() => curve.target);
  return [weeks, curve.high, curve.low, curve.middle, curve.without, target];
}

function options(curve, width) {
  const [brand, soft, line, warn] = ["--brand", "--soft", "--line", "--warn"].map(colour);
  const axis = { stroke: soft, grid: { stroke: line, width: 1 }, ticks: { show: false }, font: "12px system-ui" };
  const thin = { points: { show: false }, width: 0.5, stroke: brand };
  return {
    width, height: 150, legend: { show: false }, cursor: { show: false }, padding: [8, 12, 0, 0],
    scales: { x: { time: false }, y: { range: (_, low, high) => around(low, high) } },
    axes: [
      { ...axis, size: 26, values: (_, ticks) => ticks.map((one) => (one ? one : "week 0")) },
      { ...axis, size: 46 },
    ],
    bands: [{ series: [1, 2], fill: brand + "33" }],
    series: [
      {}, thin, thin,
      { stroke: brand, width: 2.5, points: { show: false } },
      { stroke: soft, width: 1.5, dash: [3, 4], points: { show: false } },
      { stroke: warn, width: 1.5, dash: [9, 5], points: { show: false } },
    ],
  };
}

function around(low, high) {
  const room = (high - low || Math.abs(high) || 1) * 0.08;
  return [low - room, high + room];
}

/** Draw all curves, reusing those that are there. */
export function draw(place, said) {
  const wanted = new Set(said.curves.map((one) => one.id));
  for (const [id, one] of held) if (!wanted.has(id)) { one.box.remove(); one.plot.destroy(); held.delete(id); }
  for (const curve of said.curves) {
    const rows = rowsOf(said.weeks, curve);
    const there = held.get(curve.id);
    if (there) there.plot.setData(rows);
    else held.set(curve.id, made(place, curve, rows));
  }
}

function made(place, curve, rows) {
  const box = document.createElement("div");
  box.className = "curve";
  const head = document.createElement("h3");
  head.textContent = curve.words;
  const about = document.createElement("p");
  about.className = "hint";
  const aim = curve.target === null ? "" : `; dashed: ${Number(curve.target.toPrecision(3))}`;
  about.textContent = `${GROUPS[curve.group]}, ${curve.unit}${aim}`;
  box.append(head, about);
  place.append(box);
  const width = Math.max(200, box.clientWidth);
  return { box, plot: new uPlot(options(curve, width), rows, box) };
}

/** Draw all anew, in the colours of now. */
export function repaint(place, said) {
  for (const { box, plot } of held.values()) { plot.destroy(); box.remove(); }
  held.clear();
  draw(place, said);
}

/** Widths follow the page. */
export function fit() {
  for (const { box, plot } of held.values()) {
    plot.setSize({ width: Math.max(200, box.clientWidth), height: 150 });
  }
}

/** The same numbers as a table. */
export function table(place, said) {
  const made = document.createElement("table");
  const head = made.createTHead().insertRow();
  for (const words of ["Week", ...said.curves.map((one) => one.words)]) {
    const cell = document.createElement("th");
    cell.scope = "col";
    cell.textContent = words;
    head.append(cell);
  }
  const body = made.createTBody();
  said.weeks.forEach((week, at) => {
    if (week % 2) return;
    const row = body.insertRow();
    row.insertCell().textContent = week;
    for (const one of said.curves) {
      row.insertCell().textContent = `${one.middle[at]} (${one.low[at]} to ${one.high[at]})`;
    }
  });
  place.replaceChildren(made);
}
