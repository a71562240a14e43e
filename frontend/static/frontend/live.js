/* Keeps the rooms of a page current over one socket (docs/protocol.md).
 *
 * The page names its topic: <main data-topic data-view data-socket data-parts data-now data-build>, and has one
 * element `room-<id>` with data-epoch and data-version per room. Only this file decides whether the page is live:
 * <html data-live="connecting | live | reconnecting | stale">. `document` gets the event `live:tick` {now, since,
 * beat, reason} four times a second and after each write; board.js paints the parts that depend on the time.
 * live-rows.js reads and writes the rows, live-seen.js measures, live-reload.js reloads the page.
 *
 * Guarantees: a room's version never decreases within an epoch; only a heartbeat on a connection that has received its
 * snapshot makes the page live; after every close code and every silence the page connects again.
 */
(() => {
"use strict";
const RECONNECTING_MS = 6000, STALE_MS = 10000, TICK_MS = 250, PING_MS = 10000, DRIFT_MS = 5000;
const CLOCK_SYNC_MS = 3 * PING_MS; // for so long, the time of a pong is better than the time of other frames
const TRIP_MOST_MS = 2000; // a pong with a longer round trip does not set the clock
// During an outage of the server, a display connects once in 2.7 s on average (0.2 s + half of 5 s): 1,000 displays 370
// times a second. After the outage, the last display connects within 5.2 s, so it has 4.8 s left to be live within 10 s,
// however long the outage was. 1,000 displays connect at 190 a second: a fifth of a core (docs/scaling.md).
const RETRY_LEAST_MS = 200, RETRY_MS = 1000, RETRY_MOST_MS = 5000;
const REFUSED_MS = 30000, INVITED_MOST_MS = 30000; // waits that the server asked for, longer than after an outage
const ASK_MS = 1000; // between two `subscribe` frames
const FRAME_MOST = 4000; // the server accepts 4,096 bytes: a board of over about 60 rooms requests all rooms again
const MISMATCHES_MOST = 1; // heartbeats in a row whose digest may differ on a live page
const REFUSED = {
  4401: "This display is not signed in.",
  4403: "This display may not show this building.",
  4429: "Too many displays are connected.",
};

const html = document.documentElement;
const page = document.querySelector("[data-topic]");
if (!page) return;
const {topic, view, build} = page.dataset;

// ---- time: the server's clock, continued with the monotonic clock of the browser
const mono = () => performance.now();
const loaded = performance.getEntriesByType("navigation")[0]?.responseStart ?? 0;
let clock = {at: Date.parse(page.dataset.now), mono: loaded};
const now = () => clock.at + mono() - clock.mono;
const setClock = (at) => { if (Number.isFinite(at)) clock = {at, mono: mono()}; };
let clockSyncedAt = -Infinity; // when a pong last set the clock; the transit time of other frames is unknown
const setRoughly = (at) => { if (mono() - clockSyncedAt > CLOCK_SYNC_MS) setClock(at); };

// ---- liveness
let validAt = loaded; // the last monotonic time at which the shown rooms were certainly right; before `proofAt`
let proofAt = loaded, proofTime = clock.at; // the last proof of life: monotonic time and server time
let isProved = false, reason = "", mismatches = 0, lostAt = null;
function judge() {
  const isLate = isProved && mono() - proofAt >= RECONNECTING_MS;
  const state = mono() - validAt >= STALE_MS ? "stale" : isLate ? "reconnecting" : isProved ? "live" : "connecting";
  if (html.dataset.live !== state) html.dataset.live = state;
  lostAt = state === "live" ? null : lostAt ?? now();
  const detail = {now: now(), since: proofTime, beat: isProved ? proofTime : null, reason};
  document.dispatchEvent(new CustomEvent("live:tick", {detail}));
}

const rows = liveRows(page, judge);
const reporter = liveSeen({now, send});
const reload = liveReload(page);

// ---- rooms: apply a newer version, ignore the same or an older version, subscribe again for another epoch
function take({id, epoch, version, changed_at: changedAt, html: text}, isSnapshot) {
  const known = rows.mark(id);
  if (!known) return reload.forRooms();
  if (known[0] !== epoch && !isSnapshot) return subscribe();
  if (known[0] === epoch && version <= known[1]) return;
  rows.show(id, [epoch, version], text, isSnapshot ? undefined : reporter.measure(changedAt));
}
const receivers = {
  hello({at, build: serving}) {
    setRoughly(Date.parse(at));
    if (build && serving) reload.forBuild(serving);
  },
  snapshot({rooms = [], gone = [], full, summary}) {
    synced = true;
    for (const room of rooms) take(room, true);
    const sent = new Set(rooms.map(({id}) => id));
    const away = full ? Object.keys(rows.marks()).filter((id) => !sent.has(id)) : gone;
    away.forEach(rows.remove);
    if (away.length) reload.forRooms();
    rows.summarise(summary);
  },
  room({room}) { if (room) take(room, false); },
  summary({html: text}) { rows.summarise(text); },
  sync({n}) { send({type: "ack", n}); },
  bye({after_ms: most}) { if (most >= 0) invited = Math.min(most, INVITED_MOST_MS); },
  heartbeat({at, age_ms: age = 0, digest: digests}) {
    heard = mono();
    setRoughly(Date.parse(at));
    if (!synced) return;
    const agrees = digests?.[topic] === rows.digest();
    mismatches = agrees ? 0 : mismatches + 1;
    if (!agrees) subscribe();
    // A page that is not live must have the right rows before it becomes live; a live page stays live for one mismatch.
    if (agrees || (mismatches <= MISMATCHES_MOST && html.dataset.live === "live")) {
      proofAt = mono(); proofTime = now(); validAt = proofAt - age; isProved = true; attempts = 0; reason = "";
    }
    judge();
  },
  pong({t, at}) { // half the round trip is the best estimate of the age of `at`
    const trip = mono() - t;
    if (!(trip >= 0 && trip < TRIP_MOST_MS)) return;
    setClock(Date.parse(at) + trip / 2);
    clockSyncedAt = mono();
  },
  error({detail}) { reason = String(detail ?? ""); },
};

// ---- the connection
let socket = null, synced = false, heard = mono(), attempts = 0, retry = 0, asked = -Infinity;
let invited = null; // the longest wait in ms that a `bye` frame has asked for
function send(frame) {
  if (socket?.readyState !== WebSocket.OPEN) return false;
  socket.send(JSON.stringify(frame));
  return true;
}
function subscribe() {
  if (mono() - asked < ASK_MS) return;
  asked = mono();
  const frame = {type: "subscribe", topic, view, have: rows.marks()};
  if (JSON.stringify(frame).length > FRAME_MOST) delete frame.have; // the answer then has all rooms (`full`)
  send(frame);
}
function connect() {
  clearTimeout(retry);
  const mine = socket = new WebSocket(new URL(page.dataset.socket, location.href.replace(/^http/, "ws")));
  synced = false; heard = mono(); mismatches = 0; invited = null;
  mine.onopen = () => { if (mine === socket) { asked = -Infinity; subscribe(); ping(); } };
  mine.onclose = ({code, reason: why}) => { if (mine === socket) lost(code, why); };
  mine.onmessage = ({data}) => {
    if (mine !== socket) return;
    let frame;
    try { frame = JSON.parse(data); } catch { return; }
    if (frame?.topic !== undefined && frame.topic !== topic) return;
    if (Object.hasOwn(receivers, frame?.type)) receivers[frame.type](frame);
  };
}
function wait() { // full jitter, so that after a restart the displays do not connect all at once
  if (invited !== null) return Math.random() * invited;
  const most = Math.min(RETRY_MOST_MS, RETRY_MS * 2 ** attempts++);
  return RETRY_LEAST_MS + Math.random() * most; // the minimum protects a server that closes at once
}
function lost(code, why) {
  socket = null;
  const isRefused = code in REFUSED;
  if (isRefused) reason = why || reason || REFUSED[code];
  retry = setTimeout(connect, isRefused ? REFUSED_MS * (0.9 + Math.random() / 5) : wait());
  judge();
}
function drop() { // does not wait for `close`, which a half-open connection may never fire
  const old = socket;
  socket = null;
  old?.close();
}
const ping = () => send({type: "ping", t: mono()});
function nudge() {
  if (document.hidden) return;
  judge();
  if (socket?.readyState === WebSocket.OPEN && mono() - heard < RECONNECTING_MS) return subscribe();
  if (socket?.readyState === WebSocket.CONNECTING && mono() - heard < RECONNECTING_MS) return;
  drop();
  connect();
}

// ---- the tick: silence, sleep and drift
let ticked = {mono: mono(), wall: Date.now()};
function tick() {
  const step = {mono: mono() - ticked.mono, wall: Date.now() - ticked.wall};
  ticked = {mono: mono(), wall: Date.now()};
  const slept = step.wall - step.mono; // some systems stop the monotonic clock while they sleep
  if (slept > DRIFT_MS) {
    clock.at += slept;
    validAt = proofAt = heard = clockSyncedAt = -Infinity;
  }
  if (slept > DRIFT_MS || step.mono > DRIFT_MS) nudge();
  if (socket && mono() - heard > STALE_MS) { drop(); lost(1006, ""); }
  judge();
  reporter.report(lostAt === null ? null : now() - lostAt);
}
for (const [target, name] of [[document, "visibilitychange"], [window, "online"], [window, "pageshow"]]) {
  target.addEventListener(name, nudge);
}
setInterval(tick, TICK_MS);
setInterval(ping, PING_MS);
connect();
judge();
})();
