/* Keeps the rooms of a page current over one socket (docs/protocol.md).
 *
 * The page names its topic: <main data-topic data-view data-socket data-parts data-now data-build>, and holds
 * one element `room-<id>` with data-epoch and data-version per room. This file alone decides whether the page
 * may call itself live: <html data-live="connecting | live | reconnecting | stale">. What depends on time is
 * painted by others on an event of `document`, `live:tick` {now, since, beat, reason}: four times a second and
 * after each write. live-rows.js reads and writes the rows, live-seen.js measures, live-reload.js gets a new page.
 *
 * Guarantees: a room's version never goes back within an epoch; only a heartbeat on a connection that has
 * had its snapshot makes the page live; every close code and every silence ends in another attempt.
 */
(() => {
"use strict";
const RECONNECTING_MS = 6000, STALE_MS = 10000, TICK_MS = 250, PING_MS = 10000, DRIFT_MS = 5000;
const TUNED_MS = 3 * PING_MS, TRIP_MOST_MS = 2000;
// While the server is away a display tries once in 2.7 s on average (0.2 s + half of 5 s): 1,000 of them 370 times
// a second. When it is back the last one tries 5.2 s later and has 4.8 s left to be live within 10 s of the return,
// however long the outage was; the 1,000 come 190 a second, which is a fifth of a core (docs/scaling.md).
const RETRY_LEAST_MS = 200, RETRY_MS = 1000, RETRY_MOST_MS = 5000;
const REFUSED_MS = 30000, INVITED_MOST_MS = 30000; // it is not an outage, and the server has said so
const ASK_MS = 1000;
const FRAME_MOST = 4000; // the server takes 4,096 bytes: a board of some 60 rooms asks for everything
const DOUBTS = 1; // heartbeats in a row that may disagree and still be proof of life
const REFUSED = {
  4401: "This display is not signed in.",
  4403: "This display may not show this building.",
  4429: "Too many displays are connected.",
};

const html = document.documentElement;
const page = document.querySelector("[data-topic]");
if (!page) return;
const {topic, view, build} = page.dataset;

// ---- time: the server's clock, carried on by the monotonic one
const mono = () => performance.now();
const loaded = performance.getEntriesByType("navigation")[0]?.responseStart ?? 0;
let clock = {at: Date.parse(page.dataset.now), mono: loaded};
const now = () => clock.at + mono() - clock.mono;
const setClock = (at) => { if (Number.isFinite(at)) clock = {at, mono: mono()}; };
let tuned = -Infinity; // when a pong last set the clock: other frames do not say how long they were under way
const setRoughly = (at) => { if (mono() - tuned > TUNED_MS) setClock(at); };

// ---- liveness
let proof = loaded; // when what is shown was last known to be true: before the server said so
let told = loaded, toldAt = clock.at, proved = false, reason = "", doubts = 0, lostAt = null;
function judge() {
  const isLate = proved && mono() - told >= RECONNECTING_MS;
  const state = mono() - proof >= STALE_MS ? "stale" : isLate ? "reconnecting" : proved ? "live" : "connecting";
  if (html.dataset.live !== state) html.dataset.live = state;
  lostAt = state === "live" ? null : lostAt ?? now();
  const detail = {now: now(), since: toldAt, beat: proved ? toldAt : null, reason};
  document.dispatchEvent(new CustomEvent("live:tick", {detail}));
}

const rows = liveRows(page, judge);
const seen = liveSeen({now, send});
const reload = liveReload(page);

// ---- rooms: next or newer version, apply; same or older, ignore; another epoch, ask afresh
function take({id, epoch, version, changed_at: changedAt, html: text}, isSnapshot) {
  const known = rows.mark(id);
  if (!known) return reload.forRooms();
  if (known[0] !== epoch && !isSnapshot) return subscribe();
  if (known[0] === epoch && version <= known[1]) return;
  rows.show(id, [epoch, version], text, isSnapshot ? undefined : seen.measure(changedAt));
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
    doubts = agrees ? 0 : doubts + 1;
    if (!agrees) subscribe();
    // Coming back, the rows must be right before the colours return; while live, one doubt is healed quietly.
    if (agrees || (doubts <= DOUBTS && html.dataset.live === "live")) {
      told = mono(); toldAt = now(); proof = told - age; proved = true; attempts = 0; reason = "";
    }
    judge();
  },
  pong({t, at}) { // half the round trip is the best guess of how old `at` is
    const trip = mono() - t;
    if (!(trip >= 0 && trip < TRIP_MOST_MS)) return;
    setClock(Date.parse(at) + trip / 2);
    tuned = mono();
  },
  error({detail}) { reason = String(detail ?? ""); },
};

// ---- the connection
let socket = null, synced = false, heard = mono(), attempts = 0, retry = 0, asked = -Infinity;
let invited = null; // ms over which a server that says goodbye wants its displays back
function send(frame) {
  if (socket?.readyState !== WebSocket.OPEN) return false;
  socket.send(JSON.stringify(frame));
  return true;
}
function subscribe() {
  if (mono() - asked < ASK_MS) return;
  asked = mono();
  const frame = {type: "subscribe", topic, view, have: rows.marks()};
  if (JSON.stringify(frame).length > FRAME_MOST) delete frame.have; // then the answer is `full`
  send(frame);
}
function connect() {
  clearTimeout(retry);
  const mine = socket = new WebSocket(new URL(page.dataset.socket, location.href.replace(/^http/, "ws")));
  synced = false; heard = mono(); doubts = 0; invited = null;
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
function wait() { // full jitter, so that a restart is not met by every display at once
  if (invited !== null) return Math.random() * invited;
  const most = Math.min(RETRY_MOST_MS, RETRY_MS * 2 ** attempts++);
  return RETRY_LEAST_MS + Math.random() * most; // the floor spares a server that slams doors
}
function lost(code, why) {
  socket = null;
  const isRefused = code in REFUSED;
  if (isRefused) reason = why || reason || REFUSED[code];
  retry = setTimeout(connect, isRefused ? REFUSED_MS * (0.9 + Math.random() / 5) : wait());
  judge();
}
function drop() { // a half-open link may never fire `close`: it is left behind, not waited for
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
    proof = told = heard = tuned = -Infinity;
  }
  if (slept > DRIFT_MS || step.mono > DRIFT_MS) nudge();
  if (socket && mono() - heard > STALE_MS) { drop(); lost(1006, ""); }
  judge();
  seen.report(lostAt === null ? null : now() - lostAt);
}
for (const [target, name] of [[document, "visibilitychange"], [window, "online"], [window, "pageshow"]]) {
  target.addEventListener(name, nudge);
}
setInterval(tick, TICK_MS);
setInterval(ping, PING_MS);
connect();
judge();
})();
