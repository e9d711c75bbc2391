/* What has not arrived, and where: by distrito or municipio, by CATD, by sección, and what arrived without a place.
   It is looked at before who is ahead, so nothing here says votes. */
(function () {
  "use strict";
  const PREP = window.PREP;
  const el = PREP.el;
  const FIRST = 20;

  const most = (rows, expected, captured) => [...rows].sort((a, b) => b[expected] - b[captured] - (a[expected] - a[captured]));

  /** Where most are missing, in one sentence; null when nothing is missing. */
  PREP.faltan = function (state, contest) {
    const rows = most(contest.territorios, 1, 2).filter((row) => row[1] > row[2]);
    if (!rows.length) return el("p", {}, "Ya no falta ningún acta por capturar.");
    const links = rows.slice(0, 3).map((row, i) => [i ? (i === Math.min(rows.length, 3) - 1 ? " y " : ", ") : "",
      PREP.enlace(PREP.ir(state, contest.id, "t", row[0]), PREP.lugar(contest, row[0])), " (" + PREP.num(row[1] - row[2]) + ")"]);
    return el("p", {}, "Donde más faltan: ", links, ".");
  };

  function tiles(state, contest) {
    return el("ul", { class: "teselas", "aria-label": "Actas que han llegado de cada " + PREP.clase(contest) },
      contest.territorios.map(([id, expected, captured]) =>
        el("li", {}, el("a", { href: PREP.ir(state, contest.id, "t", id) },
          PREP.lugar(contest, id), el("strong", { text: PREP.razon(captured, expected) }), PREP.barra(captured, expected || 1)))));
  }

  function centres(contest, rows) {
    return PREP.tablaLarga("Actas que faltan por CATD, de más a menos",
      [["CATD"], ["Faltan", "n"], ["Capturadas", "n"], ["Avance", "n"], ["Sin acta", "n"]],
      most(rows, 4, 5).map(([, name, , , expected, captured, , empty]) =>
        [name, PREP.num(expected - captured), PREP.num(captured) + " de " + PREP.num(expected), PREP.razon(captured, expected), PREP.num(empty)]), FIRST);
  }

  /** Secciones without any acta: the lists are long at the beginning of the night, and made when they are opened. */
  function nothingFrom(state, contest, rows) {
    const total = rows.reduce((sum, [, , found]) => sum + found.length, 0);
    if (!total) return PREP.vacio("De todas las secciones ha llegado al menos un acta.");
    return [el("p", {}, "De " + PREP.plural(total, "sección", "secciones") + " no ha llegado ningún acta."),
      rows.map(([id, of, found]) => {
        const box = el("details", {}, el("summary", {}, PREP.lugar(contest, id) + ": " + PREP.num(found.length) + " de " + PREP.plural(of, "sección", "secciones")));
        box.addEventListener("toggle", () => {
          if (!box.open || box.querySelector("ul")) return;
          box.append(el("ul", { class: "secciones" }, found.map((number) =>
            el("li", {}, PREP.enlace(PREP.ir(state, contest.id, "t", id, "s", number), number === null ? "Sin sección" : "Sección " + number)))));
        });
        return box;
      })];
  }

  function outside(rows) {
    const original = (row) => "imagenes/" + row.imagen.slice(0, 2) + "/" + row.imagen + "." + row.imagen_archivo;
    return [el("p", {}, PREP.plural(rows.length, "acta llegó", "actas llegaron") + " con datos que no corresponden a ninguna casilla aprobada. Se publican, pero no se suman."),
      PREP.tabla("Actas fuera de catálogo", [["Lo que dice el acta"], ["Origen"], ["Digitalización"], ["Acopio"], ["Imagen"]],
        rows.map((row) => [row.identificacion || "Sin identificación", row.origen || "—", row.digitalizacion || "—", PREP.reloj(row.acopio),
          row.imagen_archivo ? PREP.enlace(original(row), "Ver imagen", { "aria-label": "Ver la imagen del acta «" + row.identificacion + "»" }) : "Sin imagen publicada"]))];
  }

  PREP.vistas.cobertura = async function ({ state, contest }) {
    const [whole, found] = await Promise.all([PREP.objeto(contest.raiz), contest.cobertura ? PREP.objeto(contest.cobertura) : { catds: [], secciones_sin_actas: [] }]);
    const out = whole.fuera_de_catalogo || [];
    const rows = most(contest.territorios, 1, 2);
    const none = rows.filter((row) => row[2] === 0);
    const kind = PREP.clase(contest, true);
    return {
      titulo: "Qué falta y dónde · " + PREP.titulo(contest),
      nodo: [
        PREP.cabeza(state, contest, "cobertura", "Qué falta y dónde"),
        PREP.tarjeta("Cuánto ha llegado", PREP.llegadoDe(contest),
          el("p", {}, none.length
            ? "De " + PREP.plural(none.length, PREP.clase(contest), kind) + " todavía no llega ningún acta: " + none.slice(0, 12).map((row) => PREP.lugar(contest, row[0])).join(", ") + (none.length > 12 ? " y otros." : ".")
            : "Ya hay actas de todos los " + kind + "."),
          el("p", { class: "tenue", text: "Las actas no llegan al azar: las de casillas cercanas y con menos elecciones llegan antes. Mientras falten actas, quien va adelante puede cambiar." })),
        PREP.tarjeta("Por " + PREP.clase(contest), tiles(state, contest),
          PREP.tablaLarga("Actas que faltan por " + PREP.clase(contest) + ", de más a menos",
            [[PREP.capital(PREP.clase(contest))], ["Faltan", "n"], ["Capturadas", "n"], ["Avance", "n"]],
            rows.map(([id, expected, captured]) => [PREP.enlace(PREP.ir(state, contest.id, "t", id), PREP.lugar(contest, id)), PREP.num(expected - captured),
              PREP.num(captured) + " de " + PREP.num(expected), PREP.razon(captured, expected)]), FIRST)),
        found.catds.length ? PREP.tarjeta("Por centro de acopio (CATD)",
          el("p", { class: "tenue", text: "El CATD es el lugar donde se reciben y digitalizan las actas. «Sin acta» son casillas de las que ya se sabe que no habrá acta que capturar." }),
          centres(contest, found.catds)) : null,
        PREP.tarjeta("Secciones sin ningún acta", nothingFrom(state, contest, found.secciones_sin_actas)),
        PREP.tarjeta("Actas fuera de catálogo", out.length ? outside(out) : PREP.vacio("Ninguna hasta este corte.")),
      ],
    };
  };
})();
