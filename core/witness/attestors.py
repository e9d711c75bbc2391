"""Those who attest what was published, each asked in a thread of its own: witnesses and a time-stamper.

Publication never waits for any of them: it wakes them after a cut and, at its own ticks, takes what has
come. A dead or slow one delays nobody, and is asked again until it answers or there is something newer.
It reads the work folder and writes only `sellos/`; putting cosignatures in the checkpoint is of whoever
has the log open.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

import orjson

from core.errors import PrepError
from core.publication.public_tree import CHECKPOINT, POINTER, emission_key, stamp_key
from core.transparency import timestamps
from core.transparency.errors import NoteError
from core.transparency.notes import Note, Signature, cosigned_at, parse_checkpoint, parse_note
from core.whole_file import write_whole
from core.witness.client import TIMEOUT_S, WitnessAddress, cosign
from core.witness.errors import AskError, ContradictsError, SilentError
from core.witness.http import post

_LOG = logging.getLogger(__name__)
PENDING, SIGNED, SILENT, REFUSED, CONTRADICTS = "pendiente", "firmo", "sin_respuesta", "rechazo", "conflicto"
STAMPED = "sellado"


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds: how long to wait for an answer, and between two requests after one that failed (doubling)."""

    timeout_s: float = TIMEOUT_S
    first_retry_s: float = 2.0
    last_retry_s: float = 60.0


@dataclass(frozen=True, slots=True)
class Attested:
    """What has come: cosignature lines of the checkpoint `note`, and how many timestamps so far."""

    note: str
    lines: tuple[str, ...]
    stamps: int


class _Asker(threading.Thread):
    """Asks one of them again and again; what it does each time is `_round`."""

    def __init__(self, name: str, work: Path, patience: Patience, told: Callable[[], None]) -> None:
        super().__init__(name=f"constancia-{name}", daemon=True)
        self.work = work
        self.patience = patience
        self.told = told
        """Called when there is something to take, or an attempt ended."""
        self.changed = threading.Condition()
        self.awake = True
        self.busy_since: float | None = None
        self.done = False
        """True when there is nothing else to ask for now."""
        self.status = PENDING
        self.error: str | None = None
        self._stop_asked = False

    def wake(self) -> None:
        """There is something new to ask for."""
        with self.changed:
            self.awake, self.done = True, False
            self.changed.notify_all()

    def stop(self) -> None:
        """End after what is being asked."""
        with self.changed:
            self._stop_asked = True
            self.changed.notify_all()

    def run(self) -> None:
        failures = 0
        while not self._stop_asked:
            with self.changed:
                self.awake, self.busy_since = False, monotonic()
            error, status = self._try()
            failures = failures + 1 if error is not None else 0
            with self.changed:
                self.busy_since = None
                if status is not None:
                    self.status, self.error = status, error
                self.done = error is None and not self.awake
            self.told()
            self._rest(failures)

    def _rest(self, failures: int) -> None:
        """Until there is something new; after a failure, a while, however much is new meanwhile."""
        wait = None
        if failures:
            wait = min(self.patience.last_retry_s, self.patience.first_retry_s * 2.0 ** min(failures - 1, 20))
        with self.changed:
            self.changed.wait_for(lambda: self._stop_asked or (self.awake and not failures), wait)

    def _try(self) -> tuple[str | None, str | None]:
        """What went wrong, if anything, and the state it leaves; None leaves the one there was."""
        try:
            return None, self._round()
        except ContradictsError as found:
            return str(found), CONTRADICTS
        except SilentError as found:
            return str(found), SILENT
        except (PrepError, OSError, ValueError, KeyError) as found:
            return str(found) or type(found).__name__, REFUSED
        except Exception as found:  # noqa: BLE001 - a thread that dies would leave its witness behind, mute
            _LOG.exception("%s", self.name)
            return f"error interno: {type(found).__name__}: {found}", REFUSED

    def _round(self) -> str | None:
        """Ask if there is something to ask for; the state it leaves. Raises AskError and others."""
        raise NotImplementedError

    def state(self) -> tuple[str, str | None]:
        """The state and the error, counting as silent one that is taking too long."""
        with self.changed:
            if self.busy_since is not None and monotonic() - self.busy_since > 2 * self.patience.timeout_s:
                return SILENT, "no termina de contestar"
            return self.status, self.error


class _WitnessAsker(_Asker):
    def __init__(
        self, witness: WitnessAddress, work: Path, patience: Patience, told: Callable[[], None]
    ) -> None:
        super().__init__(witness.name, work, patience, told)
        self.witness = witness
        self.signed: tuple[str, str] | None = None
        """The text of the checkpoint it cosigned last, and its line."""
        self.size = 0
        self.at_s: int | None = None

    def _round(self) -> str | None:
        try:
            note = parse_note((self.work / CHECKPOINT).read_bytes())
        except FileNotFoundError:
            return None
        if self.signed is not None and self.signed[0] == note.text:
            return SIGNED
        there = _line_of(note, self.witness)
        if there is not None:
            # From before this process began.
            self.size, self.at_s = parse_checkpoint(note.text).size, cosigned_at(there)
            self.signed = (note.text, there.line)
            return SIGNED
        self.status = PENDING
        found = cosign(self.witness, note, self._read, old=self.size, timeout_s=self.patience.timeout_s)
        self.size, self.at_s = found.size, found.at_s
        self.signed = (note.text, found.line)
        return SIGNED

    def _read(self, name: str) -> bytes:
        return (self.work / name).read_bytes()


class _Stamper(_Asker):
    def __init__(self, url: str, work: Path, patience: Patience, told: Callable[[], None]) -> None:
        super().__init__("sello", work, patience, told)
        self.url = url
        self.cut = 0
        self.at_ms: int | None = None
        self.made = 0

    def _round(self) -> str | None:
        """Stamp the checkpoint of the last cut that was pointed at, unless it has its stamp."""
        try:
            number = int(orjson.loads((self.work / POINTER).read_bytes())["corte"])
        except FileNotFoundError:
            return None
        path = self.work / stamp_key(number)
        if path.is_file():
            self.cut, self.at_ms = number, timestamps.read(path.read_bytes()).at_ms
            return STAMPED
        self.status = PENDING
        note = str(orjson.loads((self.work / emission_key(number)).read_bytes())["checkpoint"])
        asked = timestamps.request(note.encode())
        reply = post(self.url, asked.data, timestamps.QUERY, self.patience.timeout_s)
        if reply.status != 200:
            raise SilentError(f"{self.url} contesta {reply.status}: {reply.text}")
        if reply.kind != timestamps.REPLY:
            raise AskError(f"{self.url} contesta «{reply.kind}», que no es un sello de tiempo")
        stamp = timestamps.check(reply.body, asked)
        write_whole(path, reply.body)
        self.cut, self.at_ms = number, stamp.at_ms
        self.made += 1
        return STAMPED


class Attestors:
    """The witnesses and, with `tsa`, the time-stamper of a work folder. Threads start at once.

    All methods return at once but `drain` and `close`. Raises ValueError for two witnesses of one name.
    """

    def __init__(
        self,
        work: Path,
        witnesses: Sequence[WitnessAddress],
        *,
        threshold: int = 0,
        tsa: str | None = None,
        patience: Patience | None = None,
    ) -> None:
        names = [one.name for one in witnesses]
        if len(set(names)) != len(names):
            raise ValueError(f"two witnesses bear the same name: {names}")
        patience = patience or Patience()
        self._work = Path(work)
        self._threshold = threshold
        self._moved = threading.Condition()
        self._taken: set[str] = set()
        self._stamps = 0
        self._witnesses = [_WitnessAsker(one, self._work, patience, self._tell) for one in witnesses]
        self._stamper = None if tsa is None else _Stamper(tsa, self._work, patience, self._tell)
        for asker in self._all:
            asker.start()

    @property
    def _all(self) -> list[_Asker]:
        return [*self._witnesses, *([] if self._stamper is None else [self._stamper])]

    def wake(self) -> None:
        """There may be a new checkpoint."""
        for asker in self._all:
            asker.wake()

    def take(self) -> Attested | None:
        """What has come and was not said to be `done`, of the newest checkpoint cosigned; None if nothing."""
        signed = [one.signed for one in self._witnesses if one.signed is not None]
        fresh = [pair for pair in signed if pair[1] not in self._taken]
        stamps = 0 if self._stamper is None else self._stamper.made
        if not fresh and stamps == self._stamps:
            return None
        newest = max((text for text, _ in fresh), key=lambda text: parse_checkpoint(text).size, default="")
        return Attested(newest, tuple(line for text, line in fresh if text == newest), stamps)

    def done(self, found: Attested) -> None:
        """It was published, or cannot be: it is not given again, nor are lines of older checkpoints."""
        size = parse_checkpoint(found.note).size if found.note else 0
        now = [(one.signed[1], one.size) for one in self._witnesses if one.signed is not None]
        self._taken = {line for line, of in now if line in self._taken or line in found.lines or of < size}
        self._stamps = found.stamps

    def witness_states(self) -> dict[str, Any]:
        """As `publicador.json` tells them: how many, how many signed the last checkpoint, and each."""
        try:
            text = parse_note((self._work / CHECKPOINT).read_bytes()).text
        except (FileNotFoundError, NoteError):
            text = ""
        detail = []
        for one in self._witnesses:
            status, error = one.state()
            current = one.signed is not None and one.signed[0] == text
            if status == SIGNED and not current:
                status = PENDING
            detail.append(
                {
                    "nombre": one.witness.name, "url": one.witness.url, "estado": status, "tamano": one.size,
                    "firmado_ms": None if one.at_s is None else one.at_s * 1000, "error": error,
                }
            )  # fmt: skip
        signed = sum(one["estado"] == SIGNED for one in detail)
        return {"de": len(detail), "con": signed, "umbral": self._threshold, "detalle": detail}

    def stamp_state(self) -> dict[str, Any]:
        """As `publicador.json` tells it; empty without a time-stamping authority."""
        if self._stamper is None:
            return {}
        status, error = self._stamper.state()
        return {
            "url": self._stamper.url, "estado": status, "corte": self._stamper.cut,
            "sellado_ms": self._stamper.at_ms, "error": error,
        }  # fmt: skip

    def drain(self, timeout_s: float) -> bool:
        """Wait until all have answered for the last checkpoint, well or badly; False when time ran out."""
        limit = monotonic() + timeout_s

        def settled() -> bool:
            return all(one.done or one.error is not None for one in self._all)

        with self._moved:
            return self._moved.wait_for(settled, max(0.0, limit - monotonic()))

    def close(self) -> None:
        """Ask the threads to end; they do not keep the process alive."""
        for asker in self._all:
            asker.stop()

    def _tell(self) -> None:
        with self._moved:
            self._moved.notify_all()


def _line_of(note: Note, witness: WitnessAddress) -> Signature | None:
    for one in note.signatures:
        if witness.verifier.signed(note.text, one):
            return one
    return None
