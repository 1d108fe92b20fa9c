// The console: what a browser adds to it. Every page works without this.

const REFRESHED = "refresh"; // what `hx-trigger` of a live part waits for
const KEYS_OFF = "waybill-keys-off";

let isPaused = false;
const live = document.querySelector("[data-refresh-s]");
const pause = document.getElementById("pause");
const keys = document.getElementById("keys");

// --- live parts -----------------------------------------------------------------------------------------

function isBusy(part) {
  const selection = document.getSelection();
  return !selection.isCollapsed && part.contains(selection.anchorNode);
}

function setPaused(paused) {
  isPaused = paused;
  pause.setAttribute("aria-pressed", String(paused));
  live.classList.toggle("paused", paused);
}

function keepOpenDetails(part) {
  let open = [];
  part.addEventListener("htmx:beforeSwap", () => {
    open = [...part.querySelectorAll("details[open]")].map((each) => each.id);
  });
  part.addEventListener("htmx:afterSwap", () => {
    for (const id of open) document.getElementById(id)?.setAttribute("open", "");
  });
}

if (live) {
  keepOpenDetails(live);
  pause.hidden = false;
  pause.addEventListener("click", () => setPaused(!isPaused));
  setInterval(() => {
    if (!isPaused && !document.hidden && !isBusy(live)) htmx.trigger(live, REFRESHED);
  }, Number(live.dataset.refreshS) * 1000);
  document.body.addEventListener("htmx:sendError", () => live.classList.add("stale"));
  document.body.addEventListener("htmx:responseError", () => live.classList.add("stale"));
  document.body.addEventListener("htmx:afterSwap", () => live.classList.remove("stale"));
}

// --- keys -----------------------------------------------------------------------------------------------

const enabled = document.getElementById("keys-enabled");

function remembered() {
  try {
    return localStorage.getItem(KEYS_OFF) === null;
  } catch {
    return true; // storage is switched off
  }
}

function remember(areOn) {
  try {
    if (areOn) localStorage.removeItem(KEYS_OFF);
    else localStorage.setItem(KEYS_OFF, "1");
  } catch {
    // it holds until the page is left
  }
}

enabled.checked = remembered();
enabled.addEventListener("change", () => remember(enabled.checked));

const ACTS = {
  "/": () => document.getElementById("search")?.focus(),
  "?": () => keys.showModal(),
  p: () => pause?.click(),
};

document.addEventListener("keydown", (event) => {
  const isTyping = event.target.closest("input, select, textarea, [contenteditable]") !== null;
  if (isTyping || event.ctrlKey || event.metaKey || event.altKey || keys.open) return;
  if (!enabled.checked && event.key !== "?") return;
  const act = ACTS[event.key];
  if (act) {
    event.preventDefault();
    act();
  }
});

// --- tables ---------------------------------------------------------------------------------------------

for (const all of document.querySelectorAll("[data-select-all]")) {
  all.hidden = false;
  const boxes = [...all.closest("table").querySelectorAll("tbody input[type=checkbox]")];
  all.addEventListener("change", () => {
    for (const box of boxes) box.checked = all.checked;
  });
}
