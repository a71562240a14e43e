/* The booking form's connection to the live protocol (docs/protocol.md): one socket that reconnects by itself.
 *
 * The connection follows one room at a time, answers `sync`, keeps the server's time and reports when it is lost.
 * book-hold.js handles all other frames.
 */
"use strict";
const liveLink = (path, {onFrame, onOpen, onLost}) => {
const PING_MS = 10000, SILENCE_MS = 10000, AGAIN_MS = 1000;
const RETRY_LEAST_MS = 200, RETRY_MS = 1000, RETRY_MOST_MS = 5000; // as in live.js, which has the reasons
const SIGNED_OUT = 4401;
const mono = () => performance.now();
let socket = null, topic = null, heard = 0, attempts = 0, retry = 0, ended = false;
let clock = {at: Date.now(), mono: mono()}; // replaced by the server's time in `hello` and `pong`

function send(frame) {
  if (socket?.readyState !== WebSocket.OPEN) return false;
  socket.send(JSON.stringify(frame));
  return true;
}
const subscribe = () => { if (topic) send({type: "subscribe", topic, ref: topic}); };
function take(frame) {
  heard = mono();
  attempts = 0;
  const at = frame.type === "hello" || frame.type === "pong" ? Date.parse(frame.at) : NaN;
  if (Number.isFinite(at)) clock = {at, mono: mono()};
  if (frame.type === "sync") send({type: "ack", n: frame.n});
  else if (frame.type === "error" && topic && frame.ref === topic) setTimeout(subscribe, AGAIN_MS); // a new room may be unknown yet
  else onFrame(frame);
}
function connect() {
  clearTimeout(retry);
  const mine = socket = new WebSocket(new URL(path, location.href.replace(/^http/, "ws")));
  heard = mono();
  mine.onopen = () => { if (mine === socket) { subscribe(); onOpen(); } };
  mine.onmessage = ({data}) => {
    if (mine !== socket) return;
    let frame;
    try { frame = JSON.parse(data); } catch { return; }
    if (frame?.type) take(frame);
  };
  mine.onclose = ({code}) => { if (mine === socket) lost(code === SIGNED_OUT); };
}
function lost(isFinal) {
  socket = null;
  if (isFinal) ended = true;
  const most = Math.min(RETRY_MOST_MS, RETRY_MS * 2 ** attempts++);
  if (!ended) retry = setTimeout(connect, RETRY_LEAST_MS + Math.random() * most);
  onLost(ended);
}
setInterval(() => {
  if (socket && mono() - heard > SILENCE_MS + PING_MS) { // a half-open connection may never fire `close`
    const old = socket;
    socket = null;
    old.close();
    lost(false);
  } else send({type: "ping", t: mono()});
}, PING_MS);
connect();

return {
  send,
  now: () => clock.at + mono() - clock.mono,
  follow(next) {
    if (next === topic) return;
    if (topic) send({type: "unsubscribe", topic});
    topic = next;
    subscribe();
  },
  /* Close on purpose: the server releases the hold. */
  leave() { ended = true; clearTimeout(retry); const old = socket; socket = null; old?.close(1000); },
  comeBack() { if (ended) { ended = false; connect(); } },
};
};
