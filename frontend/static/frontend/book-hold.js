/* Holds the slot that is chosen in the booking form, and shows the state of that slot.
 *
 * A hold begins when the person chooses a room or a time, not when the page is opened. The hold is renewed while the
 * person types, up to the server's limit. Escape, the choice of another slot and leaving the page release the hold.
 * The server renders the state of the slot: `#slot` is requested when the choice or the room changes. The script never
 * changes the person's entries. The form also works without this script, but then without holds.
 */
(() => {
"use strict";
const LOOK_MS = 250; // from the last change of a field to the request of `#slot`
const RENEW_MS = 20000; // between two renewals while the person types
const WARN_MS = 30000; // before the end of a hold
const TICK_MS = 250, OFFLINE_MS = 6000; // OFFLINE_MS: a shorter interruption is not shown
const FIELDS = ["room", "day", "starts", "minutes"];
const page = document.querySelector("[data-holds]");
const form = () => document.getElementById("book-form");
const slot = () => document.getElementById("slot");
if (!page || !form()) return;

// ---- state
let isChosen = new URLSearchParams(location.search).has("room"); // the link to this page named a room
let wants = isChosen; // whether the person wants a hold: false after Escape and after the longest hold
let hold = null; // {id, key, expires, renewable, renewed}
let asked = null; // the key of the slot in a `hold` frame without an answer yet
let when = ""; // the line of `#slot` that is shown: held | over | dropped | refused
let announced = "", refusal = "", lastRoom = null, looking = null, timer = 0, lostAt = null, isSignedOut = false;
let heldOnce = false, shown = null; // `shown`: the inner HTML of `#slot` as the server rendered it

const link = liveLink(page.dataset.holds, {
  onOpen() { lostAt = null; renew(); if (isChosen) look(); paint(); }, // the slot may have changed meanwhile
  onLost(isFinal) { lostAt ??= performance.now(); isSignedOut = isFinal; asked = null; paint(); },
  onFrame(frame) { if (Object.hasOwn(receivers, frame.type)) receivers[frame.type](frame); },
});
const receivers = {
  held(frame) {
    if (frame.ref !== key() && frame.hold !== hold?.id) return link.send({type: "release", hold: frame.hold});
    asked = null;
    const expires = Date.parse(frame.expires_at), renewable = Date.parse(frame.renewable_until);
    if (frame.hold !== hold?.id) announce(`${slot().dataset.name} is held for you for two minutes.`);
    hold = {id: frame.hold, key: key(), expires, renewable, renewed: performance.now()};
    when = "held"; heldOnce = true;
    paint();
  },
  room({room}) { onRoom(room); },
  snapshot({rooms = []}) { for (const room of rooms) onRoom(room); },
  error({code, detail, ref}) {
    if (ref === null || (ref !== asked && ref !== hold?.id)) return;
    asked = null;
    if (code === "hold_over") return ends();
    if (code === "slot_held" || code === "slot_taken") return look(); // shows the holder and alternatives
    wants = false; when = "refused"; refusal = String(detail ?? "");
    paint();
  },
};
function onRoom({id, schedule}) { // any change of the room's bookings may concern this slot
  const mark = `${id} ${schedule?.version}`;
  if (id === form().elements.room.value && mark !== lastRoom) { lastRoom = mark; look(); }
}

// ---- the choice
const key = () => FIELDS.map((name) => form().elements[name].value).join(" ");
const lookSoon = () => { clearTimeout(timer); timer = setTimeout(look, LOOK_MS); };
async function look() {
  if (!isChosen) return;
  clearTimeout(timer);
  looking?.abort();
  const mine = looking = new AbortController(), of = key();
  link.follow(`room:${form().elements.room.value}`);
  const url = `${form().dataset.slot}?${new URLSearchParams(FIELDS.map((name) => [name, form().elements[name].value]))}`;
  const answer = await fetch(url, {signal: mine.signal, redirect: "error"}).catch(() => null);
  const text = answer?.ok ? await answer.text().catch(() => "") : "";
  if (mine !== looking || of !== key()) return;
  if (!text) return void setTimeout(() => { if (mine === looking) look(); }, 2000);
  await show(text);
  if (mine === looking && of === key()) decide();
}
async function show(text) { // keeps the focus; unchanged HTML is not replaced
  const box = document.createElement("template");
  box.innerHTML = text;
  const fresh = box.content.querySelector("#slot"), inner = fresh?.innerHTML;
  if (!fresh) return;
  for (const name of Object.keys(slot().dataset)) delete slot().dataset[name];
  Object.assign(slot().dataset, fresh.dataset);
  if (inner === shown) return;
  shown = inner;
  paint(fresh);
  await htmx.swap({text: fresh.outerHTML, target: slot(), swap: "outerMorph", transition: false});
}
function decide() {
  const {state, room, start, end} = slot().dataset;
  if (hold && (hold.key !== key() || (state !== "mine" && state !== "open"))) {
    if (hold.key !== key()) link.send({type: "release", hold: hold.id});
    hold = null;
  }
  if (state !== "open" && state !== "mine") { if (when !== "refused") when = ""; }
  else if (wants && !hold && asked !== key() && link.send({type: "hold", room, start, end, ref: key()})) asked = key();
  paint();
}
function chooses() {
  isChosen = wants = true; when = "";
  form().querySelector("[aria-live]").replaceChildren(); // it holds an answer about the previous choice
  paint();
  lookSoon();
}
function releaseHold() {
  if (hold) link.send({type: "release", hold: hold.id});
  wants = false; hold = null; when = "dropped";
  announce("You released the slot.");
  paint();
}
function ends() {
  wants = false; hold = null; when = "over";
  announce("Your hold ended.");
  look();
}
function renew() {
  if (!hold || hold.expires >= hold.renewable) return;
  if (link.send({type: "renew", hold: hold.id, ref: hold.id})) hold.renewed = performance.now();
}

// ---- painting
function announce(words) { // to screen readers
  if (words === announced) return;
  announced = words;
  document.getElementById("slot-status").textContent = words;
}
function paint(box = slot()) {
  const left = hold ? hold.expires - link.now() : 0, isFree = ["open", "mine"].includes(box.dataset.state);
  const isOff = isChosen && lostAt !== null && performance.now() - lostAt >= OFFLINE_MS;
  for (const line of box.querySelectorAll("[data-when]")) {
    const name = line.dataset.when;
    const isShown = name === "offline" ? isOff || isSignedOut : name === when && (name === "refused" || isFree);
    if (line.hidden === isShown) line.hidden = !isShown;
    if (name === "refused" && line.textContent !== refusal) line.textContent = refusal;
  }
  const countdown = box.querySelector("[data-left]"), seconds = Math.max(0, Math.ceil(left / 1000));
  const words = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  if (countdown && countdown.textContent !== words) countdown.textContent = words;
  const more = box.querySelector("[data-act=renew]");
  const isShort = Boolean(hold) && left <= WARN_MS && hold.expires < hold.renewable;
  if (more && more.hidden === isShort) more.hidden = !isShort;
  if (isShort) announce("Your hold ends in 30 seconds. You can hold the slot longer.");
}
function tick() {
  if (form().dataset.booked !== undefined && isChosen) { // the held slot is booked now
    isChosen = wants = false; hold = null; when = "";
    link.follow(null);
  }
  if (hold && link.now() >= hold.expires) ends();
  paint();
}

// ---- events
document.addEventListener("input", ({target}) => {
  if (target.form !== form()) return;
  delete form().dataset.booked;
  if (FIELDS.includes(target.name) || (!isChosen && !heldOnce)) chooses();
  else if (hold && performance.now() - hold.renewed >= RENEW_MS) renew();
});
document.addEventListener("keydown", (event) => { if (event.key === "Escape" && hold) releaseHold(); });
document.addEventListener("click", (event) => {
  const act = event.target.closest("[data-act]")?.dataset.act, choice = event.target.closest("[data-choice]");
  if (act === "renew") renew();
  if (act === "hold") { wants = true; when = ""; look(); }
  if (!choice || event.metaKey || event.ctrlKey || event.shiftKey) return;
  event.preventDefault(); // the link would reload the page
  for (const name of ["room", "day", "starts"]) form().elements[name].value = choice.dataset[name];
  chooses();
  form().elements.title.focus();
});
document.addEventListener("htmx:after:swap", ({target}) => {
  if (target?.id === "slot") return;
  shown = null; // the answer has replaced the form with its `#slot`
  tick();
  if (isChosen) look();
});
addEventListener("pagehide", () => link.leave());
addEventListener("pageshow", ({persisted}) => { if (persisted) { hold = null; wants = isChosen; when = ""; link.comeBack(); } });
setInterval(tick, TICK_MS);
if (isChosen) look();
})();
