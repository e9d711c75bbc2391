"""Pulses of the CATDs: telemetry for the control room, outside the ledger.

Revision: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table; nothing that was there changes."""
    op.create_table(
        "pulse",
        sa.Column("catd", sa.Integer, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("recorded_at", sa.BigInteger, nullable=False),
        sa.Column("link", sa.SmallInteger, nullable=False),
        sa.Column("waiting", sa.Integer, nullable=False),
        sa.Column("staff", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("catd", "at"),
        sa.CheckConstraint("link BETWEEN 0 AND 100", name="pulse_link"),
        sqlite_with_rowid=False,
    )
    op.create_index("pulse_by_recorded", "pulse", ["recorded_at", "catd"])


def downgrade() -> None:
    """Pulses can be given up; the ledger knows nothing of them."""
    op.drop_index("pulse_by_recorded", "pulse")
    op.drop_table("pulse")
