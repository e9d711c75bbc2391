/* Which cut is shown. corte.json is asked every half minute, more or less, and never while the page is hidden; a
   cut that appears is loaded after a wait of its own, and takes the place of the other one whole. On an error
   the page keeps the cut it has and says how old it is. */
(function () {
  "use strict";
  const PREP = window.PREP;
  const EVERY = PREP.ajuste("sondeo", 30000);
  const WAIT = PREP.ajuste("espera", 30000);
  const red = (PREP.red = { fallos: 0, desde: null, vacio: false, aviso: null });
  let timer = null;
  let pending = null;

  /** Everything of one cut, together: the pointer (only for the latest), the portal object, the catalogue. */
  async function open(sha, pointer) {
    const portal = await PREP.objeto(sha);
    const catalog = await PREP.objeto(portal.catalogo);
    const contests = new Map();
    for (const fixed of catalog.contiendas) {
      const now = portal.contiendas.find((one) => one.id === fixed.id);
      if (!now) continue;
      const places = new Map(fixed.territorios.map(([id, name, listed]) => [id, { id, nombre: name, lista: listed }]));
      contests.set(fixed.id, { ...fixed, ...now, lugares: places });
    }
    return { corte: portal.corte, sha, pointer, portal, catalog, contests };
  }

  PREP.actual = null;

  async function take(pointer, first) {
    const state = PREP.actual;
    if (state && pointer.corte < state.corte) return; // a copy that is behind: what is shown is newer
    if (state && pointer.portal === state.sha) {
      state.pointer = pointer;
      return;
    }
    if (state && pointer.corte === state.corte)
      red.aviso = "El corte " + pointer.corte + " cambió de contenido después de publicarse. Un corte no debe cambiar.";
    const key = pointer.corte + pointer.portal;
    if (pending === key) return;
    pending = key;
    try {
      if (!first && WAIT) await new Promise((done) => setTimeout(done, Math.random() * WAIT));
      if (pending !== key) return;
      const next = await open(pointer.portal, pointer);
      if (pending !== key) return;
      PREP.actual = next;
      PREP.utc = next.catalog.utc_min;
      PREP.alCambiarCorte(first ? null : next);
    } finally {
      if (pending === key) pending = null;
    }
  }

  /** Ask once. It does not wait for the loading of a new cut, so that the next question keeps its hour. */
  async function ask() {
    try {
      const answer = await fetch("corte.json", { cache: "no-cache" });
      if (answer.status === 404) {
        red.vacio = !PREP.actual;
        if (PREP.actual) throw new Error("404");
      } else if (!answer.ok) throw new Error(String(answer.status));
      else {
        const pointer = await answer.json();
        red.vacio = false;
        if (pointer.modo === "simulacro") document.documentElement.dataset.modo = "simulacro";
        const first = !PREP.actual;
        const taken = take(pointer, first);
        if (first) await taken;
        else taken.catch(failed);
      }
      red.fallos = 0;
      red.desde = null;
    } catch {
      failed();
    }
    PREP.alPreguntar();
  }
  function failed() {
    red.fallos += 1;
    if (red.desde === null) red.desde = Date.now();
  }

  function again(wait) {
    clearTimeout(timer);
    timer = document.hidden ? null : setTimeout(cycle, wait);
  }
  async function cycle() {
    timer = null;
    await ask();
    again(EVERY * (0.8 + 0.4 * Math.random()));
  }
  PREP.empezar = async function () {
    await cycle();
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) clearTimeout(timer);
      else again(0);
    });
    window.addEventListener("online", () => again(0));
  };

  /** The history of a cut: what came before it, each with its portal object. */
  PREP.historia = async function (state) {
    if (!state.portal.historial) return [];
    return (await PREP.objeto(state.portal.historial)).cortes;
  };
  const told = new Map();
  const notice = (number) => {
    if (!told.has(number)) {
      const asked = PREP.json("avisos/" + String(number).padStart(4, "0") + ".json");
      told.set(number, asked);
      asked.catch(() => told.delete(number));
    }
    return told.get(number).catch(() => null);
  };
  PREP.AVISOS = { hueco: "Corte perdido", detenida: "Publicación detenida", reanudada: "Publicación reanudada", cierre_anticipado: "Cierre anticipado", correccion: "Corrección" };
  /** The latest notices of the publication, the last one first: pairs of number and notice, null if it cannot be read. */
  PREP.avisos = async function () {
    const total = (PREP.actual && PREP.actual.pointer && PREP.actual.pointer.avisos) || 0;
    const numbers = Array.from({ length: Math.min(total, 30) }, (_, i) => total - i);
    return Promise.all(numbers.map(async (number) => [number, await notice(number)]));
  };
  /** Those that tell why no cut came out for a while. */
  PREP.huecos = async () => (await PREP.avisos()).filter(([, one]) => one && (one.tipo === "hueco" || one.tipo === "detenida"));
  const past = new Map();
  /** The cut of a number, as it was; null when there is none. */
  PREP.corte = async function (number) {
    const state = PREP.actual;
    if (number === state.corte) return state;
    if (!past.has(number)) {
      const row = (await PREP.historia(state)).find((one) => one.corte === number);
      if (!row || !row.portal) return null;
      past.set(number, await open(row.portal, null));
    }
    return past.get(number);
  };
  PREP.carpeta = (state) => "cortes/" + String(state.corte).padStart(4, "0") + "/";
})();
