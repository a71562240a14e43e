/* Reads and writes the rows of the rooms on a page. Used by live.js.
 *
 * The versions of the rooms are stored only in the DOM, and in the queue of rows that wait to be written. So the
 * versions that the page sends to the server are the versions on the screen. HTML comes only from this site's server,
 * and is accepted only if it is plain: no scripts, handlers, styles, forms or htmx attributes, and a root whose id the
 * page has already.
 */
"use strict";
const liveRows = (page, onWrite) => {
const WRITE_MS = 250; // at most four writes a second per element; the latest one wins
const UNSAFE_TAG = /^(script|style|template|iframe|object|embed|base|link|meta|form|hx-.*)$/i;
const UNSAFE_ATTRIBUTE = /^(on|style$|hx-|data-hx-)/i;
const parts = page.dataset.parts.split(" ");

// ---- the known versions: a mark is [epoch, version]
const queue = new Map(), written = new Map(); // by element id
function mark(id) {
  const waiting = queue.get(`room-${id}`)?.mark;
  if (waiting) return waiting;
  const row = document.getElementById(`room-${id}`);
  return row?.dataset.epoch === undefined ? null : [row.dataset.epoch, Number(row.dataset.version)];
}
function marks() {
  const ids = [...page.querySelectorAll("[id^=room-][data-epoch]")].map((row) => row.id.slice(5));
  return Object.fromEntries(ids.map((id) => [id, mark(id)]));
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

// ---- reading HTML
const isPlain = (root) => [root, ...root.querySelectorAll("*")].every((element) =>
  !UNSAFE_TAG.test(element.tagName) && [...element.attributes].every(({name}) => !UNSAFE_ATTRIBUTE.test(name)));
function roots(text) {
  const box = document.createElement("template");
  box.innerHTML = typeof text === "string" ? text : "";
  return [...box.content.children].filter(isPlain);
}

// ---- writing; `painted` is called once the element, or a newer version of it, is on the screen
function put(element, known, painted) {
  const id = element.id, waiting = queue.get(id);
  const whenPainted = [...(waiting?.whenPainted ?? []), ...(painted ? [painted] : [])];
  queue.set(id, {text: element.outerHTML, mark: known, whenPainted});
  if (waiting) return;
  const wait = (written.get(id) ?? -Infinity) + WRITE_MS - performance.now();
  if (wait <= 0) write(id); else setTimeout(write, wait, id);
}
function write(id) {
  const item = queue.get(id), target = document.getElementById(id);
  queue.delete(id);
  if (!item || !target) return;
  written.set(id, performance.now());
  // A failed morph leaves the old mark on the row: the next digest differs, and live.js subscribes again.
  htmx.swap({text: item.text, target, swap: "outerMorph", transition: false})
    .then(() => nextPaint(item.whenPainted)).catch(console.error);
  onWrite();
}
function nextPaint(callbacks) { // the first animation frame paints, the second one comes after the paint
  if (!callbacks.length) return;
  requestAnimationFrame(() => requestAnimationFrame(() => { for (const call of callbacks) call(); }));
}

return {
  mark, marks, digest,
  /* Show a room's new row. Returns false if its HTML is not plain or has another id. */
  show(id, known, text, painted) {
    const row = roots(text).find((element) => element.id === `room-${id}`);
    if (row) put(row, known, painted);
    return Boolean(row);
  },
  remove(id) {
    queue.delete(`room-${id}`);
    document.getElementById(`room-${id}`)?.remove();
  },
  /* Show a new summary of all rooms: the elements that `data-parts` names. */
  summarise(text) {
    for (const element of roots(text)) {
      if (parts.includes(element.id) && document.getElementById(element.id)) put(element);
    }
  },
};
};
