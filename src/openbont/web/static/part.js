// Puts a part of another page where a link to it stands: what takes seconds comes when it is there.
for (const place of document.querySelectorAll("[data-part]")) fill(place);

async function fill(place) {
  const said = document.createElement("p");
  said.className = "muted small";
  said.textContent = "Being worked out; this takes some seconds the first time.";
  const link = place.firstElementChild;
  place.replaceChildren(said);
  const answer = await fetch(place.dataset.part).catch(() => null);
  const text = answer?.ok && !answer.redirected ? await answer.text() : "";
  const part = new DOMParser().parseFromString(text, "text/html").getElementById("part");
  place.replaceChildren(...(part ? part.children : [link]));
}
