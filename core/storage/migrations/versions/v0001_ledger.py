"""Ledger, actas, results, images and the answers to commands.

Revision: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_TOTALS = (
    "boletas_sobrantes",
    "personas_votaron",
    "representantes_votaron",
    "votos_sacados",
    "total_asentado",
)
_SLOTS = 64


def upgrade() -> None:
    """Build the tables of version 0001 and make the ledger append-only."""
    op.create_table(
        "meta",
        sa.Column("key", sa.String(64), primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
    )
    op.create_table(
        "catalog",
        sa.Column("fingerprint", sa.String(64), primary_key=True),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "acta",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("key", sa.String(32), nullable=False),
        sa.Column("contest", sa.String(16), nullable=False),
        sa.Column("casilla", sa.Integer, nullable=False),
        sa.Column("distrito", sa.Integer),
        sa.Column("municipio", sa.Integer),
        sa.Column("seccion", sa.Integer),
        sa.Column("catd", sa.Integer, nullable=False),
        sa.Column("status", sa.String(24), nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("received_at", sa.BigInteger),
        sa.Column("digitized_at", sa.BigInteger),
        sa.Column("captured_at", sa.BigInteger),
        sa.Column("verified_at", sa.BigInteger),
    )
    op.create_table(
        "result",
        sa.Column("acta", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("contabilizada", sa.Boolean, nullable=False),
        sa.Column("inconsistent", sa.Boolean, nullable=False),
        sa.Column("codes", sa.String(40), nullable=False),
        sa.Column("total", sa.Integer, nullable=False),
        sa.Column("mechanism", sa.String(4), nullable=False),
        sa.Column("origin", sa.String(12), nullable=False),
        sa.Column("medium", sa.String(12), nullable=False),
        sa.Column("document", sa.String(24), nullable=False),
        sa.Column("image_hash", sa.String(64), nullable=False),
        sa.Column("received_at", sa.BigInteger),
        sa.Column("captured_at", sa.BigInteger),
        sa.Column("verified_at", sa.BigInteger),
        sa.Column("cotejada", sa.SmallInteger, nullable=False),
        sa.Column("marks", sa.String(_SLOTS + len(_TOTALS)), nullable=False),
        *(sa.Column(name, sa.Integer) for name in _TOTALS),
        *(sa.Column(f"v{position:02d}", sa.Integer) for position in range(_SLOTS)),
    )
    op.create_table(
        "outside",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("contest", sa.String(16), nullable=False),
        sa.Column("claimed", sa.Text, nullable=False),
        sa.Column("origin", sa.String(12), nullable=False),
        sa.Column("medium", sa.String(12), nullable=False),
        sa.Column("document", sa.String(24), nullable=False),
        sa.Column("image_hash", sa.String(64), nullable=False),
        sa.Column("received_at", sa.BigInteger, nullable=False),
        sa.Column("identified_as", sa.Integer),
    )
    op.create_table(
        "image",
        sa.Column("contest", sa.String(16), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("acta", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("contest", "sha256"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "ledger",
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.String(24), nullable=False),
        sa.Column("acta", sa.Integer),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("device_at", sa.BigInteger),
        sa.Column("recorded_at", sa.BigInteger, nullable=False),
        sa.Column("actor", sa.String(64), nullable=False),
        sa.Column("station", sa.String(64), nullable=False),
        sa.Column("data", sa.Text, nullable=False),
        sa.Column("hash", sa.LargeBinary(32), nullable=False),
    )
    op.create_index("ledger_by_acta", "ledger", ["acta"])
    op.create_table(
        "command",
        sa.Column("key", sa.String(80), primary_key=True),
        sa.Column("digest", sa.LargeBinary(16), nullable=False),
        sa.Column("refusal", sa.String(40)),
        sa.Column("detail", sa.Text),
        sa.Column("seq_first", sa.BigInteger),
        sa.Column("seq_last", sa.BigInteger),
        sqlite_with_rowid=False,
    )
    bind = op.get_bind()
    for statement in _append_only(bind.dialect.name):
        bind.exec_driver_sql(statement)


def _append_only(dialect: str) -> list[str]:
    if dialect == "sqlite":
        statements = [
            f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            for table in ("ledger", "command")
            for verb in ("UPDATE", "DELETE")
        ]
        # INSERT OR REPLACE deletes the old row without telling the DELETE trigger.
        statements += [
            f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} "
            f"WHEN EXISTS (SELECT 1 FROM {table} WHERE {key} = NEW.{key}) "
            f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            for table, key in (("ledger", "seq"), ("command", "key"))
        ]
        return statements
    statements = [
        # The driver reads a lone percent sign as a placeholder.
        "CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION '%% is append-only', TG_TABLE_NAME; END $$"
    ]
    for table in ("ledger", "command"):
        statements.append(
            f"CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
        statements.append(
            f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
    return statements


def downgrade() -> None:
    """There is nothing before the first version."""
    raise NotImplementedError("a ledger is never taken down by a migration")
