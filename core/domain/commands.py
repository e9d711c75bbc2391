"""The commands of the engine: everything that can change the data of an election.

A command says what somebody did; it never says what follows from it. The simulator, the stations
and the replay of a real night build the same ones. Each carries a `key`: sent twice, it has one
effect and one answer. Times are milliseconds since the epoch, UTC. Those about actas and the operation
are here; those of the publication and of the room, in their modules, are taken from here too.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import TypeAlias

from core.domain.command import ActaCommand, Command
from core.domain.fields import Field
from core.domain.publication_commands import (
    AuthoriseHold,
    AuthoriseRelease,
    DismissHold,
    DismissRelease,
    IssueNotice,
    MissCut,
    NoticeType,
    ProposeHold,
    ProposeRelease,
    PublishCut,
    RefuseCut,
)
from core.domain.room_commands import (
    AcknowledgeAlert,
    ApplyMeasure,
    AssignIncident,
    AttendIncident,
    AuthoriseMeasure,
    CheckStep,
    CloseIncident,
    ContainIncident,
    DismissMeasure,
    EndMeasure,
    MergeIncident,
    NoteIncident,
    OpenIncident,
    ProposeMeasure,
    ReopenIncident,
    ResolveIncident,
    SilenceAlert,
)
from core.domain.rules import SinActaReason

__all__ = [
    "AcknowledgeAlert",
    "ActaCommand",
    "AnyCommand",
    "ApplyMeasure",
    "ApproveRecall",
    "AssignIncident",
    "AttendIncident",
    "AuthoriseHold",
    "AuthoriseMeasure",
    "AuthoriseRelease",
    "Capture",
    "CheckStep",
    "Choice",
    "CloseIncident",
    "CloseOperation",
    "Collate",
    "Command",
    "ContainIncident",
    "Digitize",
    "DismissHold",
    "DismissMeasure",
    "DismissRecall",
    "DismissRelease",
    "EndMeasure",
    "Identify",
    "IssueNotice",
    "MarkSinActa",
    "Medium",
    "MergeIncident",
    "MissCut",
    "NoteIncident",
    "NoticeType",
    "OpenIncident",
    "OpenOperation",
    "Origin",
    "ProposeHold",
    "ProposeMeasure",
    "ProposeRelease",
    "PublishCut",
    "Receive",
    "ReceiveOutside",
    "RefuseCut",
    "ReopenIncident",
    "ReplaceImage",
    "RequestRecall",
    "Resolve",
    "ResolveIncident",
    "SilenceAlert",
    "Totals",
]


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
