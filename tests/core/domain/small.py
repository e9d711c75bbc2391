"""A small election for the tests of the engine: two contests, five casillas, nine actas, and commands for it.

Importable by any test; it decides nothing and reads no clock.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from itertools import count
from typing import Any

from core.domain.catalog import (
    ActaEntry,
    Casilla,
    Catalog,
    Catd,
    Contest,
    Entidad,
    Scope,
    Territory,
)
from core.domain.commands import (
    AcknowledgeAlert,
    AnyCommand,
    ApplyMeasure,
    ApproveRecall,
    AssignIncident,
    AttendIncident,
    AuthoriseHold,
    AuthoriseMeasure,
    AuthoriseRelease,
    Capture,
    CheckStep,
    Choice,
    CloseIncident,
    CloseOperation,
    Collate,
    ContainIncident,
    Digitize,
    DismissHold,
    DismissMeasure,
    DismissRecall,
    DismissRelease,
    EndMeasure,
    Identify,
    IssueNotice,
    MarkSinActa,
    Medium,
    MergeIncident,
    MissCut,
    NoteIncident,
    NoticeType,
    OpenIncident,
    OpenOperation,
    Origin,
    ProposeHold,
    ProposeMeasure,
    ProposeRelease,
    PublishCut,
    Receive,
    ReceiveOutside,
    RefuseCut,
    ReopenIncident,
    ReplaceImage,
    RequestRecall,
    Resolve,
    ResolveIncident,
    SilenceAlert,
    Totals,
)
from core.domain.contenders import (
    LAST_COLUMNS,
    BallotLayout,
    Contender,
    ContenderKind,
    coalition_combinations,
)
from core.domain.fields import Field, Mark
from core.domain.rules import SinActaReason
from core.engine import Engine
from core.storage.database import open_database
from core.storage.store import Store

MINUTE = 60_000
START = 1_622_930_400_000
"""6 June 2021, 16:00 UTC-6."""
END = START + 24 * 60 * MINUTE

PARTIES = ("PAN", "PRI", "MORENA", "PT")
COLUMNS: tuple[Contender, ...] = (
    *(Contender(code, ContenderKind.PARTIDO, code, (code,)) for code in PARTIES),
    *coalition_combinations(["MORENA", "PT"]),
    Contender("CAND_IND_1", ContenderKind.INDEPENDIENTE),
    *LAST_COLUMNS,
)
WIDTH = len(COLUMNS)
EVERYBODY = (True,) * WIDTH
NO_INDEPENDENT = tuple(column.code != "CAND_IND_1" for column in COLUMNS)

LIMIT = 110
"""Largest countable sum of an ordinary casilla: 100 voters and 10 representatives."""

SPECIAL_ACTA = 2
"""Acta of a casilla especial."""
WITHOUT_LIMIT = 4
"""Acta of a casilla without section, whose sum has no limit."""


def catalog() -> Catalog:
    """Actas 0-4 are of GUB and 5-8 of AYUN; 2 is of a casilla especial and 4 has no section."""
    casillas = [
        Casilla(0, "140001B0100", 1, "B", 1, 0, 1, 100, 10, 1, 1, 0),
        Casilla(1, "140001C0100", 1, "C", 1, 0, 1, 100, 10, 1, 1, 0),
        Casilla(2, "140001S0100", 1, "S", 1, 0, 1, 0, 10, 1, 1, 0),
        Casilla(3, "140002B0100", 2, "B", 1, 0, 2, 100, 10, 2, 2, 1),
        Casilla(4, "140000A0100", None, "A", 1, 0, 1, 30, None, 2, 2, 1),
    ]
    limits = (LIMIT, LIMIT, 1_010, LIMIT, None)
    actas = [ActaEntry(i, f"{c.key}02", "GUB", c.id, "2", 0, limits[i]) for i, c in enumerate(casillas)]
    for casilla in casillas[:4]:
        layout = 2 if casilla.municipio == 2 else 1
        actas.append(
            ActaEntry(len(actas), f"{casilla.key}04", "AYUN", casilla.id, "4", layout, limits[casilla.id])
        )
    return Catalog(
        entidad=Entidad(14, "JALISCO", "JAL", -360),
        election="Elección de prueba",
        distritos={1: Territory(1, "UNO"), 2: Territory(2, "DOS")},
        municipios={1: Territory(1, "ALTO"), 2: Territory(2, "BAJO")},
        catds=[Catd(0, "CATD 1", 1, 1), Catd(1, "CATD 2", 2, 2)],
        casillas=casillas,
        contests={
            "GUB": Contest("GUB", "GUBERNATURA", Scope.ENTIDAD, COLUMNS),
            "AYUN": Contest("AYUN", "AYUNTAMIENTOS", Scope.MUNICIPIO, COLUMNS),
        },
        layouts=[
            BallotLayout(0, "GUB", EVERYBODY),
            BallotLayout(1, "AYUN", EVERYBODY),
            BallotLayout(2, "AYUN", NO_INDEPENDENT),
        ],
        actas=actas,
    )


CATALOG = catalog()


def applies(acta: int) -> tuple[bool, ...]:
    """Which columns an acta has."""
    return CATALOG.layouts[CATALOG.actas[acta].layout].applies


def votes(acta: int, *numbers: Field) -> tuple[Field, ...]:
    """A field per column: the numbers given, then zeros; NO_APLICA where the column does not exist."""
    given = (*numbers, *(0,) * WIDTH)[:WIDTH]
    return tuple(field if here else Mark.NO_APLICA for field, here in zip(given, applies(acta), strict=True))


def sha(text: object) -> str:
    """An image hash that depends on the text."""
    return hashlib.sha256(str(text).encode()).hexdigest()


TOTALS = Totals(10, 80, 3, 83, 83)


class Orders:
    """Builds commands with a key, a station and a time unless told otherwise."""

    def __init__(self, prefix: str = "k", at: int = START + MINUTE) -> None:
        self._numbers = count(1)
        self._prefix = prefix
        self.at = at

    def _base(self, actor: str, over: dict[str, Any]) -> dict[str, Any]:
        return {
            "key": f"{self._prefix}{next(self._numbers)}", "actor": actor, "station": "E1", "at": self.at,
            **over,
        }  # fmt: skip

    def open(self, **over: Any) -> OpenOperation:
        return OpenOperation(**{"starts_at": START, "ends_at": END, **self._base("coordina", over)})

    def close(self, **over: Any) -> CloseOperation:
        return CloseOperation(**self._base("coordina", over))

    def incident(self, incident: str = "i1", **over: Any) -> OpenIncident:
        return OpenIncident(
            incident=incident, **{"kind": "enlace", "title": "Sin enlace", **self._base("catd", over)}
        )

    def measure(self, incident: str = "i1", **over: Any) -> ApplyMeasure:
        base = self._base("coordina", over)
        given = {
            "measure": "Datos móviles", "authorised_by": "coordina", "authorised_at": self.at,
            "active_at": self.at + MINUTE, "effect": "10 % del enlace",
        }  # fmt: skip
        return ApplyMeasure(incident=incident, **{**given, **base})

    def resolve_incident(self, incident: str = "i1", **over: Any) -> ResolveIncident:
        return ResolveIncident(incident=incident, **{"remedy": "Volvió", **self._base("catd", over)})

    def attend(self, incident: str = "i1", **over: Any) -> AttendIncident:
        return AttendIncident(incident=incident, **self._base("opera", over))

    def assign(self, incident: str = "i1", **over: Any) -> AssignIncident:
        return AssignIncident(incident=incident, **{"assignee": "ana", **self._base("coordina", over)})

    def note(self, incident: str = "i1", **over: Any) -> NoteIncident:
        return NoteIncident(incident=incident, **{"text": "Van en camino", **self._base("opera", over)})

    def contain(self, incident: str = "i1", **over: Any) -> ContainIncident:
        return ContainIncident(
            incident=incident, **{"text": "Con datos móviles", **self._base("opera", over)}
        )

    def close_incident(self, incident: str = "i1", **over: Any) -> CloseIncident:
        return CloseIncident(incident=incident, **{"cause": "Fibra cortada", **self._base("coordina", over)})

    def reopen(self, incident: str = "i1", **over: Any) -> ReopenIncident:
        return ReopenIncident(
            incident=incident, **{"reason": "Volvió a caer", **self._base("coordina", over)}
        )

    def merge(self, incident: str = "i1", into: str = "i2", **over: Any) -> MergeIncident:
        return MergeIncident(incident=incident, into=into, **self._base("coordina", over))

    def propose(self, activation: str = "a1", incident: str = "i1", **over: Any) -> ProposeMeasure:
        given = {
            "measure": "Traslado de actas", "catds": (0,), "effect": "captura en otro CATD",
            "steps": ("Avisar", "Cerrar cajas", "Salir"),
        }  # fmt: skip
        base = self._base("opera", over)
        return ProposeMeasure(activation=activation, incident=incident, **{**given, **base})

    def authorise(self, activation: str = "a1", **over: Any) -> AuthoriseMeasure:
        base = self._base("coordina", over)
        return AuthoriseMeasure(activation=activation, **{"active_at": base["at"], **base})

    def dismiss_measure(self, activation: str = "a1", **over: Any) -> DismissMeasure:
        return DismissMeasure(
            activation=activation, **{"reason": "Ya hay enlace", **self._base("opera", over)}
        )

    def step(self, activation: str = "a1", step: int = 0, **over: Any) -> CheckStep:
        return CheckStep(activation=activation, step=step, **self._base("opera", over))

    def end_measure(self, activation: str = "a1", **over: Any) -> EndMeasure:
        return EndMeasure(
            activation=activation, **{"reason": "Ya no hace falta", **self._base("opera", over)}
        )

    def acknowledge(self, alert: str = "A01:catd:1", **over: Any) -> AcknowledgeAlert:
        return AcknowledgeAlert(alert=alert, **self._base("opera", over))

    def silence(self, rule: str = "A01", **over: Any) -> SilenceAlert:
        base = self._base("opera", over)
        given = {"catd": None, "reason": "Ensayo", "until": base["at"] + MINUTE}
        return SilenceAlert(rule=rule, **{**given, **base})

    def receive(self, acta: int, **over: Any) -> Receive:
        return Receive(acta=acta, **{"origin": Origin.CATD, "mechanism": "D", **self._base("acopia", over)})

    def digitize(self, acta: int, image: object = None, **over: Any) -> Digitize:
        return Digitize(
            acta=acta,
            **{
                "image_hash": sha(acta if image is None else image),
                "medium": Medium.ESCANER,
                "document": "ACTA PREP",
                **self._base("digitaliza", over),
            },
        )

    def capture(
        self,
        acta: int,
        actor: str,
        fields: Sequence[Field] | None = None,
        totals: Totals = TOTALS,
        **over: Any,
    ) -> Capture:
        chosen = votes(acta, 40, 30, 10, 2, 1) if fields is None else tuple(fields)
        return Capture(acta=acta, votes=chosen, totals=totals, **self._base(actor, over))

    def resolve(self, acta: int, choice: Choice, actor: str = "resuelve", **over: Any) -> Resolve:
        return Resolve(acta=acta, choice=choice, **self._base(actor, over))

    def sin_acta(
        self,
        acta: int,
        actor: str = "marca",
        supervisor: str | None = None,
        reason: SinActaReason = SinActaReason.PAQUETE_NO_ENTREGADO,
        **over: Any,
    ) -> MarkSinActa:
        return MarkSinActa(
            acta=acta,
            **{
                "reason": reason,
                "supervisor": supervisor,
                "authorised_at": None if supervisor is None else self.at,
                **self._base(actor, over),
            },
        )

    def replace_image(self, acta: int, image: object, reason: str = "borrosa", **over: Any) -> ReplaceImage:
        return ReplaceImage(
            acta=acta,
            **{
                "image_hash": sha(image),
                "medium": Medium.MOVIL,
                "document": "ACTA PREP",
                "reason": reason,
                **self._base("digitaliza", over),
            },
        )

    def request_recall(
        self, acta: int, actor: str = "pide", reason: str = "error", **over: Any
    ) -> RequestRecall:
        return RequestRecall(acta=acta, reason=reason, **self._base(actor, over))

    def approve_recall(self, acta: int, actor: str = "aprueba", **over: Any) -> ApproveRecall:
        return ApproveRecall(acta=acta, **self._base(actor, over))

    def dismiss_recall(
        self, acta: int, actor: str = "aprueba", reason: str = "no procede", **over: Any
    ) -> DismissRecall:
        return DismissRecall(acta=acta, reason=reason, **self._base(actor, over))

    def collate(self, acta: int, accepted: bool = True, actor: str = "coteja", **over: Any) -> Collate:
        return Collate(acta=acta, accepted=accepted, **self._base(actor, over))

    def receive_outside(self, image: object, contest: str = "GUB", **over: Any) -> ReceiveOutside:
        return ReceiveOutside(
            contest=contest,
            claimed="sección ilegible",
            **{
                "origin": Origin.CATD,
                "image_hash": sha(image),
                "medium": Medium.ESCANER,
                "document": "ACTA PREP",
                **self._base("acopia", over),
            },
        )

    def identify(self, acta: int, outside: int, **over: Any) -> Identify:
        return Identify(acta=acta, outside=outside, **self._base("coordina", over))

    def cut(self, number: int, seq_high: int, last: bool = False, **over: Any) -> PublishCut:
        return PublishCut(
            number=number, seq_high=seq_high, last=last, manifest_sha256=sha(number),
            **self._base("publicador", over),
        )  # fmt: skip

    def refuse_cut(self, number: int, **over: Any) -> RefuseCut:
        return RefuseCut(number=number, reason="no cuadra", **self._base("publicador", over))

    def miss(self, slot: int, **over: Any) -> MissCut:
        return MissCut(slot=slot, **{"reason": "no salió", **self._base("publicador", over)})

    def notice(self, kind: NoticeType = NoticeType.GAP, **over: Any) -> IssueNotice:
        return IssueNotice(
            type=kind,
            **{"since": START, "until": self.at, "reason": "aviso", **self._base("publicador", over)},
        )

    def hold(self, hold: str = "d1", actor: str = "opera", reason: str = "duda", **over: Any) -> ProposeHold:
        return ProposeHold(hold=hold, reason=reason, **self._base(actor, over))

    def authorise_hold(self, hold: str = "d1", actor: str = "coordina", **over: Any) -> AuthoriseHold:
        return AuthoriseHold(hold=hold, **self._base(actor, over))

    def dismiss_hold(self, hold: str = "d1", reason: str = "no", **over: Any) -> DismissHold:
        return DismissHold(hold=hold, reason=reason, **self._base("coordina", over))

    def release(
        self, hold: str = "d1", actor: str = "opera", reason: str = "resuelto", **over: Any
    ) -> ProposeRelease:
        return ProposeRelease(hold=hold, reason=reason, **self._base(actor, over))

    def authorise_release(self, hold: str = "d1", actor: str = "coordina", **over: Any) -> AuthoriseRelease:
        return AuthoriseRelease(hold=hold, **self._base(actor, over))

    def dismiss_release(self, hold: str = "d1", reason: str = "no", **over: Any) -> DismissRelease:
        return DismissRelease(hold=hold, reason=reason, **self._base("coordina", over))

    def held(self, hold: str = "d1") -> list[AnyCommand]:
        """Two persons hold the publication."""
        return [self.hold(hold), self.authorise_hold(hold)]

    def arrived(self, acta: int) -> list[AnyCommand]:
        """Up to the image."""
        return [self.receive(acta), self.digitize(acta)]

    def agreed(self, acta: int, fields: Sequence[Field] | None = None) -> list[AnyCommand]:
        """The whole way to a verified acta."""
        return [
            *self.arrived(acta), self.capture(acta, "ana", fields), self.capture(acta, "beto", fields)
        ]  # fmt: skip

    def disputed(self, acta: int) -> list[AnyCommand]:
        """Two captures that differ."""
        return [
            *self.arrived(acta),
            self.capture(acta, "ana", votes(acta, 40, 30)),
            self.capture(acta, "beto", votes(acta, 40, 31)),
        ]


def open_engine(url: str, **kwargs: Any) -> Engine:
    """An engine of the small election on a database, brought up to date if it is new."""
    return Engine(Store(open_database(url)), CATALOG, "simulacro", **kwargs)
