/* Calidad: what the rules found, who departs from the limit, what is captured and not counted. */
(function () {
  "use strict";
  const PREP = window.PREP;
  const el = PREP.el;
  const hojas = PREP.hojas;
  let rules = null;
  let people = null;
  let wanted = false;

  async function load(kind, url, keep) {
    try {
      keep(await PREP.get(url));
      if (PREP.snapshot) apply(PREP.snapshot);
    } catch (error) {
      PREP.toast(PREP.message(error), "error");
    }
  }
  const rule = (code) => (rules && rules[code]) || { titulo: code, texto: "", fuente: "", efecto: "", inconsistencia: false };

  const narrow = () => window.innerWidth < 700;
  /** What fits beside a bar; the table under it has the whole text. */
  const short = (text) => {
    const most = narrow() ? 17 : 34;
    return text.length > most ? text.slice(0, most - 1) + "…" : text;
  };

  function figures(q) {
    const state = q.estado;
    hojas.dato("cal-pct", state.pct === null ? "—" : PREP.num(state.pct, 2) + " %", PREP.num(state.inconsistentes) + " de " + PREP.num(state.revisadas) + " con valor definitivo");
    hojas.dato("cal-errores", state.errores_pct === null ? "—" : PREP.num(state.errores_pct, 2) + " %", PREP.num(state.errores) + " de " + PREP.num(state.capturas) + " capturas");
    const d = q.disputas;
    hojas.dato("cal-resueltas", d.tasa_pct === null ? "—" : PREP.num(d.tasa_pct, 1) + " %", PREP.num(d.resueltas) + " resueltas, " + PREP.num(d.abiertas) + " abiertas");
    const among = (n) => "de " + PREP.num(n) + (n ? "; por azar se espera " + PREP.num((n * (100 - q.nivel_pct)) / 100, 1) : " que se puedan comparar");
    hojas.dato("cal-catd", PREP.num(q.catd_fuera), among(q.catd_comparados), q.catd_fuera ? "p2" : null);
    hojas.dato("cal-personas", PREP.num(q.capturistas_fuera), among(q.capturistas_comparados), q.capturistas_fuera ? "p3" : null);
  }
  function kinds(q) {
    const colors = PREP.colors();
    const rows = Object.entries(q.codigos).map(([code, n]) => ({ code, n, ...rule(code) }));
    const drawn = [...rows].sort((a, b) => a.n - b.n || b.code.localeCompare(a.code));
    const host = hojas.id("cal-tipos-grafica");
    if (host) PREP.style(host, "--renglones", String(Math.max(3, drawn.length)));
    PREP.chart(
      host,
      [
        {
          type: "bar", orientation: "h", y: drawn.map((row) => row.code + " · " + short(row.titulo)), x: drawn.map((row) => row.n),
          marker: { color: drawn.map((row) => (row.inconsistencia ? colors.acento : colors.gris)) },
          text: drawn.map((row) => PREP.num(row.n)), textposition: "outside", cliponaxis: false,
        },
      ],
      { yaxis: { type: "category", automargin: true }, xaxis: { rangemode: "tozero", tickangle: 0, nticks: narrow() ? 3 : 6 }, margin: { r: 52 } }
    );
    PREP.table(hojas.id("cal-tipos"), {
      caption: "Actas por tipo de inconsistencia, aviso o situación", key: "code", rows, sort: { key: "n", desc: true }, empty: "Ninguna todavía",
      columns: [
        { key: "code", title: "Código", value: (row) => row.code },
        { key: "titulo", title: "Tipo", value: (row) => row.titulo },
        { key: "n", title: "Actas", cls: "num", desc: true, value: (row) => row.n, text: (row) => PREP.num(row.n) },
        { key: "efecto", title: "Efecto", value: (row) => row.efecto },
        { key: "texto", title: "Qué dice la regla", text: (row) => row.texto },
        { key: "fuente", title: "Fuente", text: (row) => row.fuente },
      ],
    });
  }
  function gap(q) {
    const colors = PREP.colors();
    const rows = q.brecha;
    PREP.chart(
      hojas.id("cal-brecha-grafica"),
      [{ type: "bar", orientation: "h", y: rows.map((row) => short(row.nombre.split("(")[0].trim())), x: rows.map((row) => row.brecha), marker: { color: colors.gris }, text: rows.map((row) => PREP.num(row.brecha) + (row.pct === null ? "" : " (" + PREP.num(row.pct, 2) + " %)")), textposition: "outside", cliponaxis: false }],
      { yaxis: { type: "category", automargin: true, autorange: "reversed" }, xaxis: { rangemode: "tozero", tickangle: 0, nticks: narrow() ? 3 : 6 }, margin: { r: narrow() ? 96 : 110 } }
    );
    PREP.table(hojas.id("cal-brecha"), {
      caption: "Actas capturadas y contabilizadas por contienda", key: "contienda", rows, empty: "Sin contiendas",
      columns: [
        { key: "nombre", title: "Contienda", value: (row) => row.nombre },
        { key: "cap", title: "Capturadas", cls: "num", value: (row) => row.capturadas, text: (row) => PREP.num(row.capturadas) },
        { key: "con", title: "Contabilizadas", cls: "num", value: (row) => row.contabilizadas, text: (row) => PREP.num(row.contabilizadas) },
        { key: "bre", title: "Brecha", cls: "num", desc: true, value: (row) => row.brecha, text: (row) => PREP.num(row.brecha) },
        { key: "pct", title: "%", cls: "num", desc: true, value: (row) => row.pct, text: (row) => PREP.num(row.pct, 2) },
      ],
    });
  }
  function limits(q) {
    PREP.table(hojas.id("cal-catd-tabla"), {
      caption: "Actas con inconsistencia de cada CATD contra lo que el azar explica", key: "catd", rows: q.catd, empty: "Todavía no hay actas revisadas",
      columns: [
        { key: "catd", title: "CATD", value: (row) => PREP.catdName(row.catd), href: (row) => "/catd?catd=" + row.catd },
        { key: "bad", title: "Casos", cls: "num", desc: true, value: (row) => row.inconsistentes, text: (row) => PREP.num(row.inconsistentes) + " de " + PREP.num(row.revisadas) },
        ...hojas.contraLimite(q.catd, "p2"),
      ],
    });
    const name = (row) => (wanted && people && people[row.n]) || "Capturista " + row.n;
    PREP.table(hojas.id("cal-personas-tabla"), {
      caption: "Capturas que no fueron el valor definitivo, contra lo que el azar explica", key: "n", rows: q.capturistas, empty: "Todavía no hay capturas con valor definitivo",
      columns: [
        { key: "n", title: "Capturista", value: name },
        { key: "err", title: "Distintas", cls: "num", desc: true, value: (row) => row.errores, text: (row) => PREP.num(row.errores) + " de " + PREP.num(row.capturas) },
        ...hojas.contraLimite(q.capturistas, "p3"),
      ],
    });
    const button = hojas.id("cal-nombres");
    const allowed = PREP.can("calidad_personas");
    PREP.show(button, allowed && !PREP.historical);
    PREP.text(button, wanted ? "Ocultar nombres" : "Mostrar nombres");
    PREP.attr(button, "aria-pressed", wanted ? "true" : "false");
    PREP.text(hojas.id("cal-nombres-nota"), allowed ? "Quien aparezca fuera no se equivocó necesariamente: el valor definitivo lo decide otra persona." : "Los nombres solo los ve coordinación, auditoría o administración.");
    const note = hojas.id("cal-explica");
    PREP.cls(note, "tenue explica");
    PREP.text(note, "El límite es lo más que se vería por azar, 99 de cada 100 veces, en un lugar de ese tamaño con la tasa de todo el estado (binomial). Con menos de " + q.minimo + " actas o capturas no se compara. Con muchos lugares, alguno pasa del límite por azar: por eso se dice cuántos se esperan.");
  }
  function apply(snap) {
    const q = snap.calidad;
    if (!q || !q.estado) return;
    figures(q);
    kinds(q);
    gap(q);
    limits(q);
  }

  PREP.register("calidad", {
    enter() {
      wanted = false;
      if (!rules) load("rules", "/api/reglas.json", (data) => (rules = data.reglas));
      hojas.id("cal-nombres").addEventListener("click", () => {
        wanted = !wanted;
        // Somebody new may have begun to capture since the last time.
        if (wanted) load("people", "/api/calidad/personas.json", (data) => (people = data.personas));
        else if (PREP.snapshot) apply(PREP.snapshot);
      });
    },
    apply,
    leave() {
      people = null;
    },
  });
})();
