/* The pieces every view is made of: tables that scroll inside themselves, bars with their table, addresses,
   the trail of where one is, and what is said when there is nothing yet. */
(function () {
  "use strict";
  const PREP = window.PREP;
  const el = PREP.el;

  // Only a help for the eye: the name is always written beside.
  const COLORS = {
    PAN: "#0a4ea2", PRI: "#00923f", PRD: "#f2c500", PVEM: "#5cb531", PT: "#d52b1e", MC: "#f58025", MORENA: "#8b1a3a",
    HAGAMOS: "#7b4ea3", FUTURO: "#6a2c8f", SOMOS: "#d4308a", PES: "#5b3a8e", RSP: "#b0232a", FXM: "#d5529c", PANAL: "#1fa3a3",
  };
  PREP.color = (codes) => COLORS[[].concat(codes)[0]] || "#7c8791";
  PREP.emblema = (codes) =>
    el("span", { class: "emblema", "aria-hidden": "true", style: { "--color": PREP.color(codes) } });

  const NAMES = { NO_REGISTRADAS: "Candidaturas no registradas", NULOS: "Votos nulos" };
  /** The name of a code: its own or that of its column. */
  PREP.nombre = function (contest, code) {
    if (NAMES[code]) return NAMES[code];
    const column = contest.columnas.find((one) => one.codigo === code);
    return (column && column.nombre) || code;
  };
  PREP.siglas = (contest, code) => {
    const column = contest.columnas.find((one) => one.codigo === code);
    return column && column.tipo === "combinacion" ? column.partidos.join("-") : NAMES[code] || code.replaceAll("_", " ");
  };

  /** Those who go together: the parties, without naming each combination of theirs. */
  PREP.grupo = function (contest, codes) {
    const kinds = new Map(contest.columnas.map((one) => [one.codigo, one.tipo]));
    const parties = codes.filter((code) => kinds.get(code) !== "combinacion");
    return (parties.length ? parties : codes).map((code) => PREP.siglas(contest, code)).join("-");
  };

  /** The address of a view, in the cut being looked at. */
  PREP.ir = function (state, ...parts) {
    const fixed = state && state.fijo ? ["@" + state.corte] : [];
    return "#/" + [...fixed, ...parts].map((one) => encodeURIComponent(one === null ? "-" : one)).join("/");
  };
  PREP.enlace = (href, text, attrs) => el("a", { href, ...attrs }, text);

  PREP.miga = function (...steps) {
    return el("nav", { class: "miga", "aria-label": "Dónde está" },
      el("ol", {}, steps.map(([text, href]) => el("li", {}, href ? PREP.enlace(href, text) : el("span", { "aria-current": "page" }, text)))));
  };

  /** Columns: [title, kind]; kind is "n" for figures. Cells: text, node, or null. The first cell names the row.
      On a telephone a table of more than two columns becomes a list, and the roles keep it a table for who hears it. */
  PREP.tabla = function (caption, columns, rows, options) {
    const { pie = null, oculta = false, clase = "" } = options || {};
    const stacked = columns.length > 2 && clase !== "votos" ? " apila" : "";
    const line = (row, tag) =>
      el("tr", { role: "row" }, row.map((cell, i) =>
        el(i ? "td" : tag, { role: i ? "cell" : "rowheader", scope: i ? null : "row", class: columns[i][1] === "n" ? "n" : null, "data-columna": i ? columns[i][0] : null },
          cell === null || cell === undefined ? "—" : cell)));
    return el("div", { class: "rollo", role: "region", "aria-label": "Tabla: " + caption, tabindex: "0" },
      el("table", { class: ("tabla " + clase + stacked).trim(), role: "table" },
        el("caption", { class: oculta ? "oculto" : null, text: caption }),
        el("thead", { role: "rowgroup" }, el("tr", { role: "row" },
          columns.map(([title, kind]) => el("th", { scope: "col", role: "columnheader", class: kind === "n" ? "n" : null, text: title })))),
        el("tbody", { role: "rowgroup" }, rows.map((row) => line(row, "th"))),
        pie && el("tfoot", { role: "rowgroup" }, line(pie, "th"))));
  };

  /** A table of its first rows, with a button for the rest. */
  PREP.tablaLarga = function (caption, columns, rows, first) {
    const box = el("div", {});
    const show = (most) => {
      box.replaceChildren(PREP.tabla(caption, columns, rows.slice(0, most)));
      if (rows.length > most)
        box.append(el("button", { type: "button", class: "boton segundo", on: { click: () => {
          show(rows.length);
          const next = box.querySelectorAll("tbody tr")[most];
          const to = next && next.querySelector("a, button");
          if (to) to.focus();
        } } }, "Ver los " + PREP.num(rows.length)));
    };
    show(first);
    return box;
  };

  /** A bar; the figure is written beside it. */
  PREP.barra = (part, total, color) =>
    el("span", { class: "barra", "aria-hidden": "true" },
      el("span", { class: "lleno", style: { width: PREP.ancho(part, total), ...(color ? { "--color": color } : {}) } }));

  PREP.tarjeta = (title, ...children) => el("section", { class: "tarjeta" }, title && el("h2", { text: title }), children);
  PREP.vacio = (text) => el("p", { class: "vacio", text });
  PREP.aviso = (...children) => el("p", { class: "aviso" }, children);
  PREP.datos = (pairs) =>
    el("dl", { class: "datos" }, pairs.filter(Boolean).map(([name, value]) => el("div", {}, el("dt", { text: name }), el("dd", {}, value))));

  /** How much has arrived: always said before who is ahead. `none` is how many of the captured ones are a record
      that there is no acta; undefined where the data do not say. */
  PREP.llegado = function (expected, captured, counted, none) {
    const apart = captured - counted;
    const missing = expected - captured;
    const item = (name, n, text, more) =>
      el("li", {}, el("span", { class: "muestra " + name, "aria-hidden": "true" }), el("strong", { text: PREP.num(n) }), " " + text, more ? el("span", { class: "tenue" }, more) : null);
    return el("div", { class: "llegado" },
      el("p", { class: "grande" }, PREP.razon(counted, expected), el("span", { class: "tenue" }, " de las actas están contabilizadas")),
      el("span", { class: "barra", "aria-hidden": "true" },
        el("span", { class: "lleno", style: { width: PREP.ancho(counted, expected) } }),
        el("span", { class: "lleno apartadas", style: { width: PREP.ancho(apart, expected) } })),
      el("ul", { class: "leyenda" },
        item("lleno", counted, "contabilizadas"),
        apart ? item("apartadas", apart, apart === 1 ? "capturada que no se suma" : "capturadas que no se suman", none ? " (" + PREP.num(none) + " sin acta)" : "") : null,
        item("barra-vacia", missing, missing === 1 ? "falta" : "faltan"),
        el("li", { class: "tenue" }, "de " + PREP.plural(expected, "esperada", "esperadas"))));
  };
  PREP.signo = (n) => (n > 0 ? "+" : n < 0 ? "−" : "") + PREP.num(Math.abs(n));

  /** The whole name of a code, where it says more than the code itself. */
  const second = (contest, code) => {
    const name = NAMES[code] ? "" : PREP.nombre(contest, code);
    return name.toUpperCase() === code.toUpperCase() ? "" : name;
  };

  /** Votes with their bars: rows of {nombre, codigos, votos}. The last ones (no registradas, nulos) stay last. */
  PREP.votos = function (contest, caption, rows, total) {
    const last = (row) => (row.codigos.some((code) => code === "NULOS" || code === "NO_REGISTRADAS") ? 1 : 0);
    const most = rows.reduce((high, row) => Math.max(high, last(row) ? 0 : row.votos), 0);
    const sorted = [...rows].sort((a, b) => last(a) - last(b) || b.votos - a.votos);
    const same = rows.every((row) => row.codigos.length === 1 && row.codigos[0] === row.nombre);
    const name = (row) =>
      el("span", { class: "quien" }, PREP.emblema(row.codigos),
        el("span", {}, same ? PREP.siglas(contest, row.codigos[0]) : row.nombre,
          el("small", {}, same ? second(contest, row.codigos[0]) : PREP.grupo(contest, row.codigos))));
    return PREP.tabla(caption, [["Opción"], ["Votos", "n"], ["Porcentaje", "n"]],
      sorted.map((row) => [[name(row), PREP.barra(row.votos, most || 1, PREP.color(row.codigos))], PREP.num(row.votos), PREP.razon(row.votos, total)]),
      { pie: ["Total", PREP.num(total), total ? "100.0000 %" : "—"], clase: "votos" });
  };

  PREP.lugar = function (contest, id) {
    if (id === null) return "Sin " + (contest.ambito === "municipio" ? "municipio" : "distrito") + " (voto anticipado y similares)";
    const place = contest.lugares.get(id);
    return (place && place.nombre && place.nombre.replace(/^DISTRITO\b/, "Distrito")) || (contest.ambito === "municipio" ? "Municipio " : "Distrito ") + id;
  };
  PREP.capital = (text) => text.toLowerCase().replace(/(^|\s)(?!(?:de|del|la|las|los|el|y)\b)\S/g, (letter) => letter.toUpperCase());
  /** A contest without what the law adds in parentheses, and not in capitals. */
  PREP.titulo = function (contest) {
    const name = contest.nombre.replace(/\s*\(.*\)$/, "");
    return name === name.toUpperCase() ? PREP.capital(name) : name;
  };
  PREP.clase = (contest, many) => (contest.ambito === "municipio" ? (many ? "municipios" : "municipio") : many ? "distritos" : "distrito");

  /** The two ways of seeing the votes of a level, as rows of `votos`. */
  PREP.filas = (pairs) => pairs.map(([code, votes]) => ({ nombre: code, codigos: [code], votos: votes }));
})();
