// What of verificar.py a browser checks, with WebCrypto: pointer, signature, log, kept copy, cut, portal, acta, image.
// Which checks are only of verificar.py is said in docs/verificar.md. It reads only this site and writes only its own copy in localStorage. It does not prove who owns the key.
"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  const text = new TextEncoder(), utf8 = new TextDecoder("utf-8", { fatal: true });
  class Wrong extends Error {}
  const state = { tables: {}, entries: [], leaves: [], names: [], listed: [] };
  const NAMES = ["ACTAS_ESPERADAS", "ACTAS_REGISTRADAS", "ACTAS_FUERA_CATALOGO", "ACTAS_CAPTURADAS",
    "PORCENTAJE_ACTAS_CAPTURADAS", "ACTAS_CONTABILIZADAS", "PORCENTAJE_ACTAS_CONTABILIZADAS",
    "PORCENTAJE_ACTAS_INCONSISTENCIAS", "ACTAS_NO_CONTABILIZADAS", "LISTA_NOMINAL_ACTAS_CONTABILIZADAS",
    "TOTAL_VOTOS_C_CS", "TOTAL_VOTOS_S_CS", "PORCENTAJE_PARTICIPACION_CIUDADANA"];

  // ---- bytes and hashes
  const hex = (bytes) => Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
  const unhex = (s) => Uint8Array.from(s.match(/../g) || [], (p) => parseInt(p, 16));
  const b64 = (s) => {
    try { return Uint8Array.from(atob(s), (c) => c.charCodeAt(0)); } catch { throw new Wrong("hay un texto base64 dañado"); }
  };
  const join = (...parts) => {
    const out = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
    let at = 0;
    for (const part of parts) { out.set(part, at); at += part.length; }
    return out;
  };
  const same = (a, b) => a.length === b.length && a.every((v, i) => v === b[i]);
  const sha = async (bytes) => new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  const leafHash = (bytes) => sha(join(Uint8Array.of(0), bytes));
  const nodeHash = (l, r) => sha(join(Uint8Array.of(1), l, r));
  const up = async (row) => {
    const above = [];
    for (let i = 0; i + 1 < row.length; i += 2) above.push(nodeHash(row[i], row[i + 1]));
    const done = await Promise.all(above);
    if (row.length % 2) done.push(row[row.length - 1]);
    return done;
  };
  const treeRoot = async (row) => {
    if (!row.length) return sha(new Uint8Array());
    while (row.length > 1) row = await up(row);
    return row[0];
  };
  const pathOf = async (row, at) => {
    const path = [];
    while (row.length > 1) {
      if ((at ^ 1) < row.length) path.push(row[at ^ 1]);
      row = await up(row);
      at >>= 1;
    }
    return path;
  };
  const rootFrom = async (leaf, index, size, proof) => {
    if (!(index >= 0 && index < size)) return null;
    let at = index, last = size - 1, here = leaf;
    for (const sibling of proof) {
      if (last === 0) return null;
      if (at % 2 || at === last) {
        here = await nodeHash(sibling, here);
        while (at % 2 === 0 && at) { at = Math.floor(at / 2); last = Math.floor(last / 2); }
      } else here = await nodeHash(here, sibling);
      at = Math.floor(at / 2);
      last = Math.floor(last / 2);
    }
    return last === 0 ? here : null;
  };
  const canonical = (v) => Array.isArray(v) ? "[" + v.map(canonical).join(",") + "]"
    : v && typeof v === "object" ? "{" + Object.keys(v).sort().map((k) => JSON.stringify(k) + ":" + canonical(v[k])).join(",") + "}"
      : JSON.stringify(v);

  // ---- files of this site
  const get = async (key, optional = false) => {
    if (!/^[\w() .-]+(\/[\w() .-]+)*$/.test(key) || key.split("/").includes("..")) throw new Wrong(`la ruta «${key}» se sale de la publicación`);
    const answer = await fetch(key, { cache: "no-store", redirect: "error" });
    if (!answer.ok) {
      if (optional && answer.status === 404) return null;
      throw new Wrong(`falta el archivo ${key}`);
    }
    return new Uint8Array(await answer.arrayBuffer());
  };
  const json = (bytes, what) => {
    try { return JSON.parse(utf8.decode(bytes)); } catch { throw new Wrong(`${what} no es JSON legible; puede estar incompleto`); }
  };
  const object = async (name) => {
    const bytes = await get(`objetos/${name.slice(0, 2)}/${name}.json`);
    if (hex(await sha(bytes)) !== name) throw new Wrong(`el objeto ${name.slice(0, 16)}… fue cambiado: su contenido no da su nombre`);
    return json(bytes, "el objeto");
  };

  // ---- signed notes
  const parseKey = async (vkey) => {
    const [name, ident, ...rest] = vkey.trim().split("+"), blob = b64(rest.join("+"));
    const good = (await sha(join(text.encode(name + "\n"), blob))).slice(0, 4);
    if (blob.length !== 33 || ![1, 4].includes(blob[0]) || hex(good) !== ident) throw new Wrong("una llave no coincide con su propio identificador");
    return { name, ident: unhex(ident), kind: blob[0], bytes: blob.slice(1), vkey: vkey.trim() };
  };
  const parseNote = (raw) => {
    const cut = raw.lastIndexOf("\n\n"), lines = raw.slice(0, cut + 1).split("\n");
    if (cut < 0 || !/^\d{1,15}$/.test(lines[1]) || b64(lines[2]).length !== 32) throw new Wrong("el punto de control está incompleto o no es un punto de control");
    const signatures = raw.slice(cut + 2).split("\n").filter(Boolean).map((line) => {
      const [, name, blob] = line.split(" "), bytes = b64(blob || "");
      return { name, ident: bytes.slice(0, 4), blob: bytes.slice(4) };
    });
    return { origin: lines[0], size: Number(lines[1]), root: b64(lines[2]), signed: raw.slice(0, cut + 1), signatures, raw };
  };
  // The times of the cosignatures that hold (0 for the key of a log); null when none does.
  const signedAt = async (note, key) => {
    const imported = await crypto.subtle.importKey("raw", key.bytes, { name: "Ed25519" }, false, ["verify"]);
    let found = null;
    for (const one of note.signatures) {
      if (one.name !== key.name || !same(one.ident, key.ident)) continue;
      let message = note.signed, blob = one.blob, when = 0n;
      if (key.kind === 4) {
        if (blob.length !== 72) continue;
        when = new DataView(blob.buffer, blob.byteOffset, 8).getBigUint64(0);
        message = `cosignature/v1\ntime ${when}\n${message}`;
        blob = blob.slice(8);
      }
      const good = await crypto.subtle.verify({ name: "Ed25519" }, imported, blob, text.encode(message));
      if (good && (found === null || when > found)) found = when;
    }
    return found === null ? null : Number(found);
  };
  const signedBy = async (note, key) => (await signedAt(note, key)) !== null;
  const moment = (seconds) => {
    const when = new Date(seconds * 1000);
    return Number.isNaN(when.getTime()) ? "una hora imposible" : when.toISOString().replace("T", " ").replace(".000Z", " UTC");
  };

  // ---- timestamps (RFC 3161): what they are of and since when; the authority's own signature is not checked here
  const der = (bytes) => {
    const found = [];
    let at = 0;
    while (at < bytes.length) {
      const tag = bytes[at];
      let size = bytes[at + 1];
      at += 2;
      if (size & 0x80) {
        const digits = size & 0x7f;
        if (digits < 1 || digits > 4) throw new Wrong("el sello de tiempo está dañado");
        size = 0;
        for (let i = 0; i < digits; i++) size = size * 256 + bytes[at + i];
        at += digits;
      }
      if (!(at + size <= bytes.length)) throw new Wrong("el sello de tiempo está dañado");
      found.push({ tag, body: bytes.slice(at, at + size) });
      at += size;
    }
    return found;
  };
  const readStamp = (bytes) => {
    try {
      const [status, token] = der(der(bytes)[0].body);
      if (der(status.body)[0].body[0] > 1) throw new Wrong("la autoridad no concedió el sello de tiempo");
      const [kind, signed] = der(token.body), content = der(der(der(signed.body)[0].body)[2].body);
      if (hex(kind.body) !== "2a864886f70d010702" || hex(content[0].body) !== "2a864886f70d0109100104") throw new Wrong("el sello de tiempo está dañado");
      const info = der(der(der(content[1].body)[0].body)[0].body), [algorithm, digest] = der(info[2].body);
      if (hex(der(algorithm.body)[0].body) !== "608648016503040201" || digest.body.length !== 32) throw new Wrong("el sello de tiempo no es de un SHA-256");
      const t = utf8.decode(info[4].body).match(/^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)/).map(Number);
      return { digest: digest.body, at: Date.UTC(t[1], t[2] - 1, t[3], t[4], t[5], t[6]) / 1000 };
    } catch (error) { throw error instanceof Wrong ? error : new Wrong("el sello de tiempo está dañado o no es un sello RFC 3161"); }
  };
  const canSign = async () => {
    try {
      await crypto.subtle.importKey("raw", new Uint8Array(32).fill(1), { name: "Ed25519" }, false, ["verify"]);
      return true;
    } catch { return false; }
  };

  // ---- the rows
  const split = (line, separator) => {
    if (!line.includes('"')) return line.split(separator);
    const cells = [];
    let cell = "", quoted = false;
    for (let i = 0; i < line.length; i++) {
      if (line[i] === '"') { if (quoted && line[i + 1] === '"') cell += line[++i] && '"'; else quoted = !quoted; }
      else if (line[i] === separator && !quoted) { cells.push(cell); cell = ""; }
      else cell += line[i];
    }
    return [...cells, cell];
  };
  const parseCsv = (bytes) => {
    let whole;
    try { whole = utf8.decode(bytes); } catch { whole = new TextDecoder("windows-1252").decode(bytes); }
    const lines = whole.replace(/^\ufeff/, "").split(/\r?\n/);
    const head = lines.findIndex((l) => l.startsWith("ACTAS_ESPERADAS")), table = lines.findIndex((l) => l.startsWith("CLAVE_CASILLA"));
    if (head < 0 || table < 0) throw new Wrong("un CSV está incompleto: no tiene contadores o columnas");
    const separator = lines[table].includes("|") ? "|" : ",", columns = split(lines[table], separator);
    const rows = lines.slice(table + 1).filter((l) => l && l !== "\r").map((l) => split(l, separator));
    const values = lines[head + 1].trim().split(separator), header = Object.fromEntries(NAMES.map((n, i) => [n, values[i]]));
    let first = 0;
    columns.forEach((n, i) => { if (n.startsWith("TOTAL_VOTOS_SACADOS") || n.startsWith("CODIGOS_")) first = i + 1; });
    const at = (start) => columns.findIndex((n) => n.startsWith(start));
    return { columns, rows, header, first, end: at("TOTAL_VOTOS_ASENTADO"), at };
  };
  const plain = (s) => s.normalize("NFD").replace(/[\u0300-\u036f]/g, "").toUpperCase().trim();
  const share = (part, whole) => {
    if (whole <= 0) return "0.0000";
    const v = Math.floor((part * 1000000) / whole);
    return `${Math.floor(v / 10000)}.${String(v % 10000).padStart(4, "0")}`;
  };
  const recount = (t, last) => {
    const kind = t.at("CONTABILIZADA"), seen = t.at("OBSERVACIONES"), type = t.at("TIPO_CASILLA"), list = t.at("LISTA_NOMINAL"), total = t.at("TOTAL_VOTOS_CALCULADO");
    const n = { 1: 0, 0: 0, 2: 0, "-": 0 };
    let strange = 0, lista = 0, votes = 0, special = 0;
    t.rows.forEach((row, i) => {
      if (row.length !== t.columns.length || !Object.hasOwn(n, row[kind])) throw new Wrong(`la fila ${i + 1} está incompleta`);
      n[row[kind]]++;
      const told = plain(row[seen]);
      if (!/^(SIN ACTA|FUERA DE CATALOGO)/.test(told) && /EXCEDE|ILEGIBLE|SIN DATO|CAMPOS VACIOS/.test(told)) strange++;
      if (row[kind] !== "1") return;
      const here = row.slice(t.first, t.end).reduce((s, c) => s + (/^\d+$/.test(c) ? Number(c) : 0), 0);
      if (row[total] !== String(here)) throw new Wrong(`la fila ${i + 1} dice ${row[total]} votos y suma ${here}`);
      if (!/^\d+$/.test(row[list])) throw new Wrong(`la fila ${i + 1} no tiene lista nominal`);
      votes += here;
      lista += Number(row[list]);
      if (row[type] === "S") special += here;
    });
    const captured = n[1] + n[0], expected = captured + n["-"];
    const values = [expected, captured + n[2], n[2], captured, share(captured, expected), n[1], share(n[1], expected), share(strange, expected),
      n[0], lista, votes, votes - special, share(last ? votes : votes - special, lista)];
    return Object.fromEntries(NAMES.map((name, i) => [name, String(values[i])]));
  };

  // ---- the page
  const LABEL = { bien: "Bien", mal: "No verifica", aviso: "Ojo", no: "No se revisó" };
  const show = (title, result, detail) => {
    const item = document.createElement("li");
    item.dataset.resultado = result;
    const strong = document.createElement("strong");
    strong.textContent = `${LABEL[result]} · ${title}: `;
    item.append(strong, detail);
    $("pasos").append(item);
  };
  const bad = [], notes = [];
  const step = async (title, work, needed = true) => {
    try {
      const said = await work(), [result, detail] = Array.isArray(said) ? said : ["bien", said];
      if (result === "no") notes.push(title);
      show(title, result, detail);
    } catch (error) {
      const why = error instanceof Wrong ? error.message : `los datos no tienen la forma esperada o no se pudieron leer (${error.message})`;
      bad.push(why);
      show(title, "mal", why);
      if (needed) throw new Wrong(why);
    }
  };
  const nameOf = (e) => e.clase === "emision" ? `el corte ${e.corte}` : e.clase === "aviso" ? `el aviso ${e.numero}` : `la entrada de ${e.clase}`;
  const memory = () => `prep-verificar:${state.note.origin}`;
  const readKept = async (raw) => {
    const kept = JSON.parse(raw), note = parseNote(kept.checkpoint), key = await parseKey(kept.vkey);
    const root = await treeRoot(kept.hojas.map(unhex));
    if (note.size !== kept.hojas.length || kept.nombres.length !== note.size || !same(root, note.root) || note.origin !== kept.origen
      || (state.ed25519 && !(await signedBy(note, key)))) throw new Wrong("la copia guardada está alterada");
    return { ...kept, note, key };
  };
  const compare = (kept) => {
    if (kept.origen !== state.note.origin) throw new Wrong(`la copia es de «${kept.origen}»`);
    const before = `usted guardó ${kept.note.size} entradas con raíz ${hex(kept.note.root)}`, now = `hoy hay ${state.note.size} con raíz ${hex(state.note.root)}`;
    kept.hojas.forEach((leaf, i) => {
      if (i >= state.leaves.length) throw new Wrong(`la bitácora se hizo más corta: ${before} y ${now}; ya no está ${kept.nombres[i]}, que usted guardó`);
      if (hex(state.leaves[i]) !== leaf) throw new Wrong(`BIFURCACIÓN, la bitácora fue reescrita o hay dos: ${before} y ${now}; la primera distinta es la entrada ${i}: donde usted guardó ${kept.nombres[i]} hoy hay otra versión. Conserve su copia y este punto de control: juntos son la prueba`);
    });
    return `lo guardado sigue igual; desde entonces se agregaron ${state.leaves.length - kept.hojas.length} entradas`;
  };
  // From the key one trusts to the one that signs: each change is an entry, in a log that the old key signed.
  const follow = async () => {
    if (!state.ed25519) return 0;
    let here = state.trust, count = 0;
    for (const [i, entry] of state.entries.entries()) {
      if (entry.clase !== "llave" || entry.anterior !== here.vkey) continue;
      if (here.vkey === state.key.vkey && i === state.note.size - 1) break;
      const name = `relevos/${String(i).padStart(4, "0")}.txt`, raw = await get(name, true);
      if (!raw && state.note.size !== i + 1) throw new Wrong(`la llave cambió en la entrada ${i} y falta ${name}, la nota en que la anterior lo firma`);
      const note = raw ? parseNote(utf8.decode(raw)) : state.note;
      if (note.origin !== state.note.origin || note.size !== i + 1) throw new Wrong(`${name} es de otra bitácora o de otro momento`);
      if (!same(await treeRoot(state.leaves.slice(0, note.size)), note.root)) throw new Wrong(`BIFURCACIÓN: ${name} firma otra historia que la de esta bitácora`);
      if (!(await signedBy(note, here))) throw new Wrong(`el cambio de llave de la entrada ${i} no lo firmó la llave anterior`);
      here = await parseKey(entry.nueva);
      if (here.name !== state.note.origin) throw new Wrong(`la entrada ${i} pasa la firma a una llave de «${here.name}»`);
      count++;
    }
    if (here.vkey !== state.key.vkey) {
      throw new Wrong(count && state.key.vkey === state.trust.vkey ? "la llave que firma fue sustituida dentro de la bitácora y ya no debía firmar"
        : "la firma no es de la llave que usted guardó, y nada firmado por ella pasa la firma a otra");
    }
    return count;
  };
  const keptNow = () => canonical({ formato: 1, origen: state.note.origin, vkey: state.key.vkey, checkpoint: state.note.raw, hojas: state.leaves.map(hex), nombres: state.names, testigos: state.listed });
  const tileName = (n) => {
    let out = String(n % 1000).padStart(3, "0");
    while (n >= 1000) { n = Math.floor(n / 1000); out = `x${String(n % 1000).padStart(3, "0")}/${out}`; }
    return out;
  };

  const readLog = async () => {
    const size = state.note.size, raw = [];
    for (let n = 0; n * 256 < size; n++) {
      const width = Math.min(256, size - n * 256), data = await get(`tile/entries/${tileName(n)}${width < 256 ? `.p/${width}` : ""}`);
      let at = 0;
      for (let i = 0; i < width; i++) {
        const length = data[at] * 256 + data[at + 1];
        raw.push(data.slice(at + 2, at + 2 + length));
        at += 2 + length;
      }
      if (at !== data.length) throw new Wrong("la bitácora está incompleta");
    }
    state.raw = raw;
    state.entries = raw.map((e) => json(e, "una entrada"));
    state.leaves = await Promise.all(raw.map(leafHash));
    state.names = state.entries.map(nameOf);
    if (!same(await treeRoot(state.leaves), state.note.root)) throw new Wrong("las entradas de la bitácora no dan la raíz firmada: fueron cambiadas o falta alguna");
    let cut = 0, closed = false, instant = -1, notices = 0;
    const opening = state.entries[0] || {};
    if (opening.origen !== state.note.origin) throw new Wrong(`la apertura es de «${opening.origen}» y el punto de control de «${state.note.origin}»`);
    state.entries.forEach((e, i) => {
      if (closed) throw new Wrong(`después del cierre aparece ${nameOf(e)}`);
      if ((i === 0) !== (e.clase === "apertura")) throw new Wrong("la apertura de la bitácora no es su primera entrada");
      if (e.modo !== undefined && e.modo !== state.mode) throw new Wrong(`${nameOf(e)} es de modo «${e.modo}»`);
      if (e.clase === "emision" && e.corte !== ++cut) throw new Wrong(`después del corte ${cut - 1} sigue el ${e.corte}: falta o se repite un corte`);
      if (e.clase === "emision") {
        if (!(e.instante_ms > instant)) throw new Wrong(`la hora de ${nameOf(e)} no es posterior a la del corte anterior`);
        if (e.catalogo_sha256 !== opening.catalogo_sha256) throw new Wrong(`${nameOf(e)} es de otro catálogo que la apertura`);
        instant = e.instante_ms;
      }
      if (e.clase === "aviso" && e.numero !== ++notices) throw new Wrong(`después del aviso ${notices - 1} sigue el ${e.numero}`);
      if (e.clase === "cierre" && e.ultimo_corte !== cut) throw new Wrong(`el cierre dice que el último corte es el ${e.ultimo_corte} y fue el ${cut}`);
      closed = e.clase === "cierre";
    });
    if (state.pointer.avisos > notices) throw new Wrong(`corte.json dice ${state.pointer.avisos} avisos y la bitácora tiene ${notices}`);
    const changes = await follow();
    return `${size} entradas dan la raíz firmada; ${cut} cortes seguidos, sin faltar ninguno${changes ? `; ${changes} cambio(s) de llave, firmados por la anterior` : ""}`;
  };

  const run = async () => {
    if (!globalThis.crypto || !crypto.subtle) throw new Wrong("este navegador o esta dirección (sin https) no permite comprobar huellas; use verificar.py");
    await step("Puntero y modo", async () => {
      // A cache may give for some seconds the checkpoint of before with the pointer of after.
      for (const wait of [3000, 6000, 0]) {
        state.pointer = json(await get("corte.json"), "corte.json");
        state.note = parseNote(utf8.decode(await get("checkpoint")));
        state.behind = state.pointer.bitacora.tamano > state.note.size;
        if (!state.behind) break;
        if (wait) await new Promise((done) => setTimeout(done, wait));
      }
      state.mode = state.note.origin.split("/").pop();
      const p = state.pointer, number = String(p.corte).padStart(4, "0");
      if (p.base !== `cortes/${number}/` || p.emision !== `emisiones/${number}.json`) throw new Wrong("corte.json apunta a rutas que no son las de su corte");
      if (p.difusion !== null && p.difusion !== `difusion/${number}.zip`) throw new Wrong(`corte.json da otro paquete de difusión que el de su corte ${p.corte}`);
      if (p.modo !== state.mode) throw new Wrong(`corte.json dice «${p.modo}» y lo firmado es «${state.mode}»: ${p.modo === "oficial" ? "un simulacro presentado como oficial" : "no corresponden"}`);
      return `corte ${p.corte}, ${state.mode}${state.mode === "simulacro" ? ": los datos son ficticios" : ""}`;
    });
    state.ed25519 = await canSign();
    await step("Llave y firma", async () => {
      const ring = json(await get("llaves.json"), "llaves.json"), stored = localStorage.getItem(memory());
      if (ring.origen !== state.note.origin || ring.modo !== state.mode) throw new Wrong("llaves.json es de otra publicación o de otro modo");
      state.ring = ring;
      state.kept = stored && state.ed25519 ? await readKept(stored) : null;
      const now = ring.llaves.filter((k) => k.hasta_ms === null).pop();
      state.trust = state.key = state.kept ? state.kept.key : await parseKey(now.vkey);
      if (state.key.name !== state.note.origin) throw new Wrong("la llave no es de esta publicación");
      if (!state.ed25519) return ["no", "su navegador no sabe comprobar firmas Ed25519; use verificar.py"];
      if (!(await signedBy(state.note, state.key))) {
        // The log says which key follows which; `follow` demands that the trusted one signed that entry.
        let other = null;
        for (const k of state.kept ? ring.llaves : []) {
          const one = await parseKey(k.vkey);
          if (one.name === state.key.name && (await signedBy(state.note, one))) other = one;
        }
        if (!other) throw new Wrong("la firma del punto de control no es de la llave " + (state.kept ? "que usted guardó" : "publicada"));
        state.key = other;
        return `firma válida de ${other.vkey}, que no es la llave que usted guardó; su relevo se comprueba en la bitácora`;
      }
      return state.kept ? `firma válida de la llave que usted guardó (${state.key.vkey})`
        : ["aviso", `firma válida de ${state.key.vkey}; la llave viene de este mismo sitio: compárela con la que difundió el instituto`];
    });
    if (state.behind) throw new Wrong("el sitio da un puntero más nuevo que su punto de control: se está actualizando");
    await step("Testigos", async () => {
      const listed = [...(state.ring.testigos || [])], names = [], there = listed.map((w) => w.vkey);
      const gone = (state.kept && state.kept.testigos || []).filter((vkey) => !there.includes(vkey));
      for (const vkey of gone) listed.push({ nombre: vkey.split("+")[0], vkey });
      state.listed = listed.map((w) => w.vkey);
      if (!listed.length || !state.ed25519) return ["no", listed.length ? "su navegador no sabe comprobar firmas" : "esta publicación no tiene testigos"];
      let latest = 0;
      for (const w of listed) {
        const when = await signedAt(state.note, await parseKey(w.vkey));
        if (when === null) continue;
        names.push(w.nombre);
        latest = Math.max(latest, when);
      }
      const told = `${names.length} de ${listed.length} testigos cofirmaron${names.length ? `: ${names.join(", ")} (el último, ${moment(latest)})` : ""}`;
      if (gone.length) return ["aviso", `${told}; el sitio ya no lista a ${gone.map((v) => v.split("+")[0]).join(", ")}, que usted vio antes`];
      return names.length < state.ring.umbral
        ? ["aviso", `${told}; se esperaban ${state.ring.umbral} (la publicación no espera a los testigos; vuelva a mirar en unos minutos)`] : told;
    }, false);
    await step("Bitácora", readLog);
    await step("Lo que usted guardó", async () => state.kept ? compare(state.kept) : ["no", "es la primera vez en este navegador"]);
    await step("Emisión del corte", async () => {
      const p = state.pointer, entry = state.entries[p.hoja];
      if (!entry || entry.clase !== "emision" || entry.corte !== p.corte) throw new Wrong("la bitácora no tiene ese corte donde dice corte.json");
      const bundle = json(await get(p.emision), p.emision), bytes = b64(bundle.entrada), note = parseNote(bundle.checkpoint);
      if (!same(bytes, state.raw[p.hoja])) throw new Wrong("la emisión publicada no es la de la bitácora");
      const root = await rootFrom(await leafHash(bytes), bundle.hoja, bundle.tamano, bundle.prueba.map(unhex));
      const prefix = await treeRoot(state.leaves.slice(0, bundle.tamano));
      if (!root || !same(root, note.root) || !same(prefix, note.root)) throw new Wrong("la prueba del corte no lleva a la raíz firmada");
      if (note.origin !== state.note.origin || note.size !== bundle.tamano) throw new Wrong("el punto de control de la emisión no es de esta bitácora");
      if (state.ed25519) {
        const known = [state.key, state.trust, ...(await Promise.all(state.ring.llaves.map((k) => parseKey(k.vkey))))];
        let signed = false;
        for (const key of known) signed = signed || (key.name === note.origin && (await signedBy(note, key)));
        if (!signed) throw new Wrong("el punto de control de la emisión no está firmado por una llave de esta publicación");
      }
      const told = p.bitacora, past = state.leaves.slice(0, told.tamano);
      if (told.origen !== state.note.origin || hex(await treeRoot(past)) !== told.raiz) throw new Wrong("la bitácora que dice corte.json no es la firmada");
      for (const k of ["modo", "entidad", "eleccion", "corte", "instante_ms", "ultimo", "manifiesto_sha256"]) {
        if (p[k] !== entry[k]) throw new Wrong(`corte.json dice ${k} = ${p[k]} y lo firmado es ${entry[k]}`);
      }
      state.entry = entry;
      state.stamped = text.encode(bundle.checkpoint);
      return `es la entrada ${p.hoja} de la bitácora firmada`;
    });
    await step("Sello de tiempo", async () => {
      const name = `sellos/${String(state.pointer.corte).padStart(4, "0")}.tsr`;
      if (!state.pointer.sello) return ["no", "este corte no tiene sello de tiempo"];
      const stamp = readStamp(await get(name));
      if (!same(stamp.digest, await sha(state.stamped))) throw new Wrong(`${name} es el sello de otra cosa: su huella no es la del punto de control del corte`);
      return `es de este corte y dice que ya existía el ${moment(stamp.at)}; la firma de la autoridad se comprueba con openssl`;
    }, false);
    await step("Archivos y encabezados", async () => {
      const base = state.pointer.base, bytes = await get(base + "manifiesto.json");
      if (hex(await sha(bytes)) !== state.entry.manifiesto_sha256) throw new Wrong("manifiesto.json no es el firmado en la emisión: fue cambiado");
      state.manifest = json(bytes, "manifiesto.json");
      const files = state.files = Object.fromEntries(state.manifest.archivos.map((f) => [f.ruta, f]));
      const read = async (name) => {
        const data = await get(base + name);
        if (!files[name] || hex(await sha(data)) !== files[name].sha256) throw new Wrong(`archivo cambiado: ${name}`);
        return data;
      };
      const index = json(await read("indice.json"), "indice.json"), told = [];
      for (const [id, signed] of Object.entries(state.entry.contiendas)) {
        const table = parseCsv(await read(index.contiendas[id].csv)), found = recount(table, state.entry.ultimo);
        const top = await object(signed.raiz);
        for (const name of NAMES) {
          if (table.header[name] !== found[name] || signed.encabezado[name] !== found[name] || top.contadores[name] !== found[name]) {
            throw new Wrong(`${id}, ${name}: el encabezado dice ${table.header[name]} y las filas dan ${found[name]}`);
          }
        }
        state.tables[id] = table;
        told.push(`${id}: los 13 contadores salen de ${table.rows.length} filas`);
      }
      return told.join("; ");
    });
    await step("Lo que enseña el portal", async () => {
      const p = state.pointer, signed = { ...state.manifest, indice_sha256: state.files["indice.json"].sha256 };
      for (const k of ["portal", "instante", "indice_sha256"]) {
        if (p[k] !== signed[k]) throw new Wrong(`corte.json dice ${k} = ${p[k]} y lo firmado es ${signed[k]}`);
      }
      const shown = await object(signed.portal);
      for (const k of ["modo", "corte", "instante", "instante_ms", "ultimo"]) {
        if (shown[k] !== signed[k]) throw new Wrong(`el portal dice ${k} = ${shown[k]} y lo firmado es ${signed[k]}`);
      }
      const mine = Object.fromEntries(shown.contiendas.map((c) => [c.id, { encabezado: c.encabezado, raiz: c.raiz }]));
      if (canonical(mine) !== canonical(state.entry.contiendas)) throw new Wrong("los encabezados que enseña el portal no son los firmados");
      for (const c of shown.contiendas) {
        if (canonical(c.por_columna) !== canonical((await object(c.raiz)).votos)) throw new Wrong(`los votos de ${c.id} que enseña el portal no son los firmados`);
      }
      return "sus encabezados y sus votos son los firmados";
    });
  };

  const clean = (s) => s.replace(/['"= ]/g, "");
  const prove = async (id, acta, top) => {
    const { raiz, hojas } = state.entry.actas, root = unhex(raiz);
    let levels = 1, name = root, proof = [];
    while (256 ** levels < hojas) levels++;
    for (let level = levels - 1; level >= 0; level--) {
      const tile = await get(`hojas/${hex(name).slice(0, 2)}/${hex(name)}`), children = [];
      for (let i = 0; i < tile.length; i += 32) children.push(tile.slice(i, i + 32));
      const at = Math.floor(acta.hoja / 256 ** level) % 256;
      if (!same(await treeRoot(children), name) || !children[at]) throw new Wrong("el árbol de actas fue cambiado");
      proof = [...(await pathOf(children, at)), ...proof];
      name = children[at];
    }
    const leaf = await leafHash(text.encode(canonical({ acta, contienda: id })));
    const reached = await rootFrom(leaf, acta.hoja, hojas, proof);
    if (!reached || !same(reached, root)) throw new Wrong(`el acta ${acta.acta} no es la que está en el árbol firmado`);
    let image = "";
    if (acta.imagen) {
      image = "; su imagen no está publicada, solo su huella";
      for (const suffix of acta.imagen_archivo ? [acta.imagen_archivo] : ["jpg", "png"]) {
        const data = await get(`imagenes/${acta.imagen.slice(0, 2)}/${acta.imagen}.${suffix}`, true);
        if (!data) continue;
        if (hex(await sha(data)) !== acta.imagen) throw new Wrong(`la imagen del acta ${acta.acta} fue cambiada: su huella no es la publicada`);
        image = "; su imagen tiene la huella publicada";
        break;
      }
      const view = acta.imagen_vista && (await get(`vistas/${acta.imagen.slice(0, 2)}/${acta.imagen}.webp`, true));
      if (view && hex(await sha(view)) !== acta.imagen_vista) throw new Wrong(`la vista de la imagen del acta ${acta.acta} fue cambiada: su huella no es la publicada`);
      if (view) image += " y también la vista que enseña el portal";
    }
    const votes = acta.votos ? ` Votos: ${top.columnas.map((c, i) => [c.codigo, acta.votos[i]]).filter((v) => v[1] !== null).map((v) => v.join(" ")).join(", ")}.` : "";
    return `Bien: el acta ${acta.acta} (${id}) está en el árbol firmado; prueba de ${proof.length * 32} bytes${image}.${votes}`;
  };
  const find = async (wanted) => {
    const told = [];
    for (const [id, table] of Object.entries(state.tables)) {
      const ka = table.columns.indexOf("CLAVE_ACTA"), kc = table.columns.indexOf("CLAVE_CASILLA"), ks = table.columns.indexOf("SECCION");
      const rows = table.rows.filter((r) => [r[ka], r[kc]].some((v) => v && clean(v) === wanted));
      if (!rows.length) continue;
      const sections = new Set(rows.map((r) => (/^\d+$/.test(clean(r[ks])) ? Number(clean(r[ks])) : null)));
      const top = await object(state.entry.contiendas[id].raiz);
      for (const [, place] of top.territorios) {
        for (const [number, name] of (await object(place)).secciones) {
          if (!sections.has(number)) continue;
          for (const acta of (await object(name)).actas) if (acta.acta === wanted || acta.casilla === wanted) told.push(await prove(id, acta, top));
        }
      }
    }
    if (!told.length) throw new Wrong(`no hay ningún acta ni casilla «${wanted}» en este corte`);
    return told;
  };
  const lookup = async (file) => {
    const digest = hex(await sha(new Uint8Array(await file.arrayBuffer()))), told = [];
    for (const [id, table] of Object.entries(state.tables)) {
      const key = table.columns.indexOf("CLAVE_ACTA");
      for (const row of table.rows) if (row.includes(digest)) told.push(`Es la imagen del acta ${clean(row[key]) || "fuera de catálogo"} (${id}).`);
    }
    for (const entry of state.entries.filter((e) => e.clase === "emision")) {
      const bytes = await get(`cortes/${String(entry.corte).padStart(4, "0")}/manifiesto.json`, true);
      if (!bytes) continue;
      if (hex(await sha(bytes)) !== entry.manifiesto_sha256) throw new Wrong(`el manifiesto del corte ${entry.corte} fue cambiado`);
      for (const f of json(bytes, "manifiesto").archivos) if (f.sha256 === digest) told.push(`Es ${f.ruta} del corte ${entry.corte}.`);
    }
    if (!told.length) throw new Wrong(`«${file.name}» no es ninguna imagen ni archivo publicado: su huella ${digest} no aparece`);
    return told;
  };
  const say = async (where, work) => {
    where.textContent = "Comprobando…";
    let lines;
    try { lines = await work(); } catch (error) { lines = ["No verifica: " + error.message]; }
    where.replaceChildren(...lines.map((line) => Object.assign(document.createElement("p"), { textContent: line })));
  };
  const verdict = () => {
    const p = state.pointer, where = $("veredicto");
    const updating = state.behind && $("pasos").querySelector("[data-resultado=mal]") === null;
    if (updating) where.textContent = "El sitio se está actualizando: su puntero va delante de su punto de control. Recargue esta página en un minuto; si sigue así, avise al instituto.";
    else if (bad.length) where.textContent = "NO VERIFICA: " + bad.join("; ");
    else if (!state.ed25519) where.textContent = "Las cuentas cuadran, pero su navegador no pudo comprobar la firma: use verificar.py.";
    else where.textContent = `VERIFICADO el corte ${p.corte}${state.mode === "simulacro" ? " (SIMULACRO: datos ficticios)" : ""}.`;
    where.dataset.resultado = bad.length && !updating ? "mal" : state.ed25519 && !updating ? "bien" : "aviso";
  };

  const start = async () => {
    try { await run(); } catch (error) { if (!bad.length) bad.push(error.message); }
    verdict();
    if (!bad.length && state.ed25519) {
      try {
        localStorage.setItem(memory(), keptNow());
        $("copia").textContent = `Guardadas ${state.leaves.length} entradas en este navegador.`;
      } catch { $("copia").textContent = "Este navegador no permite guardar la copia; guárdela como archivo."; }
    }
    const asked = new URLSearchParams(location.hash.slice(1)).get("acta");
    if (asked) $("clave").value = asked;
    $("buscar").addEventListener("submit", (event) => {
      event.preventDefault();
      const wanted = clean($("clave").value).toUpperCase();
      if (wanted) say($("acta"), () => { if (bad.length) throw new Wrong(bad[0]); return find(wanted); });
    });
    const take = (file) => file && say($("hallado"), () => { if (bad.length) throw new Wrong(bad[0]); return lookup(file); });
    $("archivo").addEventListener("change", (event) => take(event.target.files[0]));
    document.addEventListener("dragover", (event) => event.preventDefault());
    document.addEventListener("drop", (event) => { event.preventDefault(); take(event.dataTransfer.files[0]); });
    $("exportar").addEventListener("click", () => {
      const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(new Blob([keptNow()])), download: "copia-prep.json" });
      if (!bad.length) link.click();
    });
    $("importar").addEventListener("change", (event) => say($("copia"), async () => {
      if (!state.leaves.length) throw new Wrong(bad[0] || "no hay bitácora con qué comparar");
      return [compare(await readKept(await event.target.files[0].text()))];
    }));
    if (asked && !bad.length) $("buscar").requestSubmit();
    document.documentElement.dataset.listo = "si";
  };
  start();
})();
