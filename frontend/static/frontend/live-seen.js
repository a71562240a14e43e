/* Reports of a display: the time from each change until the change was painted. Used by live.js.
 *
 * Measures only while the page is visible: a hidden page paints nothing, and its first paint afterwards says nothing
 * about the delay of the change. At most REPORT_MOST measurements wait for a report; the newest are kept.
 */
"use strict";
const liveSeen = ({now, send}) => {
const REPORT_MS = 5000, QUIET_MS = 15000; // between two reports, with and without measurements
const REPORT_MOST = 64; // measurements in one report
let lags = [], hides = 0, sent = performance.now();
document.addEventListener("visibilitychange", () => { hides++; });

function display() { // a random name for this browser, without personal data
  const fresh = [...crypto.getRandomValues(new Uint8Array(10))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  try {
    const kept = localStorage.getItem("live:display");
    if (/^[A-Za-z0-9-]{1,40}$/.test(kept ?? "")) return kept;
    localStorage.setItem("live:display", fresh);
  } catch { /* without localStorage: a name until the page is closed */ }
  return fresh;
}
const name = display();

return {
  /* Return the function to call once the change of that instant is painted; undefined while the page is hidden. */
  measure(changedAt) {
    const at = Date.parse(changedAt), hidesBefore = hides;
    if (document.hidden || !Number.isFinite(at)) return undefined;
    return () => {
      if (hides === hidesBefore) lags = [...lags, Math.max(0, Math.round(now() - at))].slice(-REPORT_MOST);
    };
  },
  /* Send a report if one is due. `staleMs`: for how long the page has not been live; null if it is live. */
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
