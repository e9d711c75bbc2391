/* The four charts of the wall, rebuilt from `hist` in each snapshot: a tick that was missed leaves no gap.
   Each has a line of text with what it says. */
(function () {
  "use strict";
  const PREP = window.PREP;
  const byId = (id) => document.getElementById(id);
  const times = (list) => list.map(PREP.plotTime);

  /** From the start to this moment, or to the end of the operation where the chart also looks ahead. */
  function range(s, ahead) {
    const hist = s.hist.ms;
    const now = s.reloj.ahora_ms;
    const from = s.operacion ? s.operacion.inicio_ms : hist.length ? hist[0] : now;
    const last = hist.length ? hist[hist.length - 1] : now;
    const end = ahead && s.operacion ? s.operacion.fin_ms || 0 : 0;
    return [PREP.plotTime(from), PREP.plotTime(Math.max(end, last, from + 3600000))];
  }
  const timeAxis = (s, ahead) => ({ type: "date", tickformat: "%H:%M", range: range(s, ahead), nticks: 4, tickangle: 0 });
  const SHARE = { range: [0, 102], tickmode: "array", tickvals: [0, 25, 50, 75, 100] };
  function line(x, y, color, width, dash) {
    return { type: "scatter", mode: "lines", x, y, line: { color, width, dash: dash || "solid", shape: "linear" }, hoverinfo: "skip", connectgaps: false };
  }
  function legend(name, entries) {
    const at = byId(name + "-leyenda");
    const shown = entries.filter(Boolean);
    const mark = shown.map((each) => each[1]).join();
    if (!at || at.prepMark === mark) return;
    at.prepMark = mark;
    at.replaceChildren(
      ...shown.map(([cls, words]) => PREP.el("span", { class: "clave" }, PREP.el("span", { class: "trazo " + cls, "aria-hidden": "true" }), words))
    );
  }
  function spoken(name, text) {
    PREP.text(byId(name + "-texto"), text);
  }
  /** The plan, drawn whole: what the night has to look like, also ahead. */
  function progress(s, c) {
    const h = s.hist;
    const expected = s.kpis.esperadas || 1;
    const x = times(h.ms);
    const traces = [];
    const forecast = s.pronostico && s.pronostico.curva;
    if (forecast && forecast.length) {
      const fx = times(forecast.map((row) => row[0]));
      traces.push({ ...line(fx, forecast.map((row) => row[1]), "rgba(0,0,0,0)", 0) });
      traces.push({ ...line(fx, forecast.map((row) => row[3]), "rgba(0,0,0,0)", 0), fill: "tonexty", fillcolor: c.acentoSuave });
      traces.push(line(fx, forecast.map((row) => row[2]), c.acento, 2, "dash"));
    }
    if (h.plan.some((value) => value !== null)) traces.push(line(x, h.plan, c.tenue, 2, "dot"));
    traces.push(line(x, h.publicadas.map((n) => (100 * n) / expected), c.gris, 2));
    traces.push(line(x, h.verificadas.map((n) => (100 * n) / expected), c.acento, 4));
    PREP.chart(byId("grafica-avance"), traces, {
      xaxis: timeAxis(s, true),
      yaxis: SHARE,
    });
    legend("grafica-avance", [["acento", "registrado"], ["gris", "publicado"], ["plan", "plan"], forecast && ["banda", "pronóstico"]]);
    spoken(
      "grafica-avance",
      "Registrado " + PREP.pct(s.kpis.avance_pct) + ", publicado " + PREP.pct(s.kpis.publicadas_pct) + (s.kpis.plan_pct === null ? "" : ", el plan dice " + PREP.pct(s.kpis.plan_pct, 1))
    );
  }
  function rate(s, c) {
    const h = s.hist;
    const x = times(h.ms);
    const expected = s.kpis.esperadas || 0;
    const traces = [];
    if (h.plan.some((value) => value !== null)) {
      const planned = h.plan.map((value, i) => {
        const back = Math.max(0, i - 5);
        if (i === back || value === null || h.plan[back] === null) return null;
        return (((value - h.plan[back]) / 100) * expected * 60000) / (h.ms[i] - h.ms[back]);
      });
      traces.push(line(x, planned, c.tenue, 2, "dot"));
    }
    traces.push(line(x, h.ritmo, c.acento, 4));
    PREP.chart(byId("grafica-ritmo"), traces, { xaxis: timeAxis(s), yaxis: { nticks: 5 } });
    legend("grafica-ritmo", traces.length > 1 ? [["acento", "real"], ["plan", "plan"]] : []);
    spoken("grafica-ritmo", PREP.num(s.kpis.ritmo, 1) + " actas por minuto" + (s.kpis.ritmo_plan === null ? "" : "; plan, " + PREP.num(s.kpis.ritmo_plan, 1)));
  }
  function backlog(s, c) {
    const x = times(s.hist.ms);
    const traces = [{ ...line(x, s.hist.rezago, c.acento, 3), fill: "tozeroy", fillcolor: c.acentoSuave }];
    PREP.chart(byId("grafica-rezago"), traces, { xaxis: timeAxis(s), yaxis: { nticks: 5 } });
    spoken("grafica-rezago", PREP.num(s.kpis.rezago) + " actas por capturar");
  }
  function districts(s, c) {
    const rows = s.distritos;
    const share = (n, of) => (of ? (100 * n) / of : null);
    const x = rows.map((row) => String(row[0]));
    const every = Math.ceil(x.length / 10);
    const traces = [
      { type: "bar", x, y: rows.map((row) => share(row[3], row[2])), marker: { color: c.grisClaro }, hoverinfo: "skip" },
      { type: "bar", x, y: rows.map((row) => share(row[4], row[2])), marker: { color: c.gris }, hoverinfo: "skip" },
    ];
    PREP.chart(byId("grafica-distritos"), traces, {
      barmode: "overlay",
      bargap: 0.2,
      xaxis: { type: "category", tickangle: 0, tickmode: "array", tickvals: x.filter((_, i) => i % every === 0), showgrid: false },
      yaxis: SHARE,
    });
    legend("grafica-distritos", [["gris", "publicado"], ["claro", "registrado"]]);
    const least = rows.filter((row) => row[2]).sort((a, b) => a[4] / a[2] - b[4] / b[2])[0];
    spoken("grafica-distritos", least ? "El más atrasado es el distrito " + least[0] + ", con " + Math.floor((100 * least[4]) / least[2]) + " % publicado" : "");
  }
  PREP.wallCharts = function (s) {
    const c = PREP.colors();
    progress(s, c);
    rate(s, c);
    backlog(s, c);
    districts(s, c);
  };
})();
