/* The top bar and the strip under it: what night this is, rehearsal or real, its clock, the age of the data,
   the theme, who is here, and the moments of the past. It reads only PREP.snapshot and PREP.freshness(). */
(function () {
  "use strict";
  const PREP = window.PREP;
  const el = PREP.el;
  const root = document.documentElement;
  let bar = null;

  /* Theme: light, dark or as the machine says; remembered. */
  const THEMES = { auto: ["◐", "Tema automático"], light: ["☀", "Tema claro"], dark: ["☾", "Tema oscuro"] };
  function nameTheme() {
    const [shape, words] = THEMES[root.dataset.tema];
    PREP.text(bar.theme, shape);
    PREP.attr(bar.theme, "aria-label", words + "; cambiar");
    PREP.attr(bar.theme, "title", words);
  }
  function setTheme(theme) {
    root.dataset.tema = THEMES[theme] ? theme : "auto";
    try {
      localStorage.setItem("prep-tema", root.dataset.tema);
    } catch (error) {
      console.warn("sala: no se pudo recordar el tema", error.name);
    }
    if (bar) nameTheme();
    PREP.themeChanged && PREP.themeChanged();
  }
  let remembered = null;
  try {
    remembered = localStorage.getItem("prep-tema");
  } catch (error) {
    remembered = null;
  }
  const asked = PREP.param("tema") || remembered;
  root.dataset.tema = THEMES[asked] ? asked : "auto";
  PREP.setTheme = setTheme;
  PREP.isDark = () =>
    root.dataset.tema === "dark" ||
    (root.dataset.tema !== "light" && window.matchMedia("(prefers-color-scheme: dark)").matches);
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => PREP.themeChanged && PREP.themeChanged());
  if (PREP.param("muro") === "1") root.dataset.muro = "1";

  function build() {
    const title = document.getElementById("barra-titulo");
    const status = document.getElementById("barra-estado");
    if (!title || !status) return null;
    if (bar && bar.title.isConnected) return bar;
    bar = {
      title: el("strong", { class: "titulo-noche" }),
      mode: el("span", { class: "sello modo" }),
      speed: el("span", { class: "sello velocidad", hidden: true }),
      badge: el("span", { id: "insignia", class: "insignia" }),
      clock: el("time", { id: "reloj", class: "reloj" }),
      history: el("button", {
        type: "button",
        class: "boton chico plano",
        text: "↶",
        title: "Ver un momento pasado",
        "aria-label": "Historia: ver un momento pasado",
        "aria-pressed": "false",
        on: { click: () => (PREP.historical ? PREP.goto(null) : openSlider()) },
      }),
      theme: el("button", {
        type: "button",
        class: "boton chico plano",
        on: {
          click: () => {
            const names = Object.keys(THEMES);
            setTheme(names[(names.indexOf(root.dataset.tema) + 1) % names.length]);
          },
        },
      }),
      user: el("a", { class: "quien" }),
      leave: el("button", { type: "button", class: "boton chico plano", text: "Salir", on: { click: leave } }),
    };
    bar.tools = el("span", { class: "herramientas" }, bar.history, bar.theme, bar.user, bar.leave);
    title.replaceChildren(bar.title, bar.mode, bar.speed);
    nameTheme();
    status.replaceChildren(bar.tools, bar.badge, bar.clock);
    return bar;
  }
  async function leave() {
    try {
      await fetch("/salir", {
        method: "POST",
        credentials: "same-origin",
        headers: { "Content-Type": "application/json", "X-CSRF": (PREP.user && PREP.user.csrf) || "" },
        body: "{}",
      });
    } catch (error) {
      PREP.toast(PREP.message(error), "error");
      return;
    }
    location.assign("/entrar");
  }

  const BASE_TITLE = document.title;
  let titled = null;
  /* What the window says of the page on screen: its name in the menu, or its heading. */
  PREP.windowTitle = function () {
    const link = document.querySelector('#menu a[data-pagina="' + root.dataset.pagina + '"]');
    const named = link || document.querySelector("#contenido h1");
    return named ? named.textContent + " · " + BASE_TITLE : BASE_TITLE;
  };
  function markMenu() {
    const menu = document.getElementById("menu");
    if (!menu) return;
    if (titled !== root.dataset.pagina) {
      titled = root.dataset.pagina;
      document.title = PREP.windowTitle();
    }
    for (const link of menu.querySelectorAll("a[data-pagina]"))
      PREP.attr(link, "aria-current", link.dataset.pagina === root.dataset.pagina ? "page" : null);
    if (build() && PREP.user) {
      PREP.text(bar.user, PREP.user.usuario);
      PREP.attr(bar.user, "title", PREP.user.nombre + (PREP.can("cuenta") ? " · mi cuenta" : ""));
      PREP.attr(bar.user, "href", PREP.can("cuenta") ? "/cuenta" : null);
    }
  }

  const CLOCK_WORDS = { pausada: "EN PAUSA", terminada: "TERMINADA", datos: "SEGÚN DATOS" };
  PREP.on("snapshot", function (snapshot) {
    if (!build()) return;
    const clock = snapshot.reloj;
    PREP.text(bar.title, snapshot.titulo);
    const drill = snapshot.modo === "simulacro";
    PREP.text(bar.mode, drill ? "SIMULACRO" : "OFICIAL");
    PREP.cls(bar.mode, "sello modo " + snapshot.modo);
    PREP.attr(root, "data-modo", snapshot.modo);
    PREP.text(bar.clock, PREP.hhmm(clock.ahora_ms));
    PREP.attr(bar.clock, "datetime", new Date(clock.ahora_ms).toISOString());
    const fast = clock.estado === "corriendo" && clock.velocidad && clock.velocidad !== 1;
    const word = CLOCK_WORDS[clock.estado] || (fast ? "×" + PREP.num(clock.velocidad) : "");
    PREP.text(bar.speed, word);
    PREP.attr(bar.speed, "title", clock.estado === "datos" ? "Ninguna corrida responde: la hora es la del último registro de la base" : null);
    PREP.show(bar.speed, Boolean(word));
    markMenu();
  });
  PREP.on("mode", markMenu);

  function seconds(value) {
    const s = Math.floor(value);
    return s < 600 ? s + " s" : PREP.dura(s * 1000);
  }
  let strip = null;
  function buildStrip() {
    const host = document.getElementById("franja");
    if (!host) return null;
    if (strip && strip.host === host && strip.stale.isConnected) return strip;
    strip = {
      host,
      stale: el("div", { class: "franja-vieja", role: "region", "aria-label": "Aviso de datos sin actualizar", hidden: true }),
      staleTitle: el("strong", { id: "franja-vieja" }),
      staleWhy: el("span", {}),
      // Said once when it begins, not at each second.
      spoken: el("span", { class: "oculto", role: "status" }),
      past: el("div", { class: "franja-historia", role: "region", "aria-label": "Historia", hidden: true }),
    };
    strip.stale.append(strip.staleTitle, strip.staleWhy);
    host.replaceChildren(strip.spoken, strip.stale, strip.past);
    return strip;
  }
  PREP.on("stale", function (fresh) {
    if (!buildStrip()) return;
    if (build()) {
      const text = PREP.historical
        ? "Historia"
        : fresh.age === null
          ? "Sin datos todavía"
          : "Datos hace " + seconds(fresh.age);
      PREP.text(bar.badge, text);
      PREP.cls(bar.badge, "insignia" + (fresh.stale ? " vieja" : PREP.historical ? " historia" : ""));
      PREP.attr(bar.history, "aria-pressed", PREP.historical ? "true" : "false");
    }
    PREP.show(strip.stale, fresh.stale);
    if (!fresh.stale) {
      PREP.text(strip.spoken, "");
      return;
    }
    const age = fresh.age === null ? fresh.waited : fresh.age;
    PREP.text(strip.staleTitle, (fresh.base ? "" : "SIN BASE DE DATOS · ") + "DATOS SIN ACTUALIZAR " + seconds(age || 0));
    PREP.text(strip.staleWhy, fresh.reason || "");
    PREP.text(strip.spoken, (fresh.base ? "" : "Sin base de datos. ") + "Datos sin actualizar: " + (fresh.reason || ""));
  });

  /* History: any kept moment of the night, in place of the live data, with a banner that says so. */
  let moments = [];
  let moment = null;
  let slider = null;
  function setUrl(ms) {
    const url = new URL(location.href);
    if (ms === null) url.searchParams.delete("momento");
    else url.searchParams.set("momento", String(ms));
    history.replaceState(history.state, "", url);
  }
  function buildSlider() {
    if (slider && slider.range.isConnected) return slider;
    const step = (delta) => () => move(Number(slider.range.value) + delta);
    slider = {
      label: el("strong", { id: "momento" }),
      range: el("input", { type: "range", min: 0, step: 1, "aria-label": "Momento de la noche", on: { input: onSlide } }),
    };
    strip.past.replaceChildren(
      el("span", { text: "HISTORIA · la sala como estaba a las " }, slider.label),
      el("button", { type: "button", class: "boton chico", text: "◀", "aria-label": "Un momento antes", on: { click: step(-1) } }),
      slider.range,
      el("button", { type: "button", class: "boton chico", text: "▶", "aria-label": "Un momento después", on: { click: step(1) } }),
      el("button", { type: "button", class: "boton chico", text: "Volver a en vivo", on: { click: () => PREP.goto(null) } })
    );
    return slider;
  }
  function labelOf(index) {
    const text = moments.length ? PREP.hhmm(moments[index]) : "";
    PREP.text(slider.label, text);
    PREP.attr(slider.range, "aria-valuetext", text);
  }
  let pending = null;
  function onSlide() {
    labelOf(Number(slider.range.value));
    clearTimeout(pending);
    pending = setTimeout(() => move(Number(slider.range.value)), 150);
  }
  function move(index) {
    if (!moments.length) return;
    const at = Math.min(Math.max(index, 0), moments.length - 1);
    PREP.goto(moments[at]);
  }
  async function openSlider() {
    try {
      moments = (await PREP.get("/api/historia.json")).momentos || [];
    } catch (error) {
      PREP.toast(PREP.message(error), "error");
      return;
    }
    if (!moments.length) PREP.toast("Todavía no hay momentos guardados", "aviso");
    else PREP.goto(moments[moments.length - 1]);
  }
  PREP.history = {
    open: async function (ms) {
      const kept = await PREP.get("/api/historia/" + ms + ".json");
      moment = ms;
      if (!moments.length) moments = (await PREP.get("/api/historia.json")).momentos || [];
      root.dataset.historia = "si";
      buildStrip();
      PREP.showKept(kept);
      buildSlider();
      let index = 0;
      while (index + 1 < moments.length && moments[index + 1] <= ms) index += 1;
      slider.range.max = String(Math.max(0, moments.length - 1));
      slider.range.value = String(index);
      labelOf(index);
      if (!moments.length) PREP.text(slider.label, PREP.hhmm(kept.reloj.ahora_ms));
      PREP.show(strip.past, true);
    },
  };
  PREP.goto = async function (ms) {
    setUrl(ms);
    if (ms === null) {
      moment = null;
      delete root.dataset.historia;
      if (strip) PREP.show(strip.past, false);
      await PREP.live();
      return;
    }
    try {
      await PREP.history.open(ms);
    } catch (error) {
      PREP.toast(PREP.message(error), "error");
    }
  };
  /* Going to another page keeps the moment that is being looked at. */
  window.addEventListener("sala:direccion", () => {
    const asked = PREP.param("momento");
    if (asked && Number(asked) !== moment) PREP.goto(Number(asked));
    else if (!asked && moment !== null) setUrl(moment);
  });
})();
