/* /continuidad: the plan in use. What waits for a second person, what is active with its timer and its
   checklist, what comes next at each CATD, and which distritos have the plan on, as in an exercise.
   Who proposed sees that it waits for somebody else; the engine refuses it anyway. */
(function () {
  "use strict";
  const PREP = window.PREP;
  const el = PREP.el;
  const oper = PREP.oper;
  const NEXT_ROWS = 200;
  let page = null; // {root, plan, distrito, focusOn}
  const $ = (id) => document.getElementById(id);

  const inDistrict = (catds) => page.distrito === "" || catds.some((id) => String((PREP.catd(id) || {}).distrito) === page.distrito);
  const mine = (one) => PREP.user && one.propuesta_por === PREP.user.usuario;

  // -- distritos ---------------------------------------------------------------------------------

  function districts(snapshot) {
    const total = new Map();
    for (const row of snapshot.catd) if (row.distrito !== null) total.set(row.distrito, (total.get(row.distrito) || 0) + 1);
    const working = new Map();
    const exercise = new Set();
    const now = snapshot.reloj.ahora_ms;
    const kinds = new Map(snapshot.incidentes.map((one) => [one.clave, one.tipo]));
    const seen = new Set();
    for (const one of snapshot.continuidad.activaciones) {
      if (one.estado !== "activa" || one.activa_ms > now) continue;
      for (const id of one.catds) {
        const row = PREP.catd(id);
        if (!row || row.distrito === null) continue;
        if (kinds.get(one.incidente) === "ejercicio") exercise.add(row.distrito);
        if (seen.has(id)) continue;
        seen.add(id);
        working.set(row.distrito, (working.get(row.distrito) || 0) + 1);
      }
    }
    const active = new Set(snapshot.continuidad.distritos_activos);
    const rows = [...total.keys()]
      .sort((a, b) => a - b)
      .map((id) => ({ id, total: total.get(id), working: working.get(id) || 0, active: active.has(id), exercise: exercise.has(id) }));
    const host = $("con-distritos");
    if (!host.firstChild) host.append(el("ul", { class: "distritos-plan" }));
    PREP.each(
      host.firstChild,
      rows,
      (row) => row.id,
      (row) => {
        const button = el("button", {
          type: "button",
          on: {
            click: () => {
              page.distrito = page.distrito === String(row.id) ? "" : String(row.id);
              oper.remember({ distrito: page.distrito });
              apply(PREP.snapshot);
            },
          },
        });
        button.numberNode = el("strong", { text: "D" + row.id });
        button.nameNode = el("span", { class: "tenue", text: oper.distritoCorto(row.id).replace(/^D\d+ ?/, "") });
        button.countNode = el("span", {});
        button.append(button.numberNode, button.nameNode, button.countNode);
        return el("li", {}, button);
      },
      (li, row) => {
        const button = li.firstChild;
        PREP.cls(button, "distrito-plan" + (row.active ? " activo" : row.working ? " parcial" : ""));
        PREP.attr(button, "aria-pressed", page.distrito === String(row.id) ? "true" : "false");
        const state = row.active ? (row.exercise ? "▶ ejercicio" : "▶ plan activo") : row.working ? "◔ en parte" : "sin medidas";
        PREP.text(button.countNode, state + (row.working ? " · " + row.working + " de " + row.total + " CATD" : ""));
      }
    );
    const list = rows.filter((row) => row.active).map((row) => row.id);
    const drill = rows.filter((row) => row.exercise).map((row) => row.id);
    const rest = list.filter((id) => !drill.includes(id));
    const words = [
      drill.length ? "ejercicio en " + drill.join(", ") : "",
      rest.length ? "plan activo (con medidas en la mitad de sus CATD o más) en " + rest.join(", ") : "",
    ];
    PREP.text($("con-distritos-nota"), words.filter(Boolean).join(" · ") || "en ninguno");
  }

  // -- activations ---------------------------------------------------------------------------------

  function incidentLink(one) {
    if (!one.incidente) return el("span", { class: "tenue", text: "Sin incidente (ejercicio o prevención)" });
    const incident = oper.incidente(one.incidente);
    return el("a", { href: "/incidentes?incidente=" + encodeURIComponent(one.incidente), text: "Por «" + (incident ? incident.titulo : one.incidente) + "»" });
  }
  function places(one) {
    if (one.catds.length <= 3) return el("p", {}, one.catds.length ? one.catds.map((id, index) => [index ? ", " : "", el("a", { href: "/catd/" + id, text: PREP.catdName(id) })]) : "Toda la operación");
    return el(
      "details",
      {},
      el("summary", { text: oper.catds(one.catds) }),
      el("ul", { class: "fichitas" }, one.catds.map((id) => el("li", {}, el("a", { href: "/catd/" + id, text: PREP.catdName(id) }))))
    );
  }
  function shell(one) {
    const li = el("li", { class: "medida m-" + one.estado });
    li.head = el("h3", { text: one.medida });
    li.state = oper.sello(oper.ESTADOS_MEDIDA, one.estado);
    li.when = el("p", { class: "medida-reloj" });
    li.people = el("p", { class: "tenue" });
    li.buttons = el("div", { class: "botones" });
    li.append(el("div", { class: "medida-cabeza" }, li.head, li.state), li.when, places(one), one.efecto ? el("p", { text: "Efecto: " + one.efecto }) : null, el("p", {}, incidentLink(one)), li.people);
    return li;
  }
  function proposals(snapshot) {
    const host = $("con-propuestas");
    const rows = snapshot.continuidad.activaciones.filter((one) => one.estado === "propuesta" && inDistrict(one.catds));
    ready(host, rows.length, "Ninguna medida espera a otra persona");
    PREP.text($("con-propuestas-nota"), rows.length ? String(rows.length) : "");
    PREP.each(
      host.firstChild,
      rows,
      (one) => one.clave,
      (one) => {
        const li = shell(one);
        li.waits = el("p", { class: "espera", role: "status" });
        li.append(li.waits, steps(one, false), li.buttons);
        return li;
      },
      (li, one) => {
        PREP.text(li.when, "Propuesta hace " + PREP.ago(one.propuesta_ms, snapshot.reloj.ahora_ms));
        PREP.text(li.people, "La propuso " + one.propuesta_por + " a las " + PREP.hhmm(one.propuesta_ms));
        const own = mine(one);
        PREP.text(li.waits, own ? "Usted la propuso: espera a otra persona" : "");
        PREP.show(li.waits, own);
        oper.botones(li.buttons, [own, PREP.can("medida_autorizar"), PREP.can("medida_proponer")].join(), () => [
          PREP.can("medida_autorizar") && !own && oper.boton("Autorizar", () => authorise(one), "principal"),
          PREP.can("medida_proponer") && oper.boton("Descartar", () => dismiss(one)),
        ]);
      }
    );
  }
  async function authorise(one) {
    const plan = await oper.plan().catch(() => []);
    const measure = plan.find((item) => item.nombre === one.medida);
    const minutes = measure ? measure.activacion_min : 0;
    const values = await PREP.dialog({
      titulo: "Autorizar «" + one.medida + "»",
      texto:
        "En " + oper.catds(one.catds) + ". La propuso " + one.propuesta_por + ". " +
        (minutes ? "Funcionará " + minutes + " minutos después de autorizarla. " : "Funcionará en cuanto la autorice. ") +
        (measure && measure.en_simulacro ? measure.en_simulacro : ""),
      boton: "Autorizo",
      campos: [],
    });
    if (!values) return;
    const data = await oper.hecho(PREP.act("autorizar_medida", { activacion: one.clave }), "Medida autorizada");
    if (data && data.efecto_simulado && data.efecto_simulado.texto) PREP.toast(data.efecto_simulado.texto, "aviso");
  }
  const dismiss = (one) =>
    oper.ask(
      { titulo: "Descartar la propuesta", texto: one.medida, boton: "Descartar", campos: [{ nombre: "motivo", etiqueta: "Motivo", tipo: "text", requerido: true }] },
      "descartar_medida",
      { activacion: one.clave },
      "Propuesta descartada"
    );
  const end = (one) =>
    oper.ask(
      { titulo: "Terminar «" + one.medida + "»", texto: oper.catds(one.catds), boton: "Terminar", campos: [{ nombre: "motivo", etiqueta: "Por qué ya no hace falta", tipo: "text", requerido: true }] },
      "terminar_medida",
      { activacion: one.clave },
      "Medida terminada"
    );
  const check = (one, index) =>
    oper.ask(
      { titulo: "Marcar el paso " + (index + 1), texto: one.pasos[index].texto, boton: "Está hecho", campos: [{ nombre: "nota", etiqueta: "Nota (folio, hora, persona…)", tipo: "text" }] },
      "marcar_paso",
      { activacion: one.clave, paso: index },
      "Paso marcado"
    );

  /** The checklist: what is done says who and when; what is not can be marked once the measure is active. */
  function steps(one, live) {
    if (!one.pasos.length) return live ? el("p", { class: "tenue", text: "La registró la operación, sin lista de pasos." }) : null;
    if (!live)
      return el("details", {}, el("summary", { text: one.pasos.length + " pasos" }), el("ol", { class: "numerada" }, one.pasos.map((step) => el("li", { text: step.texto }))));
    return el("ol", { class: "lista-pasos" });
  }
  function paintSteps(host, one) {
    const may = PREP.can("medida_proponer");
    PREP.each(
      host,
      one.pasos.map((step, index) => ({ ...step, index })),
      (step) => step.index,
      (step) => {
        const li = el("li", {});
        li.box = el("span", { class: "casilla-paso", "aria-hidden": "true" });
        li.label = el("span", { class: "paso-texto", text: step.texto });
        li.done = el("span", { class: "tenue" });
        li.buttons = el("span", {});
        li.append(li.box, el("div", { class: "crece" }, li.label, li.done), li.buttons);
        return li;
      },
      (li, step) => {
        PREP.cls(li, step.ms ? "hecho" : "");
        PREP.text(li.box, step.ms ? "✓" : "");
        PREP.text(li.done, step.ms ? " " + step.por + ", " + PREP.hhmm(step.ms) + (step.nota ? ": " + step.nota : "") : "");
        oper.botones(li.buttons, [Boolean(step.ms), may].join(), () => [
          !step.ms && may && el("button", { type: "button", class: "boton chico accion", "aria-label": "Marcar como hecho: " + step.texto, text: "Hecho", on: { click: () => check(one, step.index) } }),
        ]);
      }
    );
  }
  function active(snapshot) {
    const host = $("con-activas");
    const now = snapshot.reloj.ahora_ms;
    const all = snapshot.continuidad.activaciones.filter((one) => one.estado === "activa" && inDistrict(one.catds));
    // Those with a checklist have somebody who must follow them; those the operation recorded come after, together.
    const followed = all.filter((one) => one.pasos.length);
    const recorded = all.filter((one) => !one.pasos.length);
    ready(host, all.length, "Ninguna medida activa");
    PREP.text($("con-activas-nota"), all.length ? String(all.length) : "");
    PREP.each(
      host.firstChild,
      followed,
      (one) => one.clave,
      (one) => {
        const li = shell(one);
        li.id = "activacion-" + one.clave;
        li.progress = el("p", { class: "tenue" });
        li.steps = steps(one, true);
        li.append(li.progress, li.steps, li.buttons);
        return li;
      },
      (li, one) => {
        timer(li.when, one, now);
        PREP.text(li.people, "La propuso " + one.propuesta_por + " (" + PREP.hhmm(one.propuesta_ms) + ") y la autorizó " + one.autorizada_por + " (" + PREP.hhmm(one.autorizada_ms) + ")");
        const done = one.pasos.filter((step) => step.ms).length;
        PREP.text(li.progress, done + " de " + one.pasos.length + " pasos hechos");
        paintSteps(li.steps, one);
        oper.botones(li.buttons, String(PREP.can("medida_autorizar")), () => [PREP.can("medida_autorizar") && oper.boton("Terminar la medida", () => end(one))]);
      }
    );
    const table = host.querySelector(".registradas");
    PREP.show(table, recorded.length > 0);
    if (recorded.length)
      PREP.table(table, {
        caption: "Registradas por la operación, sin lista de pasos",
        columns: [
          { key: "medida", title: "Medida", value: (one) => one.medida, text: (one) => one.medida },
          { key: "catds", title: "Dónde", value: (one) => one.catds.length, text: (one) => oper.catds(one.catds) },
          { key: "autorizo", title: "Autorizó", value: (one) => one.autorizada_por, text: (one) => one.autorizada_por, cls: "opcional secundaria" },
          { key: "desde", title: "Desde", desc: true, value: (one) => one.activa_ms, text: (one) => PREP.hhmm(one.activa_ms) + (one.activa_ms > now ? " (en " + PREP.dura(one.activa_ms - now) + ")" : ""), cls: "num" },
          { key: "efecto", title: "Efecto", value: (one) => one.efecto, text: (one) => one.efecto, cls: "opcional" },
        ],
        rows: recorded,
        key: "clave",
        sort: { key: "desde", desc: true },
      });
  }
  function timer(node, one, now) {
    const wait = one.activa_ms - now;
    PREP.cls(node, "medida-reloj" + (wait > 0 ? " falta" : ""));
    PREP.text(node, wait > 0 ? "Funciona en " + PREP.cuenta(wait) + " (a las " + PREP.hhmm(one.activa_ms) + ")" : "Funciona desde las " + PREP.hhmm(one.activa_ms) + " · " + PREP.dura(-wait));
  }
  function ready(host, count, empty) {
    if (!host.firstChild) host.append(el("ul", { class: "medidas" }), el("div", { class: "registradas", hidden: true }), el("p", { class: "vacio", text: empty }));
    PREP.show(host.lastChild, count === 0);
  }

  // -- what comes next, the plan, what ended --------------------------------------------------

  function next(snapshot) {
    const names = new Map((page.plan || []).map((one) => [one.clave, one.nombre]));
    const rows = (snapshot.continuidad.siguientes || [])
      .filter((row) => inDistrict([row[0]]))
      .map(([catd, incident, keys]) => ({ id: catd + "·" + incident, catd, incident, keys, row: PREP.catd(catd) }));
    PREP.text($("con-siguientes-nota"), rows.length ? PREP.num(rows.length) + " con incidente sin resolver" : "");
    const active = new Map(snapshot.continuidad.activaciones.filter((one) => ["propuesta", "activa"].includes(one.estado)).map((one) => [one.clave, one]));
    const used = (one) => ((one.row && one.row.medidas) || []).map((key) => (active.get(key) || {}).medida).filter(Boolean);
    const urgency = { p1: 0, p2: 1, p3: 2 };
    PREP.table($("con-siguientes"), {
      caption: rows.length > NEXT_ROWS ? "Los " + NEXT_ROWS + " primeros; filtre por distrito para ver los demás" : "Por cada CATD con un incidente sin resolver, la medida que sigue en el plan",
      columns: [
        {
          key: "catd",
          title: "CATD",
          value: (one) => (urgency[(one.row || {}).estado] ?? 3) * 10000 + one.catd,
          text: (one) => PREP.catdName(one.catd) + "|" + (one.row || {}).estado,
          node: (one) => el("span", { class: "estado-catd" }, PREP.marca((one.row || {}).estado || "normal"), el("a", { href: "/catd/" + one.catd, text: PREP.catdName(one.catd) })),
        },
        { key: "incidente", title: "Por", value: (one) => one.incident, text: (one) => (oper.incidente(one.incident) || { titulo: one.incident }).titulo, cls: "opcional secundaria" },
        { key: "en", title: "En uso", value: (one) => used(one).join(", "), text: (one) => used(one).join(", ") || "nada" },
        {
          key: "sigue",
          title: "Sigue",
          value: (one) => names.get(one.keys[0]) || one.keys[0],
          text: (one) => one.keys.join() + names.size + PREP.can("medida_proponer"),
          node: (one) => [
            el("span", { text: names.get(one.keys[0]) || one.keys[0] }),
            " ",
            PREP.can("medida_proponer") ? el("button", { type: "button", class: "boton chico accion", text: "Proponer", "aria-label": "Proponer " + (names.get(one.keys[0]) || "") + " en " + PREP.catdName(one.catd), on: { click: () => oper.proponer({ medida: one.keys[0], catds: [one.catd], incidente: one.incident }) } }) : null,
          ],
        },
      ],
      rows: rows.slice(0, NEXT_ROWS),
      key: "id",
      sort: { key: "catd", desc: false },
      empty: "Ningún CATD tiene un incidente sin resolver",
    });
  }
  function planList() {
    const host = $("con-plan");
    if (!page.plan || host.firstChild) return;
    PREP.text($("con-plan-nota"), page.plan.length ? page.plan.length + " medidas; se cambian en la configuración de la sala" : "");
    if (!page.plan.length) {
      host.append(el("p", { class: "vacio", text: "La configuración no trae medidas" }));
      return;
    }
    host.append(
      el(
        "ol",
        { class: "plan-medidas" },
        page.plan.map((one) =>
          el(
            "li",
            {},
            el(
              "details",
              {},
              el("summary", {}, el("strong", { text: one.nombre }), el("span", { class: "tenue", text: " " + one.cuando.map(oper.tipo).join(", ").toLowerCase() })),
              el(
                "dl",
                { class: "op-fichas" },
                [
                  ["Efecto", one.efecto],
                  ["La autoriza", one.autoriza],
                  ["Tarda en funcionar", one.activacion_min ? one.activacion_min + " min" : "nada"],
                  ["Dónde procede", one.catds.length || one.distritos.length ? [one.distritos.length ? "distritos " + one.distritos.join(", ") : "", one.catds.length ? one.catds.length + " CATD" : ""].filter(Boolean).join(" y ") : "en todos los CATD"],
                  ["En el simulacro", one.en_simulacro],
                ]
                  .filter((fact) => fact[1])
                  .map(([name, text]) => el("div", {}, el("dt", { text: name }), el("dd", { text })))
              ),
              el("ol", { class: "numerada" }, one.pasos.map((text) => el("li", { text })))
            )
          )
        )
      )
    );
  }
  function ended(snapshot) {
    const rows = snapshot.continuidad.activaciones.filter((one) => ["terminada", "descartada"].includes(one.estado) && inDistrict(one.catds));
    PREP.table($("con-terminadas"), {
      caption: "Las últimas que terminaron o se descartaron",
      columns: [
        { key: "medida", title: "Medida", value: (one) => one.medida, text: (one) => one.medida },
        { key: "estado", title: "Estado", value: (one) => one.estado, text: (one) => one.estado, node: (one) => oper.sello(oper.ESTADOS_MEDIDA, one.estado) },
        { key: "catds", title: "Dónde", value: (one) => one.catds.length, text: (one) => oper.catds(one.catds) },
        { key: "autorizo", title: "Autorizó", value: (one) => one.autorizada_por, text: (one) => one.autorizada_por || "—", cls: "opcional" },
        { key: "activa", title: "Activa", value: (one) => one.activa_ms, text: (one) => PREP.hhmm(one.activa_ms), cls: "num" },
        { key: "fin", title: "Fin", desc: true, value: (one) => one.terminada_ms, text: (one) => PREP.hhmm(one.terminada_ms), cls: "num" },
        { key: "motivo", title: "Motivo", value: (one) => one.motivo, text: (one) => one.motivo || "—", cls: "opcional" },
      ],
      rows,
      key: "clave",
      sort: { key: "fin", desc: true },
      empty: "Ninguna todavía",
    });
  }

  function head(snapshot) {
    const all = snapshot.continuidad.activaciones;
    const count = (state) => all.filter((one) => one.estado === state).length;
    const waiting = count("propuesta");
    const on = count("activa");
    PREP.text(
      $("con-resumen"),
      (waiting ? waiting + (waiting === 1 ? " medida espera" : " medidas esperan") + " a otra persona · " : "") +
        (on ? on + (on === 1 ? " medida activa" : " medidas activas") : "ninguna medida activa")
    );
    const host = $("con-filtro");
    if (!host.firstChild) {
      const select = el("select", {
        id: "con-distrito",
        on: {
          change: () => {
            page.distrito = select.value;
            oper.remember({ distrito: page.distrito });
            apply(PREP.snapshot);
          },
        },
      });
      host.append(el("div", { class: "filtro" }, el("label", { for: "con-distrito", text: "Distrito" }), select));
      const ids = [...new Set(snapshot.catd.map((row) => row.distrito).filter((id) => id !== null))].sort((a, b) => a - b);
      select.append(el("option", { value: "", text: "Todos" }), ...ids.map((id) => el("option", { value: id, text: oper.distritoCorto(id) })));
    }
    const select = $("con-distrito");
    if (select.value !== page.distrito) select.value = page.distrito;
    oper.botones($("con-acciones"), String(PREP.can("medida_proponer")), () => [
      PREP.can("medida_proponer") && oper.boton("Proponer medida", () => oper.proponer({}), "principal"),
    ]);
  }
  function apply(snapshot) {
    head(snapshot);
    districts(snapshot);
    proposals(snapshot);
    active(snapshot);
    next(snapshot);
    planList();
    ended(snapshot);
    if (page.focusOn) {
      const node = document.getElementById("activacion-" + page.focusOn);
      page.focusOn = null;
      if (node) node.scrollIntoView({ block: "center" });
    }
  }
  window.addEventListener("sala:direccion", () => {
    if (!page || !PREP.snapshot || location.pathname !== "/continuidad") return;
    page.distrito = PREP.param("distrito") || "";
    page.focusOn = PREP.param("activacion");
    apply(PREP.snapshot);
  });
  PREP.register("continuidad", {
    enter(root) {
      page = { root, plan: null, distrito: PREP.param("distrito") || "", focusOn: PREP.param("activacion") };
      const own = page;
      oper.plan().then(
        (plan) => {
          own.plan = plan;
          if (page === own && PREP.snapshot) apply(PREP.snapshot);
        },
        () => {}
      );
    },
    apply,
    leave() {
      page = null;
    },
  });
})();
