/* Sala general: the indicators, one tile per CATD, the active alerts and the CATDs in trouble with why.
   Tiles keep their place all night: somebody who knows where theirs is finds it without reading. */
(function () {
  "use strict";
  const PREP = window.PREP;
  const el = PREP.el;
  const byId = (id) => document.getElementById(id);
  const TROUBLE = { p1: 1, p2: 2, p3: 3 };
  const KPI_RULES = {
    plan: ["A05"],
    rezago: ["A03"],
    ritmo: ["A04"],
    inconsistencias: [],
    corte: ["A07", "A08"],
    cierre: ["A06"],
  };

  /** «CATD municipal 102 Tonalá (D7)» → «102 Tonalá (D7)», «CATD distrital 07 Tonalá» → «CD7 Tonalá»: as the
      tiles call them. */
  function brief(text) {
    return String(text || "")
      .replace(/CATD distrital 0*(\d+) ([^,;(]+?) \(D\1\)/gi, "CD$1 $2")
      .replace(/CATD distrital 0*(\d+)/gi, "CD$1")
      .replace(/CATD municipal 0*(\d+)/gi, "$1")
      .replace(/· distrito (\d+)$/, "· D$1");
  }
  PREP.brief = brief;

  /* ---- Indicators ---- */
  function worstOf(rules, alerts) {
    let worst = null;
    for (const alert of alerts)
      if (alert.estado !== "silenciada" && rules.includes(alert.regla) && (!worst || alert.prioridad < worst.prioridad))
        worst = alert;
    return worst;
  }
  function kpi(name, value, note, alert, words) {
    PREP.text(byId("kpi-" + name), value);
    PREP.cls(byId("kpi-" + name), "kpi-valor" + (String(value).length > 7 ? " largo" : ""));
    const level = alert ? "p" + alert.prioridad : "";
    PREP.cls(byId("kpi-" + name + "-marco"), "kpi" + (level ? " fuera " + level : ""));
    const shape = level ? PREP.MARKS[level][0] + " " : "";
    PREP.text(byId("kpi-" + name + "-nota"), shape + (alert && words ? words : note));
  }
  function kpis(s) {
    const k = s.kpis;
    const alerts = s.alertas;
    const of = (name) => worstOf(KPI_RULES[name], alerts);
    kpi("avance", PREP.pct(k.avance_pct), PREP.num(k.verificadas) + " de " + PREP.num(k.esperadas), null, "");
    const pp = k.vs_plan_pp;
    const noPlan = pp === null || pp === undefined;
    kpi(
      "plan",
      noPlan ? "—" : (pp > 0 ? "+" : pp < 0 ? "−" : "") + PREP.num(Math.abs(pp), 1) + " pp",
      noPlan ? "sin plan cargado" : "el plan dice " + PREP.pct(k.plan_pct, 1),
      of("plan"),
      noPlan ? "" : "el plan dice " + PREP.pct(k.plan_pct, 1)
    );
    kpi(
      "rezago",
      PREP.num(k.rezago),
      k.rezago_min === null ? "actas por capturar" : "≈ " + PREP.num(k.rezago_min) + " min de trabajo",
      of("rezago"),
      "crece · ≈ " + PREP.num(k.rezago_min) + " min"
    );
    kpi(
      "ritmo",
      PREP.num(k.ritmo, k.ritmo < 10 ? 1 : 0),
      k.ritmo_plan === null ? "en los últimos 15 min" : "el plan dice " + PREP.num(k.ritmo_plan, k.ritmo_plan < 10 ? 1 : 0),
      of("ritmo"),
      "bajo; plan " + PREP.num(k.ritmo_plan)
    );
    kpi("inconsistencias", PREP.pct(k.inconsistencias_pct), "de " + PREP.num(k.revisadas) + " revisadas", null, "");
    cut(s, of("corte"));
    const end = k.cierre;
    if (s.fase === "cerrada") kpi("cierre", "Cerrada", "final " + PREP.pct(k.avance_pct), null, "");
    else if (!end || end.mediana_ms === null)
      kpi("cierre", "—", end && end.final_pct ? "final " + PREP.pct(end.final_pct.p50, 1) : "sin pronóstico todavía", of("cierre"), "puede pasar del cierre legal");
    else {
      // Without a latest end, some of the forecasts never get there.
      const open = end.hasta_ms === null || end.hasta_ms === undefined;
      const span = open ? "desde " + PREP.hhmm(end.desde_ms) + "; quizá no llegue" : "entre " + PREP.hhmm(end.desde_ms) + " y " + PREP.hhmm(end.hasta_ms);
      kpi("cierre", PREP.hhmm(end.mediana_ms), span, of("cierre"), open ? span : "tarde: " + span);
    }
  }
  const CANARY = {
    ok: "✓ público igual",
    divergente: "lo público difiere",
    atrasado: "público atrasado",
    sin_publico: "nada público",
    sin_revisar: "",
  };
  function cut(s, alert) {
    const c = s.corte;
    if (!c) return kpi("corte", "—", "la operación no ha empezado", null, "");
    const said = c.rechazado && c.rechazado.numero > c.numero ? "corte " + c.rechazado.numero + " rechazado" : CANARY[c.canario.estado];
    const note = [c.numero ? "n.º " + c.numero : "", said].filter(Boolean).join(" · ");
    if (c.ultimo) return kpi("corte", "Final", note, alert, note);
    const left = c.siguiente_ms === null ? null : c.siguiente_ms - s.reloj.ahora_ms;
    return kpi("corte", left === null ? "—" : PREP.cuenta(left), note, alert, left !== null && left < 0 ? "atrasado · " + note : note);
  }

  /* ---- Tiles ---- */
  let tiles = null;
  function buildTiles(host, s) {
    const groups = new Map();
    for (const row of s.catd) {
      const key = row.distrito === null ? 1e9 : row.distrito;
      if (!groups.has(key)) groups.set(key, []);
      groups.get(key).push(row);
    }
    const names = new Map((s.distritos || []).map((each) => [each[0], each[1]]));
    tiles = { host, signature: signature(s), nodes: new Map(), spans: [], order: [] };
    const blocks = [...groups.entries()]
      .sort((a, b) => a[0] - b[0])
      .map(([key, rows]) => {
        const label = key === 1e9 ? "Sin distrito" : names.get(key) || "Distrito " + key;
        const made = rows.map((row) => makeTile(row));
        tiles.spans.push(2, ...rows.slice(1).map(() => 1));
        const title = el("a", { class: "distrito", href: key === 1e9 ? null : "/catd?distrito=" + key, title: label, tabindex: -1, text: key === 1e9 ? "—" : "D" + key });
        // The label never stays alone at the end of a row.
        return [el("span", { class: "junto" }, title, made[0]), ...made.slice(1)];
      });
    const list = el("div", { class: "flujo", role: "group", "aria-label": "Un mosaico por CATD; flechas para recorrerlos" }, blocks);
    list.addEventListener("keydown", arrows);
    host.replaceChildren(list);
    tiles.list = list;
    if (tiles.order.length) tiles.order[0].setAttribute("tabindex", "0");
    fit();
  }
  const signature = (s) => s.entidad.id + "|" + s.catd.length + "|" + s.boot_id;
  function makeTile(row) {
    const fill = el("span", { class: "llenado" });
    const shape = el("span", { class: "figura", "aria-hidden": "true" });
    const short = PREP.catdShort(row);
    const number = el("span", { class: "numero" + (short.length > 3 ? " largo" : ""), "aria-hidden": "true", text: short });
    const words = el("span", { class: "oculto" });
    const node = el("a", { class: "mosaico", href: "/catd?catd=" + row.id, title: PREP.catdName(row.id), tabindex: "-1" }, fill, shape, number, words);
    tiles.nodes.set(row.id, { node, fill, shape, words });
    tiles.order.push(node);
    return node;
  }
  function arrows(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1, Home: -1e9, End: 1e9 }[event.key];
    let next = null;
    const at = tiles.order.indexOf(document.activeElement);
    if (at < 0) return;
    if (step) next = tiles.order[Math.min(tiles.order.length - 1, Math.max(0, at + step))];
    else if (event.key === "ArrowDown" || event.key === "ArrowUp") next = below(tiles.order[at], event.key === "ArrowDown");
    if (!next) return;
    event.preventDefault();
    tiles.order[at].setAttribute("tabindex", "-1");
    next.setAttribute("tabindex", "0");
    next.focus();
  }
  function below(node, down) {
    const here = node.getBoundingClientRect();
    let best = null;
    let least = Infinity;
    for (const other of tiles.order) {
      const box = other.getBoundingClientRect();
      const dy = down ? box.top - here.top : here.top - box.top;
      if (dy < here.height / 2) continue;
      const cost = dy * 10 + Math.abs(box.left - here.left);
      if (cost < least) [best, least] = [other, cost];
    }
    return best;
  }
  /** How many rows the tiles take in `columns`: a label and its first tile go together. */
  function rowsIn(columns) {
    let rows = 1;
    let at = 0;
    for (const span of tiles.spans) {
      if (at + span > columns) {
        rows += 1;
        at = 0;
      }
      at += span;
    }
    return rows;
  }
  /** The columns with which the tiles fill the panel and are as large as can be. */
  function fit() {
    if (!tiles || !tiles.list.isConnected) return;
    const width = tiles.host.clientWidth;
    const free = getComputedStyle(tiles.host).overflowY === "visible"; // phone: the page scrolls
    const height = free ? Infinity : tiles.host.clientHeight;
    if (width < 50 || height < 50) return;
    const gap = 4;
    let best = null;
    for (let columns = 2; columns <= Math.max(2, Math.floor(width / 14)); columns += 1) {
      const w = (width - gap * (columns - 1)) / columns;
      const rows = rowsIn(columns);
      const h = free ? w : (height - gap * (rows - 1)) / rows;
      const score = free ? -Math.abs(w - 44) : Math.min(w, h);
      if (!best || score > best.score) best = { score, columns, h, side: Math.min(w, h) };
    }
    PREP.style(tiles.host, "--columnas", String(best.columns));
    PREP.style(tiles.host, "--alto", Math.min(best.h, best.side * 1.35).toFixed(1) + "px");
    PREP.style(tiles.host, "--mosaico", best.side.toFixed(1) + "px");
  }
  const STATE_WORDS = { normal: "normal", terminado: "terminado", sin_empezar: "sin empezar", silenciado: "silenciado" };
  function paintTiles(s) {
    const host = byId("mosaicos");
    if (!host) return;
    if (!tiles || tiles.host !== host || tiles.signature !== signature(s) || !tiles.list.isConnected) buildTiles(host, s);
    const count = { p1: 0, p2: 0, p3: 0 };
    for (const row of s.catd) {
      const tile = tiles.nodes.get(row.id);
      if (!tile) continue;
      const bad = TROUBLE[row.estado];
      if (bad) count[row.estado] += 1;
      PREP.cls(tile.node, "mosaico " + row.estado);
      PREP.text(tile.shape, bad ? PREP.MARKS[row.estado][0] : row.estado === "silenciado" ? "∅" : row.estado === "terminado" ? "✓" : "");
      const share = row.esperadas ? Math.floor((100 * row.verificadas) / row.esperadas) : 100;
      PREP.style(tile.fill, "height", share + "%");
      PREP.text(
        tile.words,
        PREP.catdName(row.id) + ": " + (bad ? "prioridad " + bad + ", " + brief(row.motivo) : STATE_WORDS[row.estado] || row.estado) + "; " + share + " % registrado"
      );
    }
    const bad = count.p1 + count.p2 + count.p3;
    PREP.text(
      byId("mosaicos-leyenda"),
      s.catd.length + " CATD · " + (bad ? bad + " con problema" : "ninguno con problema") + " · ✕ P1  ▲ P2  ● P3  ✓ terminado"
    );
  }

  /* ---- Alerts ---- */
  const PLACE = { catd: "/catd?catd=", distrito: "/catd?distrito=" };
  function alertHref(alert) {
    const place = alert.ambito || {};
    if (PLACE[place.tipo] && place.id !== null) return PLACE[place.tipo] + place.id;
    if ((alert.catds || []).length) return "/catd";
    return { publicacion: "/publicacion", estado: "/pronostico" }[place.tipo] || "/incidentes";
  }
  /** One line for many districts unfolds into them: «D1: 5, 96 · D2: 110». */
  function detailOf(alert) {
    const groups = new Map();
    for (const id of alert.catds || []) {
      const row = PREP.catd(id);
      const key = row && row.distrito !== null ? row.distrito : "—";
      groups.set(key, [...(groups.get(key) || []), row ? PREP.catdShort(row) : id]);
    }
    if (groups.size < 2) return brief(alert.detalle);
    const parts = [...groups.entries()].sort((a, b) => a[0] - b[0]);
    return parts.map(([key, names]) => "D" + key + ": " + names.join(", ")).join(" · ") + " · la peor: " + alert.valor;
  }
  function makeAlert() {
    const parts = {
      mark: PREP.marca("p3"),
      title: el("a", { class: "alerta-titulo" }),
      age: el("span", { class: "alerta-edad" }),
      detail: el("span", { class: "alerta-detalle" }),
      owner: el("span", { class: "alerta-quien" }),
      button: el("button", { type: "button", class: "boton chico accion", text: "Reconocer" }),
    };
    const node = el(
      "li",
      { class: "alerta" },
      parts.mark,
      el("div", { class: "alerta-fila" }, parts.title, parts.age),
      el("div", { class: "alerta-fila" }, parts.detail, el("span", { class: "alerta-pie" }, parts.owner, parts.button))
    );
    parts.button.addEventListener("click", () => acknowledge(node.prepAlert));
    node.prepParts = parts;
    return node;
  }
  async function acknowledge(alert) {
    await PREP.dialog({
      titulo: "Reconocer la alerta",
      texto: brief(alert.titulo) + ". Reconocerla dice a todos que usted ya la atiende; la alerta sigue a la vista hasta que se despeje.",
      campos: [{ nombre: "nota", etiqueta: "Nota (opcional)", tipo: "text" }],
      boton: "Reconocer",
      hacer: async (answer) => {
        await PREP.act("reconocer_alerta", { alerta: alert.id, nota: answer.nota });
        PREP.toast("Alerta reconocida", "ok");
      },
    });
  }
  function paintAlert(node, alert, now) {
    const parts = node.prepParts;
    node.prepAlert = alert;
    const open = alert.estado === "activa";
    PREP.cls(node, "alerta p" + alert.prioridad + " " + alert.estado + ((alert.catds || []).length > 9 ? " amplia" : ""));
    PREP.setMarca(parts.mark, "p" + alert.prioridad);
    PREP.text(parts.title, brief(alert.titulo));
    PREP.attr(parts.title, "href", alertHref(alert));
    PREP.text(parts.age, PREP.ago(alert.desde_ms, now));
    const detail = detailOf(alert);
    PREP.text(parts.detail, detail);
    PREP.attr(parts.detail, "title", detail);
    const may = open && PREP.can("reconocer") && !PREP.historical;
    PREP.text(parts.owner, open ? (alert.incidente ? alert.incidente : "sin reconocer") : "@" + (alert.por || "¿?") + " " + PREP.hhmm(alert.reconocida_ms));
    PREP.cls(parts.owner, "alerta-quien" + (may && !alert.incidente ? " solo-muro" : ""));
    PREP.show(parts.button, may);
    PREP.attr(parts.button, "aria-label", "Reconocer: " + brief(alert.titulo));
  }
  /** The lists of the column end in a whole row, «y N más» under it; who scrolls sees the rest. On a phone they
      are not cut. The second list gets the room that the first one leaves. */
  const LISTS = [["alertas", "alertas-mas", "/incidentes"], ["problemas", "problemas-mas", "/catd"]];
  function counts() {
    const lists = LISTS.map(([list, note, href]) => ({ host: byId(list), note: byId(note), href })).filter((one) => one.host);
    const cut = (one) => one.host.scrollHeight > one.host.clientHeight + 2;
    for (const one of lists) {
      one.scroll = one.host.scrollTop;
      one.host.style.maxHeight = one.host.style.flex = "";
      PREP.show(one.note, false);
    }
    // The note of one takes room of both.
    for (const one of [...lists, ...lists]) if (cut(one)) {
      if (!one.note.firstChild || one.note.firstChild.tagName !== "A") one.note.replaceChildren(el("a", { href: one.href, text: "y más" }));
      PREP.show(one.note, true);
    }
    for (const one of lists) {
      const rows = [...one.host.children];
      const ends = (row) => row.offsetTop + row.offsetHeight;
      if (cut(one)) {
        const whole = rows.filter((row) => ends(row) <= one.host.clientHeight + 1);
        const last = whole.length ? whole[whole.length - 1] : rows[0];
        one.host.style.maxHeight = ends(last) + "px";
        one.host.style.flex = "none";
      } else PREP.show(one.note, false);
      one.host.scrollTop = one.scroll;
      const under = rows.filter((row) => ends(row) > one.host.clientHeight + one.host.scrollTop + 2).length;
      if (!one.note.hidden) PREP.text(one.note.firstChild, under ? "y " + under + " más" : "fin de la lista");
    }
  }
  function paintAlerts(s) {
    const list = byId("alertas");
    if (!list) return;
    const heard = s.alertas.filter((alert) => alert.estado !== "silenciada");
    const now = s.reloj.ahora_ms;
    if (heard.length) PREP.each(list, heard, (alert) => alert.id, makeAlert, (node, alert) => paintAlert(node, alert, now));
    else
      PREP.each(list, [{ id: "nada" }], (row) => row.id, () => el("li", { class: "vacio" }), (node) =>
        PREP.text(node, { previa: "La operación no ha empezado.", cerrada: "Sin alertas: la operación cerró." }[s.fase] || "Sin alertas: todo está dentro de sus límites.")
      );
    const sum = s.alertas_resumen;
    const many = (n, word) => (n ? n + " " + word + (n === 1 ? "" : "s") : "");
    const quiet = [many(sum.silenciadas, "silenciada"), many(sum.inhibidas, "inhibida")].filter(Boolean).join(" · ");
    PREP.text(byId("alertas-cuenta"), "✕ " + sum.p1 + "  ▲ " + sum.p2 + "  ● " + sum.p3 + (quiet ? "  · " + quiet : ""));
  }
  function makeProblem() {
    const parts = { mark: PREP.marca("p3"), name: el("a", {}), why: el("span", { class: "problema-motivo" }) };
    const node = el("li", { class: "problema" }, parts.mark, el("span", {}, parts.name, " ", parts.why));
    node.prepParts = parts;
    return node;
  }
  /** By priority; then those that say nothing for longest (no signal, or no actas); then the most left to do. */
  function worstFirst(s) {
    const now = s.reloj.ahora_ms;
    const start = s.operacion ? s.operacion.inicio_ms : now;
    const since = (ms) => now - (ms === null || ms === undefined ? start : ms);
    const has = (row, rule) => (row.alertas || []).some((id) => id.startsWith(rule));
    const quiet = (row) => Math.floor(Math.max(has(row, "A01") ? since(row.latido_ms) : 0, has(row, "A02") ? since(row.ultima_ms) : 0) / 60000);
    const left = (row) => row.esperadas - row.verificadas;
    return (a, b) => TROUBLE[a.estado] - TROUBLE[b.estado] || quiet(b) - quiet(a) || left(b) - left(a) || a.id - b.id;
  }
  function paintProblems(s) {
    const list = byId("problemas");
    if (!list) return;
    const rows = s.catd
      .filter((row) => TROUBLE[row.estado])
      .sort(worstFirst(s));
    if (rows.length)
      PREP.each(list, rows, (row) => row.id, makeProblem, (node, row) => {
        PREP.setMarca(node.prepParts.mark, row.estado);
        PREP.text(node.prepParts.name, brief(PREP.catdName(row.id)));
        PREP.attr(node.prepParts.name, "href", "/catd?catd=" + row.id);
        PREP.text(node.prepParts.why, PREP.motivo(brief(row.motivo)));
      });
    else PREP.each(list, [{ id: "nada" }], (row) => row.id, () => el("li", { class: "vacio" }), (node) => PREP.text(node, calm(s)));
    PREP.text(byId("problemas-cuenta"), String(rows.length));
  }
  function calm(s) {
    const done = s.catd.filter((row) => row.estado === "terminado").length;
    const waiting = s.catd.filter((row) => row.estado === "sin_empezar").length;
    if (s.fase === "cerrada") return "Ninguno: la operación cerró. " + done + " de " + s.catd.length + " CATD registraron todo lo suyo.";
    return "Ninguno: " + (s.catd.length - done - waiting) + " trabajan con normalidad, " + done + " terminaron y " + waiting + " no empiezan.";
  }

  /* ---- Incidents and cuts: who has what, and what went out last ---- */
  const STEPS = { abierto: "abierto", atendido: "en atención", contenido: "contenido" };
  function paintIncidents(s) {
    const rows = (s.incidentes || []).filter((row) => STEPS[row.estado]);
    PREP.show(byId("zona-incidentes"), rows.length > 0);
    PREP.text(byId("incidentes-cuenta"), String(rows.length));
    PREP.each(
      byId("incidentes-muro"),
      rows.slice(0, 2),
      (row) => row.clave,
      () => el("li", { class: "problema incidente-muro" }, el("a", {}), el("span", {})),
      (node, row) => {
        const [link, words] = node.children;
        PREP.text(link, row.titulo);
        PREP.attr(link, "href", "/incidentes?incidente=" + encodeURIComponent(row.clave));
        PREP.text(words, STEPS[row.estado] + " · " + PREP.ago(row.abierto_ms, s.reloj.ahora_ms) + " · " + (row.asignado ? "@" + row.asignado : "sin asignar"));
      }
    );
  }
  function paintCuts(s, room) {
    const cuts = (s.corte && s.corte.recientes) || [];
    PREP.show(byId("zona-cortes"), room && cuts.length > 0);
    if (!room) return;
    PREP.each(
      byId("cortes-muro"),
      cuts.slice(-6).reverse(),
      (row) => row.numero,
      () => el("li", { class: "problema" }, el("a", { href: "/publicacion" }), el("span", {})),
      (node, row) => {
        PREP.text(node.firstChild, "n.º " + row.numero + " · " + PREP.hhmm(row.hora_ms));
        PREP.text(node.lastChild, PREP.num(row.actas) + " actas" + (row.ultimo ? " · final" : ""));
      }
    );
  }

  let shape = null;
  const observer = new ResizeObserver(() => {
    fit();
    if (PREP.snapshot && shape) counts();
  });
  PREP.register("general", {
    enter: function (root) {
      tiles = null;
      shape = root;
      observer.disconnect();
      observer.observe(byId("mosaicos"));
      observer.observe(byId("alertas"));
      PREP.map.enter(byId("mapa"));
    },
    apply: function (s) {
      kpis(s);
      paintTiles(s);
      paintAlerts(s);
      paintProblems(s);
      paintIncidents(s);
      paintCuts(s, s.alertas.length <= 3 && s.catd.filter((row) => TROUBLE[row.estado]).length <= 5);
      PREP.map.apply(s);
      PREP.wallCharts(s);
      counts();
    },
    leave: function () {
      observer.disconnect();
      shape = null;
      tiles = null;
    },
  });
})();
