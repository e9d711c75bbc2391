/* What is said in words: the legal notice and the help. */
(function () {
  "use strict";
  const PREP = window.PREP;
  const el = PREP.el;

  PREP.vistas.aviso = async () => ({
    titulo: "Aviso legal",
    nodo: [
      PREP.miga(["Inicio", "#/"], ["Aviso legal"]), el("h1", { text: "Aviso legal" }),
      PREP.tarjeta(null,
        el("p", { text: "El Programa de Resultados Electorales Preliminares (PREP) publica los datos de las actas de las casillas conforme llegan. Sus resultados son preliminares y no definitivos, de carácter estrictamente informativo (artículo 219 de la Ley General de Instituciones y Procedimientos Electorales)." }),
        el("p", { text: "Los resultados oficiales son los de los cómputos que hacen los consejos electorales, a partir de los días siguientes a la jornada." }),
        el("p", { text: "Los porcentajes llevan cuatro decimales, sin redondear: lo que sigue se corta. Las sumas solo incluyen las actas contabilizadas." }),
        el("p", { text: "Este sitio no usa cookies, no guarda lo que se escribe en él y no pide nada a otros servidores. El aspecto claro u oscuro que usted elija se guarda solo en su navegador." })),
    ],
  });

  const QUESTIONS = [
    ["¿Qué es un corte?", "La foto de todo lo capturado hasta una hora. Cada cierto tiempo sale uno nuevo, y la página lo toma sola: no hace falta recargarla."],
    ["¿Por qué faltan actas?", "Llegan de cada casilla al terminar el conteo, y de las casillas lejanas o con más elecciones tardan más. «Qué falta y dónde» dice de qué lugares no han llegado."],
    ["¿Qué es un acta contabilizada?", "La que se puede sumar: está en el catálogo, trae votos legibles y no excede la lista nominal. Las demás se publican igual, con el motivo por el que no se suman."],
    ["¿Qué son las capturadas que no se suman?", "Actas ya registradas cuyos votos no entran en la suma: los traen todos ilegibles o sin dato, exceden la lista nominal, o ya se sabe que no habrá acta (el paquete no se entregó, la casilla no se instaló)."],
    ["¿Qué quieren decir «Ilegible» y «Sin dato»?", "Que esa cantidad no se pudo leer en el acta, o que está vacía. No es un cero."],
    ["¿Cómo sé que nadie cambió un acta?", "Cada corte queda firmado en una bitácora a la que solo se puede agregar. «Verificar esta acta» lo comprueba en su propio navegador, y verificar.py en su computadora, sin conexión."],
    ["¿Qué son los testigos?", "Instituciones independientes que firman la bitácora después de comprobar que no se borró ni cambió nada. La publicación no espera por ellas; la página dice cuántas han firmado."],
    ["¿Qué es el código de integridad?", "El SHA-256 de la imagen del acta tal como se recibió: si cambia un solo punto de la imagen, el código es otro."],
    ["¿Por qué los votos por partido no suman como los de la boleta?", "Los votos marcados por una combinación de partidos coaligados se reparten por igual entre ellos, y lo que sobra va al más votado."],
    ["¿De qué hora es lo que veo?", "De la hora de la entidad. Arriba se dice el corte, su hora y hace cuánto; si se pierde la conexión se queda el último corte con su edad."],
    ["¿Puedo guardar la dirección de un acta?", "Sí. Cada acta, sección y corte tiene su dirección, y no cambia."],
  ];
  PREP.vistas.ayuda = async () => ({
    titulo: "Ayuda",
    nodo: [
      PREP.miga(["Inicio", "#/"], ["Ayuda"]), el("h1", { text: "Ayuda y preguntas frecuentes" }),
      QUESTIONS.map(([question, text]) => el("details", { class: "tarjeta" }, el("summary", {}, question), el("p", { text }))),
      PREP.tarjeta("Los iconos", el("ul", { class: "lista" },
        Object.values(PREP.ESTADOS).map(([shape, word]) => el("li", {}, el("span", { class: "forma", "aria-hidden": "true", text: shape }), " " + word)),
        [["▤", "Acta digitalizada con escáner"], ["▮", "Acta tomada con un móvil"], ["▣", "Urna electrónica"]].map(([shape, word]) =>
          el("li", {}, el("span", { class: "forma", "aria-hidden": "true", text: shape }), " " + word)))),
    ],
  });
})();
