/* /catd: the table of every CATD, and the detail of one. The table comes whole from the snapshot; what is
   missing by casilla is asked of the server when the CATD is opened, and again when its counts change. */
(function () {
  "use strict";
  const PREP = window.PREP;
  const el = PREP.el;
  const oper = PREP.oper;
  const REFRESH_MS = 8000;
  const FAR_MS = 12 * 3600000;
  const SILENCE_MS = 3 * 60000;

  const URGENCY = { p1: 0, p2: 1, p3: 2, silenciado: 3, normal: 4, sin_empezar: 5, terminado: 6 };
  const STATES = [
    ["", "Todos"],
    ["problema", "Con problema"],
    ["p1", "Prioridad 1"],
    ["p2", "Prioridad 2"],
    ["p3", "Prioridad 3"],
    ["silenciado", "Silenciados"],
    ["normal", "Normales"],
    ["sin_empezar", "Sin empezar"],
    ["terminado", "Terminados"],
  ];
  const WORDS = { p1: "Prioridad 1", p2: "Prioridad 2", p3: "Prioridad 3", silenciado: "Silenciado", normal: "Normal", sin_empezar: "Sin empezar", terminado: "Terminado" };
  const FUNNEL = [
    ["esperadas", "Esperadas"],
    ["acopiadas", "Acopiadas"],
    ["digitalizadas", "Digitalizadas"],
    ["capturadas", "Capturadas"],
    ["verificadas", "Verificadas"],
    ["publicadas", "Publicadas"],
  ];
  const STAGES = {
    acopio: "Acopio",
    digitalizacion: "Digitalización",
    captura: "Captura",
    resolucion: "Resolver diferencia",
    publicacion: "Publicación",
  };
  const MOVES = {
    acta_received: "Acopiada",
    acta_digitized: "Digitalizada",
    acta_captured: "Capturada",
    acta_disputed: "Capturas distintas",
    capture_requested: "Se pidió otra captura",
    acta_verified: "Verificada",
    sin_acta_marked: "Marcada sin acta",
    image_replaced: "Imagen sustituida",
    duplicate_recorded: "Llegó repetida",
    recall_requested: "Se pidió retirarla",
    recall_approved: "Retirada",
    recall_dismissed: "No se retiró",
    acta_collated: "Cotejada",
    outside_identified: "Identificada",
  };

  let page = null; // {root, id, filters, detail, askedAt, mark, timer, stage}

  function idOfAddress() {
    const found = /^\/catd\/(\d+)\/?$/.exec(location.pathname);
    const given = found ? found[1] : PREP.param("catd");
    return given !== null && given !== "" ? Number(given) : null;
  }
  const $ = (id) => document.getElementById(id);
  const pending = (row) => row.esperadas - row.verificadas;
  const share = (part, whole) => (whole ? (100 * part) / whole : null);

  // -- the table of all ------------------------------------------------------------------------

  function fillSelect(select, options, value) {
    const mark = JSON.stringify(options);
    if (select.prepMark !== mark) {
      select.prepMark = mark;
      select.replaceChildren(...options.map(([id, name]) => el("option", { value: id, text: name })));
    }
    if (select.value !== String(value)) select.value = String(value);
  }
  function enterGrid() {
    const filters = (page.filters = {
      distrito: PREP.param("distrito") || "",
      municipio: PREP.param("municipio") || "",
      estado: PREP.param("estado") || "",
      texto: PREP.param("buscar") || "",
    });
    const search = el("input", { id: "filtro-texto", type: "search", value: filters.texto, placeholder: "Nombre o número", autocomplete: "off" });
    $("filtro-texto-lugar").replaceChildren(search);
    const changed = () => {
      for (const name of ["distrito", "municipio", "estado"]) filters[name] = $("filtro-" + name).value;
      filters.texto = search.value.trim();
      oper.remember({ distrito: filters.distrito, municipio: filters.municipio, estado: filters.estado, buscar: filters.texto });
      if (PREP.snapshot) applyGrid(PREP.snapshot);
    };
    for (const name of ["distrito", "municipio", "estado"]) $("filtro-" + name).onchange = changed;
    search.addEventListener("input", changed);
    $("filtro-quitar").replaceChildren(
      el("button", {
        type: "button",
        class: "boton",
        text: "Ver todos",
        on: {
          click: () => {
            for (const name of ["distrito", "municipio", "estado"]) $("filtro-" + name).value = "";
            search.value = "";
            changed();
          },
        },
      })
    );
  }
  function seen(row, filters) {
    if (filters.distrito !== "" && String(row.distrito) !== filters.distrito) return false;
    if (filters.municipio !== "" && String(row.municipio) !== filters.municipio) return false;
    if (filters.estado === "problema") {
      if (URGENCY[row.estado] > 2) return false;
    } else if (filters.estado && row.estado !== filters.estado) return false;
    return !filters.texto || PREP.catdName(row.id).toLowerCase().includes(filters.texto.toLowerCase());
  }
  const reason = (row) => row.motivo || WORDS[row.estado] || row.estado;
  const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);
  function progress(row) {
    const value = share(row.verificadas, row.esperadas);
    return el(
      "span",
      { class: "barra-chica" },
      el("span", { class: "barra-chica-fondo", "aria-hidden": "true" }, el("span", { style: "width:" + (value || 0).toFixed(1) + "%" })),
      el("span", { text: PREP.pct(value, 0) })
    );
  }
  /** When it would end: an hour of another day would be read as one of this night. */
  function finish(row, long) {
    if (pending(row) === 0) return long ? "ya terminó" : "terminó";
    if (row.eta_ms === null) return long ? "no se puede estimar" : "—";
    const left = row.eta_ms - oper.now();
    if (left > FAR_MS) return "más de 12 h";
    return PREP.hhmm(row.eta_ms) + (long ? " (en " + PREP.dura(left) + ")" : "");
  }
  /** What a CATD said of itself is of its last heartbeat: when it has none lately it is not so any more. */
  const silent = (row) => row.latido_ms === null || oper.now() - row.latido_ms > SILENCE_MS;
  const COLUMNS = [
    { key: "nombre", title: "CATD", value: (row) => row.nombre, text: (row) => row.nombre, href: (row) => "/catd/" + row.id },
    {
      key: "estado",
      title: "Estado",
      value: (row) => URGENCY[row.estado] * 100000 - Math.min(99999, pending(row)),
      text: (row) => row.estado + "|" + row.motivo,
      // In a table of CATDs its reason need not say again that it is one, nor what other columns say.
      node: (row) => el("span", { class: "estado-catd", title: row.motivo || null }, PREP.marca(row.estado), el("span", { text: capital(PREP.motivo(reason(row))) })),
    },
    { key: "distrito", title: "Distrito", value: (row) => row.distrito, text: (row) => (row.distrito === null ? "—" : "D" + row.distrito), cls: "num opcional" },
    { key: "avance", title: "Avance", desc: false, value: (row) => share(row.verificadas, row.esperadas), text: (row) => PREP.pct(share(row.verificadas, row.esperadas), 0), node: progress },
    { key: "acopiadas", title: "Acopiadas", value: (row) => row.acopiadas, text: (row) => PREP.num(row.acopiadas), cls: "num opcional secundaria" },
    { key: "digitalizadas", title: "Digitalizadas", value: (row) => row.digitalizadas, text: (row) => PREP.num(row.digitalizadas), cls: "num opcional secundaria" },
    { key: "verificadas", title: "Verificadas", value: (row) => row.verificadas, text: (row) => PREP.num(row.verificadas), cls: "num opcional secundaria" },
    { key: "publicadas", title: "Publicadas", value: (row) => row.publicadas, text: (row) => PREP.num(row.publicadas), cls: "num opcional" },
    { key: "esperadas", title: "Esperadas", desc: true, value: (row) => row.esperadas, text: (row) => PREP.num(row.esperadas), cls: "num opcional secundaria" },
    { key: "faltan", title: "Faltan", desc: true, value: pending, text: (row) => PREP.num(pending(row)), cls: "num opcional" },
    { key: "latido", title: "Latido hace", value: (row) => row.latido_ms, text: (row) => (row.latido_ms === null ? "—" : PREP.ago(row.latido_ms)), cls: "num opcional" },
    { key: "enlace", title: "Enlace", value: (row) => (silent(row) ? null : row.enlace), text: (row) => (silent(row) || row.enlace === null ? "—" : row.enlace + " %"), cls: "num opcional" },
    { key: "en_enlace", title: "Por enviar", desc: true, value: (row) => (silent(row) ? null : row.en_enlace), text: (row) => (silent(row) ? "—" : PREP.num(row.en_enlace)), cls: "num opcional secundaria" },
    { key: "eta", title: "Terminaría", desc: true, value: (row) => row.eta_ms, text: (row) => finish(row), cls: "num opcional" },
    { key: "incidentes", title: "Incidentes", desc: true, value: (row) => row.incidentes.length, text: (row) => (row.incidentes.length ? String(row.incidentes.length) : ""), cls: "num opcional" },
  ];
  const OF_PULSES = new Set(["latido", "enlace", "en_enlace"]);
  function applyGrid(snapshot) {
    const { filters } = page;
    // Where no CATD sends heartbeats there is nothing to compare.
    const pulses = snapshot.catd.some((row) => row.latido_ms !== null);
    const rows = snapshot.catd.filter((row) => seen(row, filters));
    const districts = [...snapshot.distritos].sort((a, b) => a[0] - b[0]).map((one) => [one[0], oper.distritoCorto(one[0])]);
    const towns = [...snapshot.municipios].sort((a, b) => String(a[1]).localeCompare(b[1], "es-MX")).map((one) => [one[0], one[1]]);
    fillSelect($("filtro-distrito"), [["", "Todos"], ...districts], filters.distrito);
    fillSelect($("filtro-municipio"), [["", "Todos"], ...towns], filters.municipio);
    fillSelect($("filtro-estado"), STATES, filters.estado);
    const trouble = rows.filter((row) => URGENCY[row.estado] <= 2).length;
    PREP.text(
      $("catd-cuenta"),
      (rows.length === snapshot.catd.length ? rows.length + " CATD" : "Se ven " + rows.length + " de " + snapshot.catd.length + " CATD") +
        " · " + (trouble ? trouble + " con problema" : "ninguno con problema")
    );
    PREP.table($("catd-tabla"), {
      caption: "Los CATD, primero lo más urgente; cada título ordena",
      columns: pulses ? COLUMNS : COLUMNS.filter((column) => !OF_PULSES.has(column.key)),
      rows,
      key: "id",
      sort: { key: "estado", desc: false },
      empty: "Ningún CATD cumple con esos filtros",
      rowClass: (row) => "fila-" + row.estado,
    });
  }

  // -- one of them -------------------------------------------------------------------------------

  function head(row, snapshot) {
    const host = $("catd-cabeza");
    if (!host.firstChild) {
      page.title = el("h1", { tabindex: -1 });
      page.mark = el("span", { class: "cabeza-estado" });
      page.where = el("p", { class: "tenue" });
      page.buttons = el("div", { class: "botones" });
      host.append(el("p", {}, el("a", { href: "/catd", text: "← Todos los CATD" })), el("div", { class: "cabeza-fila" }, page.title, page.mark), page.where, page.buttons);
    }
    PREP.text(page.title, row.nombre);
    const shown = row.estado + "|" + row.motivo;
    if (page.mark.prepMark !== shown) {
      page.mark.prepMark = shown;
      page.mark.replaceChildren(PREP.marca(row.estado), el("strong", { text: reason(row) }));
    }
    const town = snapshot.municipios.find((one) => one[0] === row.municipio);
    const places = [row.distrito === null ? null : oper.distritoCorto(row.distrito), town ? town[1] : null].filter(Boolean);
    PREP.text(page.where, places.join(" · "));
    oper.botones(page.buttons, [PREP.can("incidente"), PREP.can("medida_proponer"), PREP.can("silenciar")].join(), () => [
      PREP.can("incidente") && oper.boton("Abrir incidente", () => openFor(row.id), "principal"),
      PREP.can("medida_proponer") && oper.boton("Proponer medida", () => proposeFor(row.id)),
      PREP.can("silenciar") && oper.boton("Silenciar alertas", () => oper.silenciar(row.id)),
    ]);
  }
  function openFor(id, alert) {
    const signal = alert && alert.regla === "A01";
    oper.abrirIncidente({
      titulo: alert ? alert.titulo : "",
      tipo: signal || !alert ? "enlace" : "otro",
      catds: alert && alert.catds.length ? alert.catds : [id],
      alerta: alert ? alert.id : "",
    });
  }
  function nextFor(id) {
    const opened = (one) => (oper.incidente(one[1]) || { abierto_ms: 0 }).abierto_ms;
    const drill = (one) => ((oper.incidente(one[1]) || {}).tipo === "ejercicio" ? 1 : 0); // a failure goes first
    return (PREP.snapshot.continuidad.siguientes || []).filter((one) => one[0] === id).sort((a, b) => drill(a) - drill(b) || opened(b) - opened(a));
  }
  function proposeFor(id) {
    const next = nextFor(id)[0];
    oper.proponer({ catds: [id], ...(next ? { incidente: next[1], medida: next[2][0] } : {}) });
  }

  function funnel(row) {
    const host = $("catd-embudo");
    if (!host.firstChild) host.append(el("ol", { class: "embudo" }));
    let before = null;
    const rows = FUNNEL.map(([key, name]) => {
      const item = { key, name, n: row[key], missing: before === null ? 0 : before - row[key], pct: share(row[key], row.esperadas) };
      before = row[key];
      return item;
    });
    PREP.each(
      host.firstChild,
      rows,
      (item) => item.key,
      (item) => {
        const li = el("li", {});
        li.label = el("span", { class: "embudo-nombre", text: item.name });
        li.fill = el("span", { class: "embudo-relleno" });
        li.number = el("strong", { class: "embudo-numero" });
        li.share = el("span", { class: "embudo-pct" });
        li.missing = el("span", { class: "embudo-falta tenue" });
        li.append(li.label, el("span", { class: "embudo-barra", "aria-hidden": "true" }, li.fill), li.number, li.share, li.missing);
        return li;
      },
      (li, item) => {
        PREP.style(li.fill, "width", (item.pct || 0).toFixed(2) + "%");
        PREP.text(li.number, PREP.num(item.n));
        PREP.text(li.share, PREP.pct(item.pct, 1));
        PREP.text(li.missing, item.missing > 0 ? "faltan " + PREP.num(item.missing) : "");
      }
    );
    PREP.text($("catd-embudo-nota"), row.sin_acta ? "incluye " + PREP.num(row.sin_acta) + " sin acta" : "");
  }

  /* « por ana hasta las 21:40: sin luz en la zona», of a silence. */
  function quieted(silence) {
    return silence ? " por " + silence.por + " hasta las " + PREP.hhmm(silence.hasta_ms) + ": " + silence.motivo : "";
  }
  const BEATS = { o: ["bien", "con enlace completo"], d: ["debil", "con enlace débil"], ".": ["no", "sin latido"], "-": ["nada", "sin dato"] };
  function signal(row) {
    const host = $("catd-senal");
    if (!host.firstChild) {
      page.strip = el("div", { class: "latidos", role: "img" });
      page.stripText = el("p", { class: "tenue" });
      page.facts = el("dl", { class: "op-fichas" });
      host.append(page.strip, page.stripText, page.facts);
    }
    const beats = row.latidos || "";
    if (page.strip.prepMark !== beats) {
      page.strip.prepMark = beats;
      page.strip.replaceChildren(...[...beats].map((beat) => el("span", { class: "latido " + (BEATS[beat] || BEATS["-"])[0] })));
      const count = (sign) => [...beats].filter((beat) => beat === sign).length;
      const parts = ["o", "d", "."].filter((sign) => count(sign)).map((sign) => count(sign) + " " + BEATS[sign][1]);
      const text = parts.length ? "Últimos " + beats.length + " min: " + parts.join(", ") : "Este CATD no ha mandado latidos";
      PREP.attr(page.strip, "aria-label", text);
      PREP.text(page.stripText, text);
    }
    const staff = row.personal
      ? Object.entries(row.personal).map(([role, n]) => n + " en " + (oper.PUESTOS[role] || role)).join(", ")
      : "sin dato";
    const then = (text) => (silent(row) ? "sin señal; a las " + PREP.hhmm(row.latido_ms) + ": " + text : text);
    const facts = [
      ["Último latido", row.latido_ms === null ? "sin dato" : PREP.hhmm(row.latido_ms) + " (hace " + PREP.ago(row.latido_ms) + ")"],
      ["Enlace", row.enlace === null ? "sin dato" : then(row.enlace + " % de su capacidad")],
      ["Por enviar", row.en_enlace === null ? "sin dato" : then(PREP.num(row.en_enlace) + (row.en_enlace === 1 ? " imagen" : " imágenes"))],
      ["Última acta", row.ultima_ms === null ? "ninguna todavía" : PREP.hhmm(row.ultima_ms) + " (hace " + PREP.ago(row.ultima_ms) + ")"],
      ["Personal", row.personal ? then(staff) : staff],
      ["Terminaría", finish(row, true)],
    ];
    PREP.each(
      page.facts,
      facts,
      (item) => item[0],
      (item) => el("div", {}, el("dt", { text: item[0] }), el("dd", {})),
      (node, item) => PREP.text(node.lastChild, item[1])
    );
  }

  function list(host, empty) {
    if (!host.firstChild) host.append(el("ul", { class: "lista" }), el("p", { class: "vacio", text: empty }));
    return host.firstChild;
  }
  function alerts(row, snapshot) {
    const host = $("catd-alertas");
    const ul = list(host, "Ninguna alerta");
    const own = snapshot.alertas.filter((alert) => alert.catds.includes(row.id));
    PREP.show(host.lastChild, own.length === 0);
    PREP.each(
      ul,
      own,
      (alert) => alert.id,
      (alert) => {
        const li = el("li", {});
        li.mark = PREP.marca("p" + alert.prioridad);
        li.heading = el("strong", {});
        li.detail = el("span", { class: "tenue" });
        li.buttons = el("div", { class: "botones" });
        li.append(li.mark, el("div", { class: "crece" }, li.heading, li.detail, li.buttons));
        return li;
      },
      (li, alert) => {
        PREP.setMarca(li.mark, alert.estado === "silenciada" ? "silenciado" : "p" + alert.prioridad);
        PREP.text(li.heading, alert.titulo);
        const who = alert.estado === "reconocida" ? " · la vio " + (alert.por || "alguien") : alert.estado === "silenciada" ? " · silenciada" + quieted(alert.silencio) : "";
        // The detail of a group names the others and the worst of them: here what matters is that they are many.
        const detail = alert.catds.length > 1 ? "toca " + alert.catds.length + " CATD" : alert.detalle;
        PREP.text(li.detail, " " + [detail, alert.desde_ms ? "desde " + PREP.hhmm(alert.desde_ms) : ""].filter(Boolean).join(" · ") + who);
        oper.botones(li.buttons, [alert.estado, alert.incidente, PREP.can("reconocer")].join(), () => [
          alert.estado === "activa" && PREP.can("reconocer") && oper.boton("Reconocer", () => oper.reconocer(alert), "chico"),
          !alert.incidente && PREP.can("incidente") && oper.boton("Abrir incidente", () => openFor(row.id, alert), "chico"),
          alert.incidente && el("a", { href: "/incidentes?incidente=" + encodeURIComponent(alert.incidente), text: "Ver su incidente" }),
          alert.estado !== "silenciada" && PREP.can("silenciar") && oper.boton("Silenciar", () => oper.silenciar(row.id, alert.regla), "chico"),
        ]);
      }
    );
  }
  function incidents(row, snapshot) {
    const host = $("catd-incidentes");
    const ul = list(host, "Ningún incidente de este CATD");
    const own = snapshot.incidentes.filter((one) => one.catds.includes(row.id) && one.estado !== "fusionado");
    PREP.show(host.lastChild, own.length === 0);
    PREP.each(
      ul,
      own,
      (one) => one.clave,
      (one) => {
        const li = el("li", {});
        li.state = oper.sello(oper.ESTADOS_INCIDENTE, one.estado);
        li.link = el("a", { href: "/incidentes?incidente=" + encodeURIComponent(one.clave) });
        li.detail = el("span", { class: "tenue" });
        li.append(li.state, el("div", { class: "crece" }, li.link, " ", li.detail));
        return li;
      },
      (li, one) => {
        oper.setSello(li.state, oper.ESTADOS_INCIDENTE, one.estado);
        PREP.text(li.link, one.titulo);
        PREP.text(li.detail, "desde " + PREP.hhmm(one.abierto_ms) + (one.asignado ? " · lo lleva " + one.asignado : ""));
      }
    );
  }
  function plan(row, snapshot) {
    const host = $("catd-plan");
    const active = snapshot.continuidad.activaciones.filter((one) => one.catds.includes(row.id) && ["propuesta", "activa"].includes(one.estado));
    const next = nextFor(row.id);
    if (!host.firstChild) {
      page.measures = el("ul", { class: "lista" });
      page.next = el("div", {});
      page.noplan = el("p", { class: "vacio", text: "Sin medidas en uso. El plan dice qué sigue cuando hay un incidente abierto." });
      host.append(page.measures, page.next, page.noplan);
    }
    PREP.show(page.noplan, !active.length && !next.length);
    PREP.each(
      page.measures,
      active,
      (one) => one.clave,
      (one) => {
        const li = el("li", {});
        li.state = oper.sello(oper.ESTADOS_MEDIDA, one.estado);
        li.detail = el("span", { class: "tenue" });
        li.append(li.state, el("div", { class: "crece" }, el("a", { href: "/continuidad?activacion=" + encodeURIComponent(one.clave), text: one.medida }), " ", li.detail));
        return li;
      },
      (li, one) => {
        oper.setSello(li.state, oper.ESTADOS_MEDIDA, one.estado);
        const done = one.pasos.filter((step) => step.ms).length;
        const steps = one.pasos.length ? " · " + done + " de " + one.pasos.length + " pasos" : "";
        const since = one.estado === "propuesta" ? "la propuso " + one.propuesta_por : one.activa_ms > snapshot.reloj.ahora_ms ? "funciona en " + PREP.dura(one.activa_ms - snapshot.reloj.ahora_ms) : "desde " + PREP.hhmm(one.activa_ms);
        PREP.text(li.detail, since + steps);
      }
    );
    const mark = JSON.stringify(next) + PREP.can("medida_proponer");
    if (page.next.prepMark === mark) return;
    page.next.prepMark = mark;
    page.next.replaceChildren();
    if (!next.length) return;
    oper.plan().then(
      (measures) => {
        const names = new Map(measures.map((one) => [one.clave, one]));
        for (const [, incident, keys] of next) {
          const title = (oper.incidente(incident) || { titulo: incident }).titulo;
          // The last incident is the one being worked on; what follows from the others is a click away.
          page.next.append(
            el("details", { open: !page.next.firstChild }, el("summary", { class: "sigue", text: "Sigue, por «" + title + "»" }),
            el(
              "ol",
              { class: "lista siguientes" },
              keys.map((key) => {
                const one = names.get(key) || { nombre: key, autoriza: "", efecto: "" };
                return el(
                  "li",
                  {},
                  el("div", { class: "crece" }, el("strong", { text: one.nombre }), el("span", { class: "tenue", text: " " + one.efecto })),
                  PREP.can("medida_proponer") ? oper.boton("Proponer", () => oper.proponer({ medida: key, catds: [row.id], incidente: incident }), "chico") : null
                );
              })
            ))
          );
        }
      },
      () => {
        page.next.prepMark = null;
      }
    );
  }

  // -- what comes from the server ------------------------------------------------------------

  function refreshDetail(row) {
    const mark = FUNNEL.map(([key]) => row[key]).join();
    const now = performance.now();
    if (PREP.historical) {
      PREP.text($("catd-faltan-nota"), "sólo se ve en vivo");
      return;
    }
    if (page.asking || page.detailMark === mark || (page.askedAt && now - page.askedAt < REFRESH_MS)) return;
    page.asking = true;
    page.askedAt = now;
    const mine = page;
    PREP.get("/api/catd/" + row.id + ".json").then(
      (detail) => {
        mine.asking = false;
        if (page !== mine) return;
        page.detailMark = mark;
        page.detail = detail;
        showDetail();
      },
      (error) => {
        mine.asking = false;
        if (page === mine) PREP.text($("catd-faltan-nota"), "no se pudo leer: " + PREP.message(error));
      }
    );
  }
  /** The name of a contest where it fits, its short code where it does not. */
  function contestName(id) {
    const found = page.detail.contiendas.find((one) => one[0] === id);
    return found && found[1].length <= 24 ? found[1] : id.replace("_", " ");
  }
  function showDetail() {
    const { detail } = page;
    const host = $("catd-faltan");
    if (!host.firstChild) {
      const select = el("select", { id: "falta-etapa", on: { change: () => { page.stage = select.value; showDetail(); } } });
      page.stageSelect = select;
      page.missing = el("div", { class: "tabla-alta" });
      host.append(el("div", { class: "filtros" }, el("div", { class: "filtro" }, el("label", { for: "falta-etapa", text: "Qué falta" }), select)), page.missing);
      page.stage = "";
    }
    fillSelect(
      page.stageSelect,
      [["", "Todo"], ...Object.entries(STAGES).map(([key, name]) => [key, name + " (" + detail.por_etapa[key] + " actas)"])],
      page.stage
    );
    const owing = detail.faltan.length;
    PREP.text(
      $("catd-faltan-nota"),
      owing ? PREP.num(owing) + " de " + PREP.num(detail.casillas) + " casillas con algo pendiente, a las " + PREP.hhmm(detail.ahora_ms) : "nada: las " + PREP.num(detail.casillas) + " casillas están completas"
    );
    const rows = detail.faltan.filter((one) => !page.stage || Object.values(one.actas).includes(page.stage));
    PREP.table(page.missing, {
      caption: "Casillas con algo pendiente: qué espera cada una de sus actas",
      columns: [
        { key: "nombre", title: "Casilla", value: (one) => (one.seccion || 0) * 1000, text: (one) => one.nombre },
        ...detail.contiendas.map(([id]) => ({
          key: "c-" + id,
          title: contestName(id),
          value: (one) => (id in one.actas ? STAGES[one.actas[id]] || "Completa" : ""),
          text: (one) => (id in one.actas ? STAGES[one.actas[id]] || "✓ Completa" : "—"),
          cls: (one) => (one.actas[id] ? "falta" : "tenue"),
        })),
        { key: "desde", title: "Espera desde", value: (one) => one.desde_ms, text: (one) => (one.desde_ms === null ? "" : PREP.hhmm(one.desde_ms)), cls: "num" },
        { key: "lista", title: "Lista nominal", desc: true, value: (one) => one.lista_nominal, text: (one) => PREP.num(one.lista_nominal), cls: "num opcional" },
      ],
      rows,
      key: "casilla",
      empty: owing ? "Ninguna casilla espera eso" : "No falta nada",
    });
    PREP.table($("catd-movimientos"), {
      caption: "Lo último de cada acta, lo más reciente arriba",
      columns: [
        { key: "hora", title: "Hora", value: (one) => one.registrado_ms, text: (one) => PREP.hhmmss(one.registrado_ms) },
        { key: "que", title: "Qué pasó", value: (one) => MOVES[one.clase] || one.clase, text: (one) => MOVES[one.clase] || one.clase },
        { key: "casilla", title: "Casilla", value: (one) => one.casilla, text: (one) => one.casilla },
        { key: "contienda", title: "Contienda", value: (one) => one.contienda, text: (one) => contestName(one.contienda) },
        {
          key: "nota",
          title: "Nota",
          text: (one) => (one.registrado_ms - one.ms > 5 * 60000 ? "ocurrió " + PREP.hhmm(one.ms) : ""),
          cls: "tenue opcional",
        },
      ],
      rows: detail.movimientos,
      key: "acta",
      empty: "Todavía no hay movimientos",
    });
  }

  function applyOne(snapshot) {
    const row = snapshot.catd.find((one) => one.id === page.id);
    PREP.show($("catd-uno"), Boolean(row));
    if (!row) {
      PREP.show($("catd-todos"), true);
      PREP.text($("catd-cuenta"), "No hay un CATD con ese número");
      return;
    }
    document.title = row.nombre + " · PREP";
    head(row, snapshot);
    funnel(row);
    signal(row);
    alerts(row, snapshot);
    incidents(row, snapshot);
    plan(row, snapshot);
    refreshDetail(row);
  }

  function apply(snapshot) {
    if (page.id !== idOfAddress()) {
      page.id = idOfAddress();
      PREP.show($("catd-todos"), page.id === null);
      PREP.show($("catd-uno"), page.id !== null);
      page.detail = page.detailMark = page.askedAt = null;
      if (page.id === null) enterGrid();
    }
    if (page.id === null) {
      document.title = PREP.windowTitle();
      applyGrid(snapshot);
    } else applyOne(snapshot);
  }
  window.addEventListener("sala:direccion", () => {
    if (!page || !PREP.snapshot || !/^\/catd(\/|$)/.test(location.pathname)) return;
    if (idOfAddress() === null) enterGrid();
    apply(PREP.snapshot);
  });
  PREP.register("catd", {
    enter(root) {
      page = { root, id: idOfAddress() };
      PREP.show($("catd-todos"), page.id === null);
      PREP.show($("catd-uno"), page.id !== null);
      if (page.id === null) enterGrid();
    },
    apply,
    leave() {
      page = null;
    },
  });
})();
