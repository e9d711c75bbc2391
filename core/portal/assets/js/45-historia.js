/* The cuts of the night, and what changed from one to the next: the publisher's own list of corrected and withdrawn
   actas, and, place by place, the differences worked out here from the objects whose name changed. */
(function () {
  "use strict";
  const PREP = window.PREP;
  const el = PREP.el;

  PREP.vistas.historia = async function ({ state }) {
    const rows = [...(await PREP.historia(state))].reverse();
    const contests = [...state.contests.values()];
    const gaps = (await PREP.huecos()).map(([number, one]) => ({ number, ...one }));
    // A time without cuts is told where it was: before the first cut that came after it began.
    const before = (row, i) => gaps.filter((gap) => gap.desde_ms < row.instante_ms && (i + 1 >= rows.length || gap.desde_ms >= rows[i + 1].instante_ms));
    const told = (gap) => ["Sin corte (aviso " + gap.number + ")", "De " + PREP.fecha(gap.desde_ms) + " a " + PREP.fecha(gap.hasta_ms), ...contests.map(() => "—"),
      PREP.enlace("#/estado", "Aviso", { "aria-label": "Ver el aviso " + gap.number }), (PREP.AVISOS[gap.tipo] || gap.tipo) + ": " + gap.motivo];
    const since = gaps.filter((gap) => rows.length && gap.desde_ms >= rows[0].instante_ms);
    return {
      titulo: "Historia de los cortes",
      nodo: [
        PREP.miga(["Inicio", PREP.ir(state)], ["Cortes"]),
        el("h1", { text: "Historia de los cortes" }),
        el("p", { text: "El porcentaje es el de actas contabilizadas. Ningún corte se borra ni se corrige: lo que cambia aparece en el siguiente. Cada uno se puede ver entero, tal como estaba." }),
        PREP.tarjeta("Cortes publicados", rows.length ? PREP.tabla("Cortes, del último al primero",
          [["Corte"], ["Día y hora"], ...contests.map((one) => [PREP.titulo(one), "n"]), ["Ver"], ["Qué cambió"]],
          since.map(told).concat(rows.flatMap((row, i) => [[
            "Corte " + row.corte + (row.ultimo ? " (último)" : ""), PREP.fecha(row.instante_ms),
            ...contests.map((one) => {
              const found = row.contiendas[one.id];
              return found ? [PREP.razon(found[1], one.esperadas), el("small", { text: "+" + PREP.plural(found[3], "acta", "actas") + (found[2] ? ", " + PREP.plural(found[2], "corregida", "corregidas") : "") })] : "—";
            }),
            PREP.enlace(row.corte === PREP.actual.corte ? "#/" : "#/@" + row.corte, "Ver", { "aria-label": "Ver el corte " + row.corte }),
            row.corte > 1 ? PREP.enlace("#/cambios/" + row.corte, "Cambios", { "aria-label": "Qué cambió en el corte " + row.corte }) : "Es el primero"], ...before(row, i).map(told)])))
          : PREP.vacio("Todavía no hay historia.")),
      ],
    };
  };

  const changes = (next, before, touched) => {
    const old = new Map(before.territorios.map((row) => [row[0], row]));
    return next.territorios.map((row) => ({ id: row[0], row, old: old.get(row[0]) }))
      .filter(({ id, row, old: was }) => touched.has(id) || JSON.stringify(row) !== JSON.stringify(was));
  };

  PREP.vistas.cambios = async function ({ number }) {
    const [next, before] = [await PREP.corte(number), await PREP.corte(number - 1)];
    if (!next || !before) return null;
    const detail = next.portal.detalle_cambios ? (await PREP.objeto(next.portal.detalle_cambios)).contiendas : {};
    const shown = { ...next, fijo: next.corte !== PREP.actual.corte };
    const cards = [...next.contests.values()].map((contest) => {
      const past = before.contests.get(contest.id);
      const delta = (name) => PREP.signo(Number(contest.encabezado[name]) - Number(past.encabezado[name]));
      const counted = (next.portal.cambios || {})[contest.id] || {};
      const named = detail[contest.id] || { secciones: [], corregidas: [], retiradas: [] };
      return PREP.tarjeta(PREP.titulo(contest),
        PREP.datos([
          ["Actas nuevas", PREP.num(counted.nuevas)], ["Actas corregidas", PREP.num(counted.corregidas)],
          ["Actas retiradas para volver a capturarse", PREP.num(counted.retiradas)], ["Actas cotejadas, sin cambio en sus datos", PREP.num(counted.cotejadas)],
          ["Contabilizadas", delta("ACTAS_CONTABILIZADAS")], ["Votos", delta("TOTAL_VOTOS_C_CS")],
        ]),
        corrected(shown, contest, named), places(number, contest, past, named));
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

  /** The actas corrected and withdrawn, one by one. */
  function corrected(state, contest, named) {
    const rows = [...named.corregidas.map((one) => ["Corregida", one]), ...named.retiradas.map((one) => ["Retirada", one])];
    if (!rows.length) return null;
    return PREP.tablaLarga("Actas corregidas y retiradas", [["Acta"], ["Qué pasó"], [PREP.capital(PREP.clase(contest))], ["Sección", "n"]],
      rows.map(([what, [id, section, key]]) => [key, what, PREP.lugar(contest, id),
        section === null ? "—" : PREP.enlace(PREP.ir(state, contest.id, "t", id, "s", section), String(section), { "aria-label": "Sección " + section })]), 50);
  }

  /** By territory: the secciones and actas touched, the votes, and whether who is ahead is another. */
  function places(number, contest, past, named) {
    const touched = new Map(named.secciones);
    const found = changes(contest, past, touched);
    if (!found.length) return PREP.vacio("No cambió nada en esta elección.");
    const sum = (id, i) => (touched.get(id) || []).reduce((all, row) => all + row[i], 0);
    const names = (one) => (one ? one[6] : []).map(([, codes]) => PREP.grupo(contest, codes)).join(" y ") || "nadie";
    return PREP.tablaLarga("Lo que cambió por " + PREP.clase(contest),
      [[PREP.capital(PREP.clase(contest))], ["Secciones", "n"], ["Nuevas", "n"], ["Corregidas o retiradas", "n"], ["Votos", "n"], ["Va adelante"]],
      found.map(({ id, row, old }) => [
        PREP.enlace("#/cambios/" + number + "/" + contest.id + "/" + (id === null ? "-" : id), PREP.lugar(contest, id), { "aria-label": "Actas que cambiaron en " + PREP.lugar(contest, id) }),
        PREP.num((touched.get(id) || []).length), PREP.num(sum(id, 1)), PREP.num(sum(id, 2) + sum(id, 3)), PREP.signo(row[4] - (old ? old[4] : 0)),
        old && names(row) === names(old) ? names(row) : names(row) + " (antes, " + names(old) + ")"]), 30);
  }

  const MOST = 60;
  /** The same kinds as the publisher's, worked out again from what was published. */
  function happened(was, now) {
    const rest = ({ hoja: _a, imagen_archivo: _b, imagen_vista: _c, ...left }) => left;
    const apart = (one) => JSON.stringify({ ...rest(one), cotejada: 0 });
    const out = !was || was.estado === "no_capturada";
    if (now.estado === "no_capturada") return out ? null : "Retirada";
    if (out) return "Nueva";
    if (JSON.stringify(rest(was)) === JSON.stringify(rest(now))) return null;
    return apart(was) === apart(now) ? "Cotejada" : "Corregida";
  }

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
        const what = happened(was, acta);
        if (!what) return;
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
          : PREP.vacio("Ningún acta cambió."),
        moved.length > MOST ? PREP.aviso("Cambiaron " + PREP.num(moved.length) + " secciones; se muestran las primeras " + MOST + ". Las demás están en la Base de datos de cada corte.") : null,
      ],
    };
  };
})();
