/* An accessible table updated in place: sorted by the buttons of its headers, rows kept by key.
   columns: {key, title, value(row) for the order, text(row) what is read, node(row) instead of text, href(row),
   cls: "num" or (row) → class}. sort: {key, desc}. The order the user chose survives updates. */
(function () {
  "use strict";
  const PREP = window.PREP;
  const el = PREP.el;

  function compare(a, b) {
    const noA = a === null || a === undefined || a === "";
    const noB = b === null || b === undefined || b === "";
    if (noA || noB) return noA - noB;
    if (typeof a === "number" && typeof b === "number") return a - b;
    return String(a).localeCompare(String(b), "es-MX", { numeric: true });
  }
  function build(container, spec) {
    const kept = { spec, sort: spec.sort || null };
    kept.caption = el("caption", {});
    kept.heads = spec.columns.map((column) => {
      const cls = typeof column.cls === "string" ? column.cls : null;
      if (!column.value && !column.text) return { column, th: el("th", { scope: "col", class: cls, text: column.title }) };
      const arrow = el("span", { "aria-hidden": "true", class: "flecha" });
      const button = el(
        "button",
        {
          type: "button",
          on: {
            click: () => {
              const same = kept.sort && kept.sort.key === column.key;
              kept.sort = { key: column.key, desc: same ? !kept.sort.desc : Boolean(column.desc) };
              paint(kept);
            },
          },
        },
        column.title,
        arrow
      );
      return { column, arrow, th: el("th", { scope: "col", class: cls }, button) };
    });
    kept.body = el("tbody", {});
    kept.table = el("table", { class: "tabla" }, kept.caption, el("thead", {}, el("tr", {}, kept.heads.map((head) => head.th))), kept.body);
    kept.empty = el("p", { class: "vacio", hidden: true });
    kept.scroll = el("div", { class: "tabla-marco", tabindex: 0, role: "region", "aria-label": spec.caption }, kept.table);
    container.replaceChildren(kept.scroll, kept.empty);
    container.prepTable = kept;
    return kept;
  }
  function cell(td, column, row) {
    PREP.cls(td, typeof column.cls === "function" ? column.cls(row) || "" : column.cls || "");
    const text = column.text ? column.text(row) : column.value ? column.value(row) : "";
    if (column.node) {
      const mark = String(text);
      if (td.prepMark !== mark || !td.firstChild) {
        td.prepMark = mark;
        const node = column.node(row);
        td.replaceChildren(...(Array.isArray(node) ? node : [node]).filter(Boolean));
      }
      return;
    }
    const href = column.href ? column.href(row) : null;
    if (!href) return PREP.text(td, text);
    let link = td.firstChild;
    if (!link || link.tagName !== "A") td.replaceChildren((link = el("a", {})));
    PREP.attr(link, "href", href);
    PREP.text(link, text);
  }
  function paint(kept) {
    const { spec, sort } = kept;
    let rows = spec.rows;
    const by = sort && spec.columns.find((column) => column.key === sort.key);
    if (by) {
      const value = by.value || by.text;
      rows = rows
        .map((row, index) => [value(row), index, row])
        .sort((a, b) => {
          const order = compare(a[0], b[0]);
          return (sort.desc ? -order : order) || a[1] - b[1];
        })
        .map((item) => item[2]);
    }
    for (const head of kept.heads) {
      if (!head.arrow) continue;
      const mine = sort && sort.key === head.column.key;
      PREP.attr(head.th, "aria-sort", mine ? (sort.desc ? "descending" : "ascending") : null);
      PREP.text(head.arrow, mine ? (sort.desc ? " ▼" : " ▲") : "");
    }
    PREP.each(
      kept.body,
      rows,
      (row) => spec.key(row),
      () => el("tr", {}, spec.columns.map((column, index) => el(index === 0 ? "th" : "td", index === 0 ? { scope: "row" } : {}))),
      (tr, row) => {
        if (spec.rowClass) PREP.cls(tr, spec.rowClass(row) || "");
        spec.columns.forEach((column, index) => cell(tr.children[index], column, row));
      }
    );
    PREP.text(kept.caption, spec.caption);
    PREP.show(kept.scroll, rows.length > 0);
    PREP.text(kept.empty, rows.length ? "" : spec.empty || "No hay nada que mostrar");
    PREP.show(kept.empty, rows.length === 0);
  }

  PREP.table = function (container, spec) {
    if (!container) return;
    const shape = spec.columns.map((column) => column.key).join("|");
    const old = container.prepTable;
    const kept = old && old.shape === shape && old.scroll.isConnected ? old : build(container, spec);
    kept.shape = shape;
    kept.spec = { ...spec, key: typeof spec.key === "function" ? spec.key : (row) => row[spec.key || "id"] };
    paint(kept);
  };
})();
