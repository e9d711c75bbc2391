/* Numbers, percentages and times as they are read in Mexico. A percentage is either the text that came in the
   data or a division of integers cut at the fourth decimal: no float ever touches one. */
(function () {
  "use strict";
  const PREP = window.PREP;
  const whole = new Intl.NumberFormat("es-MX", { maximumFractionDigits: 0 });
  const day = new Intl.DateTimeFormat("es-MX", { timeZone: "UTC", day: "numeric", month: "long", year: "numeric" });
  const NOTHING = "—";
  const absent = (value) => value === null || value === undefined || value === "";

  PREP.num = (value) => (absent(value) ? NOTHING : whole.format(typeof value === "string" ? BigInt(value) : value));

  /** «74.7193 %»: `part` of `total`, both integers, truncated to four decimals; «—» when there is no total. */
  PREP.razon = function (part, total) {
    if (absent(part) || absent(total) || BigInt(total) <= 0n) return NOTHING;
    const scaled = String((BigInt(part) * 1000000n) / BigInt(total)).padStart(5, "0");
    return scaled.slice(0, -4) + "." + scaled.slice(-4) + " %";
  };
  /** The same for what an element is wide: a CSS length from 0 to 100 %. */
  PREP.ancho = function (part, total) {
    const text = PREP.razon(part, total);
    if (text === NOTHING) return "0%";
    return (BigInt(part) > BigInt(total) ? "100" : text.slice(0, -2)) + "%";
  };
  /** A percentage that came written in the data. */
  PREP.pct = (text) => (absent(text) ? NOTHING : text + " %");

  const moved = (ms) => new Date(ms + (PREP.utc ?? -360) * 60000);
  const two = (n) => String(n).padStart(2, "0");
  PREP.hora = (ms) => (absent(ms) ? NOTHING : two(moved(ms).getUTCHours()) + ":" + two(moved(ms).getUTCMinutes()));
  PREP.dia = (ms) => (absent(ms) ? NOTHING : day.format(moved(ms)));
  PREP.fecha = (ms) => (absent(ms) ? NOTHING : PREP.dia(ms) + ", " + PREP.hora(ms));
  /** An instant of an acta («2021-06-03T19:29:42-05:00») comes in the hour of the entidad already. */
  PREP.reloj = function (iso) {
    const found = /^(\d{4})-(\d\d)-(\d\d)T(\d\d:\d\d:\d\d)/.exec(iso || "");
    return found ? found[3] + "/" + found[2] + "/" + found[1] + " " + found[4] : NOTHING;
  };
  PREP.dura = function (ms) {
    const s = Math.max(0, Math.floor(ms / 1000));
    if (s < 60) return s + " s";
    const min = Math.floor(s / 60);
    if (min < 60) return min + " min";
    const hours = Math.floor(min / 60);
    return hours < 48 ? hours + " h " + two(min % 60) + " min" : whole.format(Math.floor(hours / 24)) + " días";
  };
  PREP.bytes = function (n) {
    if (n < 1000) return whole.format(n) + " bytes";
    const big = n >= 1000000;
    return whole.format(Math.ceil(n / (big ? 100000 : 1000)) / (big ? 10 : 1)) + (big ? " MB" : " kB");
  };
  PREP.plural = (n, one, many) => PREP.num(n) + " " + (n === 1 ? one : many);
})();
