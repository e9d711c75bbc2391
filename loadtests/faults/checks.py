"""What must hold after every fault, asked of the real commands and of the database itself.

`prep comprobar` rebuilds the night from its log; `prep verificar` reads what the public reads; what was
recorded before a fault must still be the beginning of what is recorded after it; and at the end every acta
must have what it has in the same night with nothing broken. It breaks nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import Connection, func, select

from core.storage import schema
from loadtests.faults import records
from loadtests.faults.bucket import Bucket
from loadtests.faults.drill import Drill
from loadtests.faults.model import Check
from loadtests.faults.processes import TRACEBACK, last_line, prep, read_json

SOUND = "prep comprobar"
NOTHING_LOST = "lo asentado antes sigue igual en la bitácora"
NO_STEP_BACK = "el corte público no retrocede"
PUBLIC_VERIFIES = "prep verificar de lo que ve el público"
NO_TRACE = "ningún proceso enseña una traza"
NIGHT_ENDED = "la noche terminó bien (prep simular)"
PUBLISHER_ENDED = "el publicador terminó bien (prep publicar)"
NONE_LOST = "ninguna acta perdida"
NONE_EXTRA = "ninguna acta contada de más"
OUTSIDE = "fuera de catálogo"
SAME_ACTAS = "cada acta igual a la de la noche sin fallas"
SAME_COUNTS = "los contadores son los de la noche sin fallas"
WORK_VERIFIES = "prep verificar de la carpeta de trabajo"
PUBLISHED_COUNTED = "el último corte público lleva los contadores de la base"
BUCKET_VERIFIES = "prep verificar del almacén S3, con el último corte"
NOTHING = orjson.dumps(None)
"""What `actas_of` says of an acta of the catalogue that was never captured."""
PARTICIPATION = "PORCENTAJE_PARTICIPACION_CIUDADANA"


@dataclass(frozen=True, slots=True)
class Mark:
    """The end of the log at a moment, the cut the public saw, and how much each program had said."""

    seq: int
    hash: bytes
    cut: int
    said: Mapping[Path, int]


def mark(drill: Drill) -> Mark:
    """Where the log and the public are."""
    with records.connected(drill.base) as connection:
        seq, digest = _head(connection)
    said = {path: path.stat().st_size for path in drill.logs.glob("*.log")}
    return Mark(seq, digest, drill.public_cut(), said)


def no_traceback(drill: Drill, before: Mark) -> Check:
    """Nobody showed a person a traceback since then, however it ended."""
    for path in sorted(drill.logs.glob("*.log")):
        with path.open("rb") as log:
            log.seek(before.said.get(path, 0))
            words = log.read().decode("utf-8", "replace")
        if TRACEBACK in words:
            return Check(NO_TRACE, False, f"{path.name}: {last_line(words)}")
    return Check(NO_TRACE, True)


def nothing_lost(drill: Drill, before: Mark) -> Check:
    """What the log had is still its beginning, event by event (its chain of hashes)."""
    with records.connected(drill.base) as connection:
        found = connection.execute(
            select(schema.ledger.c.hash).where(schema.ledger.c.seq == before.seq)
        ).scalar()
    if found is None:
        return Check(NOTHING_LOST, False, f"falta el registro {before.seq:,}")
    same = bytes(found) == before.hash
    return Check(NOTHING_LOST, same, "" if same else f"el registro {before.seq:,} es otro")


def base_is_sound(drill: Drill) -> Check:
    """`prep comprobar`: everything kept comes out of the log; the totals are those of the log."""
    done = prep("comprobar", "--base", drill.base)
    found = done.data.get("hallazgos") or []
    seen = found[0]["mensaje"] if found else last_line(done.said)
    return Check(SOUND, done.code == 0, "" if done.code == 0 else seen)


def publication_verifies(where: Path | str, name: str, *arguments: str) -> Check:
    """`prep verificar` of a folder or an address."""
    done = prep("verificar", where, *arguments)
    wrong = [*done.data.get("motivos", []), last_line(done.said)]
    seen = str(wrong[0])
    return Check(name, done.code == 0, "" if done.code == 0 else seen[:300])


def public_is_whole(drill: Drill, before: Mark) -> list[Check]:
    """The public sees a whole cut, never an older one than before."""
    cut = drill.public_cut()
    back = Check(
        NO_STEP_BACK, cut >= before.cut,
        "" if cut >= before.cut else f"era el {before.cut} y es el {cut}",
    )  # fmt: skip
    return [back, publication_verifies(drill.public, PUBLIC_VERIFIES)]


def after_a_fault(drill: Drill, before: Mark) -> list[Check]:
    """What is asked after every fault."""
    return [
        base_is_sound(drill),
        nothing_lost(drill, before),
        *public_is_whole(drill, before),
        no_traceback(drill, before),
    ]


def at_the_end(drill: Drill, reference: Path, codes: tuple[int, int]) -> list[Check]:
    """The whole night against the same one with nothing broken."""
    with records.connected(drill.base) as connection:
        ours = actas_of(connection)
    with records.connected(str(reference / "prep.db")) as connection:
        theirs = actas_of(connection)
    lost, extra, other = compared(ours, theirs)
    counts = _counts(drill.base)
    wanted = _counts(str(reference / "prep.db"))
    same = bool(counts) and _without_formula(counts) == _without_formula(wanted)
    bucket = [] if drill.bucket is None else [_bucket_has_the_last(drill, drill.bucket)]
    return [
        Check(NIGHT_ENDED, codes[0] == 0, f"salida {codes[0]}"),
        Check(PUBLISHER_ENDED, codes[1] == 0, f"salida {codes[1]}"),
        Check(NONE_LOST, not lost, ", ".join(lost[:5])),
        Check(NONE_EXTRA, not extra, ", ".join(extra[:5])),
        Check(SAME_ACTAS, not other, ", ".join(other[:5]) or _told(theirs)),
        Check(SAME_COUNTS, same, "" if same else str(counts)[:300]),
        base_is_sound(drill),
        publication_verifies(drill.run, WORK_VERIFIES),
        publication_verifies(drill.public, PUBLIC_VERIFIES),
        _published_is_counted(drill, counts),
        *bucket,
    ]


def compared(
    ours: Mapping[str, bytes], theirs: Mapping[str, bytes]
) -> tuple[list[str], list[str], list[str]]:
    """Actas (as `actas_of`) lost, counted that should not be, and counted otherwise, of two nights.

    The catalogue is in both from the start: who has nothing published is not there, and who is there is
    counted.
    """
    here, there = ({key for key, told in night.items() if told != NOTHING} for night in (ours, theirs))
    other = sorted(key for key in here & there if ours[key] != theirs[key])
    return sorted(there - here), sorted(here - there), other


def _bucket_has_the_last(drill: Drill, bucket: Bucket) -> Check:
    """What the bucket shows verifies and is the last cut, as whoever reads it sees it."""
    check = publication_verifies(bucket.public_url, BUCKET_VERIFIES, "--completo")
    cut, wanted = bucket.public_cut(), drill.public_cut()
    if check.holds and cut != wanted:
        return Check(BUCKET_VERIFIES, False, f"tiene el corte {cut} y el público el {wanted}")
    return check


def _told(actas: Iterable[str]) -> str:
    """How many there are, and how many of them are in no catalogue."""
    keys = list(actas)
    outside = sum(key.startswith(OUTSIDE) for key in keys)
    return f"{len(keys):,}: {len(keys) - outside:,} de catálogo y {outside:,} que llegaron fuera de él"


def actas_there(base: str) -> tuple[int, int]:
    """How many actas the night expects, and how many came that are not in its catalogue."""
    with records.connected(base) as connection:
        expected, outside = (
            int(connection.execute(select(func.count()).select_from(table)).scalar_one())
            for table in (schema.acta, schema.outside)
        )
    return expected, outside


def captured_images(base: str) -> set[str]:
    """CODIGO_INTEGRIDAD of the actas that the next cut publishes."""
    with records.connected(base) as connection:
        return {str(one) for (one,) in connection.execute(select(schema.result.c.image_hash))}


def actas_of(connection: Connection) -> dict[str, bytes]:
    """Of each acta, and each fuera de catálogo: whether it is registered, and everything published of it."""
    acta, result, outside = schema.acta, schema.result, schema.outside
    found: dict[str, bytes] = {}
    rows = {int(row.acta): row for row in connection.execute(select(result))}
    for number, key, contest in connection.execute(select(acta.c.id, acta.c.key, acta.c.contest)):
        row = rows.get(int(number))
        # A row of `result` is what a cut publishes; who has none was never captured.
        found[f"{contest} {key}"] = orjson.dumps(None if row is None else [_plain(one) for one in row])
    for row in connection.execute(select(outside).order_by(outside.c.id)):
        found[f"{OUTSIDE} {row.id}"] = orjson.dumps([_plain(one) for one in row])
    return found


def _published_is_counted(drill: Drill, wanted: dict[str, Any]) -> Check:
    """The header of the last public cut is that of the database, counted again."""
    pointer = read_json(drill.public / "corte.json")
    index = read_json(drill.public / str(pointer.get("base", "")) / "indice.json")
    headers = {contest: told["encabezado"] for contest, told in index.get("contiendas", {}).items()}
    same = bool(pointer.get("ultimo")) and headers == wanted
    return Check(
        PUBLISHED_COUNTED, same, "" if same else f"último: {pointer.get('ultimo')}; {str(headers)[:200]}"
    )


def _counts(base: str) -> dict[str, Any]:
    return dict(prep("comprobar", "--base", base).data.get("contiendas") or {})


def _without_formula(counts: dict[str, Any]) -> dict[str, Any]:
    """Without the participation, whose formula is another in the last cut, which the reference has not."""
    return {
        contest: {name: value for name, value in header.items() if name != PARTICIPATION}
        for contest, header in counts.items()
    }


def _plain(value: object) -> object:
    return int(value) if isinstance(value, bool) else value


def _head(connection: Connection) -> tuple[int, bytes]:
    ledger = schema.ledger.c
    seq = int(connection.execute(select(func.max(ledger.seq))).scalar() or 0)
    digest = connection.execute(select(ledger.hash).where(ledger.seq == seq)).scalar()
    return seq, bytes(digest or b"")
