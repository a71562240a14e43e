/* Keeps the rooms of a page current over one socket.
 *
 * The page names its topic: <main data-topic data-view data-socket data-parts data-now>, and holds one
 * element `room-<id>` with data-epoch and data-version per room. This file alone decides whether the page
 * may call itself live: <html data-live="connecting | live | reconnecting | stale">. What depends on time is
 * painted by others on two events of `document`: `live:tick` {now, since, beat, reason} four times a second and after
 * each write. The DOM is the only record of what is known, so what is claimed to the server is what is seen.
 *
 * Guarantees: a room's version never goes back within an epoch; only a heartbeat on a connection that has
 * had its snapshot makes the page live; every close code and every silence ends in another attempt.
 */
(() => {
"use strict";
const RECONNECTING_MS = 6000, STALE_MS = 10000, WRITE_MS = 250, TICK_MS = 250, PING_MS = 10000;
const RETRY_MS = 1000, RETRY_MOST_MS = 30000, DRIFT_MS = 5000, RELOAD_MS = 60000;
const FRAME_MOST = 4000; // the server takes 4,096 bytes: a board of some 60 rooms asks for everything
const DOUBTS = 1; // heartbeats in a row that may disagree and still be proof of life
const REFUSED = {4401: "This display is not signed in.", 4403: "This display may not show this building."};

const html = document.documentElement;
const page = document.querySelector("[data-topic]");
if (!page) return;
const {topic, view} = page.dataset;
const parts = page.dataset.parts.split(" ");

// ---- time: the server's clock, carried on by the monotonic one
const mono = () => performance.now();
const loaded = performance.getEntriesByType("navigation")[0]?.responseStart ?? 0;
let clock = {at: Date.parse(page.dataset.now), mono: loaded};
const now = () => clock.at + mono() - clock.mono;
const setClock = (at) => { if (Number.isFinite(at)) clock = {at, mono: mono()}; };

// ---- liveness
let proof = loaded, proofAt = clock.at, proved = false, reason = "", doubts = 0;
function judge() {
  const silence = mono() - proof;
  const quick = proved ? "live" : "connecting";
  const state = silence >= STALE_MS ? "stale" : silence >= RECONNECTING_MS && proved ? "reconnecting" : quick;
  if (html.dataset.live !== state) html.dataset.live = state;
  const detail = {now: now(), since: proofAt, beat: proved ? proofAt : null, reason};
  document.dispatchEvent(new CustomEvent("live:tick", {detail}));
}

// ---- what is known: the DOM, overlaid with what waits to be written
const queue = new Map(), written = new Map(); // by element id
function mark(id) {
  const waiting = queue.get(id)?.mark;
  if (waiting) return waiting;
  const row = document.getElementById(id);
  return row?.dataset.epoch === undefined ? null : [row.dataset.epoch, Number(row.dataset.version)];
}
function marks() {
  const known = {};
  for (const row of page.querySelectorAll("[id^=room-][data-epoch]")) known[row.id.slice(5)] = mark(row.id);
  return known;
}
const TABLE = Uint32Array.from({length: 256}, (_, n) => {
  for (let bit = 0; bit < 8; bit++) n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1;
  return n;
});
function crc32(text) {
  let crc = ~0;
  for (const byte of new TextEncoder().encode(text)) crc = TABLE[(crc ^ byte) & 255] ^ (crc >>> 8);
  return ~crc >>> 0;
}
function digest() {
  let sum = 0;
  for (const [id, [epoch, version]] of Object.entries(marks())) sum = (sum + crc32(`${id}:${epoch}:${version}`)) >>> 0;
  return sum;
}

// ---- writing: at most four times a second per element, the latest wins
function put(element, known) {
  const id = element.id, waits = queue.has(id);
  queue.set(id, {text: element.outerHTML, mark: known});
  if (waits) return;
  const wait = (written.get(id) ?? -Infinity) + WRITE_MS - mono();
  if (wait <= 0) write(id); else setTimeout(write, wait, id);
}
function write(id) {
  const item = queue.get(id), target = document.getElementById(id);
  queue.delete(id);
  if (!item || !target) return;
  written.set(id, mono());
  // A failed morph leaves the old mark on the row: the next digest disagrees and asks again.
  htmx.swap({text: item.text, target, swap: "outerMorph", transition: false}).catch(console.error);
  judge();
}
const isPlain = (root) => [root, ...root.querySelectorAll("*")].every((element) =>
  !/^(script|style|template|iframe|object|embed|base|link|meta|form)$/i.test(element.tagName)
  && !element.tagName.startsWith("HX-")
  && [...element.attributes].every(({name}) => !/^(on|style$|hx-|data-hx-)/i.test(name)));
function roots(text) {
  const box = document.createElement("template");
  box.innerHTML = typeof text === "string" ? text : "";
  return [...box.content.children].filter(isPlain);
}
function summarise(text) {
  for (const element of roots(text)) {
    if (parts.includes(element.id) && document.getElementById(element.id)) put(element);
  }
}

// ---- rooms: next or newer version, apply; same or older, ignore; another epoch, ask afresh
function take({id, epoch, version, html: text}, isSnapshot) {
  const known = mark(`room-${id}`);
  if (!known) return reload();
  if (known[0] === epoch ? version <= known[1] : !isSnapshot) {
    if (known[0] !== epoch) subscribe();
    return false;
  }
  const row = roots(text).find((element) => element.id === `room-${id}`);
  if (row) put(row, [epoch, version]);
  return Boolean(row);
}
const receivers = {
  snapshot({rooms = [], gone = [], full, summary}) {
    synced = true;
    for (const room of rooms) take(room, true);
    const sent = new Set(rooms.map(({id}) => id));
    const away = full ? Object.keys(marks()).filter((id) => !sent.has(id)) : gone;
    for (const id of away) {
      queue.delete(`room-${id}`);
      document.getElementById(`room-${id}`)?.remove();
    }
    if (away.length) reload();
    summarise(summary);
  },
  room({room, summary}) { if (take(room, false)) summarise(summary); },
  heartbeat({at, digest: digests}) {
    heard = mono();
    setClock(Date.parse(at));
    if (!synced) return;
    const agrees = digests?.[topic] === digest();
    doubts = agrees ? 0 : doubts + 1;
    if (!agrees) subscribe();
    // Coming back, the rows must be right before the colours return; while live, one doubt is healed quietly.
    if (agrees || (doubts <= DOUBTS && html.dataset.live === "live")) {
      proof = mono(); proofAt = clock.at; proved = true; attempts = 0; reason = "";
    }
    judge();
  },
  pong({t, at}) { // half the round trip is the best guess of how old `at` is
    const trip = mono() - t;
    if (trip >= 0 && trip < 2000) setClock(Date.parse(at) + trip / 2);
  },
  error({detail}) { reason = String(detail ?? ""); },
};

// ---- the connection
let socket = null, synced = false, heard = mono(), attempts = 0, retry = 0, asked = -Infinity;
function send(frame) { if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(frame)); }
function subscribe() {
  if (mono() - asked < 1000) return;
  asked = mono();
  const frame = {type: "subscribe", topic, view, have: marks()};
  if (JSON.stringify(frame).length > FRAME_MOST) delete frame.have; // then the answer is `full`
  send(frame);
}
function connect() {
  clearTimeout(retry);
  const mine = socket = new WebSocket(new URL(page.dataset.socket, location.href.replace(/^http/, "ws")));
  synced = false; heard = mono(); doubts = 0;
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
function lost(code, why) {
  socket = null;
  const isRefused = code in REFUSED;
  if (isRefused) reason = why || reason || REFUSED[code];
  const most = isRefused ? RETRY_MOST_MS : Math.min(RETRY_MOST_MS, RETRY_MS * 2 ** attempts++);
  // Full jitter, so that a restart is not met by every display at once; the floor spares a server that slams doors.
  retry = setTimeout(connect, isRefused ? most * (0.9 + Math.random() / 5) : 200 + Math.random() * most);
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

// ---- rooms came or went: the page itself must change; never into an error page, never in a loop
let reloading = false;
function reload() {
  if (reloading) return false;
  reloading = true;
  const last = Number(sessionStorage.getItem("live:reload")) || 0;
  const wait = Math.max(0, last + RELOAD_MS - Date.now()) + Math.random() * 2000;
  setTimeout(async () => {
    reloading = false;
    const answer = await fetch(location.href, {cache: "no-store"}).catch(() => null);
    if (!answer?.ok) return;
    sessionStorage.setItem("live:reload", String(Date.now()));
    location.reload();
  }, wait);
  return false;
}

// ---- the tick: silence, sleep and drift
let ticked = {mono: mono(), wall: Date.now()};
function tick() {
  const step = {mono: mono() - ticked.mono, wall: Date.now() - ticked.wall};
  ticked = {mono: mono(), wall: Date.now()};
  const slept = step.wall - step.mono; // some systems stop the monotonic clock while they sleep
  if (slept > DRIFT_MS) {
    clock.at += slept;
    proof = heard = -Infinity;
  }
  if (slept > DRIFT_MS || step.mono > DRIFT_MS) nudge();
  if (socket && mono() - heard > STALE_MS) { drop(); lost(1006, ""); }
  judge();
}
for (const [target, name] of [[document, "visibilitychange"], [window, "online"], [window, "pageshow"]]) {
  target.addEventListener(name, nudge);
}
setInterval(tick, TICK_MS);
setInterval(ping, PING_MS);
connect();
judge();
})();
