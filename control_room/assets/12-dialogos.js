/* Dialogs (the browser's own <dialog>: keyboard, focus and Escape come with it) and short notices. */
(function () {
  "use strict";
  const MOST = 500; // characters the server takes in a text, unless the field says fewer
  const PREP = window.PREP;
  const el = PREP.el;
  let serial = 0;

  function options(field) {
    return (field.opciones || []).map((option) => {
      const [value, label] = Array.isArray(option)
        ? option
        : typeof option === "object"
          ? [option.valor, option.etiqueta]
          : [option, option];
      return el("option", { value, text: label, selected: String(value) === String(field.valor) });
    });
  }
  /** The control of a field and how it is read: {row, read(), focus}. */
  function control(field, prefix) {
    const id = prefix + field.nombre;
    const common = { id, name: field.nombre, required: Boolean(field.requerido) };
    const label = el("label", { for: id, text: field.etiqueta + (field.requerido ? " *" : "") });
    let node;
    let read;
    if (field.tipo === "catds") return catds(field, prefix);
    if (field.tipo === "check") {
      node = el("input", { ...common, type: "checkbox", checked: Boolean(field.valor) });
      read = () => node.checked;
    } else if (field.tipo === "select") {
      node = el("select", common, options(field));
      read = () => node.value;
    } else if (field.tipo === "textarea") {
      node = el("textarea", { ...common, rows: 4, maxlength: field.maximo || MOST });
      node.value = field.valor || "";
      read = () => node.value.trim();
    } else if (field.tipo === "number") {
      node = el("input", { ...common, type: "number", min: field.min, max: field.max, step: field.paso || 1 });
      node.value = field.valor === undefined || field.valor === null ? "" : String(field.valor);
      read = () => (node.value === "" ? null : Number(node.value));
    } else {
      node = el("input", { ...common, type: field.tipo === "password" ? "password" : "text", maxlength: field.maximo || MOST, autocomplete: "off" });
      node.value = field.valor || "";
      read = () => node.value.trim();
    }
    const help = field.ayuda ? el("small", { id: id + "-ayuda", text: field.ayuda }) : null;
    if (help) node.setAttribute("aria-describedby", help.id);
    return { row: el("div", { class: "campo " + (field.tipo || "text") }, label, node, help), read, focus: node };
  }
  /** Several CATDs: a filter and a list of boxes; those of `valor` come checked and first. */
  function catds(field, prefix) {
    const chosen = new Set((field.valor || []).map(Number));
    const all = field.opciones || ((PREP.snapshot && PREP.snapshot.catd) || []).map((row) => [row.id, PREP.catdName(row.id)]);
    const sorted = [...all].sort((a, b) => chosen.has(Number(b[0])) - chosen.has(Number(a[0])));
    const filter = el("input", { id: prefix + field.nombre, type: "search", placeholder: "Filtrar por nombre o distrito" });
    const boxes = sorted.map(([id, name], index) => {
      const box = el("input", { type: "checkbox", id: prefix + field.nombre + index, value: id, checked: chosen.has(Number(id)) });
      return { id: Number(id), box, row: el("div", {}, box, el("label", { for: box.id, text: name })), name: String(name).toLowerCase() };
    });
    filter.addEventListener("input", () => {
      const wanted = filter.value.trim().toLowerCase();
      for (const item of boxes) PREP.show(item.row, item.box.checked || item.name.includes(wanted));
    });
    const read = () => boxes.filter((item) => item.box.checked).map((item) => item.id);
    const check = () => filter.setCustomValidity(field.requerido && !read().length ? "Elija al menos un CATD" : "");
    boxes.forEach((item) => item.box.addEventListener("change", check));
    check();
    return {
      row: el(
        "fieldset",
        { class: "campo catds" },
        el("legend", { text: field.etiqueta + (field.requerido ? " *" : "") }),
        el("label", { class: "oculto", for: filter.id, text: "Filtrar CATD" }),
        filter,
        el("div", { class: "lista-catds", tabindex: 0, role: "group", "aria-label": field.etiqueta }, boxes.map((item) => item.row))
      ),
      read,
      focus: filter,
    };
  }

  /** {titulo, texto, campos, boton, peligro} → the values by name, or null if it was cancelled. With `hacer`, a
      function of the values that promises, it stays open until that is done: what was typed is not lost if the
      answer is no. */
  PREP.dialog = function (spec) {
    serial += 1;
    const prefix = "dlg" + serial + "-";
    const controls = (spec.campos || []).map((field) => [field.nombre, control(field, prefix)]);
    const title = el("h2", { id: prefix + "-encabezado", text: spec.titulo });
    const accept = el("button", { type: "submit", value: "si", class: "boton " + (spec.peligro ? "peligro" : "principal"), text: spec.boton || "Aceptar" });
    const cancel = el("button", { type: "button", class: "boton", text: "Cancelar" });
    const form = el(
      "form",
      { method: "dialog" },
      title,
      spec.texto ? el("p", { text: spec.texto }) : null,
      spec.nodo || null,
      controls.map(([, item]) => item.row),
      el("div", { class: "dialogo-botones" }, cancel, accept)
    );
    const dialog = el("dialog", { class: "dialogo", "aria-labelledby": title.id }, form);
    document.body.append(dialog);
    return new Promise((resolve) => {
      let values = null;
      cancel.addEventListener("click", () => dialog.close());
      form.addEventListener("submit", async (event) => {
        const given = Object.fromEntries(controls.map(([name, item]) => [name, item.read()]));
        if (spec.hacer) {
          event.preventDefault();
          accept.disabled = true;
          try {
            await spec.hacer(given);
          } catch (error) {
            accept.disabled = false;
            return;
          }
        }
        values = given;
        if (dialog.open && spec.hacer) dialog.close();
      });
      dialog.addEventListener("close", () => {
        dialog.remove();
        resolve(values);
      });
      dialog.showModal();
      (controls.length ? controls[0][1].focus : accept).focus();
    });
  };

  /** A notice that goes by itself; `kind`: "ok", "aviso" or "error" (stays longer). */
  PREP.toast = function (text, kind) {
    let host = document.getElementById("avisos");
    if (!host) {
      host = el("div", { id: "avisos", role: "status", "aria-live": "polite" });
      document.body.append(host);
    }
    // A modal dialog is above everything else: the notice goes inside it to be seen.
    const open = [...document.querySelectorAll("dialog[open]")].pop();
    (open || document.body).append(host);
    const shape = { error: "✕", aviso: "▲" }[kind] || "✓";
    const note = el(
      "div",
      { class: "aviso " + (kind === "aviso" ? "alerta" : kind || "ok") },
      el("span", { "aria-hidden": "true", text: shape + " " }),
      el("span", { text }),
      el("button", { type: "button", class: "boton chico plano", text: "Cerrar", on: { click: () => note.remove() } })
    );
    host.append(note);
    while (host.children.length > 4) host.firstChild.remove();
    setTimeout(() => note.remove(), kind === "error" ? 12000 : 6000);
  };
  document.addEventListener(
    "close",
    (event) => {
      const host = document.getElementById("avisos");
      if (host && event.target.contains && event.target.contains(host)) document.body.append(host);
    },
    true
  );
})();
