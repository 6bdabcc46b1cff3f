// Asks how far the work is, and shows the result when it is done.
const place = document.getElementById("job");
const bar = document.getElementById("progress");
const told = document.getElementById("told");
const title = document.title;
const started = Date.now();

async function ask() {
  const answer = await fetch(place.dataset.state, { headers: { Accept: "application/json" } });
  const job = answer.ok ? await answer.json() : { state: "forgotten" };
  if (!["waiting", "running"].includes(job.state)) {
    location.reload();
    return;
  }
  if (job.share) bar.value = job.share;
  const far = job.share ? `${Math.round(100 * job.share)} %` : "making ready";
  document.title = `${far} · ${title}`;
  const seconds = Math.round((Date.now() - started) / 1000);
  told.textContent = job.state === "waiting"
    ? "Waiting: something else runs." : `Running: ${far}, ${seconds} s.`;
  setTimeout(ask, 1000);
}

if (bar) ask().catch(() => { told.textContent = "The workbench does not answer."; });
