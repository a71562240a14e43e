/* Gets the page anew when it must itself change. Used by live.js.
 *
 * Guarantees: never into an error or another page, for the new one is looked at first; never in a loop, for
 * sessionStorage remembers when the page was loaded anew and why; never all at once, for each wait is random.
 */
"use strict";
const liveReload = (page) => {
const ROOMS_MS = 60000, ROOMS_JITTER_MS = 2000; // at most once a minute because rooms came or went
const BUILD_MS = 600000, BUILD_JITTER_MS = 30000; // at most once in ten minutes for each build
const AGAIN_MS = 30000, AGAIN_MOST_MS = 600000; // between looks at a server that has not got the page yet
const memory = {}, pending = new Set();
let serving = page.dataset.build;

// Where storage is off nothing could stop a loop: the page is then not loaded anew at all.
function recall(key) {
  try { return Number(sessionStorage.getItem(key)) || 0; } catch { return memory[key] ?? 0; }
}
function remember(key) {
  memory[key] = Date.now();
  try { sessionStorage.setItem(key, String(memory[key])); return true; } catch { return false; }
}
async function look() { // what this page would be if loaded now; null if not this page at all
  const answer = await fetch(location.href, {cache: "no-store"}).catch(() => null);
  const text = answer?.ok ? await answer.text().catch(() => "") : "";
  const found = new DOMParser().parseFromString(text, "text/html").querySelector("[data-topic]");
  return found?.dataset.topic === page.dataset.topic ? found.dataset : null;
}
function later(key, wait, isDue) {
  if (pending.has(key)) return;
  pending.add(key);
  setTimeout(async () => {
    const found = isDue(null) ? await look() : null;
    pending.delete(key);
    if (!isDue(null)) return;
    if (!found || !isDue(found)) {
      const most = Math.min(AGAIN_MOST_MS, 2 * Math.max(wait, AGAIN_MS));
      later(key, most * (0.5 + Math.random() / 2), isDue);
    } else if (remember(key)) location.reload();
  }, wait);
}
const rest = (key, least, jitter) => Math.max(0, recall(key) + least - Date.now()) + Math.random() * jitter;

return {
  /* Rooms came or went. */
  forRooms() { later("live:reload", rest("live:reload", ROOMS_MS, ROOMS_JITTER_MS), () => true); },
  /* The server says which build it runs: if another than the page's, take that page as soon as it is served. */
  forBuild(build) {
    serving = build;
    const key = `live:build:${build}`;
    if (build === page.dataset.build) return;
    later(key, rest(key, BUILD_MS, BUILD_JITTER_MS), (found) => serving === build && (found?.build ?? build) === build);
  },
};
};
