"""The image of an acta is damaged on the disk before it is published."""

from __future__ import annotations

import time
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

from loadtests.faults import records
from loadtests.faults.checks import captured_images, publication_verifies
from loadtests.faults.drill import EVERY_MS, Drill
from loadtests.faults.model import Check, Fault, Signal
from loadtests.faults.processes import RehearsalError, wait_until


class ImageDamaged(Fault):
    """Some bytes of it are others: its content is no longer the CODIGO_INTEGRIDAD of the acta."""

    key = "imagen"
    family = "imagen"
    title = "Se daña la imagen de un acta"
    what = "se cambian bytes de una imagen recién recibida, antes de que se copie a los destinos"
    promises: Mapping[str, tuple[str, ...]] = {
        "la imagen dañada no llega al público": (
            "la imagen dañada no está en lo público",
            "prep verificar con la imagen dañada",
            "lo público tiene la imagen buena",
        ),
        "el corte sale sin ella": ("el corte salió sin esperar a la imagen",),
        "y el acta no se toca": ("el acta tiene los mismos votos, códigos y horas",),
    }
    by_itself = False
    short = True
    needs = frozenset({"imagenes"})

    def prepare(self, drill: Drill, case: str) -> None:
        self._path = _fresh_image(drill)
        self._acta = records.acta_of_image(drill.base, self._path.stem)
        self._good = self._path.read_bytes()

    def inject(self, drill: Drill, case: str) -> float:
        middle = len(self._good) // 2
        bad = bytes(byte ^ 0xFF for byte in self._good[middle : middle + 64])
        self._path.write_bytes(self._good[:middle] + bad + self._good[middle + 64 :])
        at = time.monotonic()
        self._before = drill.public_cut()
        self._number = drill.come_slot()
        return at

    def signals(self, drill: Drill, case: str) -> Mapping[str, Signal]:
        return {
            "publicador.json, destinos": lambda: _refused(drill, self._path.stem),
            "alarma del publicador": lambda: _alarmed(drill, self._path.stem),
        }

    def during(self, drill: Drill, case: str) -> list[Check]:
        drill.wait_published(self._number)
        there = drill.public / self._path.relative_to(drill.run)
        cut = drill.public_cut()
        return [
            Check(
                "el corte salió sin esperar a la imagen", cut > self._before, f"{self._before} → {cut}"
            ),
            Check(
                "la imagen dañada no está en lo público",
                not there.exists() and not _in_bucket(drill, self._path), there.name,
            ),
            publication_verifies(drill.public, "prep verificar con la imagen dañada"),
        ]  # fmt: skip

    def recover(self, drill: Drill, case: str) -> str:
        self.undo(drill, case)
        self.since = time.monotonic()
        there = drill.public / self._path.relative_to(drill.run)
        if drill.size.tick_s is not None:
            # The publisher tries again by itself within half a minute; a cut has it look at once.
            drill.cut()
        wait_until(
            "la imagen llega a los destinos",
            lambda: there.is_file() and _refused(drill, self._path.stem) is None, 120,
        )  # fmt: skip
        return "se repone la imagen original (la del CATD); el publicador la lleva solo"

    def checks(self, drill: Drill, case: str) -> list[Check]:
        there = drill.public / self._path.relative_to(drill.run)
        acta = records.acta_of_image(drill.base, self._path.stem)
        other = [name for name, value in self._acta.items() if acta.get(name) != value]
        return [
            Check("lo público tiene la imagen buena", there.is_file() and there.read_bytes() == self._good),
            Check(
                "el acta tiene los mismos votos, códigos y horas", bool(self._acta) and not other,
                ", ".join(other),
            ),
        ]  # fmt: skip

    def undo(self, drill: Drill, case: str) -> None:
        if hasattr(self, "_good"):
            self._path.write_bytes(self._good)


def _fresh_image(drill: Drill) -> Path:
    """The image of a captured acta that is not public yet; the night is moved on to have one."""
    for _ in range(40):
        drill.cut()
        until = drill.next_slot() - EVERY_MS // 5
        while drill.clock.right_ms() < until:
            drill.forward(min(until, drill.clock.right_ms() + EVERY_MS // 10))
            captured = captured_images(drill.base)
            for path in sorted((drill.run / "imagenes").rglob("*.*")):
                if path.stem in captured and not (drill.public / path.relative_to(drill.run)).exists():
                    return path
    raise RehearsalError("La noche no trajo ninguna imagen nueva.")


def _in_bucket(drill: Drill, path: Path) -> bool:
    """Whether the bucket gives anything by the name of an image."""
    if drill.bucket is None:
        return False
    try:
        with urlopen(f"{drill.bucket.public_url}{path.relative_to(drill.run).as_posix()}", timeout=10):
            return True
    except HTTPError as error:
        if error.code == HTTPStatus.NOT_FOUND:
            return False
        raise


def _refused(drill: Drill, name: str) -> str | None:
    for one in drill.publisher_state().get("destinos", ()):
        if one["error"] and name in one["error"]:
            return str(one["error"])
    return None


def _alarmed(drill: Drill, name: str) -> str | None:
    for one in drill.publisher_state().get("alarmas", ()):
        if name in one["texto"]:
            return f"alarma {one['clave']}: {one['texto']}"
    return None
