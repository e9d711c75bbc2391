"""Tables of the database.

`ledger` is the truth; every other table about actas can be rebuilt from it (`prep comprobar`).
Votes live in generic wide slots, one per column of the contest, NULL where there is no number,
with a letter per slot in `marks` to say why. Alembic owns the database's version and adds the
triggers that keep `ledger` and `command` append-only: a test checks that the migrations build
exactly these tables.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    String,
    Table,
    Text,
)

from core.domain.contenders import MAX_COLUMNS

metadata = MetaData()

VOTE_SLOTS = tuple(f"v{position:02d}" for position in range(MAX_COLUMNS))
TOTAL_SLOTS = (
    "boletas_sobrantes",
    "personas_votaron",
    "representantes_votaron",
    "votos_sacados",
    "total_asentado",
)

meta = Table(
    "meta",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("value", Text, nullable=False),
)
"""Mode (oficial or simulacro), catalogue fingerprint and what the driver of the night left said."""

catalog = Table(
    "catalog",
    metadata,
    Column("fingerprint", String(64), primary_key=True),
    Column("body", LargeBinary, nullable=False),
)
"""Canonical JSON of the catalogue, compressed with zlib."""

acta = Table(
    "acta",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("key", String(32), nullable=False),
    Column("contest", String(16), nullable=False),
    Column("casilla", Integer, nullable=False),
    Column("distrito", Integer),
    Column("municipio", Integer),
    Column("seccion", Integer),
    Column("catd", Integer, nullable=False),
    Column("status", String(24), nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("received_at", BigInteger),
    Column("digitized_at", BigInteger),
    Column("captured_at", BigInteger),
    Column("verified_at", BigInteger),
)
"""Every expected acta and its present state (a cache of the ledger). `seq` is its last event, 0 if none."""

result = Table(
    "result",
    metadata,
    Column("acta", Integer, primary_key=True, autoincrement=False),
    Column("contabilizada", Boolean, nullable=False),
    Column("inconsistent", Boolean, nullable=False),
    Column("codes", String(40), nullable=False),
    Column("total", Integer, nullable=False),
    Column("mechanism", String(4), nullable=False),
    Column("origin", String(12), nullable=False),
    Column("medium", String(12), nullable=False),
    Column("document", String(24), nullable=False),
    Column("image_hash", String(64), nullable=False),
    Column("received_at", BigInteger),
    Column("captured_at", BigInteger),
    Column("verified_at", BigInteger),
    Column("cotejada", SmallInteger, nullable=False),
    Column("marks", String(MAX_COLUMNS + len(TOTAL_SLOTS)), nullable=False),
    *(Column(name, Integer) for name in TOTAL_SLOTS),
    *(Column(name, Integer) for name in VOTE_SLOTS),
)
"""Captured actas of the catalogue: what a cut publishes. `marks` is empty for an acta sin acta."""

outside = Table(
    "outside",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("contest", String(16), nullable=False),
    Column("claimed", Text, nullable=False),
    Column("origin", String(12), nullable=False),
    Column("medium", String(12), nullable=False),
    Column("document", String(24), nullable=False),
    Column("image_hash", String(64), nullable=False),
    Column("received_at", BigInteger, nullable=False),
    Column("identified_as", Integer),
)
"""Actas fuera de catálogo."""

image = Table(
    "image",
    metadata,
    Column("contest", String(16), nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("acta", Integer, nullable=False),
    PrimaryKeyConstraint("contest", "sha256"),
    sqlite_with_rowid=False,
)
"""Which acta of a contest an image belongs to; -1 for one fuera de catálogo."""

ledger = Table(
    "ledger",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", String(24), nullable=False),
    Column("acta", Integer),
    Column("at", BigInteger, nullable=False),
    Column("device_at", BigInteger),
    Column("recorded_at", BigInteger, nullable=False),
    Column("actor", String(64), nullable=False),
    Column("station", String(64), nullable=False),
    Column("data", Text, nullable=False),
    Column("hash", LargeBinary(32), nullable=False),
    Index("ledger_by_acta", "acta"),
)
"""Every event, in commit order, without gaps; `hash` chains each row to the one before."""

command = Table(
    "command",
    metadata,
    Column("key", String(80), primary_key=True),
    Column("digest", LargeBinary(16), nullable=False),
    Column("refusal", String(40)),
    Column("detail", Text),
    Column("seq_first", BigInteger),
    Column("seq_last", BigInteger),
    sqlite_with_rowid=False,
)
"""The answer given to every command key, so that the same key has one effect and one answer."""

pulse = Table(
    "pulse",
    metadata,
    Column("catd", Integer, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("recorded_at", BigInteger, nullable=False),
    Column("link", SmallInteger, nullable=False),
    Column("waiting", Integer, nullable=False),
    Column("staff", Text, nullable=False),
    PrimaryKeyConstraint("catd", "at"),
    CheckConstraint("link BETWEEN 0 AND 100", name="pulse_link"),
    Index("pulse_by_recorded", "recorded_at", "catd"),
    sqlite_with_rowid=False,
)
"""What each CATD said of itself, minute by minute: telemetry, never election data, and no part of the ledger.

`link` is the percentage of its link there was, `waiting` what waited to go out over it and `staff` a JSON
object of people present by role.
"""

emission_slot = Table(
    "emission_slot",
    metadata,
    Column("slot", BigInteger, primary_key=True, autoincrement=False),
    Column("state", String(12), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("holder", String(120), nullable=False),
    Column("started_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger),
    Column("number", Integer),
    Column("error", Text),
    sqlite_with_rowid=False,
)
"""Every hour of publication and what became of it; `slot` in ms UTC. No election data."""

lease = Table(
    "lease",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("holder", String(120), nullable=False),
    Column("until", BigInteger, nullable=False),
    Column("fence", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
"""Which process does something that only one may do, until when (ms UTC); `fence` grows with every holder."""
