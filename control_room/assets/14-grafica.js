/* One way to draw a chart: Plotly.react with the room's theme, static (no hover listeners, no buttons, nothing
   that could send data out), in Mexican Spanish, and only when its data, its size or the theme changed. */
(function () {
  "use strict";
  const PREP = window.PREP;
  const waiting = new Map();
  const drawn = new Set();
  const CONFIG = {
    staticPlot: true,
    displayModeBar: false,
    displaylogo: false,
    showSendToCloud: false,
    plotlyServerURL: "",
    locale: "es-MX",
    responsive: false,
  };
  const LOCALE = {
    moduleType: "locale",
    name: "es-MX",
    dictionary: {},
    format: {
      days: ["domingo", "lunes", "martes", "miércoles", "jueves", "viernes", "sábado"],
      shortDays: ["dom", "lun", "mar", "mié", "jue", "vie", "sáb"],
      months: ["enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre"],
      shortMonths: ["ene", "feb", "mar", "abr", "may", "jun", "jul", "ago", "sep", "oct", "nov", "dic"],
      date: "%d/%m/%Y",
      decimal: ".",
      thousands: ",",
    },
  };
  let ready = false;

  let palette = null;
  /** The theme's colours as Plotly wants them. */
  PREP.colors = function () {
    const key = PREP.isDark() ? "dark" : "light";
    if (palette && palette.key === key) return palette;
    const css = getComputedStyle(document.documentElement);
    const color = (name) => css.getPropertyValue("--" + name).trim();
    palette = { key };
    for (const name of ["fondo", "panel", "texto", "tenue", "borde", "rejilla", "gris", "gris-claro", "acento", "acento-suave", "p1", "p2", "p3"])
      palette[name.replace(/-(.)/g, (_, letter) => letter.toUpperCase())] = color(name);
    return palette;
  };

  /** Sizes follow the root font, which follows the screen. */
  function base() {
    const colors = PREP.colors();
    const rem = parseFloat(getComputedStyle(document.documentElement).fontSize) || 16;
    const axis = {
      gridcolor: colors.rejilla,
      linecolor: colors.borde,
      zerolinecolor: colors.borde,
      tickfont: { size: rem },
      fixedrange: true,
      automargin: true,
    };
    return {
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      font: { color: colors.texto, family: "system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif", size: rem * 0.94 },
      separators: ".,",
      showlegend: false,
      margin: { l: 6, r: 12, t: rem * 0.7, b: 6, pad: 0 },
      xaxis: { ...axis, tickformat: undefined },
      yaxis: { ...axis, rangemode: "tozero" },
    };
  }
  function merged(layout) {
    const result = base();
    for (const [key, value] of Object.entries(layout || {}))
      result[key] = value && typeof value === "object" && !Array.isArray(value) ? { ...(result[key] || {}), ...value } : value;
    return result;
  }
  function paint(host) {
    const spec = waiting.get(host);
    if (!spec || !host.isConnected) return undefined;
    const target = host.querySelector(".prep-grafica") || host.appendChild(PREP.el("div", { class: "prep-grafica" }));
    const width = target.clientWidth;
    const height = target.clientHeight;
    if (width < 40 || height < 40) return undefined; // not laid out yet: the size observer comes back
    const mark = width + "x" + height + PREP.colors().key + spec.mark;
    if (host.prepMark === mark) return undefined;
    host.prepMark = mark;
    return window.Plotly.react(target, spec.traces, { ...merged(spec.layout), width, height }, CONFIG);
  }
  const sizes = new ResizeObserver((entries) => {
    for (const entry of entries) if (ready) paint(entry.target);
  });

  function start() {
    if (ready) return true;
    if (!window.Plotly || !window.Plotly.react) return false;
    window.Plotly.register(LOCALE);
    ready = true;
    return true;
  }
  // React may put another box in the place of ours after it was drawn (a dcc.Graph is loaded late, and Plotly
  // with it), and a snapshot of the past is applied only once.
  setInterval(() => {
    if (!start()) return;
    for (const [host, spec] of [...waiting]) {
      if (host.isConnected) {
        if (host.querySelector(".prep-grafica") && host.prepMark) continue;
        host.prepMark = null;
        paint(host);
        continue;
      }
      waiting.delete(host);
      const again = host.id && document.getElementById(host.id);
      if (again && !waiting.has(again)) PREP.chart(again, spec.traces, spec.layout);
    }
  }, 400);

  /** Draw in `host` (a dcc.Graph or any box with a height). A date axis wants PREP.plotTime(ms). */
  PREP.chart = function (host, traces, layout) {
    if (!host) return;
    waiting.set(host, { traces, layout, mark: JSON.stringify([traces, layout]) });
    if (!drawn.has(host)) {
      drawn.add(host);
      sizes.observe(host);
    }
    for (const old of drawn)
      if (!old.isConnected) {
        sizes.unobserve(old);
        drawn.delete(old);
        const gone = old.querySelector(".prep-grafica");
        if (gone && ready) window.Plotly.purge(gone);
      }
    if (start()) paint(host);
  };
  PREP.themeChanged = function () {
    palette = null;
    if (ready) for (const host of waiting.keys()) paint(host);
  };
})();
