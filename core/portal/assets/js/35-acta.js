/* One acta: its image as it was received, what was captured from it, when, and how to prove that it is the one
   of the emission. What could not be read is said with its own word, never with a zero. */
(function () {
  "use strict";
  const PREP = window.PREP;
  const el = PREP.el;

  PREP.CODIGOS = {
    V1: "Todos los votos ilegibles", V2: "Todos los votos sin dato", V3: "Todos los votos ilegibles o sin dato",
    V4: "Excede la lista nominal", V5: "Algún campo ilegible", V6: "Algún campo sin dato",
    I1: "Identificada por proceso técnico operativo", S1: "Sin acta: paquete no entregado", S2: "Sin acta: casilla no instalada",
    S3: "Sin acta: paquete entregado sin bolsa", S4: "Sin acta: contingencia en urna electrónica", C1: "Fuera de catálogo",
  };
  PREP.observaciones = (codes) => (codes && codes.length ? codes.map((code) => PREP.CODIGOS[code] || code).join("; ") : "—");

  const MEDIA = { ESCANER: ["▤", "Escáner"], MOVIL: ["▮", "Móvil"], "URNA ELECTRONICA": ["▣", "Urna electrónica"] };
  const ORIGINS = { CASILLA: "tomada en la casilla (PREP Casilla)", CATD: "digitalizada en el CATD", CCV: "digitalizada en el CCV" };
  function medium(acta) {
    if (acta.estado === "no_capturada") return mark("○", "Acta en proceso");
    const [shape, word] = MEDIA[(acta.digitalizacion || "").toUpperCase()] || ["–", acta.digitalizacion || "Sin digitalización"];
    return mark(shape, word + (ORIGINS[acta.origen] ? ", " + ORIGINS[acta.origen] : acta.origen ? ", " + acta.origen : ""));
  }
  const mark = (shape, text) => el("span", { class: "estado" }, el("span", { class: "forma", "aria-hidden": "true", text: shape }), " " + text);

  const WORDS = { ILEGIBLE: "Ilegible", SIN_DATO: "Sin dato", NO_APLICA: "No aplica" };
  const field = (value) => (typeof value === "string" ? WORDS[value] || value : PREP.num(value));

  function image(state, acta) {
    if (acta.estado !== "capturada") return PREP.vacio(acta.estado === "sin_acta" ? "De esta casilla no hay acta que mostrar." : "La imagen aparecerá cuando el acta llegue.");
    const code = acta.imagen ? el("p", { class: "codigo" }, "Código de integridad (SHA-256): ", el("code", { text: acta.imagen })) : null;
    if (!acta.imagen || !acta.imagen_archivo)
      return [PREP.vacio(acta.imagen ? "La imagen de esta acta todavía no está publicada." : "Esta acta se capturó sin imagen."), code];
    const where = acta.imagen.slice(0, 2) + "/" + acta.imagen;
    const original = "imagenes/" + where + "." + acta.imagen_archivo;
    const rest = [el("p", {}, PREP.enlace(original, "Imagen original, como se recibió")), code];
    if (!acta.imagen_vista) return rest;
    const picture = el("img", { alt: "Imagen del acta " + acta.acta + "; sus datos están en la tabla", decoding: "async" });
    const link = el("a", { href: original, class: "imagen" }, picture);
    const without = () => link.replaceChildren("Abrir la imagen original");
    picture.addEventListener("error", without);
    // What is shown is the view whose hash the acta publishes, or nothing.
    PREP.imagen(picture, "vistas/" + where + ".webp", acta.imagen_vista).catch((error) => {
      without();
      link.after(PREP.aviso("La vista de esta imagen no se puede mostrar. " + error.message));
    });
    return [link, ...rest];
  }

  PREP.vistas.acta = async function ({ state, contest, id, number, key }) {
    const found = await PREP.seccion(state, contest, id, number);
    if (!found) return null;
    const section = found.seccion;
    const i = section.actas.findIndex((_, one) => PREP.senas(section, one) === key);
    if (i < 0) return null;
    const acta = section.actas[i];
    const names = ["Boletas sobrantes", "Personas que votaron", "Representaciones que votaron", "Votos sacados de la urna", "Total asentado en el acta"];
    const name = "Casilla " + PREP.casilla(acta);
    const where = number === null ? "Sin sección" : "Sección " + number;
    const pieces = { corte: state.corte, contienda: contest.id, acta: acta.acta, territorio: id === null ? "-" : id, seccion: number === null ? "-" : number };
    if (acta.hoja !== undefined) pieces.hoja = acta.hoja;
    const proof = new URLSearchParams(pieces);
    return {
      titulo: name + ", " + where.toLowerCase() + " · " + PREP.titulo(contest),
      nodo: [
        PREP.miga(["Inicio", PREP.ir(state)], [PREP.titulo(contest), PREP.ir(state, contest.id)],
          [PREP.lugar(contest, id), PREP.ir(state, contest.id, "t", id)], [where, PREP.ir(state, contest.id, "t", id, "s", number)], [name]),
        el("h1", { text: name + ", " + where.toLowerCase() }),
        el("div", { class: "hoja" },
          PREP.tarjeta("El acta", PREP.datos([
            ["Clave", el("code", { text: acta.acta })], ["Estado", PREP.estadoActa(acta)], ["Digitalización", medium(acta)],
            acta.documento && ["Documento", acta.documento],
            ["Observaciones", PREP.observaciones(acta.observaciones)], ["Lista nominal", PREP.num(acta.lista_nominal)],
            acta.estado !== "no_capturada" && ["Acopio", PREP.reloj(acta.acopio)],
            acta.estado !== "no_capturada" && ["Captura", PREP.reloj(acta.captura)],
            acta.estado !== "no_capturada" && ["Verificación", PREP.reloj(acta.verificacion)],
          ]),
          el("p", { class: "botones" }, PREP.enlace("verificar.html#" + proof, "Verificar esta acta", { class: "boton" }))),
          PREP.tarjeta("Imagen", image(state, acta)),
          PREP.tarjeta("Datos capturados", acta.estado === "capturada"
          ? [PREP.tabla("Votos como se capturaron", [["Opción"], ["Votos", "n"]],
            contest.columnas.map((column, one) => [column, acta.votos[one]]).filter(([, votes]) => votes !== null)
              .map(([column, votes]) => [el("span", { class: "quien" }, PREP.emblema(column.codigo), PREP.siglas(contest, column.codigo)), field(votes)]),
            { pie: ["Suma de los votos legibles", PREP.num(acta.calculado)] }),
          PREP.tabla("Otros datos del acta", [["Dato"], ["Cantidad", "n"]], names.map((text, one) => [text, field(acta.totales[one])]))]
          : PREP.vacio(acta.estado === "sin_acta" ? "No hay datos: " + PREP.observaciones(acta.observaciones) + "." : "Esta acta todavía no llega. No se ha contado ningún voto suyo."))),
      ],
    };
  };
})();
