"""A destination of what is published is gone, slow or hung; the others must not notice."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from loadtests.faults.bucket import Reader
from loadtests.faults.checks import BUCKET_VERIFIES, publication_verifies
from loadtests.faults.continuity import PUBLICATION
from loadtests.faults.drill import EVERY_MS, Drill
from loadtests.faults.model import Check, Fault, Signal
from loadtests.faults.processes import read_json, wait_until

SLOT = "el otro destino tiene el corte con la hora de su ranura"
IN_TIME = "y lo tiene a tiempo"
OTHER_WHOLE = "prep verificar del otro destino, con el almacén S3 mal"
HONEST = "el destino que falla no dice tener lo que no tiene"
CAUGHT_UP = "el almacén S3, leído de él, enseña el corte"
NEVER_HALF = "el almacén S3, leído y verificado completo una y otra vez, siempre enseñó un corte entero"
LATE_S = 30.0
"""How long after its slot a cut may reach a destination that is well, seconds of the rehearsal."""
CALM_MS = EVERY_MS // 3
"""No cut is due this long while what goes before the fault is done."""
SLOW_S, SHORT_SLOW_S = 2.0, 0.5
USUAL_S, SHORT_USUAL_S = 5, 2
"""Seconds without the last cut that are not news yet, in the full rehearsal and in the short one."""
KILLED, CLOSED = "servidor muerto", "conexiones cerradas"


class _Destination(Fault):
    """What is common: the cut goes out to the other destination, and this one catches up."""

    family = "s3"
    incident = PUBLICATION
    promises: Mapping[str, tuple[str, ...]] = {
        "el otro destino recibe el corte a su hora": (SLOT, IN_TIME, OTHER_WHOLE),
        "el que falla lo alcanza": (HONEST, CAUGHT_UP, BUCKET_VERIFIES),
        "y nunca enseña medio corte": (NEVER_HALF,),
    }
    needs = frozenset({"s3"})
    _reader: Reader | None = None

    def prepare(self, drill: Drill, case: str) -> None:
        drill.have_time(CALM_MS)
        self._number = drill.cut_number() + 1
        wait_until("el destino S3 está al corriente", lambda: current(drill, self._number - 1), 60)

    def inject(self, drill: Drill, case: str) -> float:
        assert drill.bucket is not None
        self._reader = Reader(drill.bucket.public_url)
        self._reader.wait(1)
        drill.have_time(CALM_MS)
        self._number = drill.cut_number() + 1
        self._at = time.monotonic()
        self.break_it(drill, case)
        drill.come_slot()
        self._slot, self._due = drill.last_slot(), time.time()
        return self._at

    def break_it(self, drill: Drill, case: str) -> None:
        """Do it to the server."""
        raise NotImplementedError

    def mend(self, drill: Drill, case: str) -> str:
        """Undo it; in words."""
        raise NotImplementedError

    def signals(self, drill: Drill, case: str) -> Mapping[str, Signal]:
        return {"publicador.json, destinos": lambda: behind(drill, self._number)}

    def during(self, drill: Drill, case: str) -> list[Check]:
        drill.wait_published(self._number)
        honest = has_what_it_says(drill, self._number)
        path = drill.public / "corte.json"
        late_s, pointer = path.stat().st_mtime - self._due, read_json(path)
        cut, off_ms = int(pointer.get("corte", 0)), int(pointer.get("instante_ms", 0)) - self._slot
        return [
            Check(SLOT, cut == self._number and 0 <= off_ms < EVERY_MS, f"corte {cut}, a {off_ms} ms"),
            Check(IN_TIME, late_s <= LATE_S, f"{late_s:.1f} s después de su ranura"),
            publication_verifies(drill.public, OTHER_WHOLE),
            honest,
        ]

    def recover(self, drill: Drill, case: str) -> str:
        how = self.mend(drill, case)
        self.since = time.monotonic()
        wait_until("el destino S3 queda al corriente", lambda: current(drill, self._number), 150)
        return f"{how}; el publicador lo alcanza solo"

    def checks(self, drill: Drill, case: str) -> list[Check]:
        assert drill.bucket is not None and self._reader is not None
        self._reader.wait(1)
        good, told = self._reader.end().never_half(self._at)
        cut = drill.bucket.public_cut()
        return [
            Check(CAUGHT_UP, cut >= self._number, f"enseña el corte {cut} y debía el {self._number}"),
            Check(NEVER_HALF, good, told),
        ]

    def undo(self, drill: Drill, case: str) -> None:
        if self._reader is not None:
            self._reader.end()
        assert drill.bucket is not None
        drill.bucket.proxy.normal()


class S3Gone(_Destination):
    """The server is killed."""

    key = "s3-muerto"
    title = "El almacén S3 se cae"
    short = True
    what = (
        "SIGKILL al servidor S3 (SeaweedFS), que luego vuelve a arrancar; en la versión corta, un "
        "intermediario cierra cada conexión"
    )

    def cases(self, short: bool) -> tuple[str, ...]:
        # The server takes longer to come back than the short rehearsal may last.
        return (CLOSED,) if short else (KILLED, CLOSED)

    def break_it(self, drill: Drill, case: str) -> None:
        assert drill.bucket is not None
        if case == KILLED:
            drill.bucket.server.kill()
        else:
            drill.bucket.proxy.refuse()

    def mend(self, drill: Drill, case: str) -> str:
        assert drill.bucket is not None
        if case == KILLED:
            drill.bucket.server.launch()
            drill.bucket.server.wait()
        drill.bucket.proxy.normal()
        return "vuelve el servidor"


class S3Slow(_Destination):
    """Everything that goes to the server or comes from it waits."""

    key = "s3-lento"
    title = "El almacén S3 va lento"
    what = (
        f"un intermediario retrasa {SLOW_S:.0f} s cada trozo que va o viene del servidor S3 (en la versión "
        "corta, medio segundo)"
    )

    def break_it(self, drill: Drill, case: str) -> None:
        assert drill.bucket is not None
        drill.bucket.proxy.slow(SLOW_S if drill.size.tick_s is None else SHORT_SLOW_S)

    def mend(self, drill: Drill, case: str) -> str:
        assert drill.bucket is not None
        drill.bucket.proxy.normal()
        return "la red vuelve a su paso"


class S3Hung(_Destination):
    """The server takes connections and says nothing."""

    key = "s3-colgado"
    title = "El almacén S3 se cuelga"
    what = "el intermediario recibe y no deja pasar nada: el servidor no contesta ni cierra"
    others_s = 35.0

    def break_it(self, drill: Drill, case: str) -> None:
        assert drill.bucket is not None
        drill.bucket.proxy.hang()

    def signals(self, drill: Drill, case: str) -> Mapping[str, Signal]:
        return {
            **super().signals(drill, case),
            "publicador.json, sin respuesta": lambda: (
                "sin_respuesta" if s3_state(drill).get("estado") == "sin_respuesta" else None
            ),
        }

    def mend(self, drill: Drill, case: str) -> str:
        assert drill.bucket is not None
        drill.bucket.proxy.normal()
        return "el servidor vuelve a contestar"


def s3_state(drill: Drill) -> dict[str, Any]:
    """What the publisher says of the bucket."""
    for one in drill.publisher_state().get("destinos", ()):
        if str(one["nombre"]).startswith("s3://"):
            return dict(one)
    return {}


def has_what_it_says(drill: Drill, number: int) -> Check:
    """Whether the publisher does not say that the bucket has that cut, or whoever reads it sees it there.

    Of an earlier one it proves nothing: with the server dead, nobody can read what it has.
    """
    assert drill.bucket is not None
    # In this order: one that catches up in between has no less than was said of it.
    claimed = int(s3_state(drill).get("corte") or 0)
    there = drill.bucket.public_cut()
    told = f"dice tener el corte {claimed} y enseña el {there}"
    return Check(HONEST, claimed < number or there >= claimed, told)


def behind(drill: Drill, number: int) -> str | None:
    """That something is wrong with the bucket, in the words of the publisher.

    To lack a cut that has just been made is not: every destination does for a moment.
    """
    seen = s3_state(drill)
    if drill.cut_number() < number or seen.get("estado") in (None, "al_corriente"):
        return None
    late_s = int(seen["atraso_s"])
    if not seen["error"] and late_s < (USUAL_S if drill.size.tick_s is None else SHORT_USUAL_S):
        return None
    return (
        f"{seen['estado']}, cortes atrás: {seen['atraso_cortes']}, {late_s} s: {seen['error'] or 'sin error'}"
    )


def current(drill: Drill, number: int) -> bool:
    """The bucket has that cut."""
    seen = s3_state(drill)
    return seen.get("estado") == "al_corriente" and int(seen.get("corte") or 0) >= number
