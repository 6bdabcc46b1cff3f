// A small line plot as SVG: axes with round ticks, one line a list of values. No inline styles.
const [WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM] = [520, 230, 46, 12, 24, 38];

function element(name, attributes, text) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

function ticks(top) {
  const rough = top / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((one) => one * power).find((one) => one >= rough);
  return Array.from({ length: Math.floor(top / step + 1e-9) + 1 }, (_, at) => at * step);
}

function roundUp(top) {
  const marks = ticks(top || 1);
  const step = marks[1];
  return Math.ceil((top || 1) / step - 1e-9) * step;
}

/** Draw `lines`, pairs of values and class, over `xs` into `place`. */
export function plot(place, xs, lines, { x, y, xTop, yTop }) {
  const top = yTop || roundUp(Math.max(...lines.flatMap(([values]) => values)));
  const right = (value) => LEFT + (value / xTop) * (WIDTH - LEFT - RIGHT);
  const up = (value) => HEIGHT - BOTTOM - (value / top) * (HEIGHT - TOP - BOTTOM);
  const svg = element("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}` });
  for (const mark of ticks(top)) {
    svg.append(element("path", { class: "axis", d: `M${LEFT} ${up(mark)}H${WIDTH - RIGHT}` }));
    svg.append(element("text", { x: LEFT - 6, y: up(mark) + 4, "text-anchor": "end" }, Number(mark.toPrecision(3))));
  }
  for (const mark of xTop % 4 === 0 && xTop < 60 ? Array.from({ length: xTop / 4 + 1 }, (_, at) => 4 * at) : ticks(xTop)) {
    svg.append(element("text", { x: right(mark), y: HEIGHT - BOTTOM + 17, "text-anchor": "middle" }, mark));
  }
  svg.append(element("text", { x: LEFT - 40, y: 13 }, y));
  svg.append(element("text", { x: (WIDTH + LEFT) / 2, y: HEIGHT - 5, "text-anchor": "middle" }, x));
  for (const [values, kind] of lines) {
    const d = values.map((value, at) => `${at ? "L" : "M"}${right(xs[at]).toFixed(1)} ${up(value).toFixed(1)}`);
    svg.append(element("path", { class: kind, d: d.join("") }));
  }
  place.replaceChildren(svg);
}
