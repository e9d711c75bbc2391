#!/usr/bin/env python3
"""Cliente de difusores del PREP: descarga cada corte, lo comprueba y conserva el último bueno.

    python3 difusor.py https://prep.ejemplo.mx CARPETA            sigue los cortes hasta que se detenga
    python3 difusor.py https://prep.ejemplo.mx CARPETA --una-vez  descarga el último y termina

Solo necesita Python 3.9 o posterior. Nunca vuelve a un corte anterior ni mezcla un simulacro con la
elección. CARPETA/estado.json dice qué corte es el vigente y se escribe al final: lo que nombra está
completo. No revisa las firmas de la bitácora: eso lo hace verificar.py con CARPETA/NNNN.zip.

Con --una-vez termina con 0 si la carpeta tiene el último corte, 1 si lo publicado no se puede aceptar
(la carpeta conserva el anterior) y 2 si no se pudo leer o los argumentos no son válidos.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import gzip
import hashlib
import http.client
import io
import json
import os
import random
import re
import shutil
import signal
import socket
import struct
import sys
import threading
import time
import urllib.error
import urllib.request
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

FORMAT = 1
STATE = "estado.json"
MAX_POINTER = 65_536
BLOCK = 1 << 20
SLOWEST = 1_024
"""Bytes per second under which the server is said not to answer."""
LONGEST_WAIT_S = 300.0
TRIES = 3
REFUSED_AT_MOST_S = 120.0
"""Longest a file is waited for at a server that says when to come back (429 or 503 with Retry-After)."""

HEX64 = re.compile(r"[0-9a-f]{64}")
NAME = re.compile(r"[\w() -][\w.() -]*")

FAILED = (OSError, EOFError, ValueError, http.client.HTTPException)
"""What a reading of the network raises when it does not come whole."""
MALFORMED = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError)
"""What a document raises when it is not of the form expected."""
DAMAGED = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, RuntimeError, ValueError, LookupError)
"""What the reader of ZIP raises when bytes of the package were changed."""

NEW, SAME, REFUSED, UNREAD = "nuevo", "sin cambios", "rechazado", "sin lectura"
EXIT = {NEW: 0, SAME: 0, REFUSED: 1, UNREAD: 2}


class RefusedError(Exception):
    """Lo publicado no se puede aceptar; la carpeta conserva el corte anterior."""


class UnreadError(Exception):
    """No se pudo leer; se intenta después."""


class Broadcaster:
    """Follows one publication into one folder. `poll` is one visit and never leaves anything half done."""

    def __init__(
        self, base: str, folder: Path, *, mode: str | None = None, wait_s: float = 30.0, max_mb: int = 4096
    ) -> None:
        self.base = base.rstrip("/")
        self.folder = folder
        self.mode = mode
        self.wait_s = wait_s
        self.max_bytes = max_mb * 1_000_000
        self.etag: str | None = None
        self._opener = urllib.request.build_opener(_HttpHandler, _HttpsHandler)
        folder.mkdir(parents=True, exist_ok=True)
        for left in folder.glob(".*.parcial"):
            shutil.rmtree(left) if left.is_dir() else left.unlink()
        self.state = self._read_state()

    def poll(self) -> tuple[str, str]:
        """Look for a newer cut; returns what came of it and its explanation in Spanish."""
        try:
            outcome, text = self._poll()
        except RefusedError as error:
            outcome, text = REFUSED, str(error)
        except UnreadError as error:
            outcome, text = UNREAD, str(error)
        except OSError as error:
            outcome, text = UNREAD, f"no se pudo escribir en {self.folder}: {error}"
        except Exception as error:  # noqa: BLE001 - who follows a whole night outlives what one answer brings
            outcome, text = UNREAD, f"la visita no se completó ({type(error).__name__}: {error})"
        return outcome, _shown(text)

    def _poll(self) -> tuple[str, str]:
        found = self._fetch_pointer()
        if found is None:
            return SAME, "sin cambios"
        pointer, etag = found
        self._accept(pointer)
        if self.state is not None and pointer["corte"] == self.state["corte"]:
            self._write_state(pointer, self.state["difusion_sha256"])
            self.etag = etag
            return SAME, f"el corte {pointer['corte']} sigue siendo el último"
        self._take(pointer)
        self.etag = etag
        last = "; es el último" if pointer["ultimo"] else ""
        return NEW, f"corte {pointer['corte']} de {pointer['instante']} ({pointer['modo']}){last}"

    def _fetch_pointer(self) -> tuple[dict[str, Any], str | None] | None:
        """The pointer and its ETag; None when the server says that it is the one already taken."""
        headers = {"If-None-Match": self.etag} if self.etag and self.state else {}
        try:
            with self._open("corte.json", headers) as answer:
                data = b"".join(self._blocks(answer, MAX_POINTER + 1))
                told = answer.headers.get("Content-Length") or ""
                if told.isdecimal() and len(data) < min(int(told[:18]), MAX_POINTER):
                    raise ValueError(f"llegaron {len(data)} de {told[:18]} bytes")
                data = _decoded(data, answer.headers.get("Content-Encoding"))
                etag = answer.headers.get("ETag")
        except urllib.error.HTTPError as error:
            if error.code == 304:
                return None
            if error.code == 404:
                raise UnreadError("todavía no hay cortes (no está corte.json)") from None
            raise UnreadError(f"corte.json: el servidor respondió {error.code}") from None
        except (*FAILED, zlib.error) as error:
            raise UnreadError(f"corte.json: {_reason(error)}") from None
        if len(data) > MAX_POINTER:
            raise RefusedError("corte.json mide demasiado")
        return _pointer(data), etag

    def _accept(self, pointer: dict[str, Any]) -> None:
        """Raise RefusedError unless the pointer may follow what the folder has."""
        if self.mode and pointer["modo"] != self.mode:
            raise RefusedError(f"la publicación es de modo {pointer['modo']} y se pidió {self.mode}")
        if self.state is None:
            return
        kept, log, before = self.state, pointer["bitacora"], self.state["bitacora"]
        if (pointer["modo"], log["origen"]) != (kept["modo"], before["origen"]):
            raise RefusedError(
                f"la carpeta es de {before['origen']} (modo {kept['modo']}) y la publicación, de "
                f"{log['origen']} (modo {pointer['modo']}); use otra carpeta"
            )
        if pointer["corte"] < kept["corte"] or log["tamano"] < before["tamano"]:
            raise RefusedError(
                f"el servidor ofrece algo anterior (corte {pointer['corte']}, bitácora de {log['tamano']}) "
                f"a lo que ya se tiene (corte {kept['corte']}, bitácora de {before['tamano']})"
            )
        if log["tamano"] == before["tamano"] and log["raiz"] != before["raiz"]:
            raise RefusedError("la bitácora cambió de contenido sin cambiar de tamaño")
        if pointer["corte"] == kept["corte"] and pointer["manifiesto_sha256"] != kept["manifiesto_sha256"]:
            raise RefusedError(f"el corte {pointer['corte']} cambió de contenido después de publicarse")

    def _take(self, pointer: dict[str, Any]) -> None:
        """Download the package of a cut, check it whole and put it in the folder."""
        if pointer["difusion"] is None:
            raise UnreadError(f"el corte {pointer['corte']} no trae paquete de difusión")
        name = f"{pointer['corte']:04d}"
        archive, tree = self.folder / f".{name}.zip.parcial", self.folder / f".{name}.parcial"
        try:
            digest = self._download(pointer["difusion"], archive)
            shutil.rmtree(tree, ignore_errors=True)
            check_package(archive, pointer, tree, self.max_bytes)
            _place(tree, self.folder / name)
            archive.replace(self.folder / f"{name}.zip")
            _sync(self.folder)
            self._write_state(pointer, digest)
        finally:
            shutil.rmtree(tree, ignore_errors=True)
            if archive.exists():
                archive.unlink()

    def _download(self, key: str, target: Path) -> str:
        """Bring a file, with retries; returns its SHA-256."""
        for attempt in range(TRIES):
            try:
                with self._open(key, {}) as answer, target.open("wb") as out:
                    return self._receive(answer, out, key)
            except urllib.error.HTTPError as error:
                reason = f"el servidor respondió {error.code}"
            except FAILED as error:
                reason = _reason(error)
            if attempt + 1 < TRIES:
                time.sleep(2.0**attempt * random.uniform(0.5, 1.0))
        raise UnreadError(f"{key}: {reason}")

    def _receive(self, answer: Any, out: IO[bytes], key: str) -> str:
        digest, size = hashlib.sha256(), 0
        for block in self._blocks(answer, self.max_bytes + 1):
            size += len(block)
            if size > self.max_bytes:
                raise RefusedError(f"{key} mide más de {self.max_bytes // 1_000_000} MB")
            digest.update(block)
            out.write(block)
        told = answer.headers.get("Content-Length")
        if told is not None and int(told) != size:
            raise ValueError(f"llegaron {size} de {told} bytes")
        out.flush()
        os.fsync(out.fileno())
        return digest.hexdigest()

    def _blocks(self, answer: Any, limit: int) -> Iterator[bytes]:
        """The body as it comes, `limit` bytes at most. Raises TimeoutError when it comes drop by drop."""
        size, began = 0, time.monotonic()
        while size < limit:
            block = answer.read1(min(limit - size, BLOCK))
            if not block:
                return
            yield block
            size += len(block)
            if time.monotonic() - began > self.wait_s + size / SLOWEST:
                raise TimeoutError("la respuesta llega gota a gota")

    def _open(self, key: str, headers: dict[str, str]) -> Any:
        request = urllib.request.Request(
            f"{self.base}/{key}",
            headers={"User-Agent": "prep-difusor/1", "Accept-Encoding": "gzip", **headers},
        )
        until = time.monotonic() + REFUSED_AT_MOST_S
        while True:
            try:
                return self._opener.open(request, timeout=self.wait_s)
            except urllib.error.HTTPError as error:
                after = _asked_to_wait(error)
                if after is None or time.monotonic() + after > until:
                    raise
                error.close()
            time.sleep(after)

    def _read_state(self) -> dict[str, Any] | None:
        try:
            data = (self.folder / STATE).read_bytes()
        except FileNotFoundError:
            return None
        try:
            kept: dict[str, Any] = json.loads(data)
            if kept["formato"] != FORMAT or not (self.folder / kept["carpeta"]).is_dir():
                raise ValueError("no corresponde a la carpeta")
            _ = (kept["corte"], kept["modo"], kept["bitacora"]["tamano"], kept["manifiesto_sha256"])
        except MALFORMED as error:
            raise UnreadError(f"{self.folder / STATE} no se entiende ({error}); no se toca") from None
        return kept

    def _write_state(self, pointer: dict[str, Any], digest: str) -> None:
        name = f"{pointer['corte']:04d}"
        kept = {
            "formato": FORMAT,
            "base": self.base,
            "modo": pointer["modo"],
            "corte": pointer["corte"],
            "instante": pointer["instante"],
            "ultimo": pointer["ultimo"],
            "carpeta": name,
            "paquete": f"{name}.zip",
            "difusion_sha256": digest,
            "manifiesto_sha256": pointer["manifiesto_sha256"],
            "bitacora": pointer["bitacora"],
            "avisos": pointer["avisos"],
            "siguiente_ms": pointer["siguiente_ms"],
        }
        if kept == self.state:
            return
        temporary = self.folder / f".{STATE}.parcial"
        with temporary.open("w", encoding="utf-8") as out:
            json.dump(kept, out, ensure_ascii=False, indent=1, sort_keys=True)
            out.flush()
            os.fsync(out.fileno())
        temporary.replace(self.folder / STATE)
        _sync(self.folder)
        self.state = kept


def check_package(archive: Path, pointer: dict[str, Any], tree: Path, max_bytes: int) -> None:
    """Check a package against the pointer, and leave its files in `tree`. Raises RefusedError."""
    number = pointer["corte"]
    folder, proof = f"cortes/{number:04d}/", f"emisiones/{number:04d}.json"
    known = {proof, "llaves.json", "checkpoint", "ESQUEMA.json"}
    try:
        with zipfile.ZipFile(archive) as package:
            members = package.infolist()
            names = [member.filename for member in members]
            for name in names:
                own = name.startswith(folder) and NAME.fullmatch(name[len(folder) :])
                if not own and name not in known:
                    raise RefusedError(f"el paquete trae «{name}», que no es de un corte")
            if any(not 0 <= member.header_offset < archive.stat().st_size for member in members):
                raise RefusedError("el paquete está dañado: nombra algo fuera de él")
            if len(set(names)) != len(names):
                raise RefusedError("el paquete trae dos veces un mismo archivo")
            if sum(member.file_size for member in members) > max_bytes:
                raise RefusedError("el contenido del paquete mide demasiado")
            if any(m.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for m in members):
                raise RefusedError("el paquete está comprimido de un modo que no se usa aquí")
            missing = {f"{folder}manifiesto.json", *known} - set(names)
            if missing:
                raise RefusedError(f"al paquete le falta {', '.join(sorted(missing))}")
            digests = {member.filename: _extract(package, member, tree) for member in members}
    except DAMAGED as error:
        raise RefusedError(f"el paquete está dañado: {error}") from None
    _check_files(tree, folder, digests, pointer)
    _check_proof(tree, proof, pointer)


def _check_files(
    tree: Path, folder: str, digests: dict[str, tuple[str, int]], pointer: dict[str, Any]
) -> None:
    """The manifest is the pointer's, and the files are the manifest's, all of them and no other."""
    if digests[f"{folder}manifiesto.json"][0] != pointer["manifiesto_sha256"]:
        raise RefusedError("el manifiesto del paquete no es el que anuncia corte.json")
    try:
        manifest = json.loads((tree / folder / "manifiesto.json").read_bytes())
        listed = {f"{folder}{one['ruta']}": (one["sha256"], one["bytes"]) for one in manifest["archivos"]}
        told = (manifest["corte"], manifest["modo"], manifest["ultimo"])
    except MALFORMED:
        raise RefusedError("el manifiesto del paquete no se entiende") from None
    if told != (pointer["corte"], pointer["modo"], pointer["ultimo"]):
        raise RefusedError("el manifiesto del paquete es de otro corte o de otro modo")
    own = {name for name in digests if name.startswith(folder)} - {f"{folder}manifiesto.json"}
    if own != set(listed):
        raise RefusedError(
            f"los archivos del paquete no son los del manifiesto: {', '.join(sorted(own ^ set(listed)))}"
        )
    for name, expected in listed.items():
        if digests[name] != expected:
            raise RefusedError(f"{name} no es el del manifiesto: su SHA-256 o su tamaño no coinciden")


def _check_proof(tree: Path, name: str, pointer: dict[str, Any]) -> None:
    """The cut is in the log whose checkpoint comes in the package."""
    try:
        proof = json.loads((tree / name).read_bytes())
        entry = base64.b64decode(proof["entrada"], validate=True)
        told = json.loads(entry)
        lines = proof["checkpoint"].split("\n")
        origin, size, root = lines[0], int(lines[1]), base64.b64decode(lines[2], validate=True)
        path = [bytes.fromhex(node) for node in proof["prueba"]]
        leaf = proof["hoja"]
        same = (told["clase"], told["corte"], told["manifiesto_sha256"], told["modo"])
        copy = (tree / "checkpoint").read_bytes()
    except MALFORMED:
        raise RefusedError("la prueba de la emisión no se entiende") from None
    if same != ("emision", pointer["corte"], pointer["manifiesto_sha256"], pointer["modo"]):
        raise RefusedError("la prueba de la emisión es de otro corte")
    if (
        origin != pointer["bitacora"]["origen"]
        or leaf != pointer["hoja"]
        or size > pointer["bitacora"]["tamano"]
    ):
        raise RefusedError("la prueba de la emisión es de otra bitácora")
    if copy != proof["checkpoint"].encode("utf-8") or size != proof["tamano"]:
        raise RefusedError("el checkpoint del paquete no es el de la emisión")
    if included_root(hashlib.sha256(b"\0" + entry).digest(), leaf, size, path) != root:
        raise RefusedError("la emisión no está en la bitácora que la anuncia")


def included_root(leaf: bytes, index: int, size: int, path: list[bytes]) -> bytes | None:
    """The root of RFC 6962 that an inclusion proof gives; None when it cannot be a proof."""
    if not 0 <= index < size:
        return None
    found, place, last = leaf, index, size - 1
    for node in path:
        if last == 0:
            return None
        if place & 1 or place == last:
            found = hashlib.sha256(b"\1" + node + found).digest()
            while not place & 1 and place:
                place >>= 1
                last >>= 1
        else:
            found = hashlib.sha256(b"\1" + found + node).digest()
        place >>= 1
        last >>= 1
    return found if last == 0 else None


def _extract(package: zipfile.ZipFile, member: zipfile.ZipInfo, tree: Path) -> tuple[str, int]:
    """Write a member under `tree`; its name was checked. Returns its SHA-256 and its bytes."""
    target = tree / member.filename
    target.parent.mkdir(parents=True, exist_ok=True)
    digest, size = hashlib.sha256(), 0
    with package.open(member) as source, target.open("wb") as out:
        while True:
            block = source.read(BLOCK)
            if not block:
                break
            digest.update(block)
            size += len(block)
            out.write(block)
        out.flush()
        os.fsync(out.fileno())
    return digest.hexdigest(), size


def _place(tree: Path, target: Path) -> None:
    """Give the folder its name; one that a dead run left, which no state names, is replaced.

    Its files are on disk already; the names they have in their folders go there first.
    """
    if target.exists():
        shutil.rmtree(target)
    for folder, _, _ in os.walk(tree, topdown=False):
        _sync(Path(folder))
    tree.replace(target)
    _sync(target.parent)


def _sync(folder: Path) -> None:
    """Put the names of a folder on disk, where the system lets a folder be opened."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _pointer(data: bytes) -> dict[str, Any]:
    """The pointer, with what this program uses in it. Raises RefusedError."""
    try:
        found: dict[str, Any] = json.loads(data)
        log = found["bitacora"]
        fit = (
            found["formato"] == FORMAT
            and found["modo"] in ("oficial", "simulacro")
            and all(type(found[key]) is int for key in ("corte", "hoja", "avisos"))
            and found["corte"] >= 1
            and type(found["ultimo"]) is bool
            and isinstance(found["instante"], str)
            and (found["siguiente_ms"] is None or type(found["siguiente_ms"]) is int)
            and HEX64.fullmatch(found["manifiesto_sha256"])
            and (found["difusion"] is None or found["difusion"] == f"difusion/{found['corte']:04d}.zip")
            and isinstance(log["origen"], str)
            and type(log["tamano"]) is int
            and HEX64.fullmatch(log["raiz"])
        )
    except MALFORMED:
        fit = False
    if not fit:
        raise RefusedError("corte.json no se entiende")
    return found


def _decoded(data: bytes, encoding: str | None) -> bytes:
    if encoding != "gzip":
        return data
    with gzip.GzipFile(fileobj=io.BytesIO(data)) as stream:
        return stream.read(MAX_POINTER + 1)


def _asked_to_wait(error: urllib.error.HTTPError) -> int | None:
    """In how many seconds a server that does not attend says to come back; None if it does not say."""
    told = (error.headers.get("Retry-After") or "").strip()
    if error.code not in (429, 503) or not (told.isascii() and told.isdecimal()):
        return None
    return max(1, int(told[:9]))


def _shown(text: str) -> str:
    """One line a terminal shows as it is: part of it may come from the server."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)


def _reason(error: Exception) -> str:
    found = getattr(error, "reason", None)
    return f"no se pudo leer: {found or str(error) or type(error).__name__}"


class _Timed:
    """A connection that waits for the head of an answer its timeout in all, not for each of its bytes."""

    sock: Any
    timeout: Any

    def getresponse(self) -> Any:
        fired = threading.Event()
        late = threading.Timer(self.timeout, _hang_up, (self.sock, fired))
        late.daemon = True
        late.start()
        try:
            answer = super().getresponse()  # type: ignore[misc]
        finally:
            late.cancel()
        if fired.is_set():
            # To the reader of heads an end of the connection is the end of the head.
            raise TimeoutError("la respuesta llega gota a gota")
        return answer


class _Http(_Timed, http.client.HTTPConnection):
    pass


class _Https(_Timed, http.client.HTTPSConnection):
    pass


class _HttpHandler(urllib.request.HTTPHandler):
    def http_open(self, req: Any) -> Any:
        return self.do_open(_Http, req)


class _HttpsHandler(urllib.request.HTTPSHandler):
    def https_open(self, req: Any) -> Any:
        return self.do_open(_Https, req)


def _hang_up(connected: Any, fired: threading.Event) -> None:
    fired.set()
    with contextlib.suppress(OSError, AttributeError):
        connected.shutdown(socket.SHUT_RDWR)


def follow(client: Broadcaster, every_s: float) -> None:
    """Visit until stopped, each time at a moment a little different so that clients do not come together."""
    failures = 0
    told = ""
    while True:
        outcome, text = client.poll()
        failures = failures + 1 if outcome in (REFUSED, UNREAD) else 0
        if outcome == NEW or text != told:
            stream = sys.stderr if failures else sys.stdout
            print(f"{time.strftime('%H:%M:%S')} {outcome}: {text}", file=stream, flush=True)
        told = text
        if client.state is not None and client.state["ultimo"] and not failures:
            every = LONGEST_WAIT_S
        else:
            every = min(LONGEST_WAIT_S, every_s * 2.0 ** min(failures, 8)) if failures else every_s
        time.sleep(every * random.uniform(0.75, 1.25))


class _Spanish(argparse.ArgumentParser):
    """The messages of the parser that a person sees, in Spanish."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self._positionals.title, self._optionals.title = "argumentos", "opciones"

    def format_usage(self) -> str:
        return super().format_usage().replace("usage:", "uso:", 1)

    def format_help(self) -> str:
        return super().format_help().replace("usage:", "uso:", 1)

    def error(self, message: str) -> Any:
        for english, spanish in _ARGPARSE:
            message = re.sub(english, spanish, message)
        self.exit(2, f"{self.format_usage()}{self.prog}: {_shown(message)}\n")


_ARGPARSE = (
    ("the following arguments are required: ", "faltan estos argumentos: "),
    ("unrecognized arguments: ", "no se conocen estos argumentos: "),
    ("^argument ", "el argumento "),
    ("expected one argument", "lleva un valor"),
    ("expected at least one argument", "lleva al menos un valor"),
    ("expected at most one argument", "lleva a lo más un valor"),
    ("invalid choice: (.*) \\(choose from (.*)\\)", r"\1 no es uno de \2"),
    ("invalid (int|float|Path) value: ", "no es un valor que se entienda: "),
    ("ambiguous option: (.*) could match (.*)", r"\1 puede ser \2"),
)


def main(arguments: list[str] | None = None) -> int:
    """Run it; returns the exit code."""
    parser = _Spanish(
        prog="difusor.py",
        description="Descarga y comprueba los cortes del PREP para difundirlos.",
        add_help=False,
    )
    parser.add_argument("-h", "--help", "--ayuda", action="help", help="esta ayuda")
    parser.add_argument("url", help="dirección de la publicación (donde está corte.json)")
    parser.add_argument("carpeta", type=Path, help="dónde dejar los cortes")
    parser.add_argument("--una-vez", action="store_true", help="descargar el último corte y terminar")
    parser.add_argument("--cada", type=float, default=30.0, metavar="SEGUNDOS", help="entre visitas (30)")
    parser.add_argument("--modo", choices=("oficial", "simulacro"), help="rechazar lo que sea de otro modo")
    parser.add_argument("--espera", type=float, default=30.0, metavar="SEGUNDOS", help="por respuesta (30)")
    parser.add_argument("--maximo-mb", type=int, default=4096, metavar="MB", help="del paquete (4096)")
    options = parser.parse_args(arguments)
    if not options.url.startswith(("http://", "https://")):
        parser.error("la dirección debe empezar con http:// o https://")
    if options.cada < 1 or options.espera <= 0 or options.maximo_mb < 1:
        parser.error("--cada debe ser de al menos 1 segundo; --espera y --maximo-mb, mayores que cero")
    try:
        client = Broadcaster(
            options.url,
            options.carpeta,
            mode=options.modo,
            wait_s=options.espera,
            max_mb=options.maximo_mb,
        )
    except (UnreadError, OSError) as error:
        print(f"difusor.py: {error}", file=sys.stderr)
        return 2
    if options.una_vez:
        outcome, text = client.poll()
        print(f"{outcome}: {text}", file=sys.stdout if EXIT[outcome] == 0 else sys.stderr)
        return EXIT[outcome]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with contextlib.suppress(KeyboardInterrupt):
        follow(client, options.cada)
    return 0


if __name__ == "__main__":
    sys.exit(main())
