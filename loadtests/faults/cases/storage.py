"""A destination of what is published is gone, slow or hung; the others must not notice."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from loadtests.faults.drill import Drill
from loadtests.faults.model import Check, Fault, Signal
from loadtests.faults.processes import wait_until

KILLED, CLOSED = "servidor muerto", "conexiones cerradas"


class _Destination(Fault):
    """What is common: the cut goes out to the other destination, and this one catches up."""

    family = "s3"
    invariant = (
        "el otro destino recibe el corte a su hora; el que falla lo alcanza y nunca enseña medio corte"
    )
    short = True
    needs = frozenset({"s3"})

    def inject(self, drill: Drill, case: str) -> float:
        at = time.monotonic()
        self.break_it(drill, case)
        self._number = drill.come_slot()
        return at

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
        seen = s3_state(drill)
        late = seen.get("corte") != self._number
        return [
            Check("el otro destino tiene el corte nuevo", drill.public_cut() >= self._number),
            Check("el destino que falla no dice tener lo que no tiene", late, str(seen)[:200]),
        ]

    def recover(self, drill: Drill, case: str) -> str:
        how = self.mend(drill, case)
        self.since = time.monotonic()
        wait_until("el destino S3 queda al corriente", lambda: current(drill, self._number), 150)
        return f"{how}; el publicador lo alcanza solo"

    def undo(self, drill: Drill, case: str) -> None:
        assert drill.proxy is not None
        drill.proxy.normal()


class S3Gone(_Destination):
    """The server is killed."""

    key = "s3-muerto"
    title = "El almacén S3 se cae"
    what = (
        "SIGKILL al servidor S3 (SeaweedFS), que luego vuelve a arrancar; en la versión corta, un "
        "intermediario cierra cada conexión"
    )

    def cases(self, short: bool) -> tuple[str, ...]:
        # The server takes longer to come back than the short rehearsal may last.
        return (CLOSED,) if short else (KILLED, CLOSED)

    def break_it(self, drill: Drill, case: str) -> None:
        assert drill.s3 is not None and drill.proxy is not None
        if case == KILLED:
            drill.s3.kill()
        else:
            drill.proxy.refuse()

    def mend(self, drill: Drill, case: str) -> str:
        assert drill.s3 is not None and drill.proxy is not None
        if case == KILLED:
            drill.s3.launch()
            drill.s3.wait()
        drill.proxy.normal()
        return "vuelve el servidor"


class S3Slow(_Destination):
    """Everything that goes to the server or comes from it waits."""

    key = "s3-lento"
    title = "El almacén S3 va lento"
    what = "un intermediario retrasa medio segundo cada trozo que va o viene del servidor S3"

    def break_it(self, drill: Drill, case: str) -> None:
        assert drill.proxy is not None
        drill.proxy.slow(0.5)

    def mend(self, drill: Drill, case: str) -> str:
        assert drill.proxy is not None
        drill.proxy.normal()
        return "la red vuelve a su paso"


class S3Hung(_Destination):
    """The server takes connections and says nothing."""

    key = "s3-colgado"
    title = "El almacén S3 se cuelga"
    what = "el intermediario recibe y no deja pasar nada: el servidor no contesta ni cierra"
    short = False
    others_s = 35.0

    def break_it(self, drill: Drill, case: str) -> None:
        assert drill.proxy is not None
        drill.proxy.hang()

    def signals(self, drill: Drill, case: str) -> Mapping[str, Signal]:
        return {
            **super().signals(drill, case),
            "publicador.json, sin respuesta": lambda: (
                "sin_respuesta" if s3_state(drill).get("estado") == "sin_respuesta" else None
            ),
        }

    def mend(self, drill: Drill, case: str) -> str:
        assert drill.proxy is not None
        drill.proxy.normal()
        return "el servidor vuelve a contestar"


def s3_state(drill: Drill) -> dict[str, Any]:
    """What the publisher says of the bucket."""
    for one in drill.publisher_state().get("destinos", ()):
        if str(one["nombre"]).startswith("s3://"):
            return dict(one)
    return {}


def behind(drill: Drill, number: int) -> str | None:
    """That the bucket lacks the cut, in the words of the publisher."""
    seen = s3_state(drill)
    if drill.cut_number() < number or seen.get("estado") in (None, "al_corriente"):
        return None
    return f"{seen['estado']}, {seen['atraso_cortes']} cortes atrás: {seen['error'] or 'sin error todavía'}"


def current(drill: Drill, number: int) -> bool:
    """The bucket has that cut."""
    seen = s3_state(drill)
    return seen.get("estado") == "al_corriente" and int(seen.get("corte") or 0) >= number
