/* Participation, statistics and inconsistencies of a contest. Every drawing has its table beside it. */
(function () {
  "use strict";
  const PREP = window.PREP;
  const el = PREP.el;

  const head = (PREP.cabeza = (state, contest, tab, text) => [
    PREP.miga(["Inicio", PREP.ir(state)], [PREP.titulo(contest), PREP.ir(state, contest.id)], [text]),
    el("h1", { text }), PREP.pestanas(state, contest, tab),
  ]);
  const count = (contest, name) => Number(contest.encabezado[name]);

  PREP.vistas.participacion = async function ({ state, contest }) {
    const listed = count(contest, "LISTA_NOMINAL_ACTAS_CONTABILIZADAS");
    const with_ = count(contest, "TOTAL_VOTOS_C_CS");
    const without = count(contest, "TOTAL_VOTOS_S_CS");
    const last = state.portal.ultimo;
    return {
      titulo: "Participación · " + PREP.titulo(contest),
      nodo: [
        head(state, contest, "participacion", "Participación ciudadana"),
        PREP.tarjeta("En las actas contabilizadas",
          el("p", { class: "grande" }, PREP.pct(contest.encabezado.PORCENTAJE_PARTICIPACION_CIUDADANA)),
          PREP.barra(last ? with_ : without, listed || 1),
          PREP.datos([
            ["Lista nominal de las actas contabilizadas", PREP.num(listed)],
            ["Votos sin casillas especiales", PREP.num(without)], ["Votos con casillas especiales", PREP.num(with_)],
          ]),
          el("p", { class: "tenue", text: last
            ? "En el último corte se calcula con los votos de las casillas especiales (Anexo 13, numeral 29)."
            : "Durante la operación se calcula sin los votos de las casillas especiales (Anexo 13, numeral 29). Solo habla de las casillas cuyas actas ya se contabilizaron." })),
        PREP.tarjeta("Por " + PREP.clase(contest),
          PREP.tabla("Participación en las actas contabilizadas por " + PREP.clase(contest),
            [[PREP.capital(PREP.clase(contest))], ["Actas contabilizadas", "n"], ["Votos", "n"], ["Participación", "n"]],
            contest.territorios.map(([id, expected, , counted, votes, share]) =>
              [PREP.enlace(PREP.ir(state, contest.id, "t", id), PREP.lugar(contest, id)), PREP.num(counted) + " de " + PREP.num(expected), PREP.num(votes), counted ? PREP.pct(share) : "—"]))),
      ],
    };
  };

  const COUNTERS = {
    ACTAS_ESPERADAS: "Actas esperadas", ACTAS_REGISTRADAS: "Actas registradas", ACTAS_FUERA_CATALOGO: "Actas fuera de catálogo",
    ACTAS_CAPTURADAS: "Actas capturadas", PORCENTAJE_ACTAS_CAPTURADAS: "Porcentaje de actas capturadas",
    ACTAS_CONTABILIZADAS: "Actas contabilizadas", PORCENTAJE_ACTAS_CONTABILIZADAS: "Porcentaje de actas contabilizadas",
    PORCENTAJE_ACTAS_INCONSISTENCIAS: "Porcentaje de actas con inconsistencias", ACTAS_NO_CONTABILIZADAS: "Actas no contabilizadas",
    LISTA_NOMINAL_ACTAS_CONTABILIZADAS: "Lista nominal de las actas contabilizadas", TOTAL_VOTOS_C_CS: "Votos con casillas especiales",
    TOTAL_VOTOS_S_CS: "Votos sin casillas especiales", PORCENTAJE_PARTICIPACION_CIUDADANA: "Participación ciudadana",
  };

  PREP.vistas.estadistica = async function ({ state, contest }) {
    const stats = contest.estadistica || {};
    const history = await PREP.historia(state);
    const special = count(contest, "TOTAL_VOTOS_C_CS") - count(contest, "TOTAL_VOTOS_S_CS");
    const kinds = (caption, rows, name) => rows && rows.length
      ? PREP.tabla(caption, [["Tipo"], ["Esperadas", "n"], ["Capturadas", "n"], ["Contabilizadas", "n"], ["Avance", "n"]],
        rows.map(([id, expected, captured, counted]) => [name(id), PREP.num(expected), PREP.num(captured), PREP.num(counted), PREP.razon(counted, expected)])) : null;
    return {
      titulo: "Estadística · " + PREP.titulo(contest),
      nodo: [
        head(state, contest, "estadistica", "Estadística"),
        PREP.tarjeta("Avance por corte", curve(state, contest, history), (await PREP.huecos()).reverse().map(([number, one]) =>
          PREP.aviso("De " + PREP.fecha(one.desde_ms) + " a " + PREP.fecha(one.hasta_ms) + " faltaron cortes: ", PREP.enlace("#/estado", "aviso " + number), "."))),
        PREP.tarjeta("Contadores del corte", PREP.tabla("Los trece contadores del encabezado", [["Contador"], ["Valor", "n"]],
          Object.entries(COUNTERS).map(([key, text]) =>
            [text, key.startsWith("PORCENTAJE") ? PREP.pct(contest.encabezado[key]) : PREP.num(contest.encabezado[key])]))),
        PREP.tarjeta("Lista nominal y casillas especiales", PREP.tabla("Lista nominal y votos", [["Dato"], ["Cantidad", "n"], ["Parte", "n"]], [
          ["Lista nominal de todas las actas esperadas", PREP.num(stats.lista_nominal_esperada ?? contest.lista_nominal), ""],
          ["Lista nominal de las contabilizadas", PREP.num(count(contest, "LISTA_NOMINAL_ACTAS_CONTABILIZADAS")),
            PREP.razon(count(contest, "LISTA_NOMINAL_ACTAS_CONTABILIZADAS"), stats.lista_nominal_esperada ?? contest.lista_nominal)],
          ["Votos en casillas especiales", PREP.num(special), PREP.razon(special, count(contest, "TOTAL_VOTOS_C_CS"))],
          ["Votos en las demás casillas", PREP.num(count(contest, "TOTAL_VOTOS_S_CS")), PREP.razon(count(contest, "TOTAL_VOTOS_S_CS"), count(contest, "TOTAL_VOTOS_C_CS"))],
        ])),
        stats.ubicacion || stats.tipos ? PREP.tarjeta("De dónde son las actas",
          kinds("Casillas urbanas y no urbanas", stats.ubicacion, (id) => (id === 1 ? "Urbana" : "No urbana")),
          kinds("Tipos de casilla", stats.tipos, (id) => PREP.TIPOS[id] || id)) : null,
        stats.origen && stats.origen.length ? PREP.tarjeta("Cómo llegaron", PREP.tabla("Origen y digitalización de las actas capturadas",
          [["Origen"], ["Digitalización"], ["Actas", "n"]], stats.origen.map(([origin, medium, n]) => [origin || "Sin origen", medium || "Sin digitalización", PREP.num(n)])),
          PREP.datos([
            ["Capturadas con imagen publicada", PREP.num(stats.con_imagen)],
            ["Capturadas con código de integridad", PREP.num(stats.con_codigo)],
            ["Registradas sin acta (paquete no entregado y otras causas)", PREP.num(stats.sin_acta)],
          ])) : null,
      ],
    };
  };

  const [H, LEFT, BOTTOM] = [240, 44, 24];
  function curve(state, contest, history) {
    const rows = history.filter((one) => one.contiendas[contest.id]);
    if (rows.length === 0) return PREP.vacio("La curva aparecerá con el segundo corte.");
    const expected = contest.esperadas;
    const W = window.innerWidth < 600 ? 320 : 640; // the letters keep their size on a telephone
    const [from, to] = [rows[0].instante_ms, rows[rows.length - 1].instante_ms];
    const x = (ms) => LEFT + (to === from ? 0 : Math.round(((W - LEFT - 8) * (ms - from)) / (to - from)));
    const y = (n) => H - BOTTOM - Math.round(((H - BOTTOM - 10) * n) / expected);
    const line = (which, name) =>
      el("svg:polyline", { class: name, points: rows.map((one) => x(one.instante_ms) + "," + y(one.contiendas[contest.id][which])).join(" ") });
    const marks = [0, 25, 50, 75, 100].map((share) => {
      const level = H - BOTTOM - Math.round(((H - BOTTOM - 10) * share) / 100);
      return [el("svg:line", { class: "guia", x1: LEFT, x2: W - 8, y1: level, y2: level }),
        el("svg:text", { x: LEFT - 6, y: level + 4, "text-anchor": "end", text: share + " %" })];
    });
    const hours = (from === to ? [from] : [from, from + (to - from) / 2, to]).map((ms, i) =>
      el("svg:text", { x: x(ms), y: H - 6, "text-anchor": i === 0 ? "start" : i === 2 ? "end" : "middle", text: PREP.hora(ms) }));
    const dots = (which, name) => rows.map((one) =>
      el("svg:circle", { class: name, cx: x(one.instante_ms), cy: y(one.contiendas[contest.id][which]), r: 2.5 }));
    const text = "Avance de " + PREP.hora(from) + " a " + PREP.hora(to) + "; los datos están en la tabla de abajo.";
    return [
      el("figure", { class: "grafica" },
        el("svg:svg", { viewBox: "0 0 " + W + " " + H, role: "img", "aria-label": text },
          marks, hours, line(0, "capturadas"), line(1, "contabilizadas"), dots(1, "punto")),
        el("figcaption", {}, el("span", { class: "clave contabilizadas", "aria-hidden": "true" }), " Contabilizadas (línea continua con puntos) ",
          el("span", { class: "clave capturadas", "aria-hidden": "true" }), " Capturadas (línea cortada)")),
      PREP.tabla("Actas capturadas y contabilizadas en cada corte", [["Corte"], ["Hora"], ["Capturadas", "n"], ["Contabilizadas", "n"], ["Avance", "n"]],
        rows.map((one) => {
          const [captured, counted] = one.contiendas[contest.id];
          return ["Corte " + one.corte, PREP.hora(one.instante_ms), PREP.num(captured), PREP.num(counted), PREP.razon(counted, expected)];
        })),
    ];
  }

  const COUNTED_AS = ["V1", "V2", "V3", "V4", "V5", "V6"];
  PREP.vistas.inconsistencias = async function ({ state, contest }) {
    const by = (contest.estadistica && contest.estadistica.inconsistencias) || {};
    const apart = (code) => (COUNTED_AS.includes(code) ? 0 : 1);
    const codes = Object.keys(by).sort((a, b) => apart(a) - apart(b) || (a < b ? -1 : 1));
    return {
      titulo: "Inconsistencias · " + PREP.titulo(contest),
      nodo: [
        head(state, contest, "inconsistencias", "Actas con inconsistencias"),
        PREP.tarjeta("Cuántas", el("p", { class: "grande" }, PREP.pct(contest.encabezado.PORCENTAJE_ACTAS_INCONSISTENCIAS), el("span", { class: "tenue" }, " de las actas esperadas")),
          el("p", {}, "Son las que exceden la lista nominal o tienen votos ilegibles o sin dato. Una inconsistencia no es un fraude: dice lo que el acta trae escrito. Las que tienen algún campo ilegible o sin dato sí se contabilizan con lo que se lee."),
          codes.length ? PREP.tabla("Actas por observación", [["Observación"], ["Actas", "n"], ["De las esperadas", "n"], ["Cuenta como inconsistencia"]],
            codes.map((code) => [PREP.CODIGOS[code] || code, PREP.num(by[code]), PREP.razon(by[code], contest.esperadas), COUNTED_AS.includes(code) ? "Sí" : "No"]))
            : PREP.vacio("Todavía no hay actas con observaciones.")),
        contest.inconsistencias ? PREP.tarjeta("Cuáles", await listing(state, contest)) : null,
      ],
    };
  };

  const PAGE = 200;
  async function listing(state, contest) {
    const rows = (await PREP.objeto(contest.inconsistencias)).filas;
    if (!rows.length) return PREP.vacio("Ninguna hasta este corte.");
    const box = el("div", {});
    const places = [...new Set(rows.map((row) => row[0]))];
    const choice = el("select", { id: "donde" }, el("option", { value: "", text: "Toda la entidad" }),
      places.map((id) => el("option", { value: String(id), text: PREP.lugar(contest, id) })));
    const show = (most) => {
      const chosen = choice.value === "" ? rows : rows.filter((row) => String(row[0]) === choice.value);
      const table = PREP.tabla("Actas con observaciones", [["Acta"], [PREP.capital(PREP.clase(contest))], ["Sección", "n"], ["Observaciones"]],
        chosen.slice(0, most).map(([id, number, key, codes]) => [
          PREP.enlace(PREP.ir(state, contest.id, "t", id, "s", number, "a", key), key), PREP.lugar(contest, id),
          number === null ? "—" : String(number), PREP.observaciones(codes)]));
      const rest = chosen.length - most;
      box.replaceChildren(el("p", { class: "tenue", text: PREP.plural(chosen.length, "acta", "actas") }), table);
      if (rest > 0) box.append(el("button", { type: "button", class: "boton segundo", on: { click: () => show(most + 5 * PAGE) } }, "Ver más (faltan " + PREP.num(rest) + ")"));
    };
    choice.addEventListener("change", () => show(PAGE));
    show(PAGE);
    return [el("p", {}, el("label", { for: "donde", text: "Mostrar " }), choice), box];
  }
})();
