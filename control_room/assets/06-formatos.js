/* Times and numbers as they are read in Mexico. Times are ms UTC of the night; the offset of the entidad
   comes in each snapshot, so a page in another time zone shows the time of the entidad. */
(function () {
  "use strict";
  const PREP = (window.PREP = window.PREP || {});
  const whole = new Intl.NumberFormat("es-MX", { maximumFractionDigits: 0 });
  const byDecimals = new Map();
  const NOTHING = "—";

  function missing(value) {
    return value === null || value === undefined || Number.isNaN(value);
  }
  function offset() {
    const clock = PREP.snapshot && PREP.snapshot.reloj;
    return (clock && Number.isFinite(clock.utc_min) ? clock.utc_min : -360) * 60000;
  }
  function two(n) {
    return String(n).padStart(2, "0");
  }

  PREP.num = function (n, decimals) {
    if (missing(n)) return NOTHING;
    if (!decimals) return whole.format(n);
    if (!byDecimals.has(decimals))
      byDecimals.set(
        decimals,
        new Intl.NumberFormat("es-MX", { minimumFractionDigits: decimals, maximumFractionDigits: decimals })
      );
    return byDecimals.get(decimals).format(n);
  };

  /** «82.65 %», cut and never rounded up (the law truncates). A string of the snapshot is cut as text. */
  PREP.pct = function (value, decimals) {
    if (missing(value) || value === "") return NOTHING;
    const places = decimals === undefined ? 2 : decimals;
    const text = typeof value === "string" ? value : value.toFixed(6);
    const [units, rest] = text.split(".");
    return (places ? units + "." + ((rest || "") + "0".repeat(places)).slice(0, places) : units) + " %";
  };

  PREP.hhmm = function (ms) {
    if (missing(ms)) return NOTHING;
    const d = new Date(ms + offset());
    return two(d.getUTCHours()) + ":" + two(d.getUTCMinutes());
  };
  PREP.hhmmss = function (ms) {
    if (missing(ms)) return NOTHING;
    return PREP.hhmm(ms) + ":" + two(new Date(ms + offset()).getUTCSeconds());
  };
  PREP.fecha = function (ms) {
    if (missing(ms)) return NOTHING;
    const d = new Date(ms + offset());
    return d.getUTCFullYear() + "-" + two(d.getUTCMonth() + 1) + "-" + two(d.getUTCDate()) + " " + PREP.hhmm(ms);
  };
  /** A duration: «45 s», «9 min», «2 h 05 min». */
  PREP.dura = function (ms) {
    if (missing(ms)) return NOTHING;
    const s = Math.max(0, Math.floor(ms / 1000));
    if (s < 60) return s + " s";
    const min = Math.floor(s / 60);
    if (min < 60) return min + " min";
    const hours = Math.floor(min / 60);
    return hours < 48 ? hours + " h " + two(min % 60) + " min" : Math.floor(hours / 24) + " días";
  };
  /** A countdown: «2:41»; negative time has passed: «+0:30». */
  PREP.cuenta = function (ms) {
    if (missing(ms)) return NOTHING;
    const s = Math.floor(Math.abs(ms) / 1000);
    return (ms < 0 ? "+" : "") + Math.floor(s / 60) + ":" + two(s % 60);
  };
  PREP.ago = function (then, now) {
    if (missing(then)) return NOTHING;
    const at = missing(now) && PREP.snapshot ? PREP.snapshot.reloj.ahora_ms : now;
    return PREP.dura(at - then);
  };
  /** A time for a Plotly date axis: local time of the entidad without zone. */
  PREP.plotTime = function (ms) {
    return new Date(ms + offset()).toISOString().slice(0, 19);
  };
})();
