/* What the pages Publicación, Calidad, Pronóstico, Simulacro, Bitácora and Historia share: figures, fields of
   forms, bars against a limit. It keeps no state of its own. */
(function () {
  "use strict";
  const PREP = window.PREP;
  const el = PREP.el;
  const hojas = (PREP.hojas = {});

  hojas.id = (id) => document.getElementById(id);

  /** Fill one figure: its value, what is beside it, and its state (p1, p2, p3; none is normal). */
  hojas.dato = function (id, value, note, state) {
    const node = hojas.id(id);
    if (!node) return;
    const key = state || "";
    if (node.hojaEstado !== key + "|" + value) {
      node.hojaEstado = key + "|" + value;
      node.replaceChildren(...(state ? [PREP.marca(state), " "] : []), String(value));
    }
    PREP.text(hojas.id(id + "-nota"), note || "");
    PREP.attr(node.parentNode, "data-estado", state || null);
  };

  /** A field of a form: {row, node, read()}. `tipo`: text, number, time, select, check, textarea. */
  hojas.campo = function (spec) {
    if (spec.tipo === "catds") return catds(spec);
    const common = { id: spec.id, name: spec.nombre || spec.id, required: Boolean(spec.requerido) };
    let node;
    if (spec.tipo === "select") {
      node = el("select", common, hojas.opciones(spec.opciones, spec.valor));
    } else if (spec.tipo === "textarea") {
      node = el("textarea", { ...common, rows: spec.renglones || 8, spellcheck: "false", maxlength: 20000 });
      node.value = spec.valor || "";
    } else if (spec.tipo === "check") {
      node = el("input", { ...common, type: "checkbox", checked: Boolean(spec.valor) });
    } else {
      node = el("input", {
        ...common, type: spec.tipo || "text", min: spec.min, max: spec.max, step: spec.paso,
        placeholder: spec.ejemplo, maxlength: spec.tipo === "number" ? null : 200, autocomplete: "off",
      });
      if (spec.valor !== undefined && spec.valor !== null) node.value = String(spec.valor);
    }
    const help = spec.ayuda ? el("small", { id: spec.id + "-ayuda", text: spec.ayuda }) : null;
    if (help) node.setAttribute("aria-describedby", help.id);
    const row = el(
      "div",
      { class: "campo " + (spec.tipo || "text") + (spec.ancho ? " ancho" : "") },
      el("label", { for: spec.id, text: spec.etiqueta + (spec.requerido ? " *" : "") }),
      node,
      help
    );
    const read = () => (spec.tipo === "check" ? node.checked : node.value.trim());
    return { row, node, read, nombre: spec.nombre || spec.id };
  };
  /** Every CATD by name, for a select. The number in a name is not the one the night knows it by. */
  hojas.catds = () => ((PREP.snapshot && PREP.snapshot.catd) || []).map((row) => [row.id, PREP.catdName(row.id)]);

  /** Several CATDs by name: a filter, and boxes; `read()` gives their numbers. */
  function catds(spec) {
    const filter = el("input", { id: spec.id, type: "search", placeholder: "Filtrar por nombre o distrito", autocomplete: "off" });
    const count = el("small", { role: "status" });
    const boxes = hojas.catds().map(([id, name]) => {
      const box = el("input", { type: "checkbox", id: spec.id + "-" + id, value: id });
      return { id, box, words: name.toLowerCase(), row: el("div", {}, box, el("label", { for: box.id, text: name })) };
    });
    const read = () => boxes.filter((one) => one.box.checked).map((one) => one.id);
    const show = () => {
      const wanted = filter.value.trim().toLowerCase();
      for (const one of boxes) PREP.show(one.row, one.box.checked || one.words.includes(wanted));
      const n = read().length;
      PREP.text(count, n ? n + (n === 1 ? " elegido" : " elegidos") : spec.ayuda || "ninguno elegido");
    };
    filter.addEventListener("input", show);
    boxes.forEach((one) => one.box.addEventListener("change", show));
    show();
    const row = el(
      "fieldset",
      { class: "campo catds ancho" },
      el("legend", { text: spec.etiqueta }),
      el("label", { class: "oculto", for: filter.id, text: "Filtrar CATD" }),
      filter,
      el("div", { class: "lista-catds", tabindex: 0, role: "group", "aria-label": spec.etiqueta }, boxes.map((one) => one.row)),
      count
    );
    return { row, node: filter, read, nombre: spec.nombre };
  }
  hojas.opciones = (options, chosen) =>
    (options || []).map(([value, label]) => el("option", { value, text: label, selected: String(value) === String(chosen) }));

  /** A percentage as a bar with its limit marked: the number is beside it, the bar is only to compare. */
  hojas.barra = function (row, most) {
    const bar = el("span", { class: "barra-limite" + (row.fuera ? " fuera" : ""), "aria-hidden": "true" }, el("span", {}), row.limite_pct === null ? null : el("i", {}));
    bar.style.setProperty("--valor", Math.min(100, ((row.pct || 0) * 100) / most) + "%");
    if (row.limite_pct !== null) bar.style.setProperty("--limite", Math.min(100, (row.limite_pct * 100) / most) + "%");
    return bar;
  };
  /** The columns that say a percentage against its limit. */
  hojas.contraLimite = function (rows, level) {
    const most = Math.max(1, ...rows.map((row) => Math.max(row.pct || 0, row.limite_pct || 0))) * 1.05;
    return [
      { key: "pct", title: "%", cls: "num", desc: true, value: (row) => row.pct, text: (row) => PREP.num(row.pct, 2) },
      { key: "limite", title: "Límite", cls: "num", value: (row) => row.limite_pct, text: (row) => (row.limite_pct === null ? "pocas" : PREP.num(row.limite_pct, 2)) },
      { key: "barra", title: "Comparación", desc: true, value: (row) => row.pct, text: (row) => [row.pct, row.limite_pct, most.toFixed(1)].join("|"), node: (row) => hojas.barra(row, most), cls: "celda-barra" },
      {
        key: "fuera", title: "Estado", value: (row) => (row.fuera ? 0 : row.limite_pct === null ? 2 : 1),
        text: (row) => (row.fuera ? "f" : row.limite_pct === null ? "p" : "n"),
        node: (row) => (row.fuera ? [PREP.marca(level), el("span", { text: " Fuera" })] : el("span", { class: "tenue", text: row.limite_pct === null ? "Sin comparar" : "Dentro" })),
        cls: "estado",
      },
    ];
  };

  /** What went wrong, told in full: each fault of a text with its line and its key. */
  hojas.error = function (container, error) {
    const data = error.datos && error.datos.error ? error.datos.error : error.datos || {};
    const faults = Array.isArray(data.problemas) && data.problemas.length ? data.problemas : [data];
    const items = faults.map((one) => {
      const line = one.linea ? "Línea " + one.linea : "";
      const key = one.columna ? (typeof one.columna === "number" ? "columna " : "clave ") + one.columna : "";
      const place = [line, key].filter(Boolean).join(", ");
      const why = one.mensaje || PREP.message(error);
      return el("li", {}, place ? el("strong", { text: place + ": " }) : null, el("span", { text: hojas.motivo(one, why) }));
    });
    container.replaceChildren(el("div", { class: "caja-error", role: "alert" }, el("strong", { text: "✕ No se hizo" }), el("ul", {}, items)));
  };
  /** The reason without the place, which is told apart. */
  hojas.motivo = function (one, why) {
    if (one.esperado) return "se esperaba " + one.esperado + (one.encontrado !== null && one.encontrado !== undefined ? "; se encontró «" + one.encontrado + "»" : "");
    const colon = String(why).indexOf(": ");
    return one.archivo && String(why).startsWith(one.archivo) && colon > 0 ? String(why).slice(colon + 2) : String(why);
  };

  /** An order that is being asked: its buttons rest until the answer. */
  hojas.ocupado = async function (buttons, work) {
    buttons.forEach((button) => (button.disabled = true));
    try {
      return await work();
    } finally {
      buttons.forEach((button) => (button.disabled = false));
    }
  };
})();
