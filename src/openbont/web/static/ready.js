// A page can be used before its script has run. Buttons that only a script answers come disabled,
// marked data-script, and are opened by it; what was typed or chosen before is heard afterwards.

/** Open the buttons that waited for this script; those of a part of it carry its name. */
export function ready(part = "") {
  const templates = [...document.querySelectorAll("template")].map((one) => one.content);
  for (const place of [document, ...templates]) {
    for (const one of place.querySelectorAll(`[data-script="${part}"]`)) one.disabled = false;
  }
}

/** Say again, to those who listen by now, what was typed in `place` before they did. */
export function hear(place) {
  for (const one of [...place.querySelectorAll("input, select, textarea")].filter(touched)) {
    one.dispatchEvent(new Event("input", { bubbles: true }));
  }
}

/** What a field held when the page came. */
export function original(field) {
  if (!(field instanceof HTMLSelectElement)) return field.defaultValue;
  return [...field.options].findLast((one) => one.defaultSelected)?.value ?? field.options[0]?.value ?? "";
}

function touched(field) {
  if (["checkbox", "radio"].includes(field.type)) return field.checked !== field.defaultChecked;
  return Boolean(field.name) && !["hidden", "file"].includes(field.type) && field.value !== original(field);
}
