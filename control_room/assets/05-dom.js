/* The DOM written cheaply: a node is touched only when what it shows has changed, and text is always text
   (textContent), never markup. It knows nothing of snapshots. Everything hangs from window.PREP. */
(function () {
  "use strict";
  const PREP = (window.PREP = window.PREP || {});
  const SVG = "http://www.w3.org/2000/svg";
  const SVG_TAGS = new Set(["svg", "g", "path", "rect", "circle", "line", "text", "title", "polyline", "use"]);

  /** Build a node. `attrs`: `class`, `dataset` {}, `on` {event: fn}, properties given as functions or booleans,
      anything else an attribute. Children: nodes, strings, numbers, arrays; null and false are skipped. */
  PREP.el = function (tag, attrs, ...children) {
    const svg = tag.startsWith("svg:");
    const name = svg ? tag.slice(4) : tag;
    const node = svg && SVG_TAGS.has(name) ? document.createElementNS(SVG, name) : document.createElement(name);
    for (const [key, value] of Object.entries(attrs || {})) {
      if (value === null || value === undefined || value === false) continue;
      if (key === "on") for (const [event, fn] of Object.entries(value)) node.addEventListener(event, fn);
      else if (key === "dataset") Object.assign(node.dataset, value);
      else if (key === "text") node.textContent = value;
      else node.setAttribute(key, value === true ? "" : String(value));
    }
    for (const child of children.flat(3)) {
      if (child === null || child === undefined || child === false) continue;
      node.append(child instanceof Node ? child : String(child));
    }
    return node;
  };

  PREP.text = function (node, value) {
    const text = value === null || value === undefined ? "" : String(value);
    if (node && node.textContent !== text) node.textContent = text;
  };

  /** Set an attribute if it differs; null takes it away. */
  PREP.attr = function (node, name, value) {
    if (!node) return;
    if (value === null || value === undefined || value === false) {
      if (node.hasAttribute(name)) node.removeAttribute(name);
      return;
    }
    const text = value === true ? "" : String(value);
    if (node.getAttribute(name) !== text) node.setAttribute(name, text);
  };

  PREP.cls = function (node, className) {
    if (node && node.getAttribute("class") !== className) node.setAttribute("class", className);
  };

  /** A CSS custom property (or any property) of one node. */
  PREP.style = function (node, name, value) {
    if (node && node.style.getPropertyValue(name) !== value) node.style.setProperty(name, value);
  };

  PREP.show = function (node, visible) {
    if (node && node.hidden === visible) node.hidden = !visible;
  };

  /** A keyed list: nodes are made once per key, updated in place and moved only when the order changed, so
      the focus and the scroll of who is reading survive. `update(node, row)` runs for every row. */
  PREP.each = function (container, rows, keyOf, make, update) {
    if (!container) return;
    const before = container.prepNodes || new Map();
    const now = new Map();
    let previous = null;
    for (const row of rows) {
      const key = String(keyOf(row));
      let node = before.get(key);
      if (!node || node.parentNode !== container) node = make(row);
      now.set(key, node);
      const expected = previous ? previous.nextSibling : container.firstChild;
      if (node !== expected) container.insertBefore(node, expected);
      if (update) update(node, row);
      previous = node;
    }
    for (const [key, node] of before) if (now.get(key) !== node) node.remove();
    container.prepNodes = now;
  };

  const MARKS = {
    p1: ["✕", "Prioridad 1"],
    p2: ["▲", "Prioridad 2"],
    p3: ["●", "Prioridad 3"],
    normal: ["", "Normal"],
    terminado: ["✓", "Terminado"],
    sin_empezar: ["·", "Sin empezar"],
    silenciado: ["∅", "Silenciado"],
  };

  /** The figure of a state: colour, shape and word always go together. */
  PREP.marca = function (state) {
    const node = PREP.el("span", {});
    PREP.setMarca(node, state);
    return node;
  };
  PREP.setMarca = function (node, state) {
    if (!node || node.prepState === state) return;
    const [shape, word] = MARKS[state] || MARKS.normal;
    node.prepState = state;
    PREP.cls(node, "marca " + state);
    node.replaceChildren(
      PREP.el("span", { "aria-hidden": "true", text: shape }),
      PREP.el("span", { class: "oculto", text: word })
    );
  };
  PREP.MARKS = MARKS;
})();
