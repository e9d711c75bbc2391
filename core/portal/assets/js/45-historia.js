/* The cuts of the night, and what changed from one to the next. The differences are worked out here, following
   only the objects whose name changed; nobody prepares them and nobody can leave one out. */
(function () {
  "use strict";
  const PREP = window.PREP;
  const el = PREP.el;

  PREP.vistas.historia = async function ({ state }) {
    const rows = [...(await PREP.historia(state))].reverse();
    const contests = [...state.contests.values()];
    return {
      titulo: "Historia de los cortes",
      nodo: [
        PREP.miga(["Inicio", PREP.ir(state)], ["Cortes"]),
        el("h1", { text: "Historia de los cortes" }),
        el("p", { text: "Ningún corte se borra ni se corrige: lo que cambia aparece en el siguiente. Cada uno se puede ver entero, tal como estaba." }),
        PREP.tarjeta("Cortes publicados", rows.length ? PREP.tabla("Cortes, del último al primero",
          [["Corte"], ["Día y hora"], ...contests.map((one) => [PREP.titulo(one), "n"]), ["Ver"], ["Qué cambió"]],
          rows.map((row) => [
            "Corte " + row.corte + (row.ultimo ? " (último)" : ""), PREP.fecha(row.instante_ms),
            ...contests.map((one) => { const found = row.contiendas[one.id]; return found ? PREP.razon(found[1], one.esperadas) : "—"; }),
            PREP.enlace(row.corte === PREP.actual.corte ? "#/" : "#/@" + row.corte, "Ver", { "aria-label": "Ver el corte " + row.corte }),
            row.corte > 1 ? PREP.enlace("#/cambios/" + row.corte, "Cambios", { "aria-label": "Qué cambió en el corte " + row.corte }) : "Es el primero"]))
          : PREP.vacio("Todavía no hay historia.")),
      ],
    };
  };

  const changes = (next, before) => {
    const old = new Map(before.territorios.map((row) => [row[0], row]));
    return next.territorios.map((row) => ({ id: row[0], row, old: old.get(row[0]) }))
      .filter(({ row, old: was }) => JSON.stringify(row) !== JSON.stringify(was));
  };

  PREP.vistas.cambios = async function ({ number }) {
    const [next, before] = [await PREP.corte(number), await PREP.corte(number - 1)];
    if (!next || !before) return null;
    const cards = [...next.contests.values()].map((contest) => {
      const past = before.contests.get(contest.id);
      const delta = (name) => Number(contest.encabezado[name]) - Number(past.encabezado[name]);
      const found = changes(contest, past);
      const signed = (n) => (n > 0 ? "+" : n < 0 ? "−" : "") + PREP.num(Math.abs(n));
      return PREP.tarjeta(PREP.titulo(contest),
        PREP.datos([["Actas capturadas", signed(delta("ACTAS_CAPTURADAS"))], ["Actas contabilizadas", signed(delta("ACTAS_CONTABILIZADAS"))], ["Votos", signed(delta("TOTAL_VOTOS_C_CS"))]]),
        found.length ? PREP.tabla("Lo que cambió por " + PREP.clase(contest),
          [[PREP.capital(PREP.clase(contest))], ["Capturadas", "n"], ["Contabilizadas", "n"], ["Votos", "n"], ["Va adelante"], ["Detalle"]],
          found.map(({ id, row, old }) => {
            const diff = (i) => signed(row[i] - (old ? old[i] : 0));
            const names = (one) => (one ? one[6] : []).map(([, codes]) => PREP.grupo(contest, codes)).join(" y ") || "nadie";
            const same = old && names(row) === names(old);
            return [PREP.lugar(contest, id), diff(2), diff(3), diff(4), same ? names(row) : names(row) + " (antes, " + names(old) + ")",
              PREP.enlace("#/cambios/" + number + "/" + contest.id + "/" + (id === null ? "-" : id), "Actas", { "aria-label": "Actas que cambiaron en " + PREP.lugar(contest, id) })];
          })) : PREP.vacio("No cambió nada en esta elección."));
    });
    return {
      titulo: "Qué cambió en el corte " + number,
      nodo: [
        PREP.miga(["Inicio", "#/"], ["Cortes", "#/historia"], ["Corte " + number]),
        el("h1", { text: "Qué cambió en el corte " + number }),
        el("p", { class: "tenue", text: "Del corte " + before.corte + " (" + PREP.fecha(before.portal.instante_ms) + ") al " + number + " (" + PREP.fecha(next.portal.instante_ms) + ")." }),
        cards,
      ],
    };
  };

  const MOST = 60;
  /** The actas of a territory that are not the same in two cuts. */
  PREP.vistas.cambiosLugar = async function ({ number, name, id }) {
    const [next, before] = [await PREP.corte(number), await PREP.corte(number - 1)];
    const contest = next && next.contests.get(name);
    const past = before && before.contests.get(name);
    if (!contest || !past) return null;
    const [after, prior] = await Promise.all([PREP.territorio(next, contest, id), PREP.territorio(before, past, id)]);
    if (!after || !prior) return null;
    const old = new Map(prior.secciones.map(([section, sha]) => [section, sha]));
    const moved = after.secciones.filter(([section, sha]) => old.get(section) !== sha);
    const rows = [];
    for (const [section, sha] of moved.slice(0, MOST)) {
      const [one, two] = await Promise.all([PREP.objeto(sha), old.has(section) ? PREP.objeto(old.get(section)) : { actas: [] }]);
      // The place in the sección names an acta without doubt; the key of the types without sección is shared.
      one.actas.forEach((acta, i) => {
        const was = two.actas[i];
        const { hoja: _a, imagen_archivo: _b, ...left } = acta;
        const { hoja: _c, imagen_archivo: _d, ...right } = was || {};
        if (JSON.stringify(left) === JSON.stringify(right)) return;
        const what = !was || was.estado === "no_capturada" ? "Llegó" : acta.estado !== was.estado ? "Cambió de estado" : "Cambiaron sus datos";
        rows.push([PREP.enlace(PREP.ir({ ...next, fijo: next.corte !== PREP.actual.corte }, name, "t", id, "s", section, "a", PREP.senas(one, i)), acta.acta),
          section === null ? "—" : String(section), PREP.casilla(acta), what, was ? PREP.num(was.calculado) : "—", PREP.num(acta.calculado)]);
      });
    }
    const place = PREP.lugar(contest, id);
    return {
      titulo: "Qué cambió en " + place + ", corte " + number,
      nodo: [
        PREP.miga(["Inicio", "#/"], ["Cortes", "#/historia"], ["Corte " + number, "#/cambios/" + number], [place]),
        el("h1", { text: "Qué cambió en " + place }),
        el("p", { class: "tenue", text: PREP.titulo(contest) + ". Del corte " + before.corte + " al " + number + "." }),
        rows.length ? PREP.tabla("Actas que cambiaron", [["Acta"], ["Sección", "n"], ["Casilla"], ["Qué pasó"], ["Votos antes", "n"], ["Votos después", "n"]], rows)
          : PREP.vacio("Ninguna acta cambió."),
        moved.length > MOST ? PREP.aviso("Cambiaron " + PREP.num(moved.length) + " secciones; se muestran las primeras " + MOST + ". Las demás están en la Base de datos de cada corte.") : null,
      ],
    };
  };
})();
