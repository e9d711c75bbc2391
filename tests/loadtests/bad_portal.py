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

DEFECTS = ("ninguno", "avanza", "viejo", "retrocede", "mezcla", "error", "cuelga", "incompleto")
"""In those that are published in the middle of the test (`avanza`, `viejo`) the folder is written in."""
AFTER = 30
"""Questions for the pointer served well before the defect."""
POINTER = "corte.json"


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    folder: Path
    defect: str
    asked = 0

    def do_GET(self) -> None:
        """Answer, badly when it is time."""
        key = self.path.partition("?")[0].lstrip("/") or "index.html"
        if self.defect == "incompleto" and key in ("index.html", self._poor()[0]):
            # Neither page nor CORS, and an object of the portal that lacks something.
            there = key != "index.html"
            self._send(200 if there else 404, self._poor()[1] if there else b"", "application/json", "")
            return
        file = self.folder / key
        if not file.is_file():
            self._send(404, b"", "text/plain", "")
            return
        if key == POINTER and self.client_address[0] != "127.0.0.1":
            # Readers come from addresses of their own; whoever else asks does not count.
            type(self).asked += 1
            if type(self).asked == AFTER + 1:
                self.publish()
        late = type(self).asked > AFTER
        if late and self.defect == "cuelga" and self.client_address[0] != "127.0.0.1":
            time.sleep(60)
        body = file.read_bytes()
        tag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
        if key == POINTER:
            body, tag = self._pointer(body, tag, late)
        elif late and self.defect == "error" and key.startswith("objetos/"):
            self._send(500, b"", "text/plain", "")
            return
        known = self.headers.get("If-None-Match")
        if tag and (known == tag or (known and key == POINTER and self.defect == "viejo")):
            # With «viejo», who has an old cut is told for ever that it is the last one.
            self._send(304, b"", "", known)
            return
        kind = "application/json" if key.endswith(".json") else "application/octet-stream"
        self._send(200, body, kind, tag)

    def _pointer(self, body: bytes, tag: str, late: bool) -> tuple[bytes, str]:
        pointer = json.loads(body)
        if self.defect == "incompleto":
            # As honest as its bytes, and nobody can go on with it.
            return json.dumps({**pointer, "portal": self._poor()[0][11:-5]}).encode(), '"incompleto"'
        if not late:
            return body, tag
        if self.defect == "retrocede":
            pointer["corte"] -= 1
        elif self.defect == "mezcla":
            # The number of a new cut with the data of the old one.
            pointer["corte"] += 1
            pointer["instante_ms"] += 60_000
        else:
            return body, tag
        return json.dumps(pointer).encode(), '"otro"'

    @classmethod
    def hold(cls) -> None:
        """Leave the folder with the cut before, until it is time."""
        if cls.defect in ("avanza", "viejo"):
            (cls.folder / POINTER).rename(cls.folder / "siguiente.json")
            pointer = json.loads((cls.folder / "siguiente.json").read_bytes())
            (cls.folder / POINTER).write_text(json.dumps(cls._before(pointer)), encoding="utf-8")

    @classmethod
    def publish(cls) -> None:
        """Publish the last cut."""
        if cls.defect in ("avanza", "viejo"):
            (cls.folder / "siguiente.json").replace(cls.folder / POINTER)

    def _poor(self) -> tuple[str, bytes]:
        """The portal object without its catalogue: its path and its bytes."""
        pointer = json.loads((self.folder / POINTER).read_bytes())
        whole = self.folder / "objetos" / pointer["portal"][:2] / f"{pointer['portal']}.json"
        portal = json.loads(whole.read_bytes())
        del portal["catalogo"]
        body = json.dumps(portal).encode()
        name = hashlib.sha256(body).hexdigest()
        return f"objetos/{name[:2]}/{name}.json", body

    @classmethod
    def _before(cls, pointer: dict[str, Any]) -> dict[str, Any]:
        """The pointer of the cut before, as it was."""
        objects = cls.folder / "objetos"
        portal = json.loads((objects / pointer["portal"][:2] / f"{pointer['portal']}.json").read_bytes())
        history = json.loads((objects / portal["historial"][:2] / f"{portal['historial']}.json").read_bytes())
        row = next(one for one in history["cortes"] if one["corte"] == pointer["corte"] - 1)
        base = f"cortes/{row['corte']:04d}/"
        files = {
            f"{name}_sha256": hashlib.sha256((cls.folder / base / f"{name}.json").read_bytes()).hexdigest()
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
        if self.defect != "incompleto":
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
    Handler.hold()
    server = Server(("127.0.0.1", 0), Handler)
    print(server.server_address[1], flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
