"""The least each process may do in a PostgreSQL database, as the SQL that says it (`deploy/roles.sql`).

Put together from the schema and from the kinds of event, so that it cannot stay behind either:
`python -m core.storage.roles > deploy/roles.sql` writes it and `--crear URL` makes the tables as their
owner. It grants and takes away; it creates no database and gives nobody a password. SQLite has no roles:
there, who may read the file may do everything.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from core.domain.events import EventKind
from core.domain.holding import HOLD_TABLE
from core.domain.operation import ROOM_EVENTS
from core.storage import schema
from core.storage.database import open_database

VERSION_TABLE = "alembic_version"
"""Where Alembic keeps the version of the database; everybody reads it when opening."""

PUBLISHER_EVENTS = (
    EventKind.CUT_PUBLISHED,
    EventKind.CUT_REFUSED,
    EventKind.CUT_MISSED,
    EventKind.NOTICE_ISSUED,
    EventKind.OPERATION_CLOSED,
)
"""What the publisher says to the engine."""


@dataclass(frozen=True, slots=True)
class Role:
    """What a login may do besides reading every table.

    `insert` and `delete` are tables; `update`, the columns of each table that may change. `kinds` are the
    events it may add to the ledger, None for any.
    """

    name: str
    purpose: str
    insert: tuple[str, ...] = ()
    update: dict[str, tuple[str, ...]] = field(default_factory=dict)
    delete: tuple[str, ...] = ()
    kinds: tuple[EventKind, ...] | None = None


ROLES = (
    Role(
        "prep_motor",
        "el proceso que registra actas (captura, verificación, simulador)",
        insert=("meta", "catalog", "acta", "result", "outside", "image", "ledger", "command", "pulse"),
        update={
            "acta": ("status", "seq", "received_at", "digitized_at", "captured_at", "verified_at"),
            "outside": ("identified_as",),
        },
        delete=("result",),
    ),
    Role(
        "prep_publicador",
        "prep publicar",
        insert=("ledger", "command", "emission_slot", "lease"),
        update={
            "acta": ("status",),
            "emission_slot": tuple(c.name for c in schema.emission_slot.columns if c.name != "slot"),
            "lease": tuple(c.name for c in schema.lease.columns if c.name != "name"),
        },
        kinds=PUBLISHER_EVENTS,
    ),
    Role(
        "prep_sala",
        "prep sala: alertas, incidentes, medidas y detenciones; ninguna acta",
        insert=("ledger", "command"),
        kinds=(*ROOM_EVENTS, *HOLD_TABLE),
    ),
    Role("prep_auditor", "prep comprobar, exportar y constancia; nada más lee"),
)
"""The logins. None owns a table: triggers, indexes and versions are of whoever made the database."""

TABLES = (*(table.name for table in schema.metadata.sorted_tables), VERSION_TABLE)


def statements() -> Iterator[str]:
    """The SQL, one statement each, with a comment before some. It may be run again: the end is the same."""
    names = ", ".join(role.name for role in ROLES)
    yield (
        "-- Permisos mínimos de cada proceso. La corre quien administra el servidor, ya con las tablas:\n"
        "--     psql -v ON_ERROR_STOP=1 -1 -f deploy/roles.sql BASE\n"
        "-- Correrla otra vez deja lo mismo. Hecha por «python -m core.storage.roles»: no se edita.\n"
        "-- Después, una contraseña para cada quien:  \\password prep_motor"
    )
    for role in ROLES:
        yield (
            f"-- {role.name}: {role.purpose}.\n"
            "DO $$ BEGIN\n"
            f"    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role.name}') THEN\n"
            f"        CREATE ROLE {role.name} LOGIN;\n"
            "    END IF;\n"
            "END $$;"
        )
        yield (
            f"ALTER ROLE {role.name} NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS INHERIT;"
        )
    yield (
        "-- Nadie más: ni entra a la base, ni crea tablas, ni conserva permisos de antes.\n"
        "DO $$ BEGIN\n"
        "    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());\n"
        f"    EXECUTE format('REVOKE ALL ON DATABASE %I FROM {names}', current_database());\n"
        f"    EXECUTE format('GRANT CONNECT ON DATABASE %I TO {names}', current_database());\n"
        "END $$;"
    )
    yield f"REVOKE ALL ON SCHEMA public FROM PUBLIC, {names};"
    yield f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC, {names};"
    yield f"GRANT USAGE ON SCHEMA public TO {names};"
    yield (
        "-- Todos leen todo: no hay datos personales de electores.\n"
        f"GRANT SELECT ON {_listed(TABLES)} TO {names};"
    )
    for role in ROLES:
        yield from _grants(role)
    yield (
        "-- La bitácora del motor solo crece, y cada quien agrega nada más lo suyo.\n"
        "ALTER TABLE ledger ENABLE ROW LEVEL SECURITY;"
    )
    yield "DROP POLICY IF EXISTS todos_leen ON ledger;"
    yield f"CREATE POLICY todos_leen ON ledger FOR SELECT TO {names} USING (true);"
    for role in ROLES:
        yield f"DROP POLICY IF EXISTS {role.name}_agrega ON ledger;"
        if "ledger" in role.insert:
            yield f"CREATE POLICY {role.name}_agrega ON ledger FOR INSERT TO {role.name} {_check(role)};"
    readers = [role.name for role in ROLES if not role.insert]
    for name in readers:
        yield f"ALTER ROLE {name} SET default_transaction_read_only = on;"


def _grants(role: Role) -> Iterator[str]:
    if role.insert:
        yield f"GRANT INSERT ON {_listed(role.insert)} TO {role.name};"
    for table, columns in role.update.items():
        yield f"GRANT UPDATE ({_listed(columns)}) ON {_listed([table])} TO {role.name};"
    if role.delete:
        yield f"GRANT DELETE ON {_listed(role.delete)} TO {role.name};"


def _check(role: Role) -> str:
    if role.kinds is None:
        return "WITH CHECK (true)"
    kinds = ",\n    ".join(f"'{kind.value}'" for kind in role.kinds)
    return f"WITH CHECK (kind IN (\n    {kinds}))"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def script() -> str:
    """The whole file."""
    return "\n\n".join(statements()) + "\n"


def main() -> None:
    """Write the SQL on the output, or make the tables of a database."""
    parser = argparse.ArgumentParser(prog="python -m core.storage.roles", description=__doc__)
    parser.add_argument("--crear", metavar="URL", help="crea o pone al día las tablas, como su dueña")
    url = parser.parse_args().crear
    if url is None:
        print(script(), end="")
    else:
        open_database(url).dispose()


if __name__ == "__main__":
    main()
