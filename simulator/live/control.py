"""The control channel of a live night: a local TCP port, a token, one JSON object per line.

`control.json` in the folder of the run says the port and the token to whoever may read that folder.
`ControlClient` is for `prep control` and for screens; `ControlServer` for the run, which gives it what
answers each order. It knows neither the model nor what the orders mean.
"""

from __future__ import annotations

import hmac
import json
import os
import secrets
import socket
import socketserver
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from core.catalogs.problems import CatalogError, Problems
from core.catalogs.toml_file import TomlFile
from core.errors import PrepError, UsageError
from core.foreign_text import foreign_bytes, json_of

CONTROL = "control.json"
SUMMARY = "resumen.json"
HOST = "127.0.0.1"
MOST_BYTES = 1 << 20
"""Longest line admitted, in either direction."""
IDLE_S = 600.0
"""A connection that says nothing for this long is closed."""
ANSWER_S = 60.0
"""How long a client waits for an answer."""

Order: TypeAlias = dict[str, Any]
Handle: TypeAlias = Callable[[Order], dict[str, Any]]
"""Answers an order (`{"orden": …, …}`); raises PrepError to refuse it."""


class NoLiveNightError(UsageError):
    """Nobody answers for the folder: no live night is running there."""


class ControlError(PrepError):
    """The night refused an order; `data` is the error as it said it."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self.data = dict(data)
        super().__init__(str(self.data.get("mensaje", "la noche rechazó la orden")))

    def as_data(self) -> dict[str, object]:
        """The error of the night, with its place in the file where there is one."""
        return dict(self.data)


class ControlClient:
    """Talks to the live night that runs in a folder. Every method raises NoLiveNightError or ControlError."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def state(self) -> dict[str, Any]:
        """State, virtual time, speed, lag and progress; only `{"estado": "terminada"}` once it ended.

        A night that ended in virtual time was never live: NoLiveNightError says so.
        """
        if not (self.folder / CONTROL).is_file() and (self.folder / SUMMARY).is_file():
            if not self._was_live():
                raise NoLiveNightError(
                    f"La corrida de «{self.folder}» no fue en vivo (o se terminó sin --velocidad): "
                    "ya acabó y no hay nada que gobernar."
                )
            return {"estado": "terminada"}
        return self.ask("estado")

    def pause(self) -> dict[str, Any]:
        """Stop the clock; the state."""
        return self.ask("pausa")

    def resume(self) -> dict[str, Any]:
        """Let the clock go on; the state."""
        return self.ask("reanudar")

    def set_speed(self, speed: float) -> dict[str, Any]:
        """Virtual seconds per real second; the state."""
        return self.ask("velocidad", velocidad=speed)

    def inject_file(self, path: Path) -> dict[str, Any]:
        """A fragment of a scenario, from a TOML file. Raises InputError when it is not TOML."""
        problems = Problems()
        file = TomlFile(path, problems)
        if file.root is None:
            raise CatalogError(problems.found)
        return self.inject(dict(file.root.data), str(path), file.lines)

    def inject(
        self, document: Mapping[str, Any], name: str = "(instrucción)", lines: Mapping[str, int] | None = None
    ) -> dict[str, Any]:
        """A fragment of a scenario; `{"minuto", "virtual_ms"}` of its effect.

        `name` and `lines` (line by key, as `TomlFile.lines`) are only for the errors.
        """
        return self.ask("inyectar", documento=dict(document), archivo=name, lineas=dict(lines or {}))

    def restore(self, catds: Sequence[int]) -> dict[str, Any]:
        """The links of some CATDs are mended; `restablecidos` in the answer are those that were cut."""
        return self.inject({"restablecer": {"catd": list(catds)}})

    def move_capturistas(
        self, people: int, origin: int | None = None, target: int | None = None
    ) -> dict[str, Any]:
        """People go to `target` (None is the state centre) from a CATD, or from the reserve without origin.

        With statewide capture people with a target and no origin are of the state centre itself: they go
        on with its one queue, less their travel.
        """
        move: dict[str, Any] = {"rol": "capturistas", "personas": people}
        if origin is not None:
            move["de_catd"] = origin
        if target is not None:
            move["a_catd"] = target
        return self.inject({"personal": {"traslados": [move]}})

    def ask(self, order: str, **arguments: Any) -> dict[str, Any]:
        """Send one order and wait for its answer."""
        port, token = self._address()
        body = json.dumps({"token": token, "orden": order, **arguments}, default=str).encode() + b"\n"
        try:
            with socket.create_connection((HOST, port), timeout=ANSWER_S) as connection:
                connection.sendall(body)
                with connection.makefile("rb") as stream:
                    line = stream.readline(MOST_BYTES)
        except OSError as error:
            raise NoLiveNightError(
                f"La corrida en vivo de «{self.folder}» no responde; ¿sigue viva? (--continuar la sigue)"
            ) from error
        if not line:
            raise NoLiveNightError(f"La corrida en vivo de «{self.folder}» terminó sin responder.")
        if not line.endswith(b"\n"):
            raise NoLiveNightError(
                f"La respuesta de la corrida en vivo de «{self.folder}» llegó cortada y no se entiende."
            )
        try:
            answer = json_of(line)
            told = answer["datos"] if answer.get("ok") else answer["error"]
            ok, told = bool(answer.get("ok")), dict(told)
        except (ValueError, KeyError, TypeError, AttributeError):
            # After a run that died its port may be somebody else's.
            raise NoLiveNightError(f"Quien responde no es la corrida en vivo de «{self.folder}».") from None
        if not ok:
            raise ControlError(told)
        return told

    def _was_live(self) -> bool:
        try:
            summary = json_of(foreign_bytes(self.folder / SUMMARY))
        except ValueError:
            return False
        return isinstance(summary, dict) and "en_vivo" in summary

    def _address(self) -> tuple[int, str]:
        path = self.folder / CONTROL
        try:
            found = json_of(foreign_bytes(path))
            port, token = found["puerto"], found["token"]
            if type(port) is not int or not 0 < port < 65_536 or not isinstance(token, str):
                raise ValueError(port)
            return port, token
        except FileNotFoundError as error:
            raise NoLiveNightError(f"En «{self.folder}» no hay ninguna corrida en vivo.") from error
        except (ValueError, KeyError, TypeError) as error:
            raise NoLiveNightError(f"«{path}» no dice cómo llegar a la corrida.") from error


class ControlServer:
    """Answers orders while the night runs. `close` takes `control.json` away."""

    def __init__(self, folder: Path, handle: Handle) -> None:
        self._path = folder / CONTROL
        token = secrets.token_hex(16)

        class Connection(socketserver.StreamRequestHandler):
            timeout = IDLE_S

            def handle(self) -> None:
                _serve(self, token, handle)

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True
            allow_reuse_address = True

        self._server = Server((HOST, 0), Connection)
        self._write(
            {"formato": 1, "puerto": self._server.server_address[1], "token": token, "pid": os.getpid()}
        )
        self._thread = threading.Thread(target=self._server.serve_forever, name="control", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop answering."""
        self._path.unlink(missing_ok=True)
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _write(self, data: dict[str, object]) -> None:
        # Only its owner may read it: the token is all it takes to command the night.
        temporary = self._path.with_name(f".{CONTROL}.tmp")
        temporary.unlink(missing_ok=True)
        number = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(number, "w", encoding="utf-8") as stream:
            stream.write(json.dumps(data) + "\n")
        temporary.replace(self._path)


def _serve(connection: socketserver.StreamRequestHandler, token: str, handle: Handle) -> None:
    """Orders of one connection until it ends or says something that is not one."""
    while True:
        try:
            line = connection.rfile.readline(MOST_BYTES)
        except (TimeoutError, ConnectionError):
            return
        if not line:
            return
        answer, more = _answer(line, token, handle)
        try:
            connection.wfile.write(json.dumps(answer, ensure_ascii=False, default=str).encode() + b"\n")
        except ConnectionError:
            return
        if not more:
            return


def _answer(line: bytes, token: str, handle: Handle) -> tuple[dict[str, Any], bool]:
    """What to answer to a line, and whether the connection goes on."""
    try:
        order = json_of(line)
    except ValueError:
        order = None
    if not isinstance(order, dict) or not line.endswith(b"\n"):
        return _refused({"mensaje": "Se esperaba un objeto JSON en una línea de a lo más 1 MiB."}), False
    if not hmac.compare_digest(str(order.pop("token", "")).encode(), token.encode()):
        return _refused({"mensaje": "El token no es el de esta corrida."}), False
    try:
        return {"ok": True, "datos": handle(order)}, True
    except PrepError as error:
        return _refused(error.as_data()), True


def _refused(error: Mapping[str, object]) -> dict[str, Any]:
    return {"ok": False, "error": dict(error)}
