// Follows the stream that an element names: <main data-stream="/track/99M-…/stream" data-version="3">.
// The element gets the events "waybill:status" (detail: {version, current_status}, each version once) and
// "waybill:connection" (detail: true, or false once it has been away for some seconds).

const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 15_000;
const GRACE_MS = 4_000;
const LONGEST_SILENCE_MS = 75_000; // a stream ends by itself within a minute, and the next one opens

class Follower {
  constructor(element) {
    this.element = element;
    this.version = Number(element.dataset.version ?? 0);
    this.retryMs = FIRST_RETRY_MS;
    this.isConnected = true; // the page has just come
    document.addEventListener("visibilitychange", () => this.followIfVisible());
    window.addEventListener("online", () => this.followIfVisible());
    window.addEventListener("offline", () => this.noteConnection(false));
    this.followIfVisible();
  }

  // A hidden page holds no connection: browsers have six for all pages of a host.
  followIfVisible() {
    this.stop();
    if (document.visibilityState === "visible") this.open();
  }

  stop() {
    this.source?.close();
    [this.retryTimer, this.graceTimer, this.silenceTimer].forEach(clearTimeout);
    this.graceTimer = undefined;
  }

  open() {
    this.source = new EventSource(this.element.dataset.stream);
    this.source.onopen = () => this.heard();
    this.source.onmessage = (message) => this.receive(JSON.parse(message.data));
    this.source.onerror = () => this.recover();
    this.awaitNextSign();
  }

  heard() {
    clearTimeout(this.graceTimer);
    this.graceTimer = undefined;
    this.retryMs = FIRST_RETRY_MS;
    this.noteConnection(true);
    this.awaitNextSign();
  }

  receive(status) {
    this.heard();
    if (status.version <= this.version) return;
    this.version = status.version;
    this.tell("waybill:status", status);
  }

  // The browser reconnects by itself when a stream ends, but gives up for ever on any status but 200.
  recover() {
    this.graceTimer ??= setTimeout(() => this.noteConnection(false), GRACE_MS);
    if (this.source.readyState !== EventSource.CLOSED) return;
    clearTimeout(this.silenceTimer);
    this.retryTimer = setTimeout(() => this.open(), this.retryMs * (0.5 + Math.random() / 2));
    this.retryMs = Math.min(this.retryMs * 2, LONGEST_RETRY_MS);
  }

  // A connection that a sleeping computer or a changed network has lost looks open.
  awaitNextSign() {
    clearTimeout(this.silenceTimer);
    this.silenceTimer = setTimeout(() => {
      this.noteConnection(false);
      this.followIfVisible();
    }, LONGEST_SILENCE_MS);
  }

  noteConnection(isConnected) {
    if (isConnected === this.isConnected) return;
    this.isConnected = isConnected;
    this.tell("waybill:connection", isConnected);
  }

  tell(type, detail) {
    this.element.dispatchEvent(new CustomEvent(type, { detail, bubbles: true }));
  }
}

document.querySelectorAll("[data-stream]").forEach((element) => new Follower(element));
