/* Bitácora: what is on record, page by page, with filters that also rule what is downloaded. */
(function () {
  "use strict";
  const PREP = window.PREP;
  const el = PREP.el;
  const hojas = PREP.hojas;
  const EACH = 100;
  const CLASSES = [
    ["", "Todas"], ["operacion", "Operación"], ["cortes", "Cortes"], ["incidentes", "Incidentes"], ["continuidad", "Plan de continuidad"],
    ["alertas", "Alertas"], ["accesos", "Accesos"], ["acciones", "Acciones en la sala"],
  ];
  const OLD = { cut_refused: "cortes", cut_published: "cortes" };
  const SOURCES = [["", "Elección y sala"], ["eleccion", "Base de la elección"], ["sala", "Registro de la sala"]];
  const OF = { eleccion: "operacion,cortes,incidentes,continuidad,alertas", sala: "alertas,accesos,acciones" };
  let fields = null;
  let trail = []; // where each page before this one began
  let at = null;
  let next = null;
  let serial = 0;
  let lastSeq = null;

  function form() {
    const host = hojas.id("bit-filtros");
    const asked = PREP.param("clase") || "";
    const make = (spec) => hojas.campo(spec);
    fields = {
      fuente: make({ id: "bit-fuente", etiqueta: "Fuente", tipo: "select", opciones: SOURCES }),
      clase: make({ id: "bit-clase", etiqueta: "Clase", tipo: "select", opciones: CLASSES.filter(([one]) => one !== "accesos" || PREP.can("bitacora_exportar")), valor: OLD[asked] || asked }),
      quien: make({ id: "bit-quien", etiqueta: "Persona", valor: PREP.param("quien") || "" }),
      texto: make({ id: "bit-texto", etiqueta: "Texto", valor: PREP.param("texto") || "" }),
      desde: make({ id: "bit-desde", etiqueta: "Desde (hora)", tipo: "time" }),
      hasta: make({ id: "bit-hasta", etiqueta: "Hasta (hora)", tipo: "time" }),
    };
    const clear = el("button", { type: "button", class: "boton", text: "Quitar filtros", on: { click: () => { Object.values(fields).forEach((field) => (field.node.value = "")); first(); } } });
    host.replaceChildren(...Object.values(fields).map((field) => field.row), el("button", { type: "submit", class: "boton principal", text: "Filtrar" }), clear);
    host.onsubmit = (event) => {
      event.preventDefault();
      first();
    };
    for (const name of ["fuente", "clase"]) fields[name].node.addEventListener("change", first);
  }
  /** The moment of an hour of the night: nights pass midnight, so hours before the start are of the next day. */
  function momentOf(hour) {
    const snap = PREP.snapshot;
    if (!hour || !snap) return null;
    const [h, m] = hour.split(":").map(Number);
    const offset = snap.reloj.utc_min * 60000;
    const start = (snap.operacion ? snap.operacion.inicio_ms : snap.reloj.ahora_ms) + offset;
    const day = Math.floor(start / 86400000) * 86400000;
    let moment = day + (h * 60 + m) * 60000;
    // Up to six hours before it opens is the preparation of this same night.
    if (moment < start - 6 * 3600000) moment += 86400000;
    return moment - offset;
  }
  function query(before) {
    const params = new URLSearchParams();
    const source = fields.fuente.read();
    const kind = fields.clase.read();
    if (kind) params.set("clase", kind);
    else if (source) params.set("clase", OF[source]);
    for (const name of ["quien", "texto"]) if (fields[name].read()) params.set(name, fields[name].read());
    const since = momentOf(fields.desde.read());
    if (since !== null) params.set("desde", String(since));
    const until = momentOf(fields.hasta.read());
    if (until !== null) params.set("hasta", String(until + 59999));
    if (before) params.set("antes_de", before);
    return params;
  }
  function first() {
    trail = [];
    at = null;
    load();
  }
  async function load() {
    const mine = ++serial;
    // Until its answer comes, another click would ask for the same page again.
    hojas.id("bit-antes").disabled = hojas.id("bit-despues").disabled = true;
    const params = query(at);
    params.set("cuantos", String(EACH));
    try {
      const page = await PREP.get("/api/bitacora.json?" + params);
      if (mine !== serial || !hojas.id("bit-tabla")) return;
      next = page.siguiente;
      paint(page);
    } catch (error) {
      if (mine !== serial || !hojas.id("bit-cuenta")) return;
      PREP.text(hojas.id("bit-cuenta"), PREP.message(error));
      hojas.id("bit-antes").disabled = !trail.length;
      hojas.id("bit-despues").disabled = !next;
    }
  }
  /** «03-jun»: the month in letters, so that nobody takes it for the day. */
  const MONTHS = ["ene", "feb", "mar", "abr", "may", "jun", "jul", "ago", "sep", "oct", "nov", "dic"];
  function day(ms) {
    const [, month, number] = PREP.fecha(ms).slice(0, 10).split("-");
    return number + "-" + MONTHS[Number(month) - 1];
  }
  function paint(page) {
    const rows = page.filas;
    const word = Object.fromEntries(CLASSES);
    PREP.table(hojas.id("bit-tabla"), {
      caption: "Eventos, el más reciente primero", key: "id", rows, empty: "Ningún evento con esos filtros",
      columns: [
        { key: "hora", title: "Hora", text: (row) => day(row.ms) + " " + PREP.hhmmss(row.ms), cls: "corto" },
        { key: "clase", title: "Clase", text: (row) => word[row.clase] || row.clase },
        { key: "que", title: "Qué", text: (row) => row.que },
        { key: "quien", title: "Persona", text: (row) => row.quien + (row.desde ? " · " + row.desde : "") },
        { key: "texto", title: "Detalle", text: (row) => row.texto, cls: "largo" },
        { key: "seq", title: "Evento", cls: "num", text: (row) => (row.seq === null ? "" : PREP.num(row.seq)) },
        { key: "huella", title: "Huella", text: (row) => row.huella || "", node: (row) => el("code", { class: "huella", title: row.huella || null, text: (row.huella || "").slice(0, 12) }) },
      ],
    });
    const many = rows.length + (next ? " (hay más antiguos)" : "");
    const head = page.cabeza ? "; la base va en el evento " + PREP.num(page.cabeza.seq) + ", huella " + (page.cabeza.huella || "").slice(0, 12) : "";
    PREP.text(hojas.id("bit-cuenta"), "Página " + (trail.length + 1) + ": " + many + " eventos" + head);
    hojas.id("bit-antes").disabled = !trail.length;
    hojas.id("bit-despues").disabled = !next;
    const params = query(null);
    for (const kind of ["csv", "pdf"]) {
      const link = hojas.id("bit-" + kind);
      PREP.show(link, PREP.can("bitacora_exportar"));
      PREP.attr(link, "href", "/api/bitacora." + kind + "?" + params);
      PREP.attr(link, "download", "bitacora." + kind);
    }
  }

  PREP.register("bitacora", {
    enter() {
      fields = null;
      lastSeq = null;
      trail = [];
      at = next = null;
      hojas.id("bit-antes").addEventListener("click", () => {
        at = trail.pop() || null;
        load();
      });
      hojas.id("bit-despues").addEventListener("click", () => {
        trail.push(at);
        at = next;
        load();
      });
    },
    apply(snap) {
      const alarms = snap.alertas_resumen;
      const over = alarms.por_10_min > alarms.presupuesto;
      hojas.dato("bit-ritmo", PREP.num(alarms.por_10_min, 1), over ? "más de lo que una persona puede atender" : "dentro del presupuesto", over ? "p2" : null);
      hojas.dato("bit-presupuesto", PREP.num(alarms.presupuesto, alarms.presupuesto % 1 ? 1 : 0), "cada 10 min, por operador");
      hojas.dato("bit-activas", PREP.num(alarms.p1 + alarms.p2 + alarms.p3), alarms.p1 + " P1, " + alarms.p2 + " P2, " + alarms.p3 + " P3; " + alarms.silenciadas + " en silencio");
      hojas.dato("bit-seq", PREP.num(snap.base.seq), "");
      if (!fields) {
        form();
        first();
      } else if (at === null && !trail.length && snap.base.seq !== lastSeq && !PREP.historical) load();
      lastSeq = snap.base.seq;
    },
  });
})();
