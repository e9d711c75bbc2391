/* Publicación: the cuts, the next one, the canary, and what each cut changed (asked only when chosen). */
(function () {
  "use strict";
  const PREP = window.PREP;
  const el = PREP.el;
  const hojas = PREP.hojas;
  const CANARY = {
    ok: ["Coincide", null],
    atrasado: ["Atrasado", "p2"],
    divergente: ["Divergente", "p1"],
    sin_revisar: ["Sin revisar", null],
    sin_publico: ["Sin nada público", "p3"],
  };
  let shown = null; // which cut the changes are of
  let asked = null;

  function rowsOf(cut) {
    const cuts = [...(cut.recientes || [])].sort((a, b) => a.numero - b.numero);
    const every = (cut.cada_min || 0) * 60000;
    return cuts.map((one, index) => {
      const before = index ? cuts[index - 1] : null;
      const next = before && before.numero === one.numero - 1;
      return {
        ...one,
        agregadas: next ? one.actas - before.actas : null,
        intervalo: next ? one.hora_ms - before.hora_ms : null,
        tarde: next && every ? one.hora_ms - before.hora_ms - every : null,
      };
    });
  }
  function late(row) {
    if (row.ultimo) return "corte final";
    if (row.tarde === null) return "—";
    const s = Math.round(row.tarde / 1000);
    return Math.abs(s) < 1 ? "a tiempo" : (s > 0 ? "+" : "−") + PREP.dura(Math.abs(s) * 1000);
  }
  function figures(snap, cut) {
    const now = snap.reloj.ahora_ms;
    if (!cut || !cut.numero) {
      hojas.dato("pub-ultimo", "Ninguno", cut ? "la operación ya abrió" : "la operación no ha abierto");
    } else hojas.dato("pub-ultimo", "Corte " + cut.numero, PREP.hhmmss(cut.hora_ms) + (cut.ultimo ? " · fue el último" : " · hace " + PREP.ago(cut.hora_ms, now)));
    if (cut && cut.siguiente_ms) {
      const left = cut.siguiente_ms - now;
      const state = cut.atraso_s >= 180 ? "p1" : cut.atraso_s >= 60 ? "p2" : null;
      hojas.dato("pub-siguiente", PREP.cuenta(left), left < 0 ? "atrasado: debió salir a las " + PREP.hhmm(cut.siguiente_ms) : "a las " + PREP.hhmm(cut.siguiente_ms) + ", cada " + PREP.num(cut.cada_min) + " min", state);
    } else hojas.dato("pub-siguiente", "—", cut && cut.ultimo ? "ya no hay más cortes" : "");
    hojas.dato("pub-actas", PREP.num(snap.kpis.publicadas), PREP.pct(snap.kpis.publicadas_pct, 4) + " de " + PREP.num(snap.kpis.esperadas));
    const pending = snap.kpis.verificadas - snap.kpis.publicadas;
    hojas.dato("pub-pendientes", PREP.num(pending), pending ? "saldrán en el siguiente corte" : "todo lo registrado es público");
    const canary = (cut && cut.canario) || null;
    if (!canary) return hojas.dato("pub-canario", "—", "");
    const [word, state] = CANARY[canary.estado] || [canary.estado, "p2"];
    const seen = canary.numero ? "público: corte " + canary.numero : "";
    return hojas.dato("pub-canario", word, [canary.motivo, seen].filter(Boolean).join(" · "), state);
  }
  function refused(cut) {
    const box = hojas.id("pub-rechazo");
    const one = cut && cut.rechazado;
    const mark = one ? one.numero + "|" + one.hora_ms : "";
    if (!box || box.hojaMarca === mark) return;
    box.hojaMarca = mark;
    box.replaceChildren(
      ...(one
        ? [
            el(
              "div",
              { class: "caja-error" },
              el("strong", { "aria-hidden": "true", text: "✕" }),
              el("p", {}, el("strong", { text: "Se rechazó el corte " + one.numero + " a las " + PREP.hhmmss(one.hora_ms) + ": " }), el("span", { text: one.motivo || "sin motivo" }), el("span", { text: " Sigue público el anterior. " }), PREP.can("bitacora") ? el("a", { href: "/bitacora?clase=cut_refused", text: "Ver en la bitácora" }) : null)
            ),
          ]
        : [])
    );
  }
  function table(rows) {
    PREP.table(hojas.id("pub-cortes"), {
      caption: "Los últimos " + rows.length + " cortes publicados",
      key: "numero",
      rows,
      sort: { key: "numero", desc: true },
      empty: "Todavía no se publica ningún corte",
      columns: [
        { key: "numero", title: "Corte", desc: true, value: (row) => row.numero, text: (row) => row.numero + (row.ultimo ? " (último)" : "") },
        { key: "hora", title: "Hora", value: (row) => row.hora_ms, text: (row) => PREP.hhmmss(row.hora_ms) },
        { key: "actas", title: "Actas", cls: "num", value: (row) => row.actas, text: (row) => PREP.num(row.actas) },
        { key: "agregadas", title: "Agregó", cls: "num", value: (row) => row.agregadas, text: (row) => (row.agregadas === null ? "—" : (row.agregadas < 0 ? "−" : "+") + PREP.num(Math.abs(row.agregadas))) },
        { key: "intervalo", title: "Intervalo", cls: "num", value: (row) => row.intervalo, text: (row) => (row.intervalo === null ? "—" : PREP.cuenta(row.intervalo)) },
        { key: "tarde", title: "Puntualidad", cls: "num", value: (row) => row.tarde, text: late },
        { key: "huella", title: "Huella", text: (row) => row.manifiesto || "", node: (row) => el("code", { class: "huella", title: row.manifiesto, text: (row.manifiesto || "").slice(0, 12) }) },
      ],
    });
  }
  function draw(rows) {
    const colors = PREP.colors();
    const bars = rows.filter((row) => row.agregadas !== null);
    const host = hojas.id("pub-grafica");
    const narrow = host && host.clientWidth < 560;
    PREP.chart(
      host,
      [
        {
          type: "bar", x: bars.map((row) => row.numero + (narrow ? "" : "<br>" + PREP.hhmm(row.hora_ms))), y: bars.map((row) => row.agregadas), marker: { color: colors.gris },
          text: bars.map((row) => (narrow ? "" : PREP.num(row.agregadas))), textposition: "outside", cliponaxis: false,
        },
      ],
      { xaxis: { type: "category", tickangle: 0, title: narrow ? { text: "corte" } : undefined }, margin: { t: 22 } }
    );
  }
  function choices(rows) {
    const select = hojas.id("pub-elige");
    if (!select) return;
    const wanted = ["pendiente", ...rows.map((row) => String(row.numero)).reverse()];
    if (select.hojaMarca !== wanted.join()) {
      select.hojaMarca = wanted.join();
      const kept = select.value;
      select.replaceChildren(...hojas.opciones(wanted.map((one) => [one, one === "pendiente" ? "Registradas que ningún corte incluye" : "Corte " + one + " contra el anterior"]), wanted.includes(kept) ? kept : "pendiente"));
    }
  }
  async function changes(force, seq) {
    const select = hojas.id("pub-elige");
    if (!select || PREP.historical) return;
    // A cut never changes; what is pending does, with the ledger.
    const mark = select.value + (select.value === "pendiente" ? "|" + seq : "");
    if (!force && (mark === shown || asked)) return;
    asked = mark;
    const box = hojas.id("pub-cambio");
    try {
      const diff = await PREP.get("/api/publicacion/cortes/" + encodeURIComponent(select.value) + ".json");
      if (box.isConnected) paint(box, diff);
      shown = mark;
    } catch (error) {
      if (box.isConnected) box.replaceChildren(el("p", { class: "vacio", text: PREP.message(error) }));
      shown = mark;
    } finally {
      asked = null;
    }
  }
  function paint(box, diff) {
    let parts = box.hojaPartes;
    if (!parts || !parts.words.isConnected) {
      parts = box.hojaPartes = { words: el("p", { role: "status" }), contests: el("div", {}), districts: el("div", {}), actas: el("div", {}) };
      box.replaceChildren(parts.words, el("div", { class: "tres" }, parts.contests, parts.districts, parts.actas));
    }
    const some = [PREP.num(diff.agregadas) + (diff.agregadas === 1 ? " acta agregada" : " actas agregadas") + (diff.sin_acta ? " (" + PREP.num(diff.sin_acta) + " sin acta)" : "")];
    if (diff.corregidas) some.push(PREP.num(diff.corregidas) + " corregidas");
    if (diff.retiradas) some.push(PREP.num(diff.retiradas) + " retiradas");
    if (diff.fuera_catalogo) some.push(PREP.num(diff.fuera_catalogo) + " fuera de catálogo");
    const head = diff.numero === null ? "Desde el corte " + (diff.anterior || "inicial") + ": " : "Corte " + diff.numero + (diff.anterior === null ? ", el primero: " : " contra el " + diff.anterior + ": ");
    PREP.text(parts.words, head + some.join(", ") + ". Eventos " + PREP.num(diff.seq_desde) + " a " + PREP.num(diff.seq_high) + " de la bitácora.");
    const count = { key: "n", title: "Actas", cls: "num", desc: true, value: (row) => row[2], text: (row) => PREP.num(row[2]) };
    PREP.table(parts.contests, {
      caption: "Por contienda", key: (row) => row[0], rows: diff.contiendas, empty: "Ninguna contienda cambió",
      columns: [{ key: "c", title: "Contienda", value: (row) => row[1] }, count],
    });
    PREP.table(parts.districts, {
      caption: "Por distrito", key: (row) => String(row[0]), rows: diff.distritos, empty: "Ningún distrito cambió",
      columns: [{ key: "d", title: "Distrito", value: (row) => row[0], text: (row) => (row[0] === null ? "Sin distrito" : row[1] || "Distrito " + row[0]) }, count],
    });
    PREP.table(parts.actas, {
      caption: diff.hay_mas ? "Actas (las primeras " + diff.actas.length + ")" : "Actas", key: "clave", rows: diff.actas, empty: "Ningún acta cambió",
      columns: [
        { key: "clave", title: "Acta", value: (row) => row.clave },
        { key: "que", title: "Qué", value: (row) => row.que, text: (row) => row.que + (row.sin_acta ? ", sin acta" : "") },
        { key: "ms", title: "Hora", value: (row) => row.ms, text: (row) => PREP.hhmm(row.ms) },
      ],
    });
  }

  const SERVICE = {
    esperando: "Espera el siguiente corte",
    publicando: "Publica un corte",
    detenida: "Detenida",
    cerrada: "Cerrada: salió el último corte",
    fuera_de_horario: "Fuera de horario",
    en_reserva: "En reserva: publica otro proceso",
    desconocido: "No se sabe",
  };
  const PLACE = {
    al_corriente: ["✓", "Al corriente"],
    atrasado: ["▲", "Atrasado"],
    sin_respuesta: ["✕", "Sin respuesta"],
    desconocido: ["?", "No se sabe"],
  };
  const HOLD = {
    sin_detener: "Nadie la ha detenido.",
    propuesta: "Se propuso detenerla: falta que otra persona lo autorice. Los cortes siguen saliendo.",
    detenida: "Está detenida: no sale ningún corte.",
    reanudacion_propuesta: "Está detenida. Se propuso reanudarla: falta que otra persona lo autorice.",
  };

  function lines(box, mark, make) {
    if (!box || box.hojaMarca === mark) return;
    box.hojaMarca = mark;
    box.replaceChildren(...make().filter(Boolean));
  }
  function service(snap) {
    const one = snap.publicador;
    lines(hojas.id("pub-servicio"), JSON.stringify(one) + (one ? "" : "sin"), () => {
      if (!one) return [el("p", { class: "vacio", text: "Aquí no se ve al publicador: arranque la sala con --corrida y la carpeta --trabajo de prep publicar" })];
      const witnesses = one.testigos.de ? one.testigos.con + " de " + one.testigos.de + " testigos firmaron" : "sin testigos";
      const missed = one.perdidas.length;
      return [
        el("p", {}, el("strong", { text: SERVICE[one.estado] }), el("span", { text: one.siguiente_ms ? " · siguiente a las " + PREP.hhmmss(one.siguiente_ms) : "" })),
        el("p", { class: "tenue", text: (one.corte ? "Último corte " + one.corte : "Ningún corte") + " · " + witnesses + (one.sello ? " · sello de tiempo: " + one.sello : "") + (one.generado_ms ? " · dicho a las " + PREP.hhmmss(one.generado_ms) : "") }),
        missed ? el("p", { class: "p2", text: "▲ " + (missed === 1 ? "Un corte no salió" : missed + " cortes no salieron") + ": " + one.perdidas.map(PREP.hhmm).join(", ") }) : null,
        ...one.alarmas.map((alarm) => el("div", { class: "caja-error" }, el("strong", { "aria-hidden": "true", text: "✕" }), el("p", { text: alarm.texto + (alarm.desde_ms ? " · desde las " + PREP.hhmmss(alarm.desde_ms) : "") }))),
      ];
    });
    const host = hojas.id("pub-destinos");
    if (!one || !host) return;
    PREP.table(host, {
      caption: "Destinos",
      key: "nombre",
      rows: one.destinos,
      empty: "Publica solo en su carpeta",
      columns: [
        { key: "nombre", title: "Destino", value: (row) => row.nombre },
        { key: "estado", title: "Estado", value: (row) => row.estado, text: (row) => PLACE[row.estado].join(" ") + (row.error ? ": " + row.error : "") },
        { key: "corte", title: "Corte", cls: "num", value: (row) => row.corte, text: (row) => (row.corte === null ? "—" : String(row.corte)) },
        { key: "atraso", title: "Atraso", cls: "num", value: (row) => row.atraso_s, text: (row) => (row.atraso_s ? PREP.dura(row.atraso_s * 1000) + (row.atraso_cortes ? ", " + row.atraso_cortes + (row.atraso_cortes === 1 ? " corte" : " cortes") : "") : "—") },
      ],
    });
  }
  function reason(spec, action, fixed, done) {
    return PREP.oper.ask({ ...spec, campos: [{ nombre: "motivo", etiqueta: "Motivo", tipo: "textarea", requerido: true }] }, action, fixed, done);
  }
  function hold(snap) {
    const one = snap.detencion || { estado: "sin_detener", clave: "", motivo: "", propuesta_por: "", desde_ms: null };
    const mine = PREP.user && one.propuesta_por === PREP.user.usuario;
    lines(hojas.id("pub-detencion"), JSON.stringify(one), () => [
      el("p", { role: "status" }, el("strong", { text: one.estado === "sin_detener" ? "" : "▲ " }), el("span", { text: HOLD[one.estado] })),
      one.estado === "sin_detener" ? null : el("p", { class: "tenue", text: "Motivo: " + one.motivo + (one.desde_ms ? " · desde las " + PREP.hhmmss(one.desde_ms) : "") + (one.propuesta_por ? " · la propuso " + one.propuesta_por : "") }),
    ]);
    const key = { detencion: one.clave };
    const oper = PREP.oper;
    const propose = PREP.can("publicacion_proponer");
    const authorise = PREP.can("publicacion_autorizar") && !mine;
    const dismiss = PREP.can("publicacion_descartar");
    oper.botones(hojas.id("pub-detencion-botones"), [one.estado, one.clave, mine, propose, authorise, dismiss, PREP.historical].join(), () => {
      if (PREP.historical) return [];
      if (one.estado === "sin_detener") return [propose && oper.boton("Detener publicación", () => reason({ titulo: "Detener la publicación", texto: "No saldrá ningún corte desde que coordinación lo autorice. Queda en la bitácora pública.", boton: "Proponer", peligro: true }, "detener_publicacion", {}, "Detención propuesta: falta autorizarla"), "peligro")];
      if (one.estado === "propuesta")
        return [
          authorise && oper.boton("Autorizar la detención", () => oper.ask({ titulo: "Autorizar la detención", texto: "Motivo: " + one.motivo, boton: "Detener publicación", peligro: true }, "autorizar_detencion", key, "Publicación detenida"), "peligro"),
          dismiss && oper.boton("Descartar", () => reason({ titulo: "Descartar la detención", boton: "Descartar" }, "descartar_detencion", key, "Detención descartada")),
        ];
      if (one.estado === "detenida") return [propose && oper.boton("Reanudar", () => reason({ titulo: "Reanudar la publicación", boton: "Proponer" }, "reanudar_publicacion", key, "Reanudación propuesta: falta autorizarla"), "principal")];
      return [
        authorise && oper.boton("Autorizar la reanudación", () => oper.ask({ titulo: "Autorizar la reanudación", boton: "Reanudar" }, "autorizar_reanudacion", key, "Publicación reanudada"), "principal"),
        dismiss && oper.boton("Descartar", () => reason({ titulo: "Descartar la reanudación", boton: "Descartar" }, "descartar_reanudacion", key, "Sigue detenida")),
      ];
    });
  }

  PREP.register("publicacion", {
    enter() {
      shown = asked = null;
      const select = hojas.id("pub-elige");
      select.addEventListener("change", () => changes(true, 0));
    },
    apply(snap) {
      const cut = snap.corte;
      const rows = cut ? rowsOf(cut) : [];
      figures(snap, cut);
      refused(cut);
      service(snap);
      hold(snap);
      table(rows);
      draw(rows);
      choices(rows);
      changes(false, snap.base ? snap.base.seq : 0);
    },
  });
})();
