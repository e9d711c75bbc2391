"""The rows of the ledger as they are stored, read as fast as the driver gives them.

Nothing is decoded: whoever folds them decodes what it needs.
"""

from __future__ import annotations

from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

CHUNK = 20_000
"""Ledger rows read at a time."""

Row = tuple[int, str, int | None, int, int, str, str, str]
"""(seq, kind, acta, at, recorded_at, actor, station, data) of the ledger."""

_ROWS = (
    'SELECT seq, kind, acta, "at", recorded_at, actor, station, data FROM ledger '
    "WHERE seq > {} AND seq <= {} ORDER BY seq"
)


def read_rows(connection: Connection, after: int, limit: int = CHUNK) -> list[Row]:
    """The next rows of the ledger, at most `limit`; fewer only at its end (it has no gaps).

    The driver is asked directly: a national night has three million rows, and a row object for each would
    cost as much as reading it. Raises OperationalError, as any other query.
    """
    sql = _ROWS.format(int(after), int(after) + int(limit))
    driver = connection.dialect.loaded_dbapi
    try:
        cursor = connection.connection.cursor()
        try:
            cursor.execute(sql)
            return list(cursor.fetchall())
        finally:
            cursor.close()
    except driver.Error as error:
        raise OperationalError(sql, None, error) from error
