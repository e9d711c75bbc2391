/* The map of the wall: an inline SVG drawn once, of which only the shade of each territory changes. The shade is
   progress (one hue, in ten steps); trouble is told by the marks of the CATDs that are in the territory. */
(function () {
  "use strict";
  const PREP = window.PREP;
  const el = PREP.el;
  let host = null;
  let data = null;
  let drawn = null;
  let loading = false;

  async function load() {
    if (data || loading) return;
    loading = true;
    try {
      data = await PREP.get("/api/mapa.json");
      if (PREP.snapshot) apply(PREP.snapshot);
    } catch (error) {
      setTimeout(() => {
        loading = false;
        load();
      }, 5000);
      return;
    }
    loading = false;
  }

  function draw() {
    const level = data.nivel;
    drawn = { shapes: new Map(), marks: new Map(), order: [] };
    const tiles = data.tipo !== "geojson";
    const aside = tiles ? 26 : 0; // in a corner of the tile: its name stays readable
    const paths = data.formas.map((shape) => {
      const path = el("svg:path", { d: shape.d, class: "m0", "vector-effect": "non-scaling-stroke" });
      if (shape.id === null) {
        path.setAttribute("class", "sin-datos");
        return el("svg:g", {}, path);
      }
      const words = el("svg:title", {});
      const link = el("svg:g", { role: "link", tabindex: -1, class: "territorio", dataset: { id: shape.id } }, words, path);
      if (tiles)
        shape.corto.split("\n").forEach((text, line) =>
          link.append(el("svg:text", { x: shape.x, y: shape.y + 6 + 27 * line, class: "corto", "text-anchor": "middle", "dominant-baseline": "central", text }))
        );
      drawn.shapes.set(shape.id, { link, path, words, shape });
      drawn.order.push(link);
      return link;
    });
    const marks = data.formas
      .filter((shape) => shape.id !== null)
      .map((shape) => {
        const back = el("svg:circle", { r: 1, cx: 0, cy: 0 });
        const text = el("svg:text", { x: 0, y: 0, "text-anchor": "middle", "dominant-baseline": "central" });
        const group = el("svg:g", { class: "marca-mapa", transform: "translate(" + (shape.x + aside) + " " + (shape.y - aside) + ")", "aria-hidden": "true" }, back, text);
        group.setAttribute("visibility", "hidden");
        drawn.marks.set(shape.id, { group, back, text });
        return group;
      });
    const svg = el(
      "svg:svg",
      { viewBox: "0 0 " + data.ancho + " " + data.alto, role: "group", "aria-label": "Mapa por " + level + ", flechas para recorrerlo, Entrar para abrir", preserveAspectRatio: "xMidYMid meet", class: "mapa-" + data.tipo },
      paths,
      marks
    );
    const go = (node) => {
      const id = node && node.dataset.id;
      if (id !== undefined) PREP.navigate("/catd?" + level + "=" + id);
    };
    svg.addEventListener("click", (event) => go(event.target.closest("[data-id]")));
    svg.addEventListener("keydown", (event) => {
      const here = event.target.closest("[data-id]");
      if (!here) return;
      if (event.key === "Enter" || event.key === " ") {
        event.preventDefault();
        go(here);
        return;
      }
      const move = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] }[event.key];
      const next = move && towards(here, move);
      if (!next) return;
      event.preventDefault();
      here.setAttribute("tabindex", "-1");
      next.setAttribute("tabindex", "0");
      next.focus();
    });
    host.replaceChildren(svg);
    if (drawn.order.length) drawn.order[0].setAttribute("tabindex", "0");
    drawn.svg = svg;
  }
  /** The nearest territory in a direction. */
  function towards(here, [dx, dy]) {
    const from = drawn.shapes.get(Number(here.dataset.id)).shape;
    let best = null;
    let least = Infinity;
    for (const { link, shape } of drawn.shapes.values()) {
      const along = (shape.x - from.x) * dx + (shape.y - from.y) * dy;
      const aside = Math.abs((shape.x - from.x) * dy) + Math.abs((shape.y - from.y) * dx);
      if (along <= 0 || aside > along * 1.5) continue;
      const cost = along + aside * 2;
      if (cost < least) [best, least] = [link, cost];
    }
    return best;
  }

  const ORDER = { p1: 1, p2: 2, p3: 3 };
  function apply(s) {
    if (!host || !host.isConnected) return;
    if (!data) {
      load();
      return;
    }
    if (!drawn || !drawn.svg.isConnected) draw();
    const trouble = new Map();
    for (const row of s.catd) {
      const at = data.nivel === "municipio" ? row.municipio : row.distrito;
      if (!ORDER[row.estado] || at === null) continue;
      const known = trouble.get(at) || { state: row.estado, count: 0 };
      known.count += 1;
      if (ORDER[row.estado] < ORDER[known.state]) known.state = row.estado;
      trouble.set(at, known);
    }
    for (const [id, name, expected, registered] of data.nivel === "municipio" ? s.municipios : s.distritos) {
      const shape = drawn.shapes.get(id);
      if (!shape) continue;
      const share = expected ? registered / expected : null;
      PREP.cls(shape.path, share === null ? "sin-datos" : "m" + Math.min(10, Math.floor(share * 10)));
      const bad = trouble.get(id);
      PREP.text(
        shape.words,
        name + ": " + (share === null ? "sin actas" : Math.floor(share * 100) + " % registrado, " + PREP.num(registered) + " de " + PREP.num(expected)) + (bad ? "; " + bad.count + " CATD con problema" : "")
      );
      PREP.attr(shape.link, "aria-label", shape.words.textContent);
    }
    const size = data.tipo === "geojson" ? Math.max(data.ancho, data.alto) * 0.021 : 24;
    for (const [id, mark] of drawn.marks) {
      const bad = trouble.get(id);
      PREP.attr(mark.group, "visibility", bad ? "visible" : "hidden");
      if (!bad) continue;
      PREP.attr(mark.group, "class", "marca-mapa " + bad.state);
      PREP.attr(mark.back, "r", size.toFixed(1));
      PREP.attr(mark.text, "font-size", (size * 1.25).toFixed(1));
      PREP.text(mark.text, PREP.MARKS[bad.state][0]);
    }
    legend();
  }
  function legend() {
    const at = document.getElementById("mapa-leyenda");
    if (!at || at.prepLevel === data.nivel) return;
    at.prepLevel = data.nivel;
    at.replaceChildren(
      "registrado por " + data.nivel + ": 0 % ",
      el("span", { class: "escala", "aria-hidden": "true" }, [0, 2, 4, 6, 8, 10].map((step) => el("span", { class: "paso m" + step }))),
      " 100 %" + (data.sin_forma.length ? " · " + data.sin_forma.length + " sin figura en el mapa" : "")
    );
  }
  PREP.map = {
    enter: function (node) {
      host = node;
      drawn = null;
      load();
    },
    apply,
  };
})();
