/* Paints the parts of a board that depend on the time, at each `live:tick` of live.js: clocks, countdowns, the
 * next starts, the reason why the board is not live. Also keeps the screen awake and hides an idle pointer. */
(() => {
"use strict";
const HORIZON_MS = 2 * 3600 * 1000, SHOWN = 3; // as in frontend/domain/soon.py
const POINTER_MS = 4000; // an idle pointer is hidden after this time
const html = document.documentElement;
const page = document.querySelector("[data-timezone]");
const timeZone = page.dataset.timezone;
const format = (options) => new Intl.DateTimeFormat("en-GB", {timeZone, ...options});
const minutes = format({hour: "2-digit", minute: "2-digit", hourCycle: "h23"});
const seconds = format({hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23"});
const day = format({weekday: "long", day: "numeric", month: "long"});

function dayText(at) {
  const part = Object.fromEntries(day.formatToParts(at).map(({type, value}) => [type, value]));
  return `${part.weekday} ${part.day} ${part.month}`;
}
function span(ms) { // the same text as frontend.domain.times.span
  const total = Math.max(1, Math.ceil(ms / 60000)), hours = Math.floor(total / 60), rest = total % 60;
  return [hours && `${hours} h`, rest && `${rest} min`].filter(Boolean).join(" ");
}
const COUNTS = {for: (ms) => `for ${span(ms)}`, in: (ms) => `free in ${span(ms)}`};

function text(element, words) { if (element && element.textContent !== words) element.textContent = words; }
function paint({now, since, beat, reason}) {
  text(page.querySelector("[data-clock]"), minutes.format(now));
  text(page.querySelector("[data-date]"), dayText(now));
  for (const element of page.querySelectorAll("[data-since]")) text(element, minutes.format(since));
  if (beat !== null) text(page.querySelector("[data-beat]"), seconds.format(beat));
  for (const element of page.querySelectorAll("[data-count]")) {
    text(element.firstElementChild ?? element, COUNTS[element.dataset.count](Date.parse(element.dataset.to) - now));
  }
  let shown = 0;
  for (const start of page.querySelectorAll("[data-start]")) {
    const wait = Date.parse(start.dataset.start) - now;
    start.hidden = !(wait > 0 && wait <= HORIZON_MS && shown < SHOWN);
    if (!start.hidden) shown++;
  }
  const quiet = page.querySelector("[data-quiet]");
  if (quiet) quiet.hidden = shown > 0;
  const bar = page.querySelector("[data-reason]");
  bar.dataset.usual ??= bar.textContent;
  text(bar, reason ? `${reason.replace(/\.?$/, ".")} Check the panel at the door before you go in.` : bar.dataset.usual);
}
document.addEventListener("live:tick", ({detail}) => paint(detail));

// The browser ends the lock when the page is hidden, and may refuse it (battery): each time the page becomes visible,
// the lock is requested again.
let lock = null;
async function stayAwake() {
  if (document.hidden || (lock && !lock.released)) return;
  lock = await navigator.wakeLock?.request("screen").catch(() => null) ?? null;
}
document.addEventListener("visibilitychange", stayAwake);
stayAwake();

let idle = 0;
document.addEventListener("pointermove", () => {
  html.dataset.pointer = "";
  clearTimeout(idle);
  idle = setTimeout(() => delete html.dataset.pointer, POINTER_MS);
});
})();
