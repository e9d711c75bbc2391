/* The results from above to below: the entidad, a distrito or municipio, a sección. How much has arrived comes
   first on each; who is ahead, after. */
(function () {
  "use strict";
  const PREP = window.PREP;
  const el = PREP.el;

  const TABS = [
    ["", "Resultados"], ["cobertura", "Qué falta y dónde"], ["partidos", "Por partido"], ["participacion", "Participación"],
    ["inconsistencias", "Inconsistencias"], ["estadistica", "Estadística"],
  ];
  PREP.pestanas = (state, contest, current) =>
    el("nav", { class: "pestanas", "aria-label": "Vistas de " + PREP.titulo(contest) },
      el("ul", {}, TABS.map(([id, text]) =>
        el("li", {}, PREP.enlace(PREP.ir(state, contest.id, ...(id ? [id] : [])), text, { "aria-current": id === current ? "page" : null })))));

  PREP.totales = (contest) => Number(contest.encabezado.TOTAL_VOTOS_C_CS);
  const counts = (contest) => ["ESPERADAS", "CAPTURADAS", "CONTABILIZADAS"].map((name) => Number(contest.encabezado["ACTAS_" + name]));
  /** How much of a contest has arrived. */
  PREP.llegadoDe = (contest) => PREP.llegado(...counts(contest), (contest.estadistica || {}).sin_acta);

  /** First page: each contest with what has arrived. */
  PREP.vistas.inicio = async function ({ state }) {
    const contests = [...state.contests.values()];
    return {
      titulo: "Resultados preliminares",
      nodo: [
        el("h1", { text: "Resultados preliminares de " + PREP.capital(state.catalog.entidad.nombre) }),
        PREP.preliminar(),
        el("div", { class: "tarjetas" }, contests.map((contest) =>
          el("section", { class: "tarjeta" },
            el("h2", { text: PREP.titulo(contest) }),
            PREP.llegadoDe(contest),
            PREP.datos([
              ["Participación en las actas contabilizadas", PREP.pct(contest.encabezado.PORCENTAJE_PARTICIPACION_CIUDADANA)],
              ["Actas con inconsistencias", PREP.pct(contest.encabezado.PORCENTAJE_ACTAS_INCONSISTENCIAS)],
              since(state, contest),
            ]),
            el("p", { class: "botones" },
              PREP.enlace(PREP.ir(state, contest.id, "cobertura"), "Qué falta y dónde", { class: "boton segundo", "aria-label": "Qué falta y dónde en " + PREP.titulo(contest) }),
              PREP.enlace(PREP.ir(state, contest.id), "Ver resultados", { class: "boton", "aria-label": "Ver resultados de " + PREP.titulo(contest) }))))),
        el("section", { class: "tarjeta" }, el("h2", { text: "La casilla de su sección" }),
          PREP.buscador(state, "")),
      ],
    };
  };

  /** What is new in this cut, as a pair of a list of data; null in the first one. */
  function since(state, contest) {
    const found = state.portal.cambios && state.portal.cambios[contest.id];
    if (!found || state.corte < 2) return null;
    const parts = [PREP.plural(found.nuevas, "acta nueva", "actas nuevas"), found.corregidas && PREP.plural(found.corregidas, "corregida", "corregidas"),
      found.retiradas && PREP.plural(found.retiradas, "retirada", "retiradas")].filter(Boolean);
    return ["Cambió en este corte", PREP.enlace("#/cambios/" + state.corte, parts.join(", "), { "aria-label": "Qué cambió en este corte en " + PREP.titulo(contest) + ": " + parts.join(", ") })];
  }

  PREP.preliminar = () =>
    PREP.aviso("Estos resultados son preliminares y no definitivos. Los cómputos oficiales los hacen los consejos electorales. ",
      PREP.enlace("#/aviso", "Aviso legal"), ".");

  function rows(contest) {
    if (contest.por_candidatura && contest.ambito === "entidad")
      return contest.por_candidatura.map(([name, codes, votes]) => ({ nombre: name, codigos: codes, votos: votes }));
    return contest.columnas.map((column, i) => ({ nombre: column.codigo, codigos: [column.codigo], votos: contest.por_columna[i] }));
  }

  PREP.vistas.contienda = async function ({ state, contest }) {
    const counted = counts(contest)[2];
    const whole = contest.ambito === "entidad";
    return {
      titulo: PREP.titulo(contest),
      nodo: [
        PREP.miga(["Inicio", PREP.ir(state)], [PREP.titulo(contest)]),
        el("h1", { text: PREP.titulo(contest) }),
        PREP.pestanas(state, contest, ""),
        PREP.tarjeta("Cuánto ha llegado", PREP.llegadoDe(contest), PREP.faltan(state, contest),
          el("p", {}, PREP.enlace(PREP.ir(state, contest.id, "cobertura"), "Qué falta y dónde"))),
        PREP.tarjeta(whole ? "Votos por candidatura" : "Votos por emblema en la entidad",
          counted ? PREP.votos(contest, "Votos de las actas contabilizadas", rows(contest), PREP.totales(contest))
            : PREP.vacio("Todavía no hay actas contabilizadas de esta elección."),
          !whole && el("p", { class: "tenue", text: "Cada " + PREP.clase(contest) + " elige por su lado: quién va adelante se ve en cada uno." })),
        PREP.tarjeta("Por " + PREP.clase(contest), leaders(state, contest)),
        PREP.preliminar(),
      ],
    };
  };

  function leaders(state, contest) {
    const link = (row) => PREP.enlace(PREP.ir(state, contest.id, "t", row[0]), PREP.lugar(contest, row[0]));
    return PREP.tabla("Actas contabilizadas y quién va adelante en cada " + PREP.clase(contest),
      [[PREP.capital(PREP.clase(contest))], ["Contabilizadas", "n"], ["Va adelante"], ["Votos", "n"], ["Ventaja", "n"]],
      contest.territorios.map((row) => {
        const [, expected, , counted, , , ahead, first, second] = row;
        return [link(row), [PREP.razon(counted, expected), el("small", { text: PREP.num(counted) + " de " + PREP.num(expected) })],
          ahead.length === 0 ? (counted ? "Sin votos" : "Todavía no hay actas")
            : ahead.map(([name, codes]) => el("span", { class: "quien" }, PREP.emblema(codes),
              el("span", {}, PREP.grupo(contest, codes), codes.includes(name) ? null : el("small", { text: name })))),
          ahead.length ? PREP.num(first) : null, ahead.length > 1 ? "Empate" : ahead.length ? PREP.num(first - second) : null];
      }));
  }

  PREP.vistas.partidos = async function ({ state, contest }) {
    return {
      titulo: "Por partido · " + PREP.titulo(contest),
      nodo: [
        PREP.miga(["Inicio", PREP.ir(state)], [PREP.titulo(contest), PREP.ir(state, contest.id)], ["Por partido"]),
        el("h1", { text: "Votos por partido y candidatura independiente" }),
        PREP.pestanas(state, contest, "partidos"),
        PREP.tarjeta("Cuánto ha llegado", PREP.llegadoDe(contest)),
        PREP.tarjeta("Entidad",
          el("p", { class: "tenue", text: "Los votos de cada combinación de una coalición se reparten entre sus partidos sobre el total de cada " + PREP.clase(contest) + "." }),
          PREP.totales(contest) ? PREP.votos(contest, "Votos por partido en la entidad", PREP.filas(contest.por_partido), PREP.totales(contest))
            : PREP.vacio("Todavía no hay actas contabilizadas de esta elección.")),
      ],
    };
  };

  async function territory(state, contest, id) {
    const whole = await PREP.objeto(contest.raiz);
    const found = whole.territorios.find(([one]) => one === id);
    return found ? PREP.objeto(found[1]) : null;
  }
  /** The object of a sección and that of its territory; null when the catalogue has none. */
  PREP.seccion = async function (state, contest, id, number) {
    const place = await territory(state, contest, id);
    const found = place && place.secciones.find(([one]) => one === number);
    return found ? { lugar: place, seccion: await PREP.objeto(found[1]) } : null;
  };
  PREP.territorio = territory;

  PREP.vistas.territorio = async function ({ state, contest, id }) {
    const place = await territory(state, contest, id);
    if (!place) return null;
    const people = contest.candidaturas ? (await PREP.objeto(contest.candidaturas)).filas : [];
    const total = Number(place.contadores.TOTAL_VOTOS_C_CS);
    const counted = Number(place.contadores.ACTAS_CONTABILIZADAS);
    const codesOf = (name) => {
      const codes = people.filter(([where, , owner]) => (where === id || where === null) && owner === name).map((row) => row[1]);
      return codes.length ? codes : [name];
    };
    const candidacies = Object.entries(place.por_candidatura).map(([name, votes]) => ({ nombre: name, codigos: codesOf(name), votos: votes }));
    const byParty = contest.columnas.filter((one) => one.codigo in place.por_partido).map((one) => [one.codigo, place.por_partido[one.codigo]]);
    const name = PREP.lugar(contest, id);
    return {
      titulo: name + " · " + PREP.titulo(contest),
      nodo: [
        PREP.miga(["Inicio", PREP.ir(state)], [PREP.titulo(contest), PREP.ir(state, contest.id)], [name]),
        el("h1", { text: name }),
        PREP.tarjeta("Cuánto ha llegado", PREP.llegado(place.esperadas, place.capturadas, counted),
          PREP.datos([
            ["Participación", PREP.pct(place.contadores.PORCENTAJE_PARTICIPACION_CIUDADANA)],
            ["Inconsistencias", PREP.pct(place.contadores.PORCENTAJE_ACTAS_INCONSISTENCIAS)],
            ["Lista nominal de las actas contabilizadas", PREP.num(place.contadores.LISTA_NOMINAL_ACTAS_CONTABILIZADAS)],
          ])),
        PREP.tarjeta("Votos por candidatura", total ? PREP.votos(contest, "Votos por candidatura", candidacies, total)
          : PREP.vacio("Todavía no hay actas contabilizadas de " + name + ".")),
        total ? PREP.tarjeta("Votos por partido", PREP.votos(contest, "Votos por partido", PREP.filas(byParty), total)) : null,
        PREP.tarjeta("Secciones", sections(state, contest, id, place)),
      ],
    };
  };

  function sections(state, contest, id, place) {
    const detailed = place.secciones.length && place.secciones[0].length > 2;
    const name = (number) => PREP.enlace(PREP.ir(state, contest.id, "t", id, "s", number), number === null ? "Sin sección" : "Sección " + number);
    if (!detailed) return el("ul", { class: "secciones" }, place.secciones.map(([number]) => el("li", {}, name(number))));
    return PREP.tabla("Secciones y las actas que han llegado de cada una",
      [["Sección"], ["Esperadas", "n"], ["Capturadas", "n"], ["Contabilizadas", "n"], ["Faltan", "n"]],
      place.secciones.map(([number, , expected, captured, counted]) =>
        [name(number), PREP.num(expected), PREP.num(captured), PREP.num(counted), PREP.num(expected - captured)]));
  }

  const TYPES = {
    B: "Básica", C: "Contigua", E: "Extraordinaria", S: "Especial", U: "Urna electrónica", A: "Voto anticipado",
    M: "Mesa del extranjero", P: "Prisión preventiva", V: "Prisión preventiva",
  };
  PREP.TIPOS = TYPES;
  /** «Contigua 1», from the key of a casilla (140502C0100). */
  PREP.casilla = function (acta) {
    const numbers = /([A-Z])(\d\d)(\d\d)$/.exec(acta.casilla) || [];
    const kind = TYPES[acta.tipo_casilla] || "Tipo " + acta.tipo_casilla;
    const extra = numbers[3] && numbers[3] !== "00" ? " contigua " + Number(numbers[3]) : "";
    return kind + (numbers[2] ? " " + Number(numbers[2]) : "") + extra;
  };
  PREP.ESTADOS = {
    no_capturada: ["○", "Todavía no llega"], capturada: ["●", "Contabilizada"], sin_acta: ["✕", "Sin acta"], fuera: ["▲", "No contabilizada"],
  };
  PREP.estadoActa = function (acta) {
    const state = acta.estado === "capturada" && !acta.contabilizada ? "fuera" : acta.estado;
    const [shape, word] = PREP.ESTADOS[state] || ["?", state];
    return el("span", { class: "estado" }, el("span", { "aria-hidden": "true", class: "forma", text: shape }), " " + word);
  };

  PREP.vistas.seccion = async function ({ state, contest, id, number }) {
    const found = await PREP.seccion(state, contest, id, number);
    if (!found) return null;
    const section = found.seccion;
    const total = Number(section.contadores.TOTAL_VOTOS_C_CS);
    const name = number === null ? "Sin sección" : "Sección " + number;
    const rows = contest.columnas.map((column, i) => ({ nombre: column.codigo, codigos: [column.codigo], votos: section.votos[i] }));
    return {
      titulo: name + " · " + PREP.titulo(contest),
      nodo: [
        PREP.miga(["Inicio", PREP.ir(state)], [PREP.titulo(contest), PREP.ir(state, contest.id)],
          [PREP.lugar(contest, id), PREP.ir(state, contest.id, "t", id)], [name]),
        el("h1", { text: name }),
        el("p", { class: "tenue", text: PREP.lugar(contest, id) + " · " + PREP.titulo(contest) }),
        PREP.tarjeta("Casillas y sus actas",
          PREP.tabla("Actas de la sección", [["Casilla"], ["Estado"], ["Observaciones"], ["Votos", "n"], ["Lista nominal", "n"]],
            section.actas.map((acta, i) => [
              PREP.enlace(PREP.ir(state, contest.id, "t", id, "s", number, "a", PREP.senas(section, i)), PREP.casilla(acta)),
              PREP.estadoActa(acta), PREP.observaciones(acta.observaciones), PREP.num(acta.calculado), PREP.num(acta.lista_nominal)]))),
        PREP.tarjeta("Votos de la sección", total ? PREP.votos(contest, "Votos de las actas contabilizadas de la sección", rows, total)
          : PREP.vacio("Todavía no hay actas contabilizadas de esta sección.")),
        PREP.otras(state, contest, number),
      ],
    };
  };
  /** What names an acta inside its sección: its key, and its position where the key is shared. */
  PREP.senas = function (section, i) {
    const key = section.actas[i].acta;
    return section.actas.filter((one) => one.acta === key).length > 1 ? key + "~" + i : key;
  };
  PREP.otras = (state, contest, number) =>
    number === null ? null : el("p", {}, PREP.enlace(PREP.ir(state, "buscar", number), "Ver esta sección en todas las elecciones"));
})();
