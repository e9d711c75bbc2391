/* /incidentes: the board by state, the table of all, and the story of the one that is open.
   Which buttons are offered follows the states of the engine and the permissions of the user; the server
   checks both again. Everything people wrote is shown as text. */
(function () {
  "use strict";
  const PREP = window.PREP;
  const el = PREP.el;
  const oper = PREP.oper;
  const BOARD = [
    ["abierto", "Abiertos", "Falta que alguien diga que los atiende"],
    ["atendido", "Atendidos", "Alguien trabaja en ellos"],
    ["contenido", "Contenidos", "Ya no empeoran"],
    ["resuelto", "Resueltos", "Falta decir la causa y cerrar"],
  ];
  const STEPS = [
    ["abierto_ms", "Abierto"],
    ["atendido_ms", "Atendido"],
    ["contenido_ms", "Contenido"],
    ["resuelto_ms", "Resuelto"],
    ["cerrado_ms", "Cerrado"],
  ];
  const MARKS = { estado: "●", nota: "✎", asignacion: "→", medida: "▶" };
  const FEW_MEASURES = 8;
  let page = null; // {root, chosen, back}
  const $ = (id) => document.getElementById(id);

  /** What a user may do with an incident: [text, function, class] by its state and his permissions. */
  function actions(one) {
    const working = ["abierto", "atendido", "contenido"].includes(one.estado);
    const may = PREP.can("incidente");
    const coordinates = PREP.can("incidente_coordinar");
    const found = [];
    const add = (when, text, fn, cls) => when && found.push([text, fn, cls || ""]);
    add(may && one.estado === "abierto", "Atender", () => attend(one), "principal");
    add(may && ["abierto", "atendido"].includes(one.estado), "Contenido", () => contain(one));
    add(may && working, "Resolver", () => resolve(one), one.estado === "abierto" ? "" : "principal");
    add(coordinates && one.estado === "resuelto", "Cerrar", () => close(one), "principal");
    add(coordinates && working, "Asignar", () => assign(one));
    add(PREP.can("medida_proponer") && working, "Proponer medida", () => propose(one));
    add(coordinates && BOARD.some((column) => column[0] === one.estado), "Fusionar", () => merge(one));
    add(coordinates && ["contenido", "resuelto", "cerrado"].includes(one.estado), "Reabrir", () => reopen(one), "peligro");
    return found;
  }
  const attend = (one) => oper.hecho(PREP.act("atender_incidente", { incidente: one.clave }), "Usted atiende el incidente");
  const contain = (one) =>
    oper.ask(
      {
        titulo: "Contener el incidente",
        texto: one.titulo,
        boton: "Está contenido",
        campos: [{ nombre: "texto", etiqueta: "Qué se hizo para que no empeore", tipo: "textarea", requerido: true }],
      },
      "contener_incidente",
      { incidente: one.clave },
      "Incidente contenido"
    );
  const resolve = (one) =>
    oper.ask(
      {
        titulo: "Resolver el incidente",
        texto: one.titulo,
        boton: "Está resuelto",
        campos: [{ nombre: "remedio", etiqueta: "Qué lo resolvió", tipo: "textarea", requerido: true }],
      },
      "resolver_incidente",
      { incidente: one.clave },
      "Incidente resuelto"
    );
  const close = (one) =>
    oper.ask(
      {
        titulo: "Cerrar el incidente",
        texto: one.titulo,
        boton: "Cerrar",
        campos: [{ nombre: "causa", etiqueta: "Causa, para el informe", tipo: "textarea", requerido: true, valor: one.causa }],
      },
      "cerrar_incidente",
      { incidente: one.clave },
      "Incidente cerrado"
    );
  const reopen = (one) =>
    oper.ask(
      {
        titulo: "Reabrir el incidente",
        texto: one.titulo,
        boton: "Reabrir",
        peligro: true,
        campos: [{ nombre: "motivo", etiqueta: "Por qué vuelve a abrirse", tipo: "textarea", requerido: true }],
      },
      "reabrir_incidente",
      { incidente: one.clave },
      "Incidente reabierto"
    );
  async function assign(one) {
    let people;
    try {
      people = await oper.personas();
    } catch (error) {
      PREP.toast(PREP.message(error), "error");
      return;
    }
    const options = people.map((person) => [person.usuario, person.nombre + " · " + person.rol]);
    oper.ask(
      {
        titulo: "Asignar el incidente",
        texto: one.titulo,
        boton: "Asignar",
        campos: [{ nombre: "a", etiqueta: "A quién", tipo: "select", opciones: options, valor: one.asignado || PREP.user.usuario }],
      },
      "asignar_incidente",
      { incidente: one.clave },
      "Incidente asignado"
    );
  }
  function merge(one) {
    const others = oper.abiertos(PREP.snapshot.incidentes).filter((other) => other.clave !== one.clave);
    if (!others.length) {
      PREP.toast("No hay otro incidente abierto con el cual fusionarlo", "aviso");
      return;
    }
    oper.ask(
      {
        titulo: "Fusionar en otro incidente",
        texto: "«" + one.titulo + "» deja de seguirse por separado; sus CATD pasan al otro. No se puede deshacer.",
        boton: "Fusionar",
        peligro: true,
        campos: [{ nombre: "en", etiqueta: "En cuál", tipo: "select", opciones: others.map((other) => [other.clave, other.titulo]) }],
      },
      "fusionar_incidente",
      { incidente: one.clave },
      "Incidentes fusionados"
    );
  }
  function propose(one) {
    const next = (PREP.snapshot.continuidad.siguientes || []).find((row) => row[1] === one.clave);
    oper.proponer({ incidente: one.clave, catds: one.catds, ...(next ? { medida: next[2][0] } : {}) });
  }

  // -- the list ----------------------------------------------------------------------------------

  function summary(snapshot) {
    const sum = snapshot.incidentes_resumen;
    const minutes = (n) => (n === null ? "—" : PREP.num(n, 1) + " min");
    const tiles = [
      ["abiertos", "Sin resolver", PREP.num(sum.abiertos), "abiertos, atendidos o contenidos"],
      ["mtta", "Tarda en responderse", minutes(sum.mtta_min), "media hasta atenderlo, contenerlo o ponerle una medida (MTTA)"],
      ["mttr", "Tarda en resolverse", minutes(sum.mttr_min), "media desde que se abre (MTTR)"],
    ];
    PREP.each(
      $("inc-resumen"),
      tiles,
      (tile) => tile[0],
      (tile) => el("div", { class: "tira" }, el("span", { class: "dato-etiqueta", text: tile[1] }), el("strong", { class: "dato" }), el("small", { class: "tenue", text: tile[3] })),
      (node, tile) => PREP.text(node.children[1], tile[2])
    );
    oper.botones($("inc-acciones"), String(PREP.can("incidente")), () => [
      PREP.can("incidente") && oper.boton("Abrir incidente", () => oper.abrirIncidente({}), "principal"),
    ]);
  }
  function card(one) {
    const button = el("button", { type: "button", class: "tarjeta", on: { click: () => choose(one.clave, button) } });
    button.heading = el("strong", {});
    button.where = el("span", { class: "tenue" });
    button.who = el("span", {});
    button.append(button.heading, button.where, button.who);
    return el("li", {}, button);
  }
  function paintCard(li, one, now) {
    const button = li.firstChild;
    PREP.text(button.heading, one.titulo);
    PREP.text(button.where, [oper.tipo(one.tipo), oper.catds(one.catds), "hace " + PREP.ago(one.abierto_ms, now)].join(" · "));
    const measures = one.medidas.length ? one.medidas.length + (one.medidas.length === 1 ? " medida" : " medidas") : "";
    PREP.text(button.who, [one.asignado ? "Lo lleva " + one.asignado : "Sin asignar", measures].filter(Boolean).join(" · "));
    PREP.attr(button, "aria-pressed", page.chosen === one.clave ? "true" : "false");
  }
  function board(snapshot) {
    const host = $("inc-tablero");
    const now = snapshot.reloj.ahora_ms;
    const columns = BOARD.map(([state, title, help]) => ({ state, title, help, rows: snapshot.incidentes.filter((one) => one.estado === state) }));
    PREP.each(
      host,
      columns,
      (column) => column.state,
      (column) => {
        const section = el("section", { class: "columna-estado panel c-" + column.state });
        section.heading = el("h3", { class: "panel-titulo" });
        section.list = el("ul", { class: "tarjetas" });
        section.none = el("p", { class: "vacio", text: "Ninguno" });
        section.append(section.heading, section.list, section.none);
        return section;
      },
      (section, column) => {
        const mark = String(column.rows.length);
        if (section.prepMark !== mark) {
          section.prepMark = mark;
          const [shape] = oper.ESTADOS_INCIDENTE[column.state];
          section.heading.replaceChildren(el("span", { "aria-hidden": "true", text: shape }), column.title + " (" + mark + ")", el("small", { text: column.help }));
        }
        PREP.each(section.list, column.rows, (one) => one.clave, card, (li, one) => paintCard(li, one, now));
        PREP.show(section.none, column.rows.length === 0);
      }
    );
  }
  const ORDER = Object.keys(oper.ESTADOS_INCIDENTE);
  const COLUMNS = [
    { key: "estado", title: "Estado", value: (one) => ORDER.indexOf(one.estado), text: (one) => one.estado, node: (one) => oper.sello(oper.ESTADOS_INCIDENTE, one.estado) },
    {
      key: "titulo",
      title: "Incidente",
      value: (one) => one.titulo,
      text: (one) => one.titulo,
      node: (one) => el("button", { type: "button", class: "enlace", text: one.titulo, on: { click: (event) => choose(one.clave, event.target) } }),
    },
    { key: "tipo", title: "De qué es", value: (one) => oper.tipo(one.tipo), text: (one) => oper.tipo(one.tipo), cls: "opcional" },
    { key: "catds", title: "Dónde", value: (one) => one.catds.length, text: (one) => oper.catds(one.catds) },
    { key: "asignado", title: "Lo lleva", value: (one) => one.asignado, text: (one) => one.asignado || "—" },
    { key: "abierto", title: "Abierto", value: (one) => one.abierto_ms, text: (one) => PREP.hhmm(one.abierto_ms), cls: "num" },
    { key: "atencion", title: "Se respondió en", value: (one) => (one.respondido_ms ? one.respondido_ms - one.abierto_ms : null), text: (one) => (one.respondido_ms ? PREP.dura(one.respondido_ms - one.abierto_ms) : "—"), cls: "num opcional" },
    { key: "solucion", title: "Se resolvió en", value: (one) => (one.resuelto_ms ? one.resuelto_ms - one.abierto_ms : null), text: (one) => (one.resuelto_ms ? PREP.dura(one.resuelto_ms - one.abierto_ms) : "—"), cls: "num" },
    { key: "causa", title: "Causa", value: (one) => one.causa, text: (one) => one.causa || "—", cls: "opcional" },
  ];

  // -- the story of one ------------------------------------------------------------------------

  function choose(key, from) {
    page.chosen = key;
    page.back = from || null;
    oper.remember({ incidente: key });
    if (PREP.snapshot) {
      page.focus = true;
      apply(PREP.snapshot);
    }
  }
  function leaveDetail() {
    const from = page.back;
    page.chosen = null;
    oper.remember({ incidente: null });
    apply(PREP.snapshot);
    if (from && from.isConnected) from.focus();
  }
  function buildDetail(host) {
    const d = (page.d = {});
    d.title = el("h2", { tabindex: -1 });
    d.state = el("span", {});
    d.buttons = el("div", { class: "botones" });
    d.facts = el("dl", { class: "op-fichas" });
    d.steps = el("ol", { class: "pasos-estado" });
    d.places = el("details", {});
    d.measures = el("ul", { class: "lista" });
    d.measuresTitle = el("h3", { text: "Medidas aplicadas" });
    d.story = el("ol", { class: "historia-incidente" });
    const text = el("textarea", { id: "inc-nota", rows: 2, maxlength: 500, required: true });
    d.form = el(
      "form",
      {
        class: "nota-nueva accion",
        on: {
          submit: (event) => {
            event.preventDefault();
            const value = text.value.trim();
            if (!value) return;
            oper.hecho(PREP.act("anotar_incidente", { incidente: page.chosen, texto: value }), "Nota guardada").then((data) => {
              if (data) text.value = "";
            });
          },
        },
      },
      el("label", { for: "inc-nota", text: "Nota para la bitácora del incidente" }),
      text,
      el("button", { type: "submit", class: "boton", text: "Guardar nota" })
    );
    const panel = el(
      "section",
      { class: "panel detalle", "aria-label": "Detalle del incidente" },
      el("div", { class: "detalle-cabeza" }, d.state, el("button", { type: "button", class: "boton chico", text: "Cerrar detalle", on: { click: leaveDetail } })),
      d.title,
      d.buttons,
      d.steps,
      d.facts,
      d.places,
      d.measuresTitle,
      d.measures,
      el("h3", { text: "Qué ha pasado" }),
      d.form,
      d.story
    );
    panel.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !event.target.closest("dialog")) leaveDetail();
    });
    host.replaceChildren(panel);
  }
  function detail(snapshot) {
    const host = $("inc-detalle");
    const one = page.chosen ? snapshot.incidentes.find((item) => item.clave === page.chosen) : null;
    PREP.show(host, Boolean(one));
    PREP.cls($("inc-cuerpo"), one ? "con-detalle" : "");
    if (!one) {
      if (page.chosen && !page.told) {
        page.told = true;
        PREP.toast("Ese incidente no está entre los abiertos ni los últimos cerrados; búsquelo en la bitácora", "aviso");
      }
      return;
    }
    if (!host.firstChild) buildDetail(host);
    const d = page.d;
    const now = snapshot.reloj.ahora_ms;
    PREP.text(d.title, one.titulo);
    oper.setSello(d.state, oper.ESTADOS_INCIDENTE, one.estado);
    const offered = actions(one);
    oper.botones(d.buttons, one.clave + offered.map((item) => item[0]).join(), () =>
      offered.map(([text, fn, cls]) => oper.boton(text, () => fn(), cls))
    );
    // The functions above keep the incident they were made with: its key is all they need to act.
    PREP.each(
      d.steps,
      STEPS.map(([key, name]) => ({ key, name, ms: one[key] })),
      (step) => step.key,
      (step) => el("li", {}, el("span", { class: "paso-nombre", text: step.name }), el("strong", {})),
      (li, step) => {
        PREP.cls(li, step.ms ? "hecho" : "");
        PREP.text(li.children[1], step.ms ? PREP.hhmm(step.ms) + (step.key === "abierto_ms" ? "" : " (" + PREP.dura(step.ms - one.abierto_ms) + ")") : "—");
      }
    );
    const merged = one.fusionado_en ? oper.incidente(one.fusionado_en) : null;
    const facts = [
      ["De qué es", oper.tipo(one.tipo)],
      ["Abierto por", one.abierto_por + ", hace " + PREP.ago(one.abierto_ms, now)],
      ["Lo lleva", one.asignado || "nadie todavía"],
      ["Causa", one.causa || "no se sabe todavía"],
      ["Qué lo resolvió", one.remedio],
      ["Alerta", one.alerta],
      ["Fusionado en", one.fusionado_en ? (merged ? merged.titulo : one.fusionado_en) : ""],
    ].filter((fact) => fact[1]);
    PREP.each(
      d.facts,
      facts,
      (fact) => fact[0],
      (fact) => el("div", {}, el("dt", { text: fact[0] }), el("dd", {})),
      (node, fact) => PREP.text(node.lastChild, fact[1])
    );
    const places = one.catds.join();
    if (d.places.prepMark !== one.clave + places) {
      d.places.prepMark = one.clave + places;
      d.places.replaceChildren(
        el("summary", { text: one.catds.length ? "Toca " + one.catds.length + " CATD" : "Es de toda la operación" }),
        el("ul", { class: "fichitas" }, one.catds.map((id) => el("li", {}, el("a", { href: "/catd/" + id, text: PREP.catdName(id) }))))
      );
      d.places.open = one.catds.length > 0 && one.catds.length <= 6;
    }
    const measures = grouped(one);
    PREP.show(d.measuresTitle, measures.length > 0);
    PREP.each(
      d.measures,
      measures,
      (group) => group.key,
      () => el("li", {}, el("div", { class: "crece" }, el("strong", {}), el("span", { class: "tenue" }))),
      (li, group) => {
        const [name, rest] = li.firstChild.children;
        PREP.text(name, group.medida + (group.times > 1 ? " (" + group.times + " veces)" : ""));
        const since = group.first === group.last ? "desde " + PREP.hhmm(group.first) : "de " + PREP.hhmm(group.first) + " a " + PREP.hhmm(group.last);
        PREP.text(rest, " " + [oper.catds(group.catds), since, "autorizó " + group.autorizo, group.efecto].filter(Boolean).join(" · "));
      }
    );
    PREP.show(d.form, PREP.can("incidente") && !["cerrado", "fusionado"].includes(one.estado));
    const notes = story(one);
    PREP.each(
      d.story,
      notes,
      (note) => note.id,
      (note) => {
        return el(
          "li",
          { class: "n-" + note.clase },
          el("span", { class: "nota-marca", "aria-hidden": "true", text: MARKS[note.clase] || "●" }),
          el("div", {}, el("span", { class: "tenue", text: PREP.hhmm(note.ms) + " · " + note.quien }), el("p", { class: "nota-texto", text: note.texto }))
        );
      }
    );
    if (page.focus) {
      page.focus = false;
      d.title.focus({ preventScroll: window.innerWidth > 1100 });
    }
  }

  /** What happened, the last first. Many measures are already told together above: one line stands for them. */
  function story(one) {
    const many = one.medidas.length > FEW_MEASURES;
    const last = one.medidas[one.medidas.length - 1];
    const measures = many
      ? [{ ms: last.ms, quien: last.autorizo, clase: "medida", texto: "La última de " + one.medidas.length + " medidas: " + last.medida + " (las demás, arriba)" }]
      : one.medidas.map((measure) => ({ ms: measure.ms, quien: measure.autorizo, clase: "medida", texto: "Autorizó la medida " + measure.medida + ": " + oper.catds(measure.catds) }));
    return [...one.notas, ...measures]
      .map((note, index) => ({ ...note, id: [one.clave, note.ms, note.clase, index < one.notas.length ? index : "m" + note.texto].join("·"), index }))
      .sort((a, b) => b.ms - a.ms || b.index - a.index);
  }
  /** The same measure at many CATDs is told once, with how many and from when to when. */
  function grouped(one) {
    const groups = new Map();
    for (const measure of one.medidas) {
      const key = [one.clave, measure.medida, measure.autorizo, measure.efecto].join("|");
      const group = groups.get(key) || { ...measure, key, times: 0, catds: [], first: measure.activa_ms, last: measure.activa_ms };
      group.times += 1;
      group.catds = [...new Set([...group.catds, ...measure.catds])];
      group.first = Math.min(group.first, measure.activa_ms);
      group.last = Math.max(group.last, measure.activa_ms);
      groups.set(key, group);
    }
    return [...groups.values()];
  }

  function apply(snapshot) {
    summary(snapshot);
    board(snapshot);
    PREP.table($("inc-tabla"), {
      caption: "Todos los que no han terminado y los últimos que terminaron",
      columns: COLUMNS,
      rows: snapshot.incidentes,
      key: "clave",
      sort: { key: "estado", desc: false },
      empty: "No ha habido incidentes",
    });
    detail(snapshot);
  }
  // The address changed and the page did not: a link to another incident, or the browser's way back.
  window.addEventListener("sala:direccion", () => {
    if (!page || !PREP.snapshot || location.pathname !== "/incidentes" || page.chosen === PREP.param("incidente")) return;
    page.chosen = PREP.param("incidente");
    page.focus = Boolean(page.chosen);
    apply(PREP.snapshot);
  });
  PREP.register("incidentes", {
    enter(root) {
      page = { root, chosen: PREP.param("incidente"), focus: false };
    },
    apply,
    leave() {
      page = null;
    },
  });
})();
