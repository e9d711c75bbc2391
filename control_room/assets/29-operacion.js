/* What the pages of the CATDs, the incidents and the continuity plan share: their words and their dialogs.
   Every dialog ends in an action of the server, which decides. It draws no page. Everything hangs from
   PREP.oper. */
(function () {
  "use strict";
  const PREP = window.PREP;
  const el = PREP.el;
  const oper = (PREP.oper = PREP.oper || {});

  oper.ESTADOS_INCIDENTE = {
    abierto: ["▲", "Abierto"],
    atendido: ["◐", "Atendido"],
    contenido: ["◕", "Contenido"],
    resuelto: ["✓", "Resuelto"],
    cerrado: ["■", "Cerrado"],
    fusionado: ["⇢", "Fusionado"],
  };
  oper.ESTADOS_MEDIDA = {
    propuesta: ["▲", "Espera autorización"],
    activa: ["▶", "Activa"],
    terminada: ["✓", "Terminada"],
    descartada: ["✕", "Descartada"],
  };
  oper.TIPOS = [
    ["enlace", "Enlace"],
    ["luz", "Luz"],
    ["equipo", "Equipo"],
    ["sede", "Sede"],
    ["personal", "Personal"],
    ["captura", "Captura"],
    ["publicacion", "Publicación"],
    ["contienda", "Contienda"],
    ["marcado", "Marcado de actas"],
    ["ejercicio", "Ejercicio"],
    ["otro", "Otro"],
  ];
  const tipos = new Map(oper.TIPOS);
  oper.tipo = (kind) => tipos.get(kind) || kind;
  oper.PUESTOS = { acopiadores: "acopio", digitalizadores: "digitalización", capturistas: "captura", coordinadores: "coordinación" };

  /** A state as figure and word; `states` is one of the tables above. */
  oper.sello = function (states, state) {
    const node = el("span", {});
    oper.setSello(node, states, state);
    return node;
  };
  oper.setSello = function (node, states, state) {
    if (node.prepState === state) return;
    node.prepState = state;
    const [shape, word] = states[state] || ["", state];
    PREP.cls(node, "sello op-estado e-" + state);
    node.replaceChildren(el("span", { "aria-hidden": "true", text: shape + " " }), word);
  };

  oper.now = () => (PREP.snapshot ? PREP.snapshot.reloj.ahora_ms : 0);
  oper.incidente = (key) => (PREP.snapshot.incidentes || []).find((one) => one.clave === key) || null;
  oper.abiertos = (list) => list.filter((one) => ["abierto", "atendido", "contenido"].includes(one.estado));
  oper.distrito = function (id) {
    const row = ((PREP.snapshot && PREP.snapshot.distritos) || []).find((one) => one[0] === id);
    return row ? row[1] : "Distrito " + id;
  };
  /** «D7 Tonalá»: the names of the catalogue already say DISTRITO 07. */
  oper.distritoCorto = function (id) {
    const name = oper.distrito(id).replace(/^distrito\s+\S+\s*/i, "");
    return "D" + id + (name ? " " + name : "");
  };
  /** Some CATDs in few words: names up to three, then how many and of which distritos. */
  oper.catds = function (ids) {
    if (!ids.length) return "Toda la operación";
    if (ids.length <= 3) return ids.map((id) => PREP.catdName(id)).join(", ");
    const districts = [...new Set(ids.map((id) => (PREP.catd(id) || {}).distrito).filter((id) => id !== null && id !== undefined))];
    districts.sort((a, b) => a - b);
    const where = !districts.length ? "" : districts.length <= 6 ? ", distrito" + (districts.length > 1 ? "s " : " ") + districts.join(", ") : ", " + districts.length + " distritos";
    return PREP.num(ids.length) + " CATD" + where;
  };

  // -- the address and the buttons ---------------------------------------------------------------

  /** Keep a choice in the address, so that it can be sent to somebody; an empty value takes it away. */
  oper.remember = function (values) {
    const url = new URL(location.href);
    for (const [name, value] of Object.entries(values)) {
      if (value === "" || value === null || value === undefined) url.searchParams.delete(name);
      else url.searchParams.set(name, value);
    }
    history.replaceState(history.state, "", url);
  };

  oper.boton = function (text, fn, cls) {
    return el("button", { type: "button", class: "boton accion " + (cls || ""), text, on: { click: fn } });
  };
  /** Write the buttons of a place again only when what they are has changed: the focus stays. */
  oper.botones = function (host, mark, make) {
    if (host.prepMark === mark) return;
    host.prepMark = mark;
    host.replaceChildren(...make().filter(Boolean));
  };
  oper.hecho = (promise, text) =>
    promise.then(
      (data) => {
        PREP.toast(text, "ok");
        return data;
      },
      () => null
    );

  // -- dialogs -----------------------------------------------------------------------------------

  const kept = {};
  function once(name, url, key) {
    if (!kept[name])
      kept[name] = PREP.get(url).then(
        (data) => data[key],
        (error) => {
          delete kept[name];
          throw error;
        }
      );
    return kept[name];
  }
  oper.plan = () => once("plan", "/api/continuidad/plan.json", "medidas");
  oper.reglas = () => once("reglas", "/api/alertas/reglas.json", "reglas");
  oper.personas = () => once("personas", "/api/incidentes/personas.json", "personas");

  /** Ask and do: the dialog, then the action with its values and those of `fixed`. */
  oper.ask = async function (spec, action, fixed, done) {
    let data = null;
    const hacer = async (values) => {
      data = await PREP.act(action, { ...values, ...(typeof fixed === "function" ? fixed(values) : fixed) });
    };
    if (!(await PREP.dialog({ ...spec, hacer }))) return null;
    PREP.toast(done, "ok");
    return data;
  };

  oper.abrirIncidente = async function (given) {
    const start = { titulo: "", tipo: "enlace", causa: "", catds: [], alerta: "", ...given };
    return oper.ask(
      {
        titulo: "Abrir incidente",
        boton: "Abrir incidente",
        campos: [
          { nombre: "titulo", etiqueta: "Qué pasa", tipo: "text", requerido: true, maximo: 120, valor: start.titulo },
          { nombre: "tipo", etiqueta: "De qué es", tipo: "select", opciones: oper.TIPOS, valor: start.tipo },
          { nombre: "causa", etiqueta: "Causa, si ya se sabe", tipo: "text", valor: start.causa },
          { nombre: "catds", etiqueta: "CATD que toca (ninguno: toda la operación)", tipo: "catds", valor: start.catds },
        ],
      },
      "abrir_incidente",
      { alerta: start.alerta || "" },
      "Incidente abierto"
    );
  };

  oper.reconocer = async function (alert) {
    return oper.ask(
      {
        titulo: "Reconocer la alerta",
        texto: alert.titulo,
        boton: "La he visto",
        campos: [{ nombre: "nota", etiqueta: "Nota (qué se va a hacer)", tipo: "text", valor: "" }],
      },
      "reconocer_alerta",
      { alerta: alert.id },
      "Alerta reconocida"
    );
  };

  /** Silence a rule at a CATD (or everywhere): always with a reason and always until some time. */
  oper.silenciar = async function (catd, first) {
    let rules;
    try {
      rules = await oper.reglas();
    } catch (error) {
      PREP.toast(PREP.message(error), "error");
      return null;
    }
    const options = rules.filter((rule) => catd === null || rule[2] === "catd").map(([code, title]) => [code, code + " · " + title]);
    return oper.ask(
      {
        titulo: catd === null ? "Silenciar una alerta en todos los CATD" : "Silenciar una alerta de " + PREP.catdName(catd),
        texto: "Deja de avisar hasta la hora que se diga; después vuelve sola. Queda en la bitácora con su motivo.",
        boton: "Silenciar",
        campos: [
          { nombre: "regla", etiqueta: "Alerta", tipo: "select", opciones: options, valor: first || options[0][0] },
          {
            nombre: "minutos",
            etiqueta: "Durante",
            tipo: "select",
            opciones: [[15, "15 minutos"], [30, "30 minutos"], [60, "1 hora"], [120, "2 horas"], [240, "4 horas"]],
            valor: 30,
          },
          { nombre: "motivo", etiqueta: "Motivo", tipo: "text", requerido: true, valor: "" },
        ],
      },
      "silenciar_alerta",
      // What a select gives is text, and the server wants a number.
      (values) => ({ catd, minutos: Number(values.minutos) }),
      "Alerta silenciada"
    );
  };

  /** Propose a measure of the plan: `given` = {medida, catds, incidente}. */
  oper.proponer = async function (given) {
    let plan;
    try {
      plan = await oper.plan();
    } catch (error) {
      PREP.toast(PREP.message(error), "error");
      return null;
    }
    if (!plan.length) {
      PREP.toast("La configuración no trae plan de continuidad", "aviso");
      return null;
    }
    const start = { medida: plan[0].clave, catds: [], incidente: "", ...given };
    const open = oper.abiertos(PREP.snapshot.incidentes || []);
    return oper.ask(
      {
        titulo: "Proponer una medida del plan",
        texto: "La autoriza otra persona: una de las dos debe ser coordinadora.",
        boton: "Proponer",
        campos: [
          { nombre: "medida", etiqueta: "Medida", tipo: "select", opciones: plan.map((one) => [one.clave, one.nombre]), valor: start.medida },
          { nombre: "catds", etiqueta: "En qué CATD", tipo: "catds", requerido: true, valor: start.catds },
          {
            nombre: "incidente",
            etiqueta: "Por qué incidente",
            tipo: "select",
            opciones: [["", "Ninguno (ejercicio o prevención)"], ...open.map((one) => [one.clave, one.titulo])],
            valor: start.incidente,
          },
        ],
      },
      "proponer_medida",
      {},
      "Medida propuesta: falta que otra persona la autorice"
    );
  };
})();
