"""The least each process may do in a PostgreSQL database, as the SQL that says it (`deploy/roles.sql`).

Put together from the schema and from the kinds of event, so that it cannot stay behind either:
`python -m core.storage.roles > deploy/roles.sql` writes it and `--crear URL` makes the tables as their
owner. It grants and takes away, and puts the guard of the chain on the ledger; it creates no database and
gives nobody a password. SQLite has no roles: there, who may read the file may do everything.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from core.domain.acta import Status
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

PUBLISHER_KEYS = ("corte-", "perdida-", "aviso-", "cierre-")
"""How the keys of the publisher's commands begin."""

ROOM_KEYS = ("sala-",)
"""How the keys of the room's commands begin."""


@dataclass(frozen=True, slots=True)
class Role:
    """What a login may do besides reading every table.

    `insert` and `delete` are tables; `update`, the columns of each table that may change. `kinds` are the
    events it may add to the ledger, None for any, and `keys` how those of its commands begin. `connections`
    is the most it may hold at once, None for what the server gives: the others never leave it without.
    """

    name: str
    purpose: str
    insert: tuple[str, ...] = ()
    update: dict[str, tuple[str, ...]] = field(default_factory=dict)
    delete: tuple[str, ...] = ()
    kinds: tuple[EventKind, ...] | None = None
    keys: tuple[str, ...] = ()
    connections: int | None = None


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
        keys=PUBLISHER_KEYS,
        connections=20,
    ),
    Role(
        "prep_sala",
        "prep sala: alertas, incidentes, medidas y detenciones; ninguna acta",
        insert=("ledger", "command"),
        kinds=(*ROOM_EVENTS, *HOLD_TABLE),
        keys=ROOM_KEYS,
        connections=30,
    ),
    Role("prep_auditor", "prep comprobar, exportar y constancia; nada más lee", connections=10),
)
"""The logins. None owns a table: triggers, indexes and versions are of whoever made the database."""

_CHAIN = """\
-- Cada renglón de la bitácora es el que sigue y su huella sale de la anterior, lo agregue quien lo agregue:
-- la misma cuenta que hace el motor (core/storage/store.py, «chain»).
CREATE OR REPLACE FUNCTION bitacora_encadenada() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    before_seq bigint;
    before_hash bytea;
BEGIN
    SELECT seq, hash INTO before_seq, before_hash FROM public.ledger ORDER BY seq DESC LIMIT 1;
    IF NEW.seq <> coalesce(before_seq, 0) + 1 THEN
        RAISE EXCEPTION 'el renglón % de la bitácora no es el que sigue', NEW.seq USING ERRCODE = '23514';
    END IF;
    IF json_typeof(NEW.data::json) <> 'object' OR NEW.hash <> sha256(
        coalesce(before_hash, decode(repeat('00', 32), 'hex')) || convert_to(
            '[' || NEW.seq || ',' || to_json(NEW.kind) || ',' || coalesce(NEW.acta::text, 'null')
            || ',' || NEW.at || ',' || coalesce(NEW.device_at::text, 'null') || ',' || NEW.recorded_at
            || ',' || to_json(NEW.actor) || ',' || to_json(NEW.station) || ',' || to_json(NEW.data) || ']',
            'UTF8')) THEN
        RAISE EXCEPTION 'el renglón % de la bitácora no encadena', NEW.seq USING ERRCODE = '23514';
    END IF;
    RETURN NEW;
END $$;"""

_PUBLISHED = f"""\
CREATE POLICY prep_publicador_publica ON acta FOR UPDATE TO prep_publicador
    USING (status = '{Status.VERIFIED.value}')
    WITH CHECK (status = '{Status.PUBLISHED.value}' AND seq <= (
        SELECT (data::json ->> 'seq_high')::bigint FROM ledger
        WHERE kind = '{EventKind.CUT_PUBLISHED.value}' ORDER BY ledger.seq DESC LIMIT 1));"""
"""The one change the publisher makes to an acta: a verified one that its last cut includes is published."""

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
            f"ALTER ROLE {role.name} NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS INHERIT "
            f"CONNECTION LIMIT {-1 if role.connections is None else role.connections};"
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
    yield _CHAIN
    yield "DROP TRIGGER IF EXISTS bitacora_encadenada ON ledger;"
    yield (
        "CREATE TRIGGER bitacora_encadenada BEFORE INSERT ON ledger "
        "FOR EACH ROW EXECUTE FUNCTION bitacora_encadenada();"
    )
    yield "-- La bitácora del motor solo crece, y cada quien agrega nada más lo suyo, con llaves suyas."
    yield from _guarded("ledger", _own_event)
    yield from _guarded("command", _own_answer)
    yield "-- De un acta, el publicador solo hace publicada la verificada que su último corte incluye."
    yield from _guarded("acta", lambda role: "true")
    for name in ("prep_motor_cambia", "prep_publicador_publica"):
        yield f"DROP POLICY IF EXISTS {name} ON acta;"
    yield "CREATE POLICY prep_motor_cambia ON acta FOR UPDATE TO prep_motor USING (true) WITH CHECK (true);"
    yield _PUBLISHED
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


def _guarded(table: str, condition: Callable[[Role], str]) -> Iterator[str]:
    """Everybody reads a table, and who may insert in it only inserts what fulfils a condition."""
    yield f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;"
    yield f"DROP POLICY IF EXISTS todos_leen ON {table};"
    yield (
        f"CREATE POLICY todos_leen ON {table} FOR SELECT TO {', '.join(one.name for one in ROLES)} "
        "USING (true);"
    )
    for role in ROLES:
        yield f"DROP POLICY IF EXISTS {role.name}_agrega ON {table};"
        if table in role.insert:
            yield (
                f"CREATE POLICY {role.name}_agrega ON {table} FOR INSERT TO {role.name} "
                f"WITH CHECK ({condition(role)});"
            )


def _own_event(role: Role) -> str:
    return "true" if role.kinds is None else f"acta IS NULL AND kind IN (\n    {_kinds(role.kinds)})"


def _own_answer(role: Role) -> str:
    """A refusal, or a yes whose events are all its own, and the key its own in both."""
    if role.kinds is None:
        return "true"
    key = " OR ".join(f"starts_with(key, '{one}')" for one in role.keys)
    return (
        f"({key}) AND (\n    refusal IS NOT NULL AND seq_first IS NULL AND seq_last IS NULL\n"
        "    OR refusal IS NULL AND seq_last >= seq_first AND seq_last - seq_first + 1 = (\n"
        "        SELECT count(*) FROM ledger WHERE seq BETWEEN command.seq_first AND command.seq_last\n"
        f"        AND kind IN (\n    {_kinds(role.kinds)})))"
    )


def _kinds(kinds: Sequence[EventKind]) -> str:
    return ",\n    ".join(f"'{kind.value}'" for kind in kinds)


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
