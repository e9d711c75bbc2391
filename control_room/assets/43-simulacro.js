/* Simulacro: the instructor's desk. It asks the run how it goes at each tick of the room, and tells it what to
   do; what a fragment means is decided by the run, and its errors are shown with their line and their key. */
(function () {
  "use strict";
  const PREP = window.PREP;
  const el = PREP.el;
  const hojas = PREP.hojas;
  const EXAMPLE = '[[falla_enlace]]\ntipo = "sin_enlace"\nnombre = "Corte de fibra"\ndistritos = [8, 9]\ndura_min = 45\n';
  const WORDS = { corriendo: "Corriendo", pausada: "En pausa", poniendose_al_corriente: "Poniéndose al corriente", terminada: "Terminada" };
  let desk = null;
  let busy = false;
  let chosen = "enlace";
  let fields = [];
  let sending = false;

  const where = [
    { nombre: "distritos", etiqueta: "Distritos", ejemplo: "8, 9" },
    { nombre: "catds", etiqueta: "O bien, CATD", tipo: "catds" },
  ];
  const minutes = (valor) => ({ nombre: "dura_min", etiqueta: "Dura (minutos)", tipo: "number", min: 1, max: 1560, valor, requerido: true });
  const cause = { nombre: "causa", etiqueta: "Causa, para la bitácora" };
  function forms() {
    return {
      enlace: ["Internet", [
        { nombre: "tipo", etiqueta: "Qué pasa", tipo: "select", opciones: [["sin_enlace", "Sin internet"], ["intermitente", "Va y viene"], ["ancho_de_banda", "Lento (20 %)"], ["latencia", "Con demora"], ["perdida", "Pierde envíos"]] },
        minutes(45), ...where, cause,
        { nombre: "medidas", etiqueta: "El plan del escenario actúa solo (sin la sala)", tipo: "check" },
      ]],
      luz: ["Luz", [
        { nombre: "lugar", etiqueta: "Dónde", tipo: "select", opciones: [["catd", "En los CATD"], ["captura", "En el centro de captura"]] },
        minutes(30), ...where, { nombre: "planta_pct", etiqueta: "Lugares con planta que arranca (%)", tipo: "number", min: 0, max: 100, valor: 0 }, cause,
      ]],
      contienda: ["Contienda", [
        { nombre: "contienda", etiqueta: "Contienda cuyas imágenes no se guardan", tipo: "select", opciones: (desk && desk.contiendas) || [] }, minutes(20), cause,
      ]],
      traslado: ["Capturistas", [
        { nombre: "personas", etiqueta: "Cuántas", tipo: "number", min: 1, max: 5000, valor: 20, requerido: true },
        { nombre: "traslado_min", etiqueta: "Camino (min)", tipo: "number", min: 0, max: 600, valor: 0 },
        { nombre: "de_catd", etiqueta: "De dónde", tipo: "select", opciones: [["", "De la reserva"], ...hojas.catds()] },
        { nombre: "a_catd", etiqueta: "A dónde", tipo: "select", opciones: [["", "Al centro estatal"], ...hojas.catds()] },
      ]],
      ejercicio: ["Plan por distrito", [
        { nombre: "distritos", etiqueta: "Distritos", ejemplo: "4, 6, 8", requerido: true },
        { nombre: "activacion_min", etiqueta: "Minutos sin transmitir al cambiar", tipo: "number", min: 0, max: 600, valor: 10 },
        minutes(60), { nombre: "rendimiento_pct", etiqueta: "Enlace que da el otro medio (%)", tipo: "number", min: 1, max: 100, valor: 10 },
      ]],
      restablecer: ["Volver el enlace", [{ nombre: "catds", etiqueta: "CATD cuya falla de enlace termina", tipo: "catds", ayuda: "la luz y los ejercicios siguen su tiempo" }]],
      toml: ["TOML libre", [{ nombre: "toml", etiqueta: "Fragmento de escenario", tipo: "textarea", valor: EXAMPLE, requerido: true, renglones: 10, ayuda: "sin a_los_min ni cuando, empieza ahora; catd lleva el número de orden del catálogo, desde 0, que no es el de su nombre" }]],
    };
  }
  function tabs() {
    const host = hojas.id("sim-formas");
    const all = forms();
    const names = Object.keys(all);
    if (host.children.length === names.length) {
      // The tab that has the focus keeps it.
      for (const tab of host.children) {
        const mine = tab.id === "sim-tab-" + chosen;
        PREP.attr(tab, "aria-selected", mine ? "true" : "false");
        PREP.attr(tab, "tabindex", mine ? "0" : "-1");
      }
      return;
    }
    host.replaceChildren(
      ...names.map((name) =>
        el("button", {
          type: "button", role: "tab", class: "boton", id: "sim-tab-" + name, "aria-selected": name === chosen ? "true" : "false", "aria-controls": "sim-panel", tabindex: name === chosen ? 0 : -1, text: all[name][0],
          on: {
            click: () => choose(name, false),
            keydown: (event) => {
              const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
              if (step) choose(names[(names.indexOf(name) + step + names.length) % names.length], true);
            },
          },
        })
      )
    );
  }
  function choose(name, focus) {
    chosen = name;
    tabs();
    form();
    if (focus) hojas.id("sim-tab-" + name).focus();
  }
  function form() {
    const host = hojas.id("sim-forma");
    const [title, specs] = forms()[chosen];
    PREP.attr(hojas.id("sim-panel"), "aria-labelledby", "sim-tab-" + chosen);
    fields = specs.map((spec) => hojas.campo({ ...spec, id: "sim-" + chosen + "-" + spec.nombre, ancho: spec.tipo === "textarea" }));
    const place = fields.find((field) => field.nombre === "lugar");
    if (place) {
      const show = () => fields.filter((field) => field.nombre === "catds" || field.nombre === "distritos").forEach((field) => PREP.show(field.row, place.read() === "catd"));
      place.node.addEventListener("change", show);
      show();
    }
    const send = el("button", { type: "submit", class: "boton principal accion", text: "Inyectar ahora: " + title });
    host.replaceChildren(el("div", { class: "fila-campos" }, fields.map((field) => field.row)), send);
    hojas.id("sim-respuesta").replaceChildren();
    host.onsubmit = (event) => {
      event.preventDefault();
      inject(send);
    };
  }
  async function inject(button) {
    const host = hojas.id("sim-respuesta");
    const values = {};
    for (const field of fields) {
      const value = field.read();
      if (!field.row.hidden && value !== "" && value.length !== 0) values[field.nombre] = value;
    }
    const body = chosen === "toml" ? { toml: values.toml || "" } : { forma: chosen, valores: values };
    sending = true;
    await hojas.ocupado([button], async () => {
      try {
        // Not PREP.act: what is wrong with a fragment is told here in full, beside it.
        const done = (await PREP.post("/api/acciones/simulacro_inyectar", body, 45000)).datos;
        const back = done.restablecidos && done.restablecidos.length ? " Vuelve el enlace de " + done.restablecidos.map((id) => PREP.catdName(id)).join(", ") + "." : "";
        host.replaceChildren(
          el("p", { class: "caja-bien" }, el("span", { "aria-hidden": "true", text: "✓ " }), el("span", { text: "Surte efecto en el minuto " + PREP.num(done.minuto, 1) + " de la noche." + back })),
          done.toml ? el("details", { class: "plegado" }, el("summary", { text: "Lo que se mandó, en TOML" }), el("pre", { text: done.toml, tabindex: 0 })) : null
        );
        refresh();
      } catch (error) {
        hojas.error(host, error);
      } finally {
        sending = false;
      }
    });
  }
  async function order(button, action, body) {
    await hojas.ocupado([button], async () => {
      try {
        await PREP.act(action, body || {});
      } catch (error) {
        return; // PREP.act has told it already
      }
      await refresh();
    });
  }

  async function refresh() {
    if (busy) return;
    busy = true;
    try {
      const before = desk;
      desk = await PREP.get("/api/simulacro.json", 8000);
      if (!hojas.id("sim-estado")) return;
      if (!before && PREP.snapshot) choose(chosen, false);
      paint();
    } catch (error) {
      if (hojas.id("sim-aviso")) notice(PREP.message(error));
    } finally {
      busy = false;
    }
  }
  function notice(text) {
    const host = hojas.id("sim-aviso");
    if (host.hojaMarca === text) return;
    host.hojaMarca = text;
    host.replaceChildren(...(text ? [el("p", { class: "caja-aviso", role: "status" }, el("strong", { "aria-hidden": "true", text: "●" }), el("span", { text }))] : []));
  }
  function paint() {
    const state = desk.estado;
    const runs = Boolean(state && state.minuto !== undefined);
    notice(state && state.estado === "terminada" ? "La corrida terminó: se puede ver en Historia." : desk.motivo || "");
    hojas.dato("sim-hora", runs ? PREP.hhmmss(state.utc_ms) : "—", runs ? "minuto " + PREP.num(state.minuto, 1) + " de " + PREP.num(state.duracion_min) : "");
    hojas.dato("sim-estado", state ? WORDS[state.estado] || state.estado : "Sin corrida", runs ? "semilla " + state.semilla : "");
    hojas.dato("sim-velocidad", runs ? "×" + PREP.num(state.velocidad, state.velocidad % 1 ? 2 : 0) : "—", runs ? "una hora en " + PREP.dura((3600 / state.velocidad) * 1000) : "");
    hojas.dato("sim-avance", runs ? PREP.num(state.registradas) : "—", runs ? "de " + PREP.num(state.esperadas) + "; por capturar " + PREP.num(state.por_capturar) : "");
    // What is said is how late the last command was written: with nothing to write the database is up to date.
    const late = runs && state.por_escribir ? state.retraso_base_ms / 1000 : 0;
    hojas.dato("sim-retraso", runs ? PREP.num(late, 1) + " s" : "—", runs ? PREP.num(state.por_escribir) + " órdenes por escribir" : "", late > 5 ? "p2" : null);
    const pause = hojas.id("sim-pausa");
    PREP.text(pause, runs && state.estado === "pausada" ? "Reanudar" : "Pausar");
    pause.disabled = !runs;
    for (const button of hojas.id("sim-velocidades").children) {
      button.disabled = !runs;
      PREP.attr(button, "aria-pressed", runs && Number(button.dataset.velocidad) === state.velocidad ? "true" : "false");
    }
    const send = hojas.id("sim-forma").querySelector("button[type=submit]");
    if (send && !sending) send.disabled = !runs;
    scenario();
    told(runs);
    effects();
  }
  function scenario() {
    const host = hojas.id("sim-escenario");
    const one = desk.escenario;
    const state = desk.estado || {};
    const key = JSON.stringify([one, state.escenario]);
    if (host.hojaMarca === key) return;
    host.hojaMarca = key;
    host.replaceChildren(
      ...(one
        ? [el("h3", { text: one.titulo }), el("p", { text: one.descripcion || "Sin descripción." }), el("p", { class: "tenue", text: "Archivo " + one.nombre + ".toml, de " + one.inicio.slice(0, 16).replace("T", " ") + " a " + one.fin.slice(0, 16).replace("T", " ") })]
        : [el("p", { text: state.escenario ? "Escenario «" + state.escenario + "»." : "La sala no sabe de qué escenario es esta noche." }), el("p", { class: "tenue", text: "Con --escenario la sala muestra su nombre y descripción, y compara con su plan." })])
    );
  }
  function told(runs) {
    const start = runs ? desk.estado.utc_ms - desk.estado.virtual_ms : PREP.snapshot && PREP.snapshot.operacion ? PREP.snapshot.operacion.inicio_ms : null;
    PREP.table(hojas.id("sim-lista"), {
      caption: "Instrucciones que la corrida tomó, la última primero", key: (row) => row.virtual_ms + "|" + row.toml, rows: desk.inyectado, empty: "Todavía no se inyecta nada",
      columns: [
        { key: "ms", title: "Hora", value: (row) => row.virtual_ms, text: (row) => (start === null ? "min " + PREP.num(row.virtual_ms / 60000, 1) : PREP.hhmmss(start + row.virtual_ms)) },
        { key: "que", title: "Qué", text: (row) => row.textos.join("|"), node: (row) => [...row.textos.map((text) => el("div", { text })), el("details", { class: "plegado" }, el("summary", { text: "TOML" }), el("pre", { text: row.toml, tabindex: 0 }))] },
      ],
    });
  }
  function effects() {
    PREP.table(hojas.id("sim-efectos"), {
      caption: "Medidas del plan de continuidad", key: "clave", rows: desk.efectos, empty: "El plan no tiene medidas",
      columns: [
        { key: "titulo", title: "Medida", value: (row) => row.titulo },
        { key: "texto", title: "En la simulación", value: (row) => (row.siente ? 0 : 1), text: (row) => (row.siente ? row.texto.replace(/^En la simulación: /, "") : "Solo se asienta"), cls: (row) => (row.siente ? "" : "tenue") },
      ],
    });
  }

  PREP.register("simulacro", {
    enter() {
      desk = null;
      busy = false;
      hojas.id("sim-pausa").addEventListener("click", (event) => {
        const paused = desk && desk.estado && desk.estado.estado === "pausada";
        order(event.currentTarget, paused ? "simulacro_reanudar" : "simulacro_pausa");
      });
      hojas.id("sim-velocidades").addEventListener("click", (event) => {
        const button = event.target.closest("button[data-velocidad]");
        if (button) order(button, "simulacro_velocidad", { velocidad: Number(button.dataset.velocidad) });
      });
      refresh();
    },
    apply() {
      if (PREP.historical) return notice("Está viendo un momento pasado: la corrida se gobierna en vivo.");
      if (desk && !hojas.id("sim-forma").children.length) choose(chosen, false);
      return refresh();
    },
  });
})();
