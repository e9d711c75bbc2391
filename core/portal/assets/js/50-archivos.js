/* The files anybody may take away, those who spread them, and how the service is. */
(function () {
  "use strict";
  const PREP = window.PREP;
  const el = PREP.el;

  const WHAT = [
    [/_PREP_[A-Z]+(_SIMULACRO)?\.zip$/, "Todas las elecciones: CSV, candidaturas y LEEME"],
    [/\.zip$/, "Una elección: CSV, candidaturas y LEEME"], [/^RESUMEN\.xlsx$/, "Resumen en hoja de cálculo"], [/\.xlsx$/, "Las actas en hoja de cálculo"],
    [/\.csv$/, "Las actas, una por renglón (CSV)"], [/indice\.json$/, "Índice del corte"],
  ];

  PREP.vistas.base = async function ({ state }) {
    const folder = PREP.carpeta(state);
    const number = String(state.corte).padStart(4, "0");
    const manifest = await PREP.json(folder + "manifiesto.json");
    const order = (one) => WHAT.findIndex(([like]) => like.test(one.ruta));
    const files = [...manifest.archivos].sort((a, b) => order(a) - order(b));
    const pull = state.pointer && state.pointer.difusion;
    return {
      titulo: "Base de datos",
      nodo: [
        PREP.miga(["Inicio", PREP.ir(state)], ["Base de datos"]),
        el("h1", { text: "Base de datos" }),
        el("p", { text: "Los archivos del corte " + state.corte + ", de " + PREP.fecha(state.portal.instante_ms) + ". El código SHA-256 permite comprobar que el archivo llegó igual; el LEEME, dentro de cada ZIP, explica cada columna." }),
        PREP.tarjeta("Archivos del corte", PREP.tabla("Archivos del corte " + state.corte, [["Archivo y su SHA-256"], ["Qué es"], ["Tamaño", "n"]],
          files.map((one) => [[PREP.enlace(folder + encodeURIComponent(one.ruta), one.ruta, { download: one.ruta }), el("code", { text: one.sha256 })],
            (WHAT.find(([like]) => like.test(one.ruta)) || [null, ""])[1], PREP.bytes(one.bytes)]))),
        PREP.tarjeta("Para comprobarlos", el("ul", { class: "lista" },
          el("li", {}, PREP.enlace(folder + "manifiesto.json", "manifiesto.json"), ": tamaño y SHA-256 de cada archivo del corte"),
          el("li", {}, PREP.enlace("emisiones/" + number + ".json", "emisiones/" + number + ".json"), ": la prueba del corte en la bitácora pública"),
          el("li", {}, PREP.enlace("checkpoint", "checkpoint"), " y ", PREP.enlace("llaves.json", "llaves.json"), ": la firma más reciente y las llaves con que se comprueba"),
          el("li", {}, PREP.enlace("verificar.py", "verificar.py", { download: "verificar.py" }), ": el verificador, un solo archivo"),
          pull ? el("li", {}, PREP.enlace(pull, pull), ": el corte completo para difusores") : null)),
        el("p", {}, PREP.enlace("#/historia", "Archivos de otros cortes")),
      ],
    };
  };

  PREP.vistas.difusores = async function ({ state }) {
    const meta = document.querySelector('meta[name="prep-difusores"]');
    const list = meta ? (await PREP.json(meta.content)).difusores : [];
    return {
      titulo: "Difusores",
      nodo: [
        PREP.miga(["Inicio", PREP.ir(state)], ["Difusores"]),
        el("h1", { text: "Difusores" }),
        el("p", { text: "Medios e instituciones que publican los mismos datos. Cualquiera de ellos debe mostrar el mismo número de corte y los mismos códigos que este sitio." }),
        list.length ? el("ul", { class: "lista" }, list.map(([name, address]) => el("li", {}, /^https?:/.test(address) ? PREP.enlace(address, name, { rel: "noopener external" }) : name)))
          : PREP.vacio("Todavía no hay difusores dados de alta."),
        el("p", {}, "Para ser difusor: el paquete de cada corte está en ", el("code", { text: "difusion/NNNN.zip" }), " y lo baja ", PREP.enlace("difusor.py", "difusor.py", { download: "difusor.py" }), "."),
      ],
    };
  };

  async function notices() {
    const found = await PREP.avisos();
    if (!found.length) return PREP.vacio("No hay avisos: los cortes han salido como se esperaba.");
    return PREP.tabla("Avisos, del último al primero", [["Aviso"], ["Qué"], ["Desde"], ["Hasta"], ["Motivo"]],
      found.map(([number, one]) => one ? ["Aviso " + number, PREP.AVISOS[one.tipo] || one.tipo, PREP.fecha(one.desde_ms), PREP.fecha(one.hasta_ms), one.motivo]
        : ["Aviso " + number, "No se pudo leer", null, null, null]));
  }

  PREP.testigos = function (pointer) {
    const witnesses = pointer && pointer.testigos;
    if (!witnesses || !witnesses.de) return "Sin testigos configurados";
    return witnesses.con + " de " + PREP.plural(witnesses.de, "testigo ha", "testigos han") + " confirmado la bitácora";
  };

  PREP.vistas.estado = async function ({ state }) {
    const pointer = state.pointer || {};
    const log = pointer.bitacora || {};
    return {
      titulo: "Estado del servicio",
      nodo: [
        PREP.miga(["Inicio", PREP.ir(state)], ["Estado"]),
        el("h1", { text: "Estado del servicio" }),
        PREP.red.aviso ? PREP.aviso(PREP.red.aviso) : null,
        PREP.tarjeta("El corte que se muestra", PREP.datos([
          ["Corte", PREP.num(state.corte) + (state.portal.ultimo ? " (último)" : "")], ["Hora de los datos", PREP.fecha(state.portal.instante_ms)],
          ["Siguiente corte", state.portal.ultimo ? "Ya no hay: la publicación terminó" : pointer.siguiente_ms ? PREP.fecha(pointer.siguiente_ms) : "Sin hora anunciada"],
          ["Conexión", PREP.red.fallos ? "Sin respuesta desde hace " + PREP.dura(Date.now() - PREP.red.desde) : "Al corriente"],
        ])),
        PREP.tarjeta("Bitácora pública", PREP.datos([
          ["Testigos", PREP.testigos(pointer)], pointer.sello ? ["Sello de tiempo (RFC 3161)", PREP.enlace(pointer.sello, pointer.sello, { download: "" })] : null, ["Asientos", PREP.num(log.tamano)], ["Nombre de la bitácora", el("code", { text: log.origen || "—" })],
          ["Raíz", el("code", { text: log.raiz || "—" })],
        ]), el("p", {}, PREP.enlace("verificar.html", "Verificar por mi cuenta"))),
        PREP.tarjeta("Avisos", await notices()),
      ],
    };
  };
})();
