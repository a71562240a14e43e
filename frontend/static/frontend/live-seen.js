/* What a screen says of itself: how long after the fact each change was painted. Used by live.js.
 *
 * Measured only while the page can be seen: a hidden one paints nothing, and what it shows on coming back says
 * nothing about the way there. At most REPORT_MOST measurements wait; the newest are kept.
 */
"use strict";
const liveSeen = ({now, send}) => {
const REPORT_MS = 5000, QUIET_MS = 15000, REPORT_MOST = 64;
let lags = [], hides = 0, sent = performance.now();
document.addEventListener("visibilitychange", () => { hides++; });

function display() { // a name for this browser, which says nothing about who uses it
  const fresh = [...crypto.getRandomValues(new Uint8Array(10))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  try {
    const kept = localStorage.getItem("live:display");
    if (/^[A-Za-z0-9-]{1,40}$/.test(kept ?? "")) return kept;
    localStorage.setItem("live:display", fresh);
  } catch { /* storage is off: a name for as long as the page is open */ }
  return fresh;
}
const name = display();

return {
  /* Return what to call once a change of that instant is painted; nothing while the page is hidden. */
  measure(changedAt) {
    const at = Date.parse(changedAt), seen = hides;
    if (document.hidden || !Number.isFinite(at)) return undefined;
    return () => {
      if (hides === seen) lags = [...lags, Math.max(0, Math.round(now() - at))].slice(-REPORT_MOST);
    };
  },
  /* Report when it is time to. `staleMs`: since when the page has not been live; null while it is. */
  report(staleMs) {
    const since = performance.now() - sent;
    if (since < (lags.length ? REPORT_MS : QUIET_MS)) return;
    const stale = staleMs === null ? {} : {stale_s: Math.max(0, staleMs) / 1000};
    if (!send({type: "seen", display: name, lags_ms: lags, ...stale})) return;
    lags = [];
    sent = performance.now();
  },
};
};
