// Copies the text of #script.
const button = document.getElementById("copy");
const text = document.getElementById("script");
const told = document.getElementById("copied");

button.hidden = !navigator.clipboard;
button.addEventListener("click", async () => {
  try {
    await navigator.clipboard.writeText(text.value);
    told.textContent = "Copied.";
  } catch {
    text.select();
    told.textContent = "Selected: copy it with the keyboard.";
  }
});
