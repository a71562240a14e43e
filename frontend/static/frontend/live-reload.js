/* Reloads the page when the page itself must change: new rooms or a new build. Used by live.js.
 *
 * Guarantees: never reloads into an error or another page, because the new page is fetched and checked first; never
 * reloads in a loop, because sessionStorage has the time and reason of the last reload; displays never reload all at
 * once, because each wait is random.
 */
"use strict";
const liveReload = (page) => {
const ROOMS_MS = 60000, ROOMS_JITTER_MS = 2000; // at most one reload a minute for added or removed rooms
const BUILD_MS = 600000, BUILD_JITTER_MS = 30000; // at most one reload in ten minutes for each build
const AGAIN_MS = 30000, AGAIN_MOST_MS = 600000; // between two checks of a server that does not serve the page yet
const memory = {}, pending = new Set();
let serving = page.dataset.build;

// Without sessionStorage a loop could not be stopped, so the page is never reloaded then.
function recall(key) {
  try { return Number(sessionStorage.getItem(key)) || 0; } catch { return memory[key] ?? 0; }
}
function remember(key) {
  memory[key] = Date.now();
  try { sessionStorage.setItem(key, String(memory[key])); return true; } catch { return false; }
}
async function look() { // returns the dataset of the page as it is served now; null if it is another page
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
  /* Reload because rooms were added or removed. */
  forRooms() { later("live:reload", rest("live:reload", ROOMS_MS, ROOMS_JITTER_MS), () => true); },
  /* Reload if `build`, the build of the server, is not the build of the page; waits until the new page is served. */
  forBuild(build) {
    serving = build;
    const key = `live:build:${build}`;
    if (build === page.dataset.build) return;
    later(key, rest(key, BUILD_MS, BUILD_JITTER_MS), (found) => serving === build && (found?.build ?? build) === build);
  },
};
};
