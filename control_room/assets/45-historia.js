/* Historia: open the room as it was at any kept moment, and put this night beside another one. */
(function () {
  "use strict";
  const PREP = window.PREP;
  const el = PREP.el;
  const hojas = PREP.hojas;
  const PAGES = [["/", "Sala general"], ["/catd", "CATD"], ["/incidentes", "Incidentes"], ["/continuidad", "Plan de continuidad"], ["/publicacion", "Publicación"], ["/calidad", "Calidad"]];
  const CURVES = [["registradas", "Registradas"], ["publicadas", "Publicadas"], ["capturadas", "Con una captura"], ["digitalizadas", "Digitalizadas"], ["acopiadas", "Acopiadas"]];
  let moments = [];
  let range = null;
  let asked = 0;
  let pending = null;
  let night = null;
  let curve = "registradas";
  let drawnTheme = null;

  /* -- a moment -- */
  async function load() {
    try {
      moments = (await PREP.get("/api/historia.json")).momentos || [];
    } catch (error) {
      PREP.toast(PREP.message(error), "error");
    }
    if (!hojas.id("his-momentos")) return;
    PREP.show(hojas.id("his-momentos"), moments.length > 0);
    PREP.show(hojas.id("his-vacio"), moments.length === 0);
    if (!moments.length) return;
    const host = hojas.id("his-deslizador");
    if (!range || !range.isConnected) {
      range = el("input", { type: "range", id: "his-momento", min: 0, step: 1, on: { input: slid } });
      const step = (delta, text, label) => el("button", { type: "button", class: "boton", text, "aria-label": label, on: { click: () => { range.value = String(Number(range.value) + delta); slid(); } } });
      host.replaceChildren(step(-10, "−10", "Diez momentos antes"), step(-1, "◀", "Un momento antes"), range, step(1, "▶", "Un momento después"), step(10, "+10", "Diez momentos después"));
      range.max = String(moments.length - 1);
      range.value = range.max;
    }
    range.max = String(moments.length - 1);
    slid();
  }
  function slid() {
    const ms = moments[Number(range.value)];
    PREP.text(hojas.id("his-hora"), PREP.hhmm(ms));
    PREP.attr(range, "aria-valuetext", PREP.hhmm(ms));
    PREP.each(
      hojas.id("his-enlaces"), PAGES, (one) => one[0],
      (one) => el("a", { class: "boton" + (one[0] === "/" ? " principal" : "") }),
      (node, one) => {
        PREP.attr(node, "href", one[0] + "?momento=" + ms);
        PREP.text(node, one[0] === "/" ? "Abrir la sala a las " + PREP.hhmm(ms) : one[1]);
      }
    );
    clearTimeout(pending);
    pending = setTimeout(() => peek(ms), 200);
  }
  async function peek(ms) {
    const mine = ++asked;
    try {
      const kept = await PREP.get("/api/historia/" + ms + ".json");
      if (mine !== asked || !hojas.id("his-resumen")) return;
      const k = kept.kpis;
      const a = kept.alertas_resumen;
      const cut = kept.corte && kept.corte.numero ? "corte " + kept.corte.numero : "sin cortes";
      PREP.text(hojas.id("his-resumen"), "Registradas " + PREP.num(k.verificadas) + " (" + PREP.pct(k.avance_pct, 2) + "), publicadas " + PREP.pct(k.publicadas_pct, 2) + ", rezago " + PREP.num(k.rezago) + ", " + cut + "; alertas: " + a.p1 + " P1, " + a.p2 + " P2, " + a.p3 + " P3.");
    } catch (error) {
      if (mine === asked && hojas.id("his-resumen")) PREP.text(hojas.id("his-resumen"), PREP.message(error));
    }
  }

  /* -- two nights -- */
  async function folders() {
    const host = hojas.id("his-forma");
    let names = [];
    try {
      names = (await PREP.get("/api/comparables.json")).carpetas || [];
    } catch (error) {
      PREP.text(hojas.id("his-estado"), PREP.message(error));
    }
    if (!host.isConnected) return;
    if (!names.length) {
      host.replaceChildren();
      PREP.text(hojas.id("his-estado"), "No hay otra corrida junto a esta. Las que estén en la misma carpeta aparecen aquí.");
      return;
    }
    const which = hojas.campo({ id: "his-con", etiqueta: "Corrida", tipo: "select", opciones: names.map((name) => [name, name]) });
    const what = hojas.campo({ id: "his-curva", etiqueta: "Curva", tipo: "select", opciones: CURVES, valor: curve });
    const button = el("button", { type: "submit", class: "boton principal", text: "Comparar" });
    what.node.addEventListener("change", () => {
      curve = what.read();
      paint();
    });
    host.replaceChildren(which.row, what.row, button);
    host.onsubmit = async (event) => {
      event.preventDefault();
      PREP.text(hojas.id("his-estado"), "Leyendo las dos bitácoras…");
      await hojas.ocupado([button], async () => {
        try {
          night = await PREP.get("/api/comparar.json?con=" + encodeURIComponent(which.read()), 60000);
          const same = night.mismo_catalogo ? "" : " Son de catálogos distintos: lo comparable son los porcentajes.";
          PREP.text(hojas.id("his-estado"), "Esta noche: " + titleOf(night.esta) + ". La otra: " + titleOf(night.otra) + "." + same);
        } catch (error) {
          night = null;
          PREP.text(hojas.id("his-estado"), PREP.message(error));
        }
      });
      if (hojas.id("his-comparacion")) paint();
    };
  }
  const titleOf = (one) => one.nombre + " (" + one.eleccion + ", " + PREP.fecha(one.inicio_ms) + ")";
  const hours = (minute) => Math.floor(minute / 60) + ":" + String(Math.round(minute) % 60).padStart(2, "0");

  function paint() {
    PREP.show(hojas.id("his-comparacion"), Boolean(night));
    if (!night) return;
    const colors = PREP.colors();
    drawnTheme = colors.key;
    const both = night.curvas[curve];
    const line = (name, values, color, dash, width) => ({ x: night.minutos.map((m) => m / 60), y: values, mode: "lines", name, connectgaps: false, line: { color, dash, width } });
    PREP.chart(
      hojas.id("his-grafica"),
      [line("La otra: " + night.otra.nombre, both.otra, colors.gris, "dash", 3), line("Esta: " + night.esta.nombre, both.esta, colors.acento, "solid", 3.5)],
      { xaxis: { title: { text: "horas desde el inicio" } }, yaxis: { range: [0, 101], ticksuffix: " %" }, showlegend: true, legend: { orientation: "h", y: 1.02, yanchor: "bottom", x: 0 } }
    );
    const shown = (value) => (value === null || value === undefined ? "—" : typeof value === "number" ? PREP.num(value, Number.isInteger(value) ? 0 : 2) : String(value));
    const unit = (row, text) => (row.unidad && text !== "—" ? text + " " + row.unidad : text);
    const change = (value) => (typeof value === "number" ? (value > 0 ? "+" : value < 0 ? "−" : "") + shown(Math.abs(value)) : shown(value));
    PREP.table(hojas.id("his-diferencias"), {
      caption: "En qué difieren", key: "nombre", rows: night.diferencias, empty: "Sin diferencias",
      columns: [
        { key: "nombre", title: "Dato", text: (row) => row.nombre },
        { key: "esta", title: "Esta noche", cls: "num", text: (row) => unit(row, shown(row.esta)) },
        { key: "otra", title: "La otra", cls: "num", text: (row) => unit(row, shown(row.otra)) },
        { key: "dif", title: "Diferencia", cls: "num", text: (row) => (row.unidad === "%" ? unit({ unidad: "pp" }, change(row.diferencia)) : unit(row, change(row.diferencia))) },
      ],
    });
    const every = Math.max(1, Math.ceil(night.minutos.length / 40));
    const rows = night.minutos.map((minute, index) => ({ minute, esta: both.esta[index], otra: both.otra[index] })).filter((_, index) => index % every === 0);
    const pct = (value) => (value === null || value === undefined ? "—" : PREP.num(value, 2) + " %");
    PREP.table(hojas.id("his-curvas"), {
      caption: "Porcentaje de las actas esperadas por tiempo desde el inicio", key: "minute", rows,
      columns: [
        { key: "m", title: "Desde el inicio (h:min)", value: (row) => row.minute, text: (row) => hours(row.minute) },
        { key: "esta", title: "Esta noche", cls: "num", text: (row) => pct(row.esta) },
        { key: "otra", title: "La otra", cls: "num", text: (row) => pct(row.otra) },
        { key: "dif", title: "Diferencia (pp)", cls: "num", text: (row) => (row.esta === null || row.otra === null ? "—" : change(row.esta - row.otra)) },
      ],
    });
  }

  PREP.register("historia", {
    enter() {
      moments = [];
      range = null;
      night = null;
      load();
      folders();
    },
    apply() {
      // The offset of the entidad comes in the snapshot, which may be later than the moments.
      if (moments.length && range && hojas.id("his-hora").textContent !== PREP.hhmm(moments[Number(range.value)])) slid();
      if (night && drawnTheme !== PREP.colors().key) paint();
    },
  });
})();
