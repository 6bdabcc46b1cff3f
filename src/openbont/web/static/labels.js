// Names of the sites beside their dots: moved aside until none lies on another, with a line back.
const AWAY_PX = [15, 27, 40, 56];
const TURNS = 12;
const SVG = "http://www.w3.org/2000/svg";

/** Labels of `sites` (x, y, facing, label) in `svg`; those on the far side have none. */
export function place(svg, sites, width, height, now) {
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  const shown = sites.filter((one) => one.facing);
  const middle = [mean(shown.map((one) => one.x)), mean(shown.map((one) => one.y))];
  const taken = shown.map((one) => ({ x: one.x - 6, y: one.y - 6, w: 12, h: 12 }));
  const made = [];
  for (const one of shown) {
    const box = free(one, middle, taken, width, height);
    taken.push(box);
    made.push(...drawn(one, box, one.row === now.row && one.site === now.site));
  }
  svg.replaceChildren(...made);
}

function mean(values) {
  return values.reduce((sum, one) => sum + one, 0) / Math.max(1, values.length);
}

/** The first place that nothing has taken, outwards from the middle of all sites before inwards. */
function free(one, middle, taken, width, height) {
  const [w, h] = [7 + 7.5 * one.label.length, 15];
  const outward = Math.atan2(one.y - middle[1], one.x - middle[0]);
  let first = null;
  for (const away of AWAY_PX) {
    for (let turn = 0; turn < TURNS; turn += 1) {
      const side = turn % 2 ? (turn + 1) / 2 : -turn / 2;
      const angle = outward + (side * 2 * Math.PI) / TURNS;
      const box = { x: one.x + away * Math.cos(angle) - w / 2, y: one.y + away * Math.sin(angle) - h / 2, w, h };
      first ??= box;
      const inside = box.x > 0 && box.y > 0 && box.x + w < width && box.y + h < height;
      if (inside && !taken.some((other) => meet(box, other))) return box;
    }
  }
  return first;
}

function meet(one, other) {
  return one.x < other.x + other.w && other.x < one.x + one.w && one.y < other.y + other.h && other.y < one.y + one.h;
}

function drawn(one, box, chosen) {
  const [x, y] = [box.x + box.w / 2, box.y + box.h / 2];
  const text = made("text", { x, y, class: chosen ? "chosen" : "" });
  text.textContent = one.label;
  const ring = chosen ? [made("circle", { cx: one.x, cy: one.y, r: 11 })] : [];
  const line = Math.hypot(x - one.x, y - one.y) > AWAY_PX[0] + 1 ? [made("line", { x1: one.x, y1: one.y, x2: x, y2: y })] : [];
  return [...line, ...ring, text];
}

function made(tag, settings) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(settings)) element.setAttribute(name, value);
  return element;
}
