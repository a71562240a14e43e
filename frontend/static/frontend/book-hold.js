/* The booking form holds the slot that is chosen in it, and says at once whose it is.
 *
 * A hold begins when somebody chooses a room or a time, not when the page is opened; it is renewed while they
 * type, as long as the server lets them, and let go with Escape, by choosing another slot or by leaving. Whose
 * the slot is, the server says: `#slot` is asked for when the choice or the room changes. Nothing that was
 * typed is ever touched. Without this script the form books all the same.
 */
(() => {
"use strict";
const LOOK_MS = 250, RENEW_MS = 20000, WARN_MS = 30000, TICK_MS = 250, OFFLINE_MS = 6000;
const FIELDS = ["room", "day", "starts", "minutes"];
const page = document.querySelector("[data-holds]");
const form = () => document.getElementById("book-form");
const slot = () => document.getElementById("slot");
if (!page || !form()) return;

// ---- what is known
let isChosen = new URLSearchParams(location.search).has("room"); // somebody came here for this very room
let wants = isChosen; // to hold it: not after Escape, nor once six minutes are over
let hold = null; // {id, key, expires, renewable, renewed}
let asked = null; // the slot that a `hold` frame is under way for
let when = ""; // which line shows: held | over | dropped | refused
let said = "", refusal = "", seen = null, looking = null, timer = 0, lostAt = null, isSignedOut = false;
let heldOnce = false, shown = null; // `shown`: what `#slot` holds, as the server wrote it

const link = liveLink(page.dataset.holds, {
  onOpen() { lostAt = null; renew(); if (isChosen) look(); paint(); }, // it may have been cut for a minute
  onLost(isFinal) { lostAt ??= performance.now(); isSignedOut = isFinal; asked = null; paint(); },
  onFrame(frame) { if (Object.hasOwn(receivers, frame.type)) receivers[frame.type](frame); },
});
const receivers = {
  held(frame) {
    if (frame.ref !== key() && frame.hold !== hold?.id) return link.send({type: "release", hold: frame.hold});
    asked = null;
    const expires = Date.parse(frame.expires_at), renewable = Date.parse(frame.renewable_until);
    if (frame.hold !== hold?.id) tell(`${slot().dataset.name} is held for you for two minutes.`);
    hold = {id: frame.hold, key: key(), expires, renewable, renewed: performance.now()};
    when = "held"; heldOnce = true;
    paint();
  },
  room({room}) { heardOf(room); },
  snapshot({rooms = []}) { for (const room of rooms) heardOf(room); },
  error({code, detail, ref}) {
    if (ref === null || (ref !== asked && ref !== hold?.id)) return;
    asked = null;
    if (code === "hold_over") return ends();
    if (code === "slot_held" || code === "slot_taken") return look(); // which says whose, and what is free
    wants = false; when = "refused"; refusal = String(detail ?? "");
    paint();
  },
};
function heardOf({id, schedule}) { // any change of the room's bookings may be one of this slot
  const mark = `${id} ${schedule?.version}`;
  if (id === form().elements.room.value && mark !== seen) { seen = mark; look(); }
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
async function show(text) { // what is focused, or merely the same, stays where it is
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
  form().querySelector("[aria-live]").replaceChildren(); // an answer about what was chosen before
  paint();
  lookSoon();
}
function letGo() {
  if (hold) link.send({type: "release", hold: hold.id});
  wants = false; hold = null; when = "dropped";
  tell("Let go.");
  paint();
}
function ends() {
  wants = false; hold = null; when = "over";
  tell("Your hold ended.");
  look();
}
function renew() {
  if (!hold || hold.expires >= hold.renewable) return;
  if (link.send({type: "renew", hold: hold.id, ref: hold.id})) hold.renewed = performance.now();
}

// ---- what is shown
function tell(words) {
  if (words === said) return;
  said = words;
  document.getElementById("slot-told").textContent = words;
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
  const told = box.querySelector("[data-left]"), seconds = Math.max(0, Math.ceil(left / 1000));
  const words = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  if (told && told.textContent !== words) told.textContent = words;
  const more = box.querySelector("[data-act=renew]");
  const isShort = Boolean(hold) && left <= WARN_MS && hold.expires < hold.renewable;
  if (more && more.hidden === isShort) more.hidden = !isShort;
  if (isShort) tell("Your hold ends in 30 seconds. It can be held longer.");
}
function tick() {
  if (form().dataset.booked !== undefined && isChosen) { // what was held is booked now
    isChosen = wants = false; hold = null; when = "";
    link.follow(null);
  }
  if (hold && link.now() >= hold.expires) ends();
  paint();
}

// ---- what people do
document.addEventListener("input", ({target}) => {
  if (target.form !== form()) return;
  delete form().dataset.booked;
  if (FIELDS.includes(target.name) || (!isChosen && !heldOnce)) chooses();
  else if (hold && performance.now() - hold.renewed >= RENEW_MS) renew();
});
document.addEventListener("keydown", (event) => { if (event.key === "Escape" && hold) letGo(); });
document.addEventListener("click", (event) => {
  const act = event.target.closest("[data-act]")?.dataset.act, choice = event.target.closest("[data-choice]");
  if (act === "renew") renew();
  if (act === "hold") { wants = true; when = ""; look(); }
  if (!choice || event.metaKey || event.ctrlKey || event.shiftKey) return;
  event.preventDefault(); // the link would load the page anew
  for (const name of ["room", "day", "starts"]) form().elements[name].value = choice.dataset[name];
  chooses();
  form().elements.title.focus();
});
document.addEventListener("htmx:after:swap", ({target}) => {
  if (target?.id === "slot") return;
  shown = null; // the form was answered, and its `#slot` is as new
  tick();
  if (isChosen) look();
});
addEventListener("pagehide", () => link.leave());
addEventListener("pageshow", ({persisted}) => { if (persisted) { hold = null; wants = isChosen; when = ""; link.comeBack(); } });
setInterval(tick, TICK_MS);
if (isChosen) look();
})();
