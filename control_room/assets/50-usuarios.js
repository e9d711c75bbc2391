/* Usuarios and Mi cuenta: the people of the room, their roles and their passwords.
   Passwords only travel from a dialog to the action; none is shown or kept here. */
(function () {
  "use strict";
  const PREP = window.PREP;
  const el = PREP.el;
  const ROLES = [
    ["lectura", "Lectura (muro)"], ["operador", "Operador"], ["coordinador", "Coordinador"], ["publicacion", "Publicación"],
    ["instructor", "Instructor"], ["auditor", "Auditor"], ["administracion", "Administración"],
  ];
  const SHOWN = new Map(ROLES);
  const PASSWORD = { nombre: "contrasena", etiqueta: "Contraseña (12 o más)", tipo: "password", requerido: true };
  const byId = (id) => document.getElementById(id);

  async function load() {
    if (!byId("usu-tabla")) return;
    let people;
    try {
      people = (await PREP.get("/api/usuarios.json")).usuarios;
    } catch (error) {
      PREP.toast(PREP.message(error), "error");
      return;
    }
    const place = byId("usu-tabla");
    if (!place) return;
    const active = people.filter((one) => !one.baja_ms).length;
    PREP.text(byId("usu-cuenta"), active + (active === 1 ? " usuario puede entrar" : " usuarios pueden entrar"));
    PREP.table(place, {
      caption: "Usuarios de la sala",
      rows: people,
      key: (one) => one.usuario,
      sort: { key: "usuario", desc: false },
      empty: "No hay usuarios.",
      columns: [
        { key: "usuario", title: "Usuario", value: (one) => one.usuario },
        { key: "nombre", title: "Nombre", value: (one) => one.nombre },
        { key: "rol", title: "Rol", value: (one) => SHOWN.get(one.rol) || one.rol },
        { key: "estado", title: "Estado", value: (one) => (one.baja_ms ? "De baja" : "Activo") },
        { key: "acciones", title: "Acciones", value: () => "", node: (one) => buttons(one) },
      ],
    });
  }
  function buttons(one) {
    if (one.baja_ms) return el("span", { text: "—" });
    const make = (text, action) =>
      el("button", {
        type: "button", class: "boton chico accion", text, "aria-label": text + " de " + one.usuario,
        on: { click: () => action(one) },
      });
    return el("div", { class: "fila-campos" }, make("Rol", changeRole), make("Contraseña", changePassword), make("Baja", remove));
  }
  async function ask(spec, name, fixed) {
    // What went wrong is told by `act`, with the dialog open.
    if (!(await PREP.dialog({ ...spec, hacer: (values) => PREP.act(name, { ...fixed, ...values }) }))) return;
    PREP.toast("Hecho.", "ok");
    load();
  }
  function add() {
    ask(
      {
        titulo: "Nuevo usuario", boton: "Crear",
        campos: [
          { nombre: "usuario", etiqueta: "Usuario (minúsculas, sin acentos)", requerido: true },
          { nombre: "nombre", etiqueta: "Nombre de la persona", requerido: true },
          { nombre: "rol", etiqueta: "Rol", tipo: "select", opciones: ROLES, valor: "operador", requerido: true },
          PASSWORD,
        ],
      },
      "usuario_alta",
      {},
    );
  }
  function changeRole(one) {
    const field = { nombre: "rol", etiqueta: "Rol", tipo: "select", opciones: ROLES, valor: one.rol, requerido: true };
    ask({ titulo: "Rol de " + one.usuario, boton: "Cambiar", campos: [field] }, "usuario_rol", { usuario: one.usuario });
  }
  function changePassword(one) {
    ask({ titulo: "Contraseña de " + one.usuario, boton: "Cambiar", campos: [PASSWORD] }, "usuario_contrasena", { usuario: one.usuario });
  }
  function remove(one) {
    ask({ titulo: "Dar de baja a " + one.usuario, boton: "Dar de baja", peligro: true, campos: [] }, "usuario_baja", { usuario: one.usuario });
  }

  async function endSessions() {
    const campos = [{ nombre: "usuario", etiqueta: "Usuario, o cuenta institucional (nombre@oidc)", requerido: true }];
    let ended = 0;
    const hacer = async (values) => (ended = (await PREP.act("usuario_sesiones", values)).cerradas);
    if (!(await PREP.dialog({ titulo: "Cerrar las sesiones de una cuenta", boton: "Cerrar sesiones", peligro: true, campos, hacer }))) return;
    PREP.toast(ended === 0 ? "No tenía sesiones abiertas." : "Sesiones cerradas: " + ended + ".", "ok");
  }

  PREP.register("usuarios", {
    enter() {
      byId("usu-alta").onclick = add;
      byId("usu-sesiones").onclick = endSessions;
      load();
    },
    apply() {},
    leave() {},
  });

  async function changeOwn() {
    const campos = [
      { nombre: "actual", etiqueta: "Contraseña actual", tipo: "password", requerido: true },
      { nombre: "nueva", etiqueta: "Contraseña nueva (12 o más)", tipo: "password", requerido: true },
    ];
    const hacer = (values) => PREP.act("mi_contrasena", values);
    if (!(await PREP.dialog({ titulo: "Cambiar mi contraseña", boton: "Cambiar", campos, hacer }))) return;
    PREP.toast("Contraseña cambiada. Sus otras sesiones se cerraron.", "ok");
  }
  async function endOwn() {
    const ended = (await PREP.act("mi_sesiones", {})).cerradas;
    PREP.toast(ended === 0 ? "No hay otras sesiones suyas." : "Sesiones cerradas: " + ended + ".", "ok");
  }
  async function showAccount() {
    const me = await PREP.get("/api/yo.json");
    const place = byId("cta-datos");
    if (!place) return;
    const rows = [
      ["Usuario", me.usuario], ["Nombre", me.nombre], ["Rol", SHOWN.get(me.rol) || me.rol],
      ["Entró con", me.origen === "local" ? "usuario de la sala" : "cuenta institucional"],
      ["La sesión vence", new Date(me.vence_ms).toLocaleString("es-MX")],
    ];
    place.replaceChildren(el("dl", { class: "hechos" }, rows.map(([name, value]) => [el("dt", { text: name }), el("dd", { text: value })]).flat()));
    byId("cta-contrasena").hidden = me.origen !== "local";
  }
  PREP.register("cuenta", {
    enter() {
      byId("cta-contrasena").onclick = changeOwn;
      // What went wrong is told by `act`.
      byId("cta-sesiones").onclick = () => endOwn().catch(() => {});
      showAccount().catch((error) => PREP.toast(PREP.message(error), "error"));
    },
    apply() {},
    leave() {},
  });
})();
