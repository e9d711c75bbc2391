"""What is said to the engine around a cut: that it was missed, is held, or closes the operation early.

The service and the simulator use the same, with real or virtual time. When a cut is due is `due`; making it,
`core.publication`. Every command has a key of its own, so that saying something twice says it once.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import Engine as Database
from sqlalchemy import select

from core.domain.acta import Status
from core.domain.commands import (
    AnyCommand,
    CloseOperation,
    IssueNotice,
    MissCut,
    NoticeType,
    RefuseCut,
)
from core.domain.events import EventKind
from core.domain.writable import FREE_TEXT
from core.engine import Answer, Engine
from core.errors import PrepError
from core.publication.cut import CutReport, Publisher
from core.storage import schema
from core.storage.reading import reading
from core.transparency.errors import TransparencyError
from core.whole_file import write_whole

HELD = "La publicación está detenida"
FAILED = (
    "El corte se intentó y no salió: no pasó su propia revisión, o falló el equipo que publica. Sigue "
    "publicado el anterior."
)
"""What the public is told of a cut that failed."""


class NotCompleteError(PrepError):
    """An early close was asked for with actas still to be registered (RE 353.6)."""


@dataclass(frozen=True)
class PublicationState:
    """What the engine knows that decides whether a cut may go out. Times in ms UTC."""

    opened: bool
    closed: bool
    starts_at: int
    ends_at: int
    held: bool
    hold: str
    """Key of the hold in effect, or of the last one."""
    hold_reason: str
    finished: bool
    last_cut: int
    last_cut_at: int
    last_missed: int
    notices: int
    pending: int


class PublicationOffice:
    """A publisher and what is said around its cuts."""

    def __init__(
        self,
        engine: Engine,
        database: Database,
        publisher: Publisher,
        workdir: Path,
        *,
        actor: str = "publicador",
        station: str = "publicacion",
    ) -> None:
        self._engine = engine
        self._database = database
        self._publisher = publisher
        self._workdir = workdir
        self._who: dict[str, Any] = {"actor": actor, "station": station}

    def state(self, now: int) -> PublicationState:
        """What the ledger says at this moment, of whichever process wrote it."""
        self._engine.execute([], now)
        operation = self._engine.operation
        return PublicationState(
            operation.opened, operation.closed, operation.starts_at, operation.ends_at, operation.held,
            operation.hold.key, operation.hold.reason, operation.finished, operation.last_cut,
            operation.last_cut_at, operation.last_missed, operation.notices, self._engine.pending,
        )  # fmt: skip

    def cut(self, at: int, *, last: bool = False, next_ms: int | None = None) -> CutReport:
        """Publish a cut; while the publication is held the report says so and nothing is made.

        `next_ms` is when the public may expect the following one.
        """
        self._engine.execute([], at)
        operation = self._engine.operation
        if operation.held:
            reason = f"{HELD}: {operation.hold.reason}"
            return CutReport(operation.last_cut + 1, at, self._engine.seq, last, None, {}, refused=reason)
        return self._publisher.cut(at, last=last, next_ms=next_ms)

    def attempt(
        self, slot: int, *, last: bool = False, stopped: str = "", next_ms: int | None = None
    ) -> CutReport:
        """The cut of a slot at its very instant, as in a rehearsal; what does not go out is told as missed.

        `stopped` is why whoever publishes is stopped, when he is; `next_ms`, as in `cut`.
        """
        self.tell_of_hold(slot)
        if stopped:
            number = self._engine.operation.last_cut + 1
            report = CutReport(number, slot, self._engine.seq, last, None, {}, refused=stopped)
        else:
            report = self.cut(slot, last=last, next_ms=next_ms)
        if report.refused is not None:
            held = self._engine.operation.held
            self.missed([slot], slot, report.refused, notice=not held, failed=not stopped)
        return report

    def attest(self, lines: Sequence[str], of: str, at: int) -> str:
        """Put in the checkpoint `of` the cosignatures that came, and in the pointer what came of it all.

        The answer is what was wrong with them, empty when nothing was.
        """
        try:
            self._publisher.attest(lines, of, generated_ms=at)
        except TransparencyError as error:
            return str(error)
        return ""

    def missed(
        self, slots: Sequence[int], at: int, reason: str, *, notice: bool = True, failed: bool = False
    ) -> None:
        """Tell slots as missed, with a signed notice of the gap unless another notice covers it.

        `failed`: the reason is that of a cut that was tried, which only who mends it understands. The notice
        says so in plain words and keeps it apart, in its detail.
        """
        if not slots:
            return
        since = self._engine.operation.last_cut_at or slots[0]
        commands: list[AnyCommand] = [
            MissCut(key=f"perdida-{slot}", at=at, slot=slot, reason=reason[:FREE_TEXT], **self._who)
            for slot in slots
        ]
        if notice:
            commands.append(
                IssueNotice(
                    key=f"aviso-hueco-{slots[0]}-{slots[-1]}", at=at, type=NoticeType.GAP,
                    since=min(since, at), until=at, reason=(FAILED if failed else reason)[:FREE_TEXT],
                    slots=tuple(slots), detail=_text({"motivo": reason[:FREE_TEXT]} if failed else {}),
                    **self._who,
                )
            )  # fmt: skip
        self._engine.execute(commands, at)
        if notice:
            self._publisher.notices()

    def aborted(self, at: int, reason: str) -> None:
        """Record that a cut was stopped before it went out."""
        number = self._engine.operation.last_cut + 1
        refused = RefuseCut(
            key=f"corte-detenido-{number}-{at}", at=at, number=number, reason=reason[:FREE_TEXT], **self._who
        )
        self._engine.execute([refused], at)

    def tell_of_hold(self, now: int) -> bool:
        """Issue the notices of a hold and of its end that are still to be issued; True when one was."""
        self._engine.execute([], now)
        operation = self._engine.operation
        # All of them: one may end and another begin while nobody was looking.
        holds = [*operation.released, *([operation.hold] if operation.held else [])]
        if not holds or operation.finished:
            return False
        commands: list[AnyCommand] = []
        for hold in holds:
            commands.append(
                IssueNotice(
                    key=f"aviso-detenida-{hold.key}", at=hold.since, type=NoticeType.HELD, since=hold.since,
                    until=hold.since, reason=hold.reason, detail=_text({"detencion": hold.key}), **self._who,
                )
            )  # fmt: skip
            if not hold.held:
                commands.append(
                    IssueNotice(
                        key=f"aviso-reanudada-{hold.key}", at=hold.last_at, type=NoticeType.RELEASED,
                        since=hold.since, until=hold.last_at, reason=hold.reason,
                        slots=tuple(slot for slot in operation.missed if hold.since <= slot <= hold.last_at),
                        detail=_text({"detencion": hold.key}), **self._who,
                    )
                )  # fmt: skip
        answers = self._engine.execute(commands, now)
        if any(answer.accepted and not answer.repeated for answer in answers):
            self._publisher.notices()
            return True
        return False

    def close_early(self, at: int, responsible: str) -> CutReport:
        """End before the hour: notice with the list of actas sin acta, last cut, end of the operation.

        The operation may be closed already, by who may do so when everything is registered.

        Raises NotCompleteError unless every expected acta is registered (RE 353.6).
        """
        self._engine.execute([], at)
        pending = self._engine.pending
        if pending:
            raise NotCompleteError(
                f"No se puede cerrar antes de la hora: faltan {pending:,} actas por registrar (RE 353)."
            )
        detail = _text(self._sin_acta(responsible or self._closed_by()))
        if detail not in self._early_notices():
            notice = IssueNotice(
                key=f"aviso-cierre-anticipado-{at}", at=at, type=NoticeType.EARLY_CLOSE, since=at,
                until=max(at, self._engine.operation.ends_at),
                reason="Cierre anticipado: están registradas todas las actas esperadas.", detail=detail,
                **self._who,
            )  # fmt: skip
            (answer,) = self._engine.execute([notice], at)
            if not answer.accepted:
                raise PrepError(f"El aviso de cierre anticipado no se asentó: {_why(answer)}")
        self._publisher.notices()
        report = self.cut(at, last=True)
        if report.refused is None:
            self.close(at)
        return report

    def close(self, at: int) -> bool:
        """Close the operation after its last cut; False when it was closed. Raises PrepError if refused."""
        self._engine.execute([], at)
        if self._engine.operation.closed:
            return False
        (closed,) = self._engine.execute([CloseOperation(key=f"cierre-{at}", at=at, **self._who)], at)
        if not closed.accepted:
            raise PrepError(f"La operación no se cerró: {_why(closed)}")
        return True

    def _early_notices(self) -> list[str]:
        """Details of the notices of an early close that are in the ledger: one that died goes on from its."""
        query = select(schema.ledger.c.data).where(schema.ledger.c.kind == EventKind.NOTICE_ISSUED.value)
        with reading(self._database) as connection:
            told = [orjson.loads(data) for data in connection.execute(query).scalars()]
        return [one["detail"] for one in told if one["type"] == NoticeType.EARLY_CLOSE.value]

    def _closed_by(self) -> str:
        query = select(schema.ledger.c.actor).where(schema.ledger.c.kind == EventKind.OPERATION_CLOSED.value)
        with reading(self._database) as connection:
            return connection.execute(query).scalar() or ""

    def _sin_acta(self, responsible: str) -> dict[str, Any]:
        """Write the list of actas sin acta as a public object; what of it goes in the notice."""
        actas = self._engine.catalog.actas
        query = (
            select(schema.ledger.c.acta, schema.ledger.c.data)
            .join(schema.acta, schema.acta.c.id == schema.ledger.c.acta)
            .where(
                schema.ledger.c.kind == EventKind.SIN_ACTA_MARKED.value,
                schema.acta.c.status == Status.SIN_ACTA.value,
            )
            .order_by(schema.ledger.c.acta, schema.ledger.c.seq)
        )
        with reading(self._database) as connection:
            # Of an acta marked more than once the last mark counts.
            marked = {int(acta): orjson.loads(data) for acta, data in connection.execute(query)}
        rows = [
            {
                "acta": actas[acta].key, "contienda": actas[acta].contest, "motivo": data["reason"],
                "autoriza": data["supervisor"],
            }
            for acta, data in marked.items()
        ]  # fmt: skip
        body = orjson.dumps({"formato": 1, "sin_acta": rows}, option=orjson.OPT_SORT_KEYS)
        digest = hashlib.sha256(body).hexdigest()
        name = f"objetos/{digest[:2]}/{digest}.json"
        write_whole(self._workdir / name, body)
        return {
            "responsable": responsible,
            "actas_registradas": len(actas),
            "sin_acta": len(rows),
            "por_motivo": dict(Counter(row["motivo"] for row in rows)),
            "lista": name,
            "lista_sha256": digest,
        }


def _text(detail: dict[str, Any]) -> str:
    return orjson.dumps(detail, option=orjson.OPT_SORT_KEYS).decode()


def _why(answer: Answer) -> str:
    return f"{answer.refusal} {answer.detail}".strip()
