// Where rows are filled in, one more is always empty: the last is repeated as soon as it is used.
import { hear } from "./ready.js";

for (const group of document.querySelectorAll("[data-grow]")) {
  group.addEventListener("input", () => {
    if (used(group.lastElementChild)) group.append(next(group));
  });
  hear(group);
}

function used(row) {
  return [...row.querySelectorAll("input, select")].some((one) =>
    one.type === "checkbox" ? one.checked : one.type !== "hidden" && one.value);
}

function next(group) {
  const row = group.lastElementChild.cloneNode(true);
  const count = group.children.length;
  const counted = new RegExp(`^(${group.dataset.grow}\\.)[0-9]+`);
  for (const one of [row, ...row.querySelectorAll("*")]) {
    for (const name of ["id", "name", "for"]) {
      const value = one.getAttribute(name);
      if (value) one.setAttribute(name, value.replace(counted, `$1${count}`));
    }
    const label = one.getAttribute("aria-label");
    if (label) one.setAttribute("aria-label", label.replace(/[0-9]+/, count + 1));
    if (one.matches("input[type=checkbox]")) one.checked = false;
    else if (one.matches("input, select")) one.value = "";
    one.removeAttribute("aria-invalid");
  }
  row.querySelectorAll(".wrong").forEach((one) => one.remove());
  return row;
}
