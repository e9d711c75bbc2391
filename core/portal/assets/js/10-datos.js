/* Content-addressed objects: asked once, checked against their name, kept. An object that is not what its name
   says is an error, never shown. Nothing here knows what the objects mean. */
(function () {
  "use strict";
  const PREP = window.PREP;
  const KEPT = 400;
  const known = new Map();

  PREP.FalloError = class extends Error {};

  async function get(path, options) {
    let answer;
    try {
      answer = await fetch(path, options);
    } catch {
      throw new PREP.FalloError("No hay conexión con el sitio.");
    }
    if (answer.status === 404) throw new PREP.FalloError("Este archivo todavía no está en el sitio: " + path);
    if (!answer.ok) throw new PREP.FalloError("El sitio respondió con el error " + answer.status + ".");
    return answer;
  }

  PREP.json = async (path, options) => (await get(path, options)).json();

  /** The bytes of a file that must have that SHA-256. Rejects with FalloError when it has another. */
  async function whole(path, sha) {
    const bytes = await (await get(path)).arrayBuffer();
    // Browsers only offer this over https or on the machine itself.
    if (window.crypto && window.crypto.subtle) {
      const digest = new Uint8Array(await window.crypto.subtle.digest("SHA-256", bytes));
      const hex = Array.from(digest, (one) => one.toString(16).padStart(2, "0")).join("");
      if (hex !== sha) throw new PREP.FalloError("Un archivo llegó dañado y no se muestra. Vuelva a intentarlo.");
    }
    return bytes;
  }

  const load = async (sha) => JSON.parse(new TextDecoder().decode(await whole("objetos/" + sha.slice(0, 2) + "/" + sha + ".json", sha)));

  /** Put in an <img> a picture that must have that SHA-256. Rejects with FalloError, and then shows nothing. */
  PREP.imagen = async function (picture, path, sha) {
    const address = URL.createObjectURL(new Blob([await whole(path, sha)], { type: "image/webp" }));
    picture.addEventListener("load", () => URL.revokeObjectURL(address), { once: true });
    picture.src = address;
  };

  /** The object of a SHA-256. Rejects with FalloError; a failure is not kept. */
  PREP.objeto = function (sha) {
    if (!/^[0-9a-f]{64}$/.test(sha || "")) return Promise.reject(new PREP.FalloError("Falta un dato de este corte."));
    let promise = known.get(sha);
    if (!promise) {
      promise = load(sha);
      known.set(sha, promise);
      promise.catch(() => known.delete(sha));
      if (known.size > KEPT) known.delete(known.keys().next().value);
    }
    return promise;
  };
})();
