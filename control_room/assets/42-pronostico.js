/* Pronóstico: the band of the rest of the night, the CATDs that may not get there, and what would change it. */
(function () {
  "use strict";
  const PREP = window.PREP;
  const el = PREP.el;
  const hojas = PREP.hojas;
  const MOST = 6;
  let changes = [];
  let answer = null;
  const said = new Map();

  /* -- the band -- */
  function band(points, colors, name, color) {
    const x = points.map((one) => PREP.plotTime(one[0]));
    return [
      { x, y: points.map((one) => one[1]), mode: "lines", line: { width: 0 }, name: "10 %", hoverinfo: "skip" },
      { x, y: points.map((one) => one[3]), mode: "lines", line: { width: 0 }, fill: "tonexty", fillcolor: color || colors.acentoSuave, name: "90 %", hoverinfo: "skip" },
      { x, y: points.map((one) => one[2]), mode: "lines", line: { color: colors.acento, width: 3 }, name },
    ];
  }
  function draw(snap) {
    const colors = PREP.colors();
    const forecast = snap.pronostico;
    const traces = [];
    const whole = Math.max(1, snap.kpis.esperadas);
    const hist = snap.hist || { ms: [] };
    const curve = answer ? answer.base.curva : forecast ? forecast.curva : [];
    if (curve.length) traces.push(...band(curve, colors, "Pronóstico"));
    if (hist.ms.length) traces.push({ x: hist.ms.map(PREP.plotTime), y: hist.verificadas.map((n) => (n * 100) / whole), mode: "lines", line: { color: colors.texto, width: 3 }, name: "Registradas" });
    const plan = hist.plan || [];
    if (plan.some((one) => one !== null)) traces.push({ x: hist.ms.map(PREP.plotTime), y: plan, mode: "lines", line: { color: colors.gris, width: 2, dash: "dot" }, name: "Plan" });
    const dashes = ["dash", "dashdot", "longdash", "dot", "longdashdot", "dash"];
    const marks = ["circle", "square", "diamond", "triangle-up", "cross", "x"];
    for (const [index, one] of (answer ? answer.si : []).entries())
      traces.push({ x: one.curva.map((p) => PREP.plotTime(p[0])), y: one.curva.map((p) => p[2]), mode: "lines+markers", line: { color: colors.p3, width: 2.5, dash: dashes[index] }, marker: { symbol: marks[index], size: 7, color: colors.p3, maxdisplayed: 12 }, name: spokenOf(one.si) });
    const end = snap.operacion && snap.operacion.fin_ms;
    const shapes = end ? [{ type: "line", x0: PREP.plotTime(end), x1: PREP.plotTime(end), y0: 0, y1: 1, yref: "paper", line: { color: colors.gris, width: 2, dash: "dash" } }] : [];
    const annotations = end ? [{ x: PREP.plotTime(end), y: 0.02, yref: "paper", text: "cierre " + PREP.hhmm(end), showarrow: false, xanchor: "right", yanchor: "bottom", font: { color: colors.tenue } }] : [];
    const shown = traces.filter((one) => !/^\d/.test(one.name));
    for (const one of traces) one.showlegend = shown.includes(one);
    PREP.chart(hojas.id("pro-grafica"), traces, {
      xaxis: { type: "date", tickformat: "%H:%M" }, yaxis: { range: [0, 101], ticksuffix: " %" }, shapes, annotations,
      showlegend: true, legend: { orientation: "h", y: 1.02, yanchor: "bottom", x: 0, font: { color: colors.texto } }, margin: { t: 6 },
    });
    const rows = curve.map((one) => ({ ms: one[0], p10: one[1], p50: one[2], p90: one[3] }));
    const number = (key, title) => ({ key, title, cls: "num", value: (row) => row[key], text: (row) => PREP.num(row[key], 1) + " %" });
    PREP.table(hojas.id("pro-curva"), {
      caption: "Porcentaje registrado que se espera a cada hora", key: "ms", rows, empty: "Todavía no hay pronóstico",
      columns: [{ key: "ms", title: "Hora", value: (row) => row.ms, text: (row) => PREP.hhmm(row.ms) }, number("p10", "10 %"), number("p50", "Mediana"), number("p90", "90 %")],
    });
  }
  function figures(snap) {
    const forecast = snap.pronostico;
    const closing = snap.kpis.cierre;
    const host = hojas.id("pro-motivo");
    const none = !forecast;
    const key = none ? (snap.fase === "cerrada" ? "cerrada" : "espera") : "";
    if (host.hojaMarca !== key) {
      host.hojaMarca = key;
      host.replaceChildren(...(none ? [el("p", { class: "panel vacio", text: key === "cerrada" ? "La operación ya cerró: no queda nada que pronosticar." : "Todavía no hay pronóstico. Se hace uno por minuto cuando ya llegó alguna acta." })] : []));
    }
    if (none) {
      for (const id of ["pro-final", "pro-banda", "pro-hecho"]) hojas.dato(id, "—", "");
    } else {
      const final = forecast.final_pct;
      hojas.dato("pro-final", PREP.num(final.p50, 1) + " %", "mediana");
      hojas.dato("pro-banda", PREP.num(final.p10, 1) + "–" + PREP.num(final.p90, 1) + " %", "al cierre, 10 a 90 %");
      hojas.dato("pro-hecho", PREP.hhmm(forecast.hecho_ms), "hace " + PREP.ago(forecast.hecho_ms, snap.reloj.ahora_ms) + " de la noche");
    }
    if (closing && closing.mediana_ms) hojas.dato("pro-cierre", PREP.hhmm(closing.mediana_ms), closing.hasta_ms ? PREP.hhmm(closing.desde_ms) + " a " + PREP.hhmm(closing.hasta_ms) : "no antes de " + PREP.hhmm(closing.desde_ms) + "; puede no alcanzarse");
    else hojas.dato("pro-cierre", "—", closing ? "no se alcanza en esta noche" : "");
  }
  function risk(snap) {
    const rows = ((snap.pronostico && snap.pronostico.catd_riesgo) || []).map(([id, p]) => ({ id, p }));
    PREP.table(hojas.id("pro-catd"), {
      caption: "Probabilidad de que un CATD no llegue a su meta (95 % de sus actas) al cierre", key: "id", rows, sort: { key: "p", desc: true }, empty: "Ningún CATD está en riesgo, o todavía no hay pronóstico",
      columns: [
        { key: "id", title: "CATD", value: (row) => PREP.catdName(row.id), href: (row) => "/catd?catd=" + row.id },
        { key: "p", title: "No llega", cls: "num", desc: true, value: (row) => row.p, text: (row) => PREP.num(row.p * 100, 0) + " %" },
        { key: "barra", title: "Comparación", cls: "celda-barra", desc: true, value: (row) => row.p, text: (row) => row.p, node: (row) => hojas.barra({ pct: row.p * 100, limite_pct: null, fuera: false }, 100) },
        {
          key: "avance", title: "Lleva", cls: "num",
          value: (row) => { const one = PREP.catd(row.id); return one && one.esperadas ? (one.verificadas * 100) / one.esperadas : null; },
          text: (row) => { const one = PREP.catd(row.id); return one ? PREP.num(one.verificadas) + " de " + PREP.num(one.esperadas) : "—"; },
        },
      ],
    });
  }

  /* -- what would change it -- */
  function words(change) {
    if (change.tipo === "capturistas") return "capturistas " + (change.cuantos > 0 ? "+" : "") + change.cuantos + " " + change.hora;
    return "enlace " + (change.tipo === "catd" ? "catd-" : "distrito-") + change.lugar + " " + change.hora;
  }
  function spoken(change) {
    if (change.tipo === "capturistas") return (change.cuantos > 0 ? "+" : "−") + Math.abs(change.cuantos) + " capturistas a las " + change.hora;
    return "Vuelve el enlace de " + (change.tipo === "catd" ? PREP.catdName(Number(change.lugar)) : "los CATD del distrito " + change.lugar) + " a las " + change.hora;
  }
  const spokenOf = (text) => said.get(text) || text;
  function list() {
    PREP.each(
      hojas.id("pro-cambios"), changes, words,
      (change) => el("li", { class: "ficha" }, el("span", { text: spoken(change) }), el("button", { type: "button", class: "boton chico plano", "aria-label": "Quitar: " + spoken(change), text: "Quitar", on: { click: () => { changes = changes.filter((one) => one !== change); list(); } } }))
    );
    hojas.id("pro-pide").disabled = !changes.length;
  }
  function form() {
    const host = hojas.id("pro-forma");
    const places = ((PREP.snapshot && PREP.snapshot.catd) || []).map((row) => [row.id, PREP.catdName(row.id)]);
    const districts = [...new Set(((PREP.snapshot && PREP.snapshot.catd) || []).map((row) => row.distrito).filter((one) => one !== null))].sort((a, b) => a - b);
    const kind = hojas.campo({ id: "pro-tipo", etiqueta: "Cambio", tipo: "select", opciones: [["catd", "Vuelve el enlace de un CATD"], ["distrito", "Vuelve el enlace de un distrito"], ["capturistas", "Más o menos capturistas"]] });
    const catd = hojas.campo({ id: "pro-lugar-catd", etiqueta: "CATD", tipo: "select", opciones: places });
    const district = hojas.campo({ id: "pro-lugar-distrito", etiqueta: "Distrito", tipo: "select", opciones: districts.map((one) => [one, "Distrito " + one]) });
    const people = hojas.campo({ id: "pro-cuantos", etiqueta: "Cuántos (con − se van)", tipo: "number", min: -5000, max: 5000, paso: 1, valor: 20 });
    const now = PREP.snapshot ? PREP.snapshot.reloj.ahora_ms : 0;
    const hour = hojas.campo({ id: "pro-hora", etiqueta: "Hora", tipo: "time", requerido: true, valor: PREP.hhmm(now + 30 * 60000) });
    const add = el("button", { type: "submit", class: "boton", text: "Agregar" });
    const show = () => {
      PREP.show(catd.row, kind.read() === "catd");
      PREP.show(district.row, kind.read() === "distrito");
      PREP.show(people.row, kind.read() === "capturistas");
    };
    kind.node.addEventListener("change", show);
    show();
    host.replaceChildren(kind.row, catd.row, district.row, people.row, hour.row, add);
    host.onsubmit = (event) => {
      event.preventDefault();
      const tipo = kind.read();
      const change = { tipo, hora: hour.read(), lugar: tipo === "catd" ? catd.read() : district.read(), cuantos: Math.trunc(Number(people.read())) };
      if (!change.hora || (tipo === "capturistas" && !change.cuantos)) return PREP.toast("Falta la hora o cuántas personas", "aviso");
      if (changes.length >= MOST) return PREP.toast("Hasta " + MOST + " cambios a la vez", "aviso");
      if (!changes.some((one) => words(one) === words(change))) changes.push(change);
      return list();
    };
  }
  async function ask() {
    const state = hojas.id("pro-estado");
    const button = hojas.id("pro-pide");
    PREP.text(state, "Sorteando noches… tarda unos segundos.");
    await hojas.ocupado([button], async () => {
      try {
        changes.forEach((change) => said.set(words(change), spoken(change)));
        answer = await PREP.post("/api/pronostico", { si: changes.map(words) }, 75000);
        PREP.text(state, "Hecho con lo registrado hasta las " + PREP.hhmm(answer.hecho_ms) + ".");
      } catch (error) {
        answer = null;
        // The reason names the change as the command line writes it.
        PREP.text(state, PREP.message(error).replace(/^--si «([^»]*)»: /, (_, text) => spokenOf(text) + ": "));
      }
    });
    if (!document.getElementById("pro-resultado")) return;
    result();
    if (PREP.snapshot) draw(PREP.snapshot);
  }
  function signed(value, decimals) {
    if (value === null || value === undefined) return "—";
    return (value > 0 ? "+" : value < 0 ? "−" : "") + PREP.num(Math.abs(value), decimals);
  }
  function result() {
    const host = hojas.id("pro-resultado");
    if (!answer) return host.replaceChildren();
    const base = answer.base.final_pct;
    const rows = [
      { si: "Sin cambio", final: base, pp: null, actas: null, antes: null },
      ...answer.si.map((one) => ({ si: one.si, final: one.final_pct, pp: one.diferencia_pp, actas: one.actas_al_cierre, antes: one.minutos_antes_al_80, mayor: one.mayor_diferencia })),
    ];
    const median = (one) => (one === null || one === undefined ? null : typeof one === "object" ? one.p50 : one);
    PREP.table(host, {
      caption: "Cada cambio contra no cambiar nada, con los mismos números al azar", key: "si", rows,
      columns: [
        { key: "si", title: "Si…", text: (row) => spokenOf(row.si) },
        { key: "final", title: "Registradas al cierre", cls: "num", text: (row) => PREP.num(row.final.p50, 1) + " % (" + PREP.num(row.final.p10, 1) + "–" + PREP.num(row.final.p90, 1) + ")" },
        { key: "pp", title: "Diferencia (pp)", cls: "num", text: (row) => (row.pp ? signed(row.pp.p50, 2) + " (" + signed(row.pp.p10, 2) + " a " + signed(row.pp.p90, 2) + ")" : "—") },
        { key: "actas", title: "Actas al cierre", cls: "num", text: (row) => (row.actas ? signed(Math.round(median(row.actas))) : "—") },
        { key: "mayor", title: "Mayor diferencia", cls: "num", text: (row) => (row.mayor && median(row.mayor.actas) ? signed(Math.round(median(row.mayor.actas))) + " a las " + String(row.mayor.hora).replace(/^.*T(\d\d:\d\d).*$/, "$1") : "—") },
        { key: "antes", title: "Al 80 %, antes", cls: "num", text: (row) => { const m = median(row.antes); return m === null ? "—" : signed(Math.round(m)) + " min"; } },
      ],
    });
  }

  PREP.register("pronostico", {
    enter() {
      changes = [];
      answer = null;
      hojas.id("pro-pide").addEventListener("click", ask);
    },
    apply(snap) {
      const allowed = PREP.can("pronosticar") && !PREP.historical;
      if (allowed && !hojas.id("pro-forma").children.length) form();
      PREP.show(hojas.id("pro-si"), allowed);
      PREP.show(hojas.id("pro-sin-permiso"), !PREP.can("pronosticar"));
      figures(snap);
      draw(snap);
      risk(snap);
    },
  });
})();
