// What is given and what is drawn, added up while it is typed; the server has the last word.
const given = document.getElementById("given-units");
const form = given?.closest("form");

function total(named) {
  const fields = [...new FormData(form)].filter(([name]) => named.test(name));
  return fields.reduce((sum, [, value]) => sum + Math.round(100 * (Number(value) || 0)), 0) / 100;
}

function show() {
  const [units, drawn] = [/^injections\.\d+\.units$/, /^draws\.\d+\.units$/].map(total);
  given.textContent = `${units} U`;
  const left = Math.round(100 * (units - drawn)) / 100;
  const differs = left > 0 ? `; ${left} U are still to be drawn` : `; ${-left} U more than is given`;
  document.getElementById("drawn-units").textContent = `${drawn} U${left ? differs : ""}`;
}

form?.addEventListener("input", show);
if (form) show();
