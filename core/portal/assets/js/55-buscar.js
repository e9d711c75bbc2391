/* Search by sección, by the number of the voting card, or by the key of an acta. What is typed goes nowhere: the
   list of secciones is in the browser. */
(function () {
  "use strict";
  const PREP = window.PREP;
  const el = PREP.el;

  PREP.buscador = function (state, value) {
    const input = el("input", { id: "seccion", name: "seccion", type: "text", inputmode: "numeric", autocomplete: "off", maxlength: "24", value });
    return el("form", { class: "buscador", role: "search", on: { submit: (event) => {
      event.preventDefault();
      location.hash = PREP.ir(state, "buscar", ...(input.value.trim() ? [input.value.trim()] : []));
    } } },
      el("label", { for: "seccion", text: "Número de sección (está en su credencial para votar) o clave de un acta" }),
      el("span", { class: "campo" }, input, el("button", { type: "submit", class: "boton" }, "Buscar")));
  };

  PREP.vistas.buscar = async function ({ state, text }) {
    const head = [PREP.miga(["Inicio", PREP.ir(state)], ["Buscar"]), el("h1", { text: "Buscar por sección" }), PREP.tarjeta(null, PREP.buscador(state, text || ""))];
    const answer = (...nodes) => ({ titulo: text ? "Sección " + text : "Buscar por sección", nodo: [...head, nodes] });
    if (!text) return answer(el("p", { class: "tenue", text: "Lo que escriba no se guarda ni se envía a nadie." }));
    // Keys: entidad (2), sección (4), type, number and extension, and the kind of acta.
    const key = /^(\d{2})(\d{4})[A-Z]\d{4}\d*$/i.exec(text.replace(/\s/g, ""));
    const number = key ? Number(key[2]) : /^\d{1,4}$/.test(text) ? Number(text) : null;
    if (number === null) return answer(PREP.aviso("Escriba solo el número de la sección, de una a cuatro cifras; por ejemplo, 502."));
    const rows = (await PREP.objeto(state.catalog.secciones)).filas.filter((row) => row[0] === number);
    if (!rows.length) return answer(PREP.aviso("La sección " + number + " no está en el catálogo de esta elección. Revise el número en la credencial."));
    const cards = [];
    for (const contest of state.contests.values()) {
      const places = [...new Set(rows.map(([, distrito, municipio]) => (contest.ambito === "municipio" ? municipio : distrito)))];
      for (const id of places) {
        const found = await PREP.seccion(state, contest, id, number);
        if (!found) continue;
        const section = found.seccion;
        cards.push(PREP.tarjeta(PREP.titulo(contest), el("p", { class: "tenue", text: PREP.lugar(contest, id) }),
          el("p", {}, "Capturadas " + PREP.num(section.capturadas) + " de " + PREP.plural(section.esperadas, "acta esperada", "actas esperadas") + "."),
          PREP.tabla("Casillas de la sección " + number, [["Casilla"], ["Estado"], ["Votos", "n"]], section.actas.map((acta, i) => [
            PREP.enlace(PREP.ir(state, contest.id, "t", id, "s", number, "a", PREP.senas(section, i)), PREP.casilla(acta)), PREP.estadoActa(acta), PREP.num(acta.calculado)])),
          el("p", {}, PREP.enlace(PREP.ir(state, contest.id, "t", id, "s", number), "Resultados de la sección"))));
      }
    }
    return answer(el("h2", { text: "Sección " + number }), cards.length ? el("div", { class: "tarjetas" }, cards) : PREP.vacio("No hay actas esperadas de esta sección."));
  };
})();
