/* The DOM, written so that a text is always a text: nothing here or in the other files takes markup from the
   data. Everything hangs from window.PREP; there is no framework and nothing is asked of another server. */
(function () {
  "use strict";
  const PREP = (window.PREP = window.PREP || {});
  const SVG = "http://www.w3.org/2000/svg";

  /** Build a node. `svg:` before the tag makes it SVG. Attributes: `text`, `on` {event: fn}, `style` {name: value}
      (set through the object model, which the policy of content allows), anything else as it is. */
  PREP.el = function (tag, attrs, ...children) {
    const svg = tag.startsWith("svg:");
    const node = svg ? document.createElementNS(SVG, tag.slice(4)) : document.createElement(tag);
    for (const [key, value] of Object.entries(attrs || {})) {
      if (value === null || value === undefined || value === false) continue;
      if (key === "on") for (const [event, fn] of Object.entries(value)) node.addEventListener(event, fn);
      else if (key === "style") for (const [name, one] of Object.entries(value)) node.style.setProperty(name, one);
      else if (key === "text") node.textContent = value;
      else node.setAttribute(key, value === true ? "" : String(value));
    }
    for (const child of children.flat(4)) {
      if (child === null || child === undefined || child === false) continue;
      node.append(child instanceof Node ? child : String(child));
    }
    return node;
  };

  /** A number written in a `<meta name="prep-…">` of the page; `otherwise` when it is not there. */
  PREP.ajuste = function (name, otherwise) {
    const meta = document.querySelector('meta[name="prep-' + name + '"]');
    const value = meta ? Number(meta.content) : NaN;
    return Number.isFinite(value) && value >= 0 ? value : otherwise;
  };

  PREP.vistas = {};
})();
