/* From the address to the view, and what stays around it: the bar of the cut, the theme, the voice that says
   that there is a new cut. An address works in any folder of any server because all of it goes after the #. */
(function () {
  "use strict";
  const PREP = window.PREP;
  const el = PREP.el;
  const $ = (id) => document.getElementById(id);
  const TABS = ["partidos", "participacion", "estadistica", "inconsistencias", "cobertura"];
  const PLAIN = ["base", "historia", "difusores", "aviso", "ayuda", "estado"];
  const number = (text) => (text === "-" ? null : /^\d+$/.test(text || "") ? Number(text) : undefined);

  /** The parts of an address as [view, what it needs]; null when there is no such view. */
  PREP.ruta = function (hash, state) {
    let parts;
    try {
      parts = hash.replace(/^#\/?/, "").split("/").filter(Boolean).map(decodeURIComponent);
    } catch {
      return null;
    }
    if (parts.length === 0) return ["inicio", {}];
    const [first, ...rest] = parts;
    if (PLAIN.includes(first)) return rest.length ? null : [first, {}];
    if (first === "buscar") return ["buscar", { text: rest[0] }];
    if (first === "cambios") {
      const cut = number(rest[0]);
      if (!cut || cut < 2) return null;
      return rest.length === 1 ? ["cambios", { number: cut }] : ["cambiosLugar", { number: cut, name: rest[1], id: number(rest[2]) }];
    }
    const contest = state.contests.get(first);
    if (!contest) return null;
    if (!rest.length) return ["contienda", { contest }];
    if (rest.length === 1 && TABS.includes(rest[0])) return [rest[0], { contest }];
    const [t, place, s, section, a, key] = rest;
    const where = { contest, id: number(place), number: number(section), key };
    if (t !== "t" || where.id === undefined) return null;
    if (rest.length === 2) return ["territorio", where];
    if (s !== "s" || where.number === undefined) return null;
    if (rest.length === 4) return ["seccion", where];
    return a === "a" && key && rest.length === 6 ? ["acta", where] : null;
  };

  let turn = 0;
  let shown = null;

  /** Draw what the address asks for. `kept` is true for the same view with newer data: nothing moves. */
  async function draw(kept) {
    const mine = ++turn;
    const main = $("contenido");
    if (!PREP.actual) {
      main.replaceChildren(waiting());
      return;
    }
    let hash = location.hash;
    if (hash && !hash.startsWith("#/")) return; // a place of the page: the skip link
    const slow = kept ? null : setTimeout(() => mine === turn && main.setAttribute("aria-busy", "true"), 200);
    let view = null;
    let failure = null;
    let state = PREP.actual;
    try {
      const fixed = /^#\/@(\d+)(.*)$/.exec(hash);
      if (fixed && Number(fixed[1]) !== state.corte) {
        const found = await PREP.corte(Number(fixed[1]));
        state = found && { ...found, fijo: true };
      }
      if (fixed) hash = "#" + fixed[2];
      const route = state && PREP.ruta(hash, state);
      view = route && (await PREP.vistas[route[0]]({ state, ...route[1] }));
    } catch (error) {
      if (!(error instanceof PREP.FalloError)) console.error(error);
      failure = error instanceof PREP.FalloError ? error.message : "Esta vista no se pudo armar.";
    }
    clearTimeout(slow);
    if (mine !== turn) return; // another address, or another cut, was asked meanwhile
    main.removeAttribute("aria-busy");
    if (failure && kept) return; // what is on the screen is whole; it stays
    if (failure) view = problem("No se pudo mostrar", failure, true);
    else if (!view) view = problem("Esta página no existe", "La dirección no corresponde a ningún resultado de este corte.", false);
    const focus = kept && main.contains(document.activeElement) ? mark(document.activeElement) : null;
    const open = kept ? [...main.querySelectorAll("input, select")].map((one) => [one.id, one.value]) : [];
    const scrolls = kept ? [...main.querySelectorAll(".rollo")].map((one) => one.scrollLeft) : [];
    const at = window.scrollY;
    main.replaceChildren(...(state && state.fijo ? [past(state)] : []), ...[view.nodo].flat(4).filter((one) => one instanceof Node));
    document.title = (document.documentElement.dataset.modo === "simulacro" ? "SIMULACRO · " : "") + view.titulo + " · " + document.documentElement.dataset.titulo;
    if (kept) {
      for (const [id, value] of open) {
        const again = id && $(id);
        if (!again || again.value === value) continue;
        again.value = value;
        again.dispatchEvent(new Event("change"));
      }
      main.querySelectorAll(".rollo").forEach((one, i) => { one.scrollLeft = scrolls[i] || 0; });
      window.scrollTo(0, at);
      const again = focus && [...main.querySelectorAll("a, button, input, select, summary, .rollo")].find((one) => mark(one) === focus);
      if (again) again.focus({ preventScroll: true });
    } else if (shown !== null) {
      window.scrollTo(0, 0);
      const heading = main.querySelector("h1");
      if (heading) {
        heading.tabIndex = -1;
        heading.focus({ preventScroll: true });
      }
    }
    shown = location.hash;
    for (const link of document.querySelectorAll("header nav a")) {
      const to = link.getAttribute("href");
      if (to === "#/" ? hash === "" || hash === "#/" : hash === to || hash.startsWith(to + "/")) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    main.dataset.corte = state ? state.corte : "";
    main.dataset.vista = shown;
  }
  const mark = (node) => node.tagName + (node.id || node.getAttribute("href") || node.getAttribute("aria-label") || node.textContent);
  const problem = (title, text, retry) => ({
    titulo: title,
    nodo: [el("h1", { text: title }), el("p", { text }),
      el("p", { class: "botones" }, retry ? el("button", { type: "button", class: "boton", on: { click: () => draw(false) } }, "Volver a intentar") : null, PREP.enlace("#/", "Ir al inicio", { class: "boton segundo" }))],
  });
  const past = (state) =>
    PREP.aviso(el("span", { class: "forma", "aria-hidden": "true", text: "◷" }), " Está viendo el corte " + state.corte + ", de " + PREP.fecha(state.portal.instante_ms) + ". No es el último. ", PREP.enlace("#/", "Ver el último"));
  function waiting() {
    const red = PREP.red;
    if (red.vacio) return el("div", {}, el("h1", { text: "Todavía no hay cortes" }), el("p", { text: "La publicación no ha empezado. Esta página mostrará el primer corte en cuanto salga, sin recargarla." }));
    if (red.fallos) return el("div", {}, el("h1", { text: "Sin conexión" }), el("p", { text: "No se pudo traer el último corte. Se vuelve a intentar solo." }));
    return el("p", { class: "vacio", text: "Cargando el último corte…" });
  }

  /** The bar of the cut: which one, of when, how old, when the next, and who has witnessed it. */
  function bar() {
    const state = PREP.actual;
    const red = PREP.red;
    if (!state) return;
    const now = Date.now();
    const { instante_ms: at, ultimo: last } = state.portal;
    const pointer = state.pointer;
    // A rehearsal may carry the hours of another year: then only its hour is said.
    const near = Math.abs(now - at) < 2 * 86400000;
    const text = (id, value) => { if ($(id).textContent !== value) $(id).textContent = value; };
    text("corte-cual", "Corte " + state.corte + (last ? " (último)" : "") + " · " + PREP.dia(at) + ", " + PREP.hora(at) + " " + (state.catalog.zona || ""));
    text("corte-edad", near && now >= at ? "hace " + PREP.dura(now - at) : "");
    const late = near && !last && pointer.siguiente_ms && now > pointer.siguiente_ms + 180000;
    text("corte-siguiente", last ? "La publicación terminó" : pointer.siguiente_ms ? (late ? "El siguiente se esperaba a las " : "Siguiente: ") + PREP.hora(pointer.siguiente_ms) : "");
    text("corte-testigos", pointer.testigos && pointer.testigos.de ? pointer.testigos.con + " de " + PREP.plural(pointer.testigos.de, "testigo", "testigos") + ": verificar" : "");
    const lost = red.fallos > 1;
    const bad = red.aviso || (lost ? "Sin conexión desde hace " + PREP.dura(now - red.desde) + ": se muestra el corte " + state.corte + "." : late ? "El corte siguiente se atrasó." : "");
    text("corte-problema", bad);
    $("corte-problema").hidden = !bad;
  }

  PREP.alPreguntar = () => {
    bar();
    if (!PREP.actual) draw(false);
    else if (location.hash === "#/estado") draw(true);
  };
  PREP.alCambiarCorte = (next) => {
    fillContests();
    bar();
    draw(Boolean(next));
    if (!next) return;
    const said = [...next.contests.values()].map((one) => PREP.titulo(one) + ", " + PREP.pct(one.encabezado.PORCENTAJE_ACTAS_CONTABILIZADAS) + " de las actas");
    $("voz").textContent = "Corte " + next.corte + ", " + PREP.hora(next.portal.instante_ms) + ": " + said.join("; ") + ".";
  };
  function fillContests() {
    const list = $("contiendas");
    list.replaceChildren(...[...PREP.actual.contests.values()].map((one) => el("li", {}, PREP.enlace("#/" + encodeURIComponent(one.id), PREP.titulo(one)))));
  }

  const THEMES = { auto: "automático", light: "claro", dark: "oscuro" };
  function theme(name) {
    document.documentElement.dataset.tema = name;
    $("tema").textContent = "Aspecto: " + THEMES[name];
    try {
      localStorage.setItem("prep-tema", name);
    } catch {
      return; // a browser that keeps nothing still changes the page
    }
  }
  let kept = null;
  try {
    kept = localStorage.getItem("prep-tema");
  } catch {
    kept = null;
  }
  theme(kept in THEMES ? kept : "auto");
  $("tema").addEventListener("click", () => {
    const names = Object.keys(THEMES);
    theme(names[(names.indexOf(document.documentElement.dataset.tema) + 1) % names.length]);
  });
  function menu(open) {
    $("menu").setAttribute("aria-expanded", String(open));
    $("principal").classList.toggle("abierto", open);
  }
  $("menu").addEventListener("click", () => menu($("menu").getAttribute("aria-expanded") !== "true"));
  $("principal").addEventListener("click", (event) => event.target.closest("a") && menu(false));
  $("salto").addEventListener("click", (event) => {
    event.preventDefault(); // the address is the view: it must not change
    $("contenido").focus();
    $("contenido").scrollIntoView();
  });

  window.addEventListener("hashchange", () => draw(false));
  setInterval(bar, 15000);
  draw(false);
  PREP.empezar();
})();
