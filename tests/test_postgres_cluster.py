"""The PostgreSQL the tests start is a real one, durable, and each test has a database to itself."""

from __future__ import annotations

import signal

import sqlalchemy as sa

from tests.cluster import Cluster, find_binaries
from tests.conftest import missing_postgres


def scalar(url: str, query: str) -> object:
    engine = sa.create_engine(url)
    try:
        with engine.connect() as connection:
            return connection.execute(sa.text(query)).scalar_one()
    finally:
        engine.dispose()


def test_it_answers_with_a_version_of_15_or_later(postgres_url: str) -> None:
    assert str(scalar(postgres_url, "select version()")).startswith("PostgreSQL ")
    assert int(str(scalar(postgres_url, "show server_version_num"))) >= 150000


def test_it_is_durable(postgres_url: str) -> None:
    assert scalar(postgres_url, "show fsync") == "on"
    assert scalar(postgres_url, "show synchronous_commit") == "on"


def test_what_is_written_in_one_database_is_not_in_the_next(postgres_cluster: Cluster) -> None:
    query = "select count(*) from pg_tables where schemaname = 'public'"
    first, second = postgres_cluster.create_database(), postgres_cluster.create_database()
    engine = sa.create_engine(postgres_cluster.url(first))
    with engine.begin() as connection:
        connection.execute(sa.text("create table leftover (x int)"))
    engine.dispose()
    assert scalar(postgres_cluster.url(first), query) == 1
    assert scalar(postgres_cluster.url(second), query) == 0
    postgres_cluster.drop_database(first)
    postgres_cluster.drop_database(second)


def test_what_was_committed_survives_a_crash_of_the_server() -> None:
    binaries = find_binaries()
    if binaries is None:
        missing_postgres()
    with Cluster(binaries) as cluster:
        name = cluster.create_database()
        engine = sa.create_engine(cluster.url(name))
        with engine.begin() as connection:
            connection.execute(sa.text("create table kept (x int)"))
        engine.dispose()
        cluster.stop(signal.SIGQUIT)
        cluster.start()
        assert scalar(cluster.url(name), "select count(*) from kept") == 0
