"""The commands of the engine: everything that can change the data of an election.

A command says what somebody did; it never says what follows from it. The simulator, the stations
and the replay of a real night build the same ones. Each carries a `key`: sent twice, it has one
effect and one answer. Times are milliseconds since the epoch, UTC.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import TypeAlias

from core.domain.fields import Field
from core.domain.rules import SinActaReason


class Origin(StrEnum):
    """Where the acta was digitized (ORIGEN)."""

    CASILLA = "CASILLA"
    CATD = "CATD"


class Medium(StrEnum):
    """How the image was made (DIGITALIZACION)."""

    MOVIL = "MOVIL"
    ESCANER = "ESCANER"
    URNA = "URNA"


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """What every command says: who, from which station, when, and under which key.

    `at` is when it happened by the server's or the operator's account and must fall inside the
    operating period; `device_at` is what the device's own clock said, kept but never believed.
    """

    key: str
    actor: str
    station: str
    at: int
    device_at: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ActaCommand(Command):
    """A command about one expected acta, by its id in the catalogue."""

    acta: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Receive(ActaCommand):
    """Acopio: the envelope reached the CATD, or the shot was taken at the casilla."""

    origin: Origin
    mechanism: str = ""
    """MECANISMOS_TRASLADO: D, F, I or empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Digitize(ActaCommand):
    """An image of the acta exists; `image_hash` is the SHA-256 of its published bytes, lower case hex."""

    image_hash: str
    medium: Medium
    document: str
    """TIPO_DOCUMENTO: ACTA PREP, RPP, CC, PPC, ACTA VMRE, ACTA VA, ACTA VPPP, ACTA UE."""


@dataclass(frozen=True, slots=True)
class Totals:
    """The five figures of the acta that are not votes for anybody."""

    boletas_sobrantes: Field
    personas_votaron: Field
    representantes_votaron: Field
    votos_sacados: Field
    total_asentado: Field

    def as_tuple(self) -> tuple[Field, Field, Field, Field, Field]:
        """In the order of the published columns (TOTAL_VOTOS_ASENTADO last)."""
        return (
            self.boletas_sobrantes,
            self.personas_votaron,
            self.representantes_votaron,
            self.votos_sacados,
            self.total_asentado,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Capture(ActaCommand):
    """One blind capture: one field per column of the contest, `Mark.NO_APLICA` where none exists."""

    votes: tuple[Field, ...]
    totals: Totals
    letter_differs: int = 0
    only_letter_or_number: int = 0


class Choice(Enum):
    """What the resolver of a dispute decides: one of the captures, or a further one."""

    FIRST = 0
    SECOND = 1
    THIRD = 2
    ASK_FOR_ANOTHER = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolve(ActaCommand):
    """A third person settles two captures that differ; he never types values of his own."""

    choice: Choice


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkSinActa(ActaCommand):
    """The acta will not arrive, and why. `supervisor` authorises; bulk marking needs one."""

    reason: SinActaReason
    supervisor: str | None = None
    authorised_at: int | None = None
    mechanism: str = ""
    """MECANISMOS_TRASLADO approved for its package, whether or not it arrived."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplaceImage(ActaCommand):
    """A better image takes the place of the one there was, before verification."""

    image_hash: str
    medium: Medium
    document: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestRecall(ActaCommand):
    """First person of two: a verified acta should go back to capture."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ApproveRecall(ActaCommand):
    """Second person of two: the recall takes effect."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DismissRecall(ActaCommand):
    """The requested recall does not take place."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Collate(ActaCommand):
    """Cotejo: published data against the image and the physical acta."""

    accepted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiveOutside(Command):
    """An acta whose identification is tied to no approved casilla (fuera de catálogo)."""

    contest: str
    claimed: str
    """What can be read of its identification; empty when nothing can."""
    origin: Origin
    image_hash: str
    medium: Medium
    document: str
    acta: None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Identify(ActaCommand):
    """A procedure of the PTO ties an acta that was fuera de catálogo to its casilla."""

    outside: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenOperation(Command):
    """The PREP starts; times outside [starts_at, ends_at] are refused from here on."""

    starts_at: int
    ends_at: int
    acta: None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseOperation(Command):
    """The PREP closes; before `ends_at` only if every expected acta is registered (RE 353.6)."""

    acta: None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishCut(Command):
    """A verified package left; issued by the publisher, never by a person."""

    number: int
    seq_high: int
    """Last ledger sequence the cut includes."""
    manifest_sha256: str
    last: bool
    acta: None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RefuseCut(Command):
    """A package did not pass its own check; the previous cut stays."""

    number: int
    reason: str
    acta: None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MissCut(Command):
    """A cut that was due at `slot` (ms UTC) did not go out in its time, and why; issued by the publisher."""

    slot: int
    reason: str
    acta: None = None


class NoticeType(StrEnum):
    """What a notice of the publication tells the public."""

    GAP = "hueco"
    HELD = "detenida"
    RELEASED = "reanudada"
    EARLY_CLOSE = "cierre_anticipado"
    CORRECTION = "correccion"


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueNotice(Command):
    """A notice for the public log: what it is about, from when until when, and the slots it touches (ms UTC).

    `detail` is the text of a JSON object. The engine gives the notice its number.
    """

    type: NoticeType
    since: int
    until: int
    reason: str
    slots: tuple[int, ...] = ()
    detail: str = "{}"
    acta: None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposeHold(Command):
    """First person of two: no cut should go out from here on. `hold` is its key, unique."""

    hold: str
    reason: str
    acta: None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthoriseHold(Command):
    """Second person of two: the publication is held."""

    hold: str
    acta: None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DismissHold(Command):
    """A proposed hold does not take place, and why."""

    hold: str
    reason: str
    acta: None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposeRelease(Command):
    """First person of two: cuts should go out again, and why."""

    hold: str
    reason: str
    acta: None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthoriseRelease(Command):
    """Second person of two: cuts go out again."""

    hold: str
    acta: None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DismissRelease(Command):
    """A proposed release does not take place; the publication goes on held."""

    hold: str
    reason: str
    acta: None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenIncident(Command):
    """Something went wrong in the operation; `incident` is its key, unique in the database."""

    incident: str
    kind: str
    """What it is of: enlace, luz, publicacion, contienda, ejercicio… The control room groups by it."""
    title: str
    cause: str = ""
    catds: tuple[int, ...] = ()
    """CATDs it touches, by their number in the catalogue; empty when it is of the whole operation."""
    alert: str = ""
    """Alert of the control room it was opened from; empty when it came from elsewhere."""
    acta: None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyMeasure(Command):
    """A measure of the continuity plan, with who authorised it, since when it works and what it does."""

    incident: str
    """Key of an open incident; empty for a measure nothing forced."""
    measure: str
    authorised_by: str
    authorised_at: int
    active_at: int
    effect: str = ""
    catds: tuple[int, ...] = ()
    acta: None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolveIncident(Command):
    """An incident is over; `remedy` says what solved it."""

    incident: str
    remedy: str = ""
    acta: None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AttendIncident(Command):
    """Somebody took charge of an incident."""

    incident: str
    acta: None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignIncident(Command):
    """An incident is given to somebody."""

    incident: str
    assignee: str
    acta: None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteIncident(Command):
    """Something worth remembering of an incident; its state stays."""

    incident: str
    text: str
    acta: None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainIncident(Command):
    """An incident does no more harm, though its cause is still there; `text` says how."""

    incident: str
    text: str = ""
    acta: None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseIncident(Command):
    """A resolved incident is closed with the cause it turned out to have."""

    incident: str
    cause: str
    acta: None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReopenIncident(Command):
    """An incident thought contained, resolved or closed is open again; `reason` says why."""

    incident: str
    reason: str
    acta: None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeIncident(Command):
    """An incident is the same one as `into`, which goes on alone."""

    incident: str
    into: str
    acta: None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposeMeasure(Command):
    """First person of two: a measure of the plan should be activated. `activation` is its key, unique."""

    activation: str
    incident: str
    """Key of an incident that goes on; empty for a measure nothing forced."""
    measure: str
    catds: tuple[int, ...] = ()
    effect: str = ""
    steps: tuple[str, ...] = ()
    """The checklist, in order."""
    acta: None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthoriseMeasure(Command):
    """Second person of two: the proposed measure is authorised and works from `active_at` on."""

    activation: str
    active_at: int
    acta: None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DismissMeasure(Command):
    """A proposed measure is not activated, and why."""

    activation: str
    reason: str
    acta: None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckStep(Command):
    """A step of the checklist of an authorised measure is done; `step` is its position, from 0."""

    activation: str
    step: int
    note: str = ""
    acta: None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EndMeasure(Command):
    """An authorised measure is no longer applied, and why."""

    activation: str
    reason: str
    acta: None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AcknowledgeAlert(Command):
    """Somebody saw an alert of the control room. The same one may fire, and be seen, again."""

    alert: str
    note: str = ""
    acta: None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SilenceAlert(Command):
    """A rule makes no noise until a time, everywhere or at one CATD; it always expires."""

    rule: str
    catd: int | None
    reason: str
    until: int
    acta: None = None


AnyCommand: TypeAlias = (
    Receive
    | Digitize
    | Capture
    | Resolve
    | MarkSinActa
    | ReplaceImage
    | RequestRecall
    | ApproveRecall
    | DismissRecall
    | Collate
    | ReceiveOutside
    | Identify
    | OpenOperation
    | CloseOperation
    | PublishCut
    | RefuseCut
    | MissCut
    | IssueNotice
    | ProposeHold
    | AuthoriseHold
    | DismissHold
    | ProposeRelease
    | AuthoriseRelease
    | DismissRelease
    | OpenIncident
    | ApplyMeasure
    | ResolveIncident
    | AttendIncident
    | AssignIncident
    | NoteIncident
    | ContainIncident
    | CloseIncident
    | ReopenIncident
    | MergeIncident
    | ProposeMeasure
    | AuthoriseMeasure
    | DismissMeasure
    | CheckStep
    | EndMeasure
    | AcknowledgeAlert
    | SilenceAlert
)
