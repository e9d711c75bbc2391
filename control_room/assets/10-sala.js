/* The base library of the room: one pull per tick, applied to whichever page is open.
   It keeps the age of the data by the page's own monotonic clock, so that a frozen writer, a frozen server, a
   lost database or a wrong clock of this computer never pass for live data. It draws nothing of any page:
   pages call PREP.register(name, {enter(root), apply(snapshot, root), leave()}). */
(function () {
  "use strict";
  const PREP = (window.PREP = window.PREP || {});
  const TIMEOUT_MS = 4000;
  const AFTER_MS = 120; // what a writer may take from its turn to its file
  const AGAIN_MS = 400;
  const SPREAD = 0.2; // of a tick: two hundred walls do not ask in the same instant
  const SNAPSHOT_URL = "/api/sala.json";
  const pages = new Map();
  const listeners = { snapshot: [], stale: [], mode: [] };

  PREP.snapshot = null;
  PREP.user = null;
  PREP.historical = false;
  /** What the age of the data is made of; `stats` is what the tests read. */
  const state = (PREP.state = {
    etag: null,
    bootId: null,
    seq: null,
    version: null,
    changedAt: null, // performance.now() of the last change of seq
    startedAt: performance.now(),
    ageAtChange: 0, // how old the snapshot already was when it came, s
    lastAnswerAt: null,
    lastPullAt: 0,
    failure: null, // {kind, text}
    busy: false,
    next: null, // timer of the request that follows the writer
    stats: { pulls: 0, applied: 0, unchanged: 0, failures: 0, restarts: 0, seen: [] },
  });
  let current = null; // {name, root, page}

  PREP.param = (name) => new URLSearchParams(location.search).get(name);
  PREP.on = (event, fn) => listeners[event].push(fn);
  const emit = (event, value) => listeners[event].forEach((fn) => fn(value));

  PREP.register = function (name, page) {
    pages.set(name, page);
    setTimeout(findPage, 0); // after the scripts that follow
  };
  PREP.can = (permission) => Boolean(PREP.user && (PREP.user.permisos || []).includes(permission));

  /** One reload, and no second within 10 s: a server that always says 401 must not make a storm. */
  PREP.reload = function () {
    const last = Number(sessionStorage.getItem("prep-recarga") || 0);
    if (Date.now() - last < 10000 && Date.now() >= last) return;
    sessionStorage.setItem("prep-recarga", String(Date.now()));
    location.reload();
  };

  async function request(url, options) {
    const response = await fetch(url, {
      cache: "no-store",
      credentials: "same-origin",
      signal: AbortSignal.timeout((options && options.wait) || TIMEOUT_MS),
      ...options,
    });
    if (response.status === 401) {
      PREP.reload();
      throw new Error("La sesión terminó");
    }
    return response;
  }
  async function bodyOf(response) {
    const type = response.headers.get("content-type") || "";
    if (!type.includes("application/json")) throw new Error("El servidor no respondió con datos (" + response.status + ")");
    const data = await response.json();
    if (!response.ok) {
      const error = new Error((data.error && data.error.mensaje) || "El servidor respondió " + response.status);
      error.status = response.status;
      error.datos = data.error || {};
      throw error;
    }
    return data;
  }
  PREP.get = async (url, wait) => bodyOf(await request(url, { wait: wait || 15000 }));
  PREP.post = async (url, data, wait) =>
    bodyOf(
      await request(url, {
        method: "POST",
        wait: wait || 15000,
        headers: { "Content-Type": "application/json", "X-CSRF": (PREP.user && PREP.user.csrf) || "" },
        body: JSON.stringify(data || {}),
      })
    );

  /** A key of its own for each action: sent twice, it is done once. */
  function key() {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  }
  /** What the server does not remember by its key: sent twice, it is done twice, or refused the second time. */
  const ONCE = /^(usuario_|mi_contrasena|simulacro_)/;
  /** A user action. Rejects, after telling the user, when the server or the engine refuses it; tried again
      once, with the same key, when the answer did not come. */
  PREP.act = async function (action, fields) {
    const send = () => PREP.post("/api/acciones/" + encodeURIComponent(action), body);
    const body = { llave: key(), ...fields };
    try {
      if (PREP.historical) throw new Error("Está viendo un momento pasado; vuelva a en vivo para actuar");
      let answer;
      try {
        answer = await send();
      } catch (error) {
        const lost = error instanceof TypeError || error.name === "TimeoutError" || error.status === 503;
        if (!lost || ONCE.test(action)) throw error;
        answer = await send();
      }
      setTimeout(pull, 300);
      return answer.datos || {};
    } catch (error) {
      PREP.toast(message(error), "error");
      throw error;
    }
  };
  function message(error) {
    if (error.name === "TimeoutError" || error.name === "AbortError") return "El servidor no respondió a tiempo";
    if (error instanceof TypeError) return "No hay respuesta del servidor";
    return error.message;
  }
  PREP.message = message;

  function findPage() {
    const root = document.getElementById("pagina");
    if (current && current.root === root && current.page === pages.get(current.name)) return;
    if (current && current.page && current.root !== root) guarded(() => current.page.leave && current.page.leave());
    current = null;
    if (!root) return;
    const name = root.dataset.pagina;
    document.documentElement.dataset.pagina = name;
    emit("mode", name);
    const page = pages.get(name) || null;
    current = { name, root, page };
    if (!page) return;
    guarded(() => page.enter && page.enter(root));
    if (PREP.snapshot && PREP.user) guarded(() => page.apply && page.apply(PREP.snapshot, root));
  }
  PREP.findPage = findPage;
  function guarded(fn) {
    try {
      fn();
      return true;
    } catch (error) {
      console.error("sala:", error);
      return false;
    }
  }

  /** Show a snapshot on the bar and the page. False when the page could not: then it does not count as seen. */
  function show(snapshot) {
    PREP.snapshot = snapshot;
    PREP.catdIndex = new Map((snapshot.catd || []).map((row) => [row.id, row]));
    emit("snapshot", snapshot);
    if (!current || !current.page || !current.page.apply) return true;
    return guarded(() => current.page.apply(snapshot, current.root));
  }

  function accept(snapshot, response) {
    const restarted = state.bootId !== null && (snapshot.boot_id !== state.bootId || snapshot.seq < state.seq);
    const changed = restarted || snapshot.seq !== state.seq;
    if (restarted) {
      state.stats.restarts += 1;
      PREP.toast("La sala se reinició; los datos se cargaron de nuevo", "aviso");
    }
    if (state.version !== null && snapshot.version !== state.version && sessionStorage.getItem("prep-version") !== snapshot.version) {
      sessionStorage.setItem("prep-version", snapshot.version);
      location.reload();
      return;
    }
    if (!show(snapshot)) {
      fail("pagina", "esta página no pudo mostrar los datos");
      return;
    }
    if (changed) {
      // The first snapshot may have been old for long: the server's own clock says how old, this one's never.
      const date = Date.parse(response.headers.get("date") || "");
      const first = state.changedAt === null && Number.isFinite(date);
      state.ageAtChange = first ? Math.max(0, (date - snapshot.generado_real_ms) / 1000) : 0;
      state.changedAt = performance.now();
      clearTimeout(state.alarm);
      // The bar comes at its second, not at the next turn of the clock below.
      state.alarm = setTimeout(refresh, Math.max(0, (snapshot.viejo_s || 12) - state.ageAtChange) * 1000 + 5);
      state.stats.seen.push(snapshot.seq);
      if (state.stats.seen.length > 2000) state.stats.seen.shift();
    }
    state.bootId = snapshot.boot_id;
    state.seq = snapshot.seq;
    state.version = snapshot.version;
    state.etag = response.headers.get("etag");
    state.failure = null;
    state.stats.applied += 1;
    refresh();
  }
  function fail(kind, text) {
    state.failure = { kind, text };
    state.stats.failures += 1;
    refresh();
  }

  /* Asking every so often as the writer writes skips one now and then, when the two drift past each other.
     The server says how old its snapshot is, so the next one is asked for when it is due, each page somewhere
     in the first fifth of a tick; if it is late, a little after. Whoever answers nothing, or nothing new for two ticks, is left to the pulse of the shell. */
  function follow(response) {
    const age = Number(response.headers.get("x-sala-edad-ms") || NaN);
    const tick = ((PREP.snapshot && PREP.snapshot.tick_s) || 2) * 1000;
    if (!(age >= 0 && age < 2 * tick)) return;
    clearTimeout(state.next);
    state.next = setTimeout(pull, age < tick ? tick - age + AFTER_MS + Math.random() * SPREAD * tick : AGAIN_MS);
  }

  async function pull() {
    findPage();
    if (state.busy || (PREP.historical && PREP.snapshot)) return;
    state.busy = true;
    clearTimeout(state.next);
    state.next = null;
    state.lastPullAt = performance.now();
    state.stats.pulls += 1;
    try {
      if (!PREP.user) {
        PREP.user = await PREP.get("/api/yo.json", TIMEOUT_MS);
        emit("mode", null);
      }
      const moment = PREP.param("momento");
      if (moment && PREP.history) {
        await PREP.history.open(Number(moment));
        return;
      }
      const response = await request(SNAPSHOT_URL, { headers: state.etag ? { "If-None-Match": state.etag } : {} });
      state.lastAnswerAt = performance.now();
      if (response.status === 304) {
        state.stats.unchanged += 1;
        state.failure = null;
        follow(response);
        return;
      }
      accept(await bodyOf(response), response);
      follow(response);
    } catch (error) {
      const answered = error.status !== undefined;
      fail(answered ? "servidor" : "sin_respuesta", answered ? error.message : "el servidor no responde");
    } finally {
      state.busy = false;
    }
  }
  PREP.pull = pull;
  PREP.showKept = function (snapshot) {
    PREP.historical = true;
    findPage();
    show(snapshot);
    refresh();
  };
  /** Back to live: forget the kept one and ask for the newest. */
  PREP.live = function () {
    PREP.historical = false;
    state.etag = null;
    state.changedAt = null;
    state.startedAt = performance.now();
    PREP.snapshot = null;
    refresh();
    return pull();
  };

  /** {age, stale, reason, base}: age in s of what the page shows, null before the first snapshot. */
  PREP.freshness = function () {
    const snapshot = PREP.snapshot;
    const limit = (snapshot && snapshot.viejo_s) || 12;
    if (PREP.historical) return { age: null, stale: false, reason: null, base: true };
    const now = performance.now();
    if (!snapshot || state.changedAt === null) {
      const waited = (now - state.startedAt) / 1000;
      return { age: null, waited, stale: waited >= limit, reason: reasonOf(), base: true };
    }
    let age = state.ageAtChange + (now - state.changedAt) / 1000;
    const base = !snapshot.base || snapshot.base.ok !== false;
    const sinceBase = !base && snapshot.base.desde_real_ms;
    // Both times are of the writer's clock: their difference needs none of ours.
    if (sinceBase) age += Math.max(0, (snapshot.generado_real_ms - sinceBase) / 1000);
    return { age, stale: age >= limit || !base, reason: base ? reasonOf() : "no hay conexión con la base de datos", base };
  };
  function reasonOf() {
    if (state.failure) return state.failure.text;
    // A request that is still waiting has not failed yet.
    const tick = (PREP.snapshot && PREP.snapshot.tick_s) || 2;
    if (state.lastAnswerAt === null || performance.now() - state.lastAnswerAt > 3000 * tick) return "el servidor no responde";
    return "el servidor responde, pero el escritor de la sala se detuvo";
  }

  let shownStale = null;
  function refresh() {
    const fresh = PREP.freshness();
    emit("stale", fresh);
    if (fresh.stale !== shownStale) {
      shownStale = fresh.stale;
      if (fresh.stale) document.documentElement.dataset.viejo = fresh.base ? "si" : "base";
      else delete document.documentElement.dataset.viejo;
    }
  }
  PREP.refresh = refresh;

  setInterval(() => {
    findPage();
    refresh();
    // Dash's own timer is the pulse; if it dies the wall must not.
    const tick = ((PREP.snapshot && PREP.snapshot.tick_s) || 2) * 1000;
    if (performance.now() - state.lastPullAt > tick * 2.5) pull();
  }, 500);

  PREP.catd = (id) => (PREP.catdIndex && PREP.catdIndex.get(id)) || null;
  /** «CATD 17»: the number people say. Names such as «CATD distrital 07 Tonalá» give «CD7»: «D7» is the district. */
  PREP.catdShort = function (row) {
    const name = (row && row.nombre) || "";
    const district = /distrital\s+0*(\d+)/i.exec(name);
    if (district) return "CD" + district[1];
    const number = /\b0*(\d{1,4})\b/.exec(name);
    return number ? number[1] : String(row ? row.id : "?");
  };
  /** Why a CATD is in trouble, in the few words that fit beside its name: «sin señal 2 h 15 min». */
  PREP.motivo = (text) =>
    String(text || "")
      .replace(/^CATD sin señal: (.+) sin latido$/, "sin señal $1")
      .replace(/^CATD sin señal: ya late/, "ya late")
      .replace(/^CATD vivo sin actas: (.+?) sin actas/, "sin actas $1")
      .replace(/^CATD /, "");
  PREP.catdName = function (id) {
    const row = PREP.catd(id);
    if (!row) return "CATD " + id;
    const name = /^catd/i.test(row.nombre) ? row.nombre : "CATD " + row.nombre;
    return row.distrito === null || row.distrito === undefined || /distrital/i.test(name) ? name : name + " (D" + row.distrito + ")";
  };

  window.dash_clientside = window.dash_clientside || {};
  window.dash_clientside.sala = Object.assign(window.dash_clientside.sala || {}, {
    pull: function () {
      if (state.next === null) pull();
      else findPage();
      return window.dash_clientside.no_update;
    },
  });
})();
