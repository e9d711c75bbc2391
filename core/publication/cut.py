"""A cut, from the ledger to the folder people read: read, build, check, place, record, point.

The order is what makes it safe to stop anywhere. The package is complete under its own name before
the ledger says that the cut exists, and the pointer moves last; `recover` finishes what a dead
publisher left between the two. When a cut is due is not decided here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Engine as Database

from core.domain.commands import PublishCut, RefuseCut
from core.domain.writable import FREE_TEXT
from core.engine import Engine
from core.errors import PrepError
from core.publication.package import HeaderMismatchError, Output, PackageBuilder
from core.storage.reading import SnapshotReader


class CutNotRecordedError(PrepError):
    """The engine did not accept the cut; the previous one stays."""


@dataclass(frozen=True)
class CutReport:
    """What became of one cut. `headers` are the thirteen counters by contest, as written.

    `refused` is the reason when the package did not pass its own check; nothing was published then.
    """

    number: int
    at: int
    seq_high: int
    last: bool
    directory: Path | None
    headers: dict[str, dict[str, str]]
    refused: str | None = None
    timings: dict[str, float] = field(default_factory=dict)


class Publisher:
    """Publishes the cuts of one operation into a folder. It reads the database and asks the engine."""

    def __init__(
        self,
        engine: Engine,
        database: Database,
        workdir: Path,
        *,
        outputs: tuple[Output, ...] | None = None,
        actor: str = "publicador",
        station: str = "publicacion",
    ) -> None:
        self._engine = engine
        self._reader = SnapshotReader(database, len(engine.catalog.actas))
        self._builder = PackageBuilder(engine.catalog, workdir, mode=engine.mode, outputs=outputs)
        self._actor = actor
        self._station = station
        self.recover()

    def recover(self) -> None:
        """Point at the last cut the ledger knows, whatever a previous publisher left half done.

        A folder that never had that cut (a database published into a new place) stays without a
        pointer until its first one.
        """
        number = self._engine.operation.last_cut
        if number and self._builder.directory(number).is_dir():
            self._builder.point(number)

    def cut(self, at: int, *, last: bool = False) -> CutReport:
        """Publish everything captured so far as the cut of the instant `at` (ms UTC).

        `last` uses the participation formula of the last cut. A package whose header does not
        agree with its own rows is refused: the refusal is recorded, the previous cut stays, and
        the report says why. Raises CutNotRecordedError when the engine does not take the cut.
        """
        number = self._engine.operation.last_cut + 1
        snapshot = self._reader.read()
        try:
            built = self._builder.build(snapshot, number, at, last)
        except HeaderMismatchError as error:
            self._refuse(number, at, str(error))
            return CutReport(number, at, snapshot.seq_high, last, None, {}, refused=str(error))
        self._builder.commit(built)
        command = PublishCut(
            key=f"corte-{number}-{snapshot.seq_high}",
            actor=self._actor,
            station=self._station,
            at=at,
            number=number,
            seq_high=snapshot.seq_high,
            manifest_sha256=built.manifest_sha256,
            last=last,
        )
        (answer,) = self._engine.execute([command], at)
        if not answer.accepted:
            raise CutNotRecordedError(f"El corte {number} no se registró: {answer.refusal} {answer.detail}")
        self._builder.point(number)
        return CutReport(
            number,
            at,
            snapshot.seq_high,
            last,
            self._builder.directory(number),
            built.headers,
            timings=dict(built.timings),
        )

    def _refuse(self, number: int, at: int, reason: str) -> None:
        command = RefuseCut(
            key=f"corte-rechazado-{number}-{at}",
            actor=self._actor,
            station=self._station,
            at=at,
            number=number,
            reason=reason[:FREE_TEXT],
        )
        self._engine.execute([command], at)
