"""A portal that serves a real publication badly: `python bad_portal.py FOLDER DEFECT`, a process of its own.

It prints its port. The defect begins after some questions for the pointer, so that readers have seen the good
one first. Only for the tests of the load tests.
"""

from __future__ import annotations

import hashlib
import json
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

DEFECTS = (
    "ninguno",
    "retrocede",
    "mezcla",
    "json",
    "etiqueta",
    "sin_304",
    "huella",
    "otra_publicacion",
    "error",
    "avanza",
    "cuelga",
    "incompleto",
)
AFTER = 40
"""Questions for the pointer served well before the defect."""


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    folder: Path
    defect: str
    asked = 0

    def do_GET(self) -> None:
        """Answer, badly when it is time."""
        key = self.path.partition("?")[0].lstrip("/") or "index.html"
        if self.defect == "incompleto" and key == self._poor()[0]:
            self._send(200, self._poor()[1], "application/json", "")
            return
        file = self.folder / key
        if not file.is_file():
            self._send(404, b"", "text/plain", "")
            return
        body = file.read_bytes()
        if key == "corte.json" and self.client_address[0] != "127.0.0.1":
            # Readers come from addresses of their own; whoever else asks does not count.
            type(self).asked += 1
        late = type(self).asked > AFTER
        if late and self.defect == "cuelga" and self.client_address[0] != "127.0.0.1":
            time.sleep(60)
        tag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
        if key == "corte.json":
            body, tag = self._pointer(body, tag, late)
        elif late and self.defect == "huella" and key.startswith("objetos/"):
            body = body + b" "
        elif late and self.defect == "error" and key.startswith("objetos/"):
            self._send(500, b"", "text/plain", "")
            return
        if tag and self.headers.get("If-None-Match") == tag and not (late and self.defect == "sin_304"):
            self._send(304, b"", "", tag)
            return
        kind = "application/json" if key.endswith(".json") else "application/octet-stream"
        self._send(200, body, kind, tag)

    def _pointer(self, body: bytes, tag: str, late: bool) -> tuple[bytes, str]:
        pointer = json.loads(body)
        if self.defect == "avanza":
            return (body, tag) if late else (json.dumps(self._before(pointer)).encode(), '"antes"')
        if self.defect == "incompleto":
            # As honest as its bytes, and nobody can go on with it.
            return json.dumps({**pointer, "portal": self._poor()[0][11:-5]}).encode(), '"incompleto"'
        if not late or self.defect in ("ninguno", "huella", "sin_304", "error"):
            return body, tag
        if self.defect == "json":
            return body[:-20], '"cortado"'
        if self.defect == "etiqueta":
            pointer["avisos"] += type(self).asked
            return json.dumps(pointer).encode(), tag
        if self.defect == "retrocede":
            pointer["corte"] -= 1
        elif self.defect == "otra_publicacion":
            pointer["modo"] = "oficial"
        elif self.defect == "mezcla":
            # The number of a new cut with the data of the old one.
            pointer["corte"] += 1
            pointer["instante_ms"] += 60_000
        return json.dumps(pointer).encode(), '"otro"'

    def _poor(self) -> tuple[str, bytes]:
        """The portal object without its catalogue: its path and its bytes."""
        pointer = json.loads((self.folder / "corte.json").read_bytes())
        whole = self.folder / "objetos" / pointer["portal"][:2] / f"{pointer['portal']}.json"
        portal = json.loads(whole.read_bytes())
        del portal["catalogo"]
        body = json.dumps(portal).encode()
        name = hashlib.sha256(body).hexdigest()
        return f"objetos/{name[:2]}/{name}.json", body

    def _before(self, pointer: dict[str, Any]) -> dict[str, Any]:
        """The pointer of the cut before, as it was."""
        objects = self.folder / "objetos"
        portal = json.loads((objects / pointer["portal"][:2] / f"{pointer['portal']}.json").read_bytes())
        history = json.loads((objects / portal["historial"][:2] / f"{portal['historial']}.json").read_bytes())
        row = next(one for one in history["cortes"] if one["corte"] == pointer["corte"] - 1)
        base = f"cortes/{row['corte']:04d}/"
        files = {
            f"{name}_sha256": hashlib.sha256((self.folder / base / f"{name}.json").read_bytes()).hexdigest()
            for name in ("indice", "manifiesto")
        }
        log = {**pointer["bitacora"], "tamano": row["hoja"] + 1}
        return {
            **pointer, **files, "corte": row["corte"], "instante_ms": row["instante_ms"], "base": base,
            "portal": row["portal"], "difusion": f"difusion/{row['corte']:04d}.zip", "bitacora": log,
        }  # fmt: skip

    def _send(self, status: int, body: bytes, kind: str, tag: str) -> None:
        self.send_response(status)
        if kind:
            self.send_header("Content-Type", kind)
        if tag:
            self.send_header("ETag", tag)
        self.send_header("Access-Control-Allow-Origin", "*")
        if status != 304:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


class Server(ThreadingHTTPServer):
    """A server whose children do not outlive it."""

    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that leave in the middle are no news."""


def main() -> None:
    """Serve until killed."""
    Handler.folder, Handler.defect = Path(sys.argv[1]), sys.argv[2]
    server = Server(("127.0.0.1", 0), Handler)
    print(server.server_address[1], flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
