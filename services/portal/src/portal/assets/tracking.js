// The tracking pages: what a browser adds to them. Without it they show the same, once.

const AGES_EVERY_MS = 30_000;
const UNITS = [
  ["year", 31_557_600], ["month", 2_629_800], ["week", 604_800],
  ["day", 86_400], ["hour", 3_600], ["minute", 60], ["second", 1],
];
const RETRY_MS = 10_000;
const language = document.documentElement.lang;
let shownSince = new Date();
let isRefreshing = false;
let hasNews = false;

// A link has its token in the fragment, which no server sees. It is exchanged for a cookie. Where that could
// not be tried it stays in the address, for the next time.
async function exchangeToken() {
  const token = location.hash.slice(1);
  if (!/^[A-Za-z0-9_-]{43}$/.test(token)) return;
  const response = await fetch("/track/session", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ token }),
  });
  if (!response.ok && response.status !== 404) return;
  history.replaceState(null, "", location.pathname + location.search);
  if (response.ok) location.reload();
  else document.getElementById("link-ended")?.removeAttribute("hidden");
}

function ageOf(iso) {
  const seconds = Math.max(1, (Date.now() - Date.parse(iso)) / 1000);
  const [unit, length] = UNITS.find(([, length]) => seconds >= length);
  return new Intl.RelativeTimeFormat(language).format(-Math.round(seconds / length), unit);
}

function showAges() {
  for (const element of document.querySelectorAll("[data-age]")) {
    element.textContent = ageOf(element.dataset.age);
  }
}

// Times are those of the place where it happened. Readers elsewhere see their own too.
function showOwnTimes() {
  for (const list of document.querySelectorAll("[data-own-time]")) {
    for (const time of list.querySelectorAll("time[data-offset]")) {
      const instant = new Date(time.dateTime);
      if (-instant.getTimezoneOffset() === Number(time.dataset.offset)) continue;
      const own = new Intl.DateTimeFormat(language, {
        weekday: "short", day: "numeric", month: "short", hour: "numeric", minute: "2-digit",
      }).format(instant);
      const line = document.createElement("span");
      line.className = "step-own-time";
      line.textContent = list.dataset.ownTime.replace("{time}", own);
      time.after(line);
    }
  }
}

function offerCopying() {
  const button = document.getElementById("copy");
  if (button === null || !navigator.clipboard) return;
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(button.dataset.copy);
    announce(button.dataset.done);
  });
}

function announce(sentence) {
  document.getElementById("announcement").textContent = sentence;
}

function showConnection(isConnected) {
  const sign = document.getElementById("live");
  if (sign === null) return; // nothing can follow any more
  const clock = new Intl.DateTimeFormat(language, { timeStyle: "short" }).format(shownSince);
  sign.hidden = false;
  sign.classList.toggle("is-offline", !isConnected);
  sign.textContent = isConnected ? sign.dataset.live : sign.dataset.offline.replace("{time}", clock);
}

// The stream says that there is news. The page itself says what, in its reader's words.
async function refresh() {
  hasNews = true;
  if (isRefreshing) return; // one after the other, or an older page would replace a newer one
  isRefreshing = true;
  try {
    while (hasNews) {
      hasNews = false;
      showPage(await fetchedPage());
    }
  } catch {
    showConnection(false);
    setTimeout(refresh, RETRY_MS);
  } finally {
    isRefreshing = false;
  }
}

async function fetchedPage() {
  const response = await fetch(location.pathname + location.search, { headers: { Accept: "text/html" } });
  if (!response.ok) throw new Error(response.statusText);
  return new DOMParser().parseFromString(await response.text(), "text/html");
}

function showPage(page) {
  const shown = document.getElementById("shipment");
  const before = shown.querySelector("h1").textContent;
  const focused = document.activeElement.id;
  shown.replaceChildren(...page.getElementById("shipment").children);
  document.title = page.title;
  shownSince = new Date();
  decorate();
  showConnection(true);
  if (focused) document.getElementById(focused)?.focus();
  const heading = shown.querySelector("h1").textContent;
  if (heading !== before) announce(heading);
}

function decorate() {
  showAges();
  showOwnTimes();
  offerCopying();
}

function followNews() {
  const stream = document.querySelector("[data-stream]");
  if (stream === null) return;
  showConnection(true);
  stream.addEventListener("waybill:status", refresh);
  stream.addEventListener("waybill:connection", ({ detail: isConnected }) => {
    if (isConnected) refresh();
    else showConnection(false);
  });
}

decorate();
followNews();
setInterval(showAges, AGES_EVERY_MS);
await exchangeToken();
