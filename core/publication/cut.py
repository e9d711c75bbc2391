"""A cut, from the ledger to the folder people read: read, build, check, place, record, certify, point.

The order is what makes it safe to stop anywhere. The package is complete under its own name before
the ledger says that the cut exists, the ledger before the public log, and the pointers move last;
`recover` finishes what a dead publisher left in between. When a cut is due is not decided here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from sqlalchemy import Engine as Database

from core.domain.commands import PublishCut, RefuseCut
from core.domain.events import Event, EventKind
from core.domain.writable import FREE_TEXT
from core.engine import Engine
from core.errors import PrepError
from core.publication.emission import Emission, EmissionInfo, ImageSource
from core.publication.freshness import check_reading
from core.publication.interference import CutStep, Interference
from core.publication.json_levels import ShownImage
from core.publication.ledger_match import recorded_cuts
from core.publication.package import REFUSALS, Output, PackageBuilder
from core.storage import schema
from core.storage.reading import SnapshotReader, reading
from core.storage.store import EVENTS, event_of
from core.transparency.keys import SigningKey
from core.transparency.log import EmissionLog


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
    emission: EmissionInfo | None = None
    """What was certified; None without a key, and in a refused cut."""


class Publisher:
    """Publishes the cuts of one operation into a folder. It reads the database and asks the engine.

    With a `key` every cut is certified: acta tree, log, portal, `corte.json`; without one there are only
    packages (a replay). `images` is where the images are; `witnesses` (name, vkey) and `threshold` go
    to `llaves.json`, None leaves what it has; `interfere` is for tests and rehearsals.
    """

    def __init__(
        self,
        engine: Engine,
        database: Database,
        workdir: Path,
        *,
        outputs: tuple[Output, ...] | None = None,
        actor: str = "publicador",
        station: str = "publicacion",
        key: SigningKey | None = None,
        images: ImageSource | None = None,
        interfere: Interference | None = None,
        witnesses: Sequence[tuple[str, str]] | None = None,
        threshold: int | None = None,
    ) -> None:
        self._engine = engine
        self._database = database
        self._workdir = Path(workdir)
        self._reader = SnapshotReader(database, len(engine.catalog.actas))
        self._interfere = interfere or Interference()
        self._builder = PackageBuilder(
            engine.catalog,
            self._workdir,
            mode=engine.mode,
            outputs=outputs,
            certified=key is not None,
            image_key=self._image_key,
            interfere=self._interfere,
        )
        self._actor = actor
        self._station = station
        self._in_step = False
        self._emission: Emission | None = None
        if key is not None:
            self._emission = Emission(
                self._workdir,
                engine.catalog,
                self._builder,
                key,
                mode=engine.mode,
                images=images,
                witnesses=witnesses,
                threshold=threshold,
            )
            self._builder.annex = self._emission.prepare
            self._builder.annexed = self._emission.unsynced
        self.recover()

    @property
    def log(self) -> EmissionLog | None:
        """The public log; None without a key."""
        return None if self._emission is None else self._emission.log

    def recover(self) -> None:
        """Finish whatever a previous publisher left half done, and point at the last cut of the ledger.

        A folder that never had that cut (a database published into a new place) stays without a
        pointer until its first one.
        """
        number = self._engine.operation.last_cut
        if self._emission is not None:
            self._recover_emissions(self._emission)
        if number and self._builder.directory(number).is_dir():
            self._builder.point(number)

    def notices(self) -> int:
        """Put in the public log the notices of the ledger it has not; returns how many. Needs a key."""
        if self._emission is None:
            return 0
        added = self._emission.notices(self._notice_events(), self._since)
        number = self._engine.operation.last_cut
        if added and self._emission.is_certified(number) and self._emission.has_proof(number):
            self._emission.point(number)
        return added

    def attest(self, lines: Sequence[str], of: str, *, generated_ms: int) -> int:
        """Add cosignature lines to the checkpoint `of` and write `corte.json` again; returns how many.

        Without lines it is for a timestamp that came. Those of a checkpoint the log outgrew are left out.
        Raises NoteError for a line of nobody known, or that does not hold.
        """
        emission, number = self._emission, self._engine.operation.last_cut
        if emission is None:
            return 0
        added = emission.cosigned(lines, of, self._since)
        if emission.is_certified(number) and emission.has_proof(number):
            emission.restated(number, generated_ms)
            emission.point(number)
        return added

    def cut(
        self, at: int, *, last: bool = False, next_ms: int | None = None, generated_ms: int | None = None
    ) -> CutReport:
        """Publish everything captured so far as the cut of the instant `at` (ms UTC).

        `last` uses the participation formula of the last cut and closes the log. `next_ms` and
        `generated_ms` (by default `at`) go to `corte.json`. A package that does not pass its checks (header
        and rows, JSON read back, its moment) is refused: the refusal is recorded, the previous cut
        stays, and the report says why. Raises CutNotRecordedError when the engine does not take the cut.
        """
        emission = self._emission
        number = self._engine.operation.last_cut + 1
        step = CutStep(number, at, last, self._workdir, self._builder.hidden(number))
        seq = self._engine.seq
        # What changed is told once: when a reading did not get to the builder, the next one is of everything.
        in_step, self._in_step = self._in_step, False
        found = self._reader.read()
        snapshot = self._interfere.snapshot(step, found if in_step else replace(found, changed=None))
        try:
            check_reading(snapshot.seq_high, seq)
            self._interfere.at("imagenes", step)
            if emission is not None:
                emission.after(number - 1)
                emission.look_for_images(snapshot)
            self._in_step = True
            built = self._builder.build(snapshot, number, at, last)
        except REFUSALS as error:
            self._refuse(number, at, str(error))
            return CutReport(number, at, snapshot.seq_high, last, None, {}, refused=str(error))
        self._builder.commit(built)
        if emission is not None:
            emission.intend(number, next_ms, at if generated_ms is None else generated_ms)
        self._interfere.at("confirmado", step)
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
        self._interfere.at("registrado", step)
        certified = None
        if emission is not None:
            emission.recorded(number)
            self._certify(emission, number, built.manifest_sha256, step)
            certified = emission.info(number)
        self._builder.point(number)
        self._interfere.at("ultimo", step)
        return CutReport(
            number,
            at,
            snapshot.seq_high,
            last,
            self._builder.directory(number),
            built.headers,
            timings=dict(built.timings),
            emission=certified,
        )

    @property
    def _since(self) -> int:
        return self._engine.operation.starts_at

    def _image_key(self, name: str) -> ShownImage | None:
        return None if self._emission is None else self._emission.image_key(name)

    def _certify(self, emission: Emission, number: int, recorded: str, step: CutStep | None = None) -> None:
        """Everything after the ledger, in order; what is there already is not written again."""

        def told(name: str) -> None:
            if step is not None:
                self._interfere.at(name, step)

        leaf = emission.enter(number, self._since, recorded)
        told("bitacora")
        emission.write_proof(number, leaf)
        told("emision")
        emission.write_difusion(number)
        told("difusion")
        if number == self._engine.operation.last_cut:
            emission.point(number)
        told("apuntado")

    def _recover_emissions(self, emission: Emission) -> None:
        """Cuts and notices the ledger has and the log has not, in the order of the ledger."""
        last = self._engine.operation.last_cut
        cuts = [
            (seq, number)
            for _, number, seq in self._engine.operation.cuts
            if emission.is_certified(number) and (number == last or not emission.has_proof(number))
        ]
        notices = [(seq, event) for seq, event in self._ledger_notices()]
        manifests = {cut.number: cut.manifest_sha256 for cut in recorded_cuts(self._database)} if cuts else {}
        for seq, number in cuts:
            emission.notices((event for at, event in notices if at < seq), self._since)
            self._certify(emission, number, manifests[number])
        self.notices()

    def _notice_events(self) -> list[Event]:
        return [event for _, event in self._ledger_notices()]

    def _ledger_notices(self) -> list[tuple[int, Event]]:
        ledger = schema.ledger.c
        asked = EVENTS.where(ledger.kind == EventKind.NOTICE_ISSUED.value).order_by(ledger.seq)
        with reading(self._database) as connection:
            return [(int(row[0]), event_of(row)) for row in connection.execute(asked)]

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
