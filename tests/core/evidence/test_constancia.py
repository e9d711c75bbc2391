"""Constancias of a small night, taken by the command and read back from its DOCX, PDF and signed JSON."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import docx
import psycopg
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError

from core.cli_verb import ANSWER_IS_NO, DONE
from core.domain.rules import SinActaReason
from core.engine import Engine
from core.errors import UsageError
from core.evidence import components
from core.evidence.closing import closing
from core.evidence.hashes import differences
from core.evidence.read_only import open_read_only
from core.evidence.signing import SignatureError, digest_of, read_sealed, seal
from core.evidence.zeros import zeros
from core.publication.cut import Publisher
from core.storage.database import open_database
from core.storage.reading import reading
from core.storage.store import Store
from core.transparency.keys import generate, rehearsal_key
from tests.cluster import Cluster
from tests.conftest import Prep
from tests.core.domain.small import CATALOG, END, MINUTE, START, Orders

AT = "2021-06-06T18:00:00-05:00"
KEY = rehearsal_key("prep.jal.prueba/simulacro", "constancias de prueba")


def new_base(url: str, mode: str = "simulacro") -> None:
    """A database with its catalogue and nothing else."""
    database = open_database(url)
    store = Store(database)
    store.initialize(CATALOG, mode)
    store.close()
    database.dispose()


def night(folder: Path, url: str | None = None, *, close: bool = True) -> str:
    """A whole small night published into `folder`; returns its base."""
    url = url or str(folder / "prep.db")
    database = open_database(url)
    engine = Engine(Store(database), CATALOG, "simulacro")
    orders = Orders()
    engine.execute([orders.open()], START)
    publisher = Publisher(engine, database, folder)
    publisher.cut(START + 20 * MINUTE)
    steps = [
        *orders.agreed(0),
        orders.receive(1), orders.digitize(1),
        orders.sin_acta(3, reason=SinActaReason.PAQUETE_NO_ENTREGADO),
        orders.incident("i1"), orders.measure("i1"), orders.resolve_incident("i1"),
        orders.miss(START + 40 * MINUTE, at=START + 41 * MINUTE),
    ]  # fmt: skip
    for answer in engine.execute(steps, START + 41 * MINUTE):
        assert answer.accepted, answer
    publisher.cut(START + 60 * MINUTE)
    publisher.cut(END, last=True)
    if close:
        (answer,) = engine.execute([orders.close(at=END)], END)
        assert answer.accepted, answer
    database.dispose()
    return url


def constancia(folder: Path, name: str) -> dict[str, Any]:
    found, _ = read_sealed(folder / f"acta-de-{name}.json")
    return found


def docx_words(path: Path) -> str:
    document = docx.Document(str(path))
    cells = [cell.text for table in document.tables for row in table.rows for cell in row.cells]
    heads = [p.text for section in document.sections for p in section.header.paragraphs]
    return "\n".join([*heads, *(p.text for p in document.paragraphs), *cells])


def pdf_words(path: Path) -> str:
    made = subprocess.run(["pdftotext", "-layout", path, "-"], capture_output=True, text=True, check=True)
    return made.stdout


def both(stem: Path) -> tuple[str, str]:
    """What its DOCX and its PDF say."""
    return docx_words(stem.with_suffix(".docx")), pdf_words(stem.with_suffix(".pdf"))


# -- ceros -----------------------------------------------------------------------------------------


def test_a_base_that_only_has_its_catalogue_is_at_zero_and_says_what_it_expects(
    prep: Prep, tmp_path: Path
) -> None:
    new_base(str(tmp_path / "prep.db"))
    before = (tmp_path / "prep.db").read_bytes()
    done = prep("constancia", "ceros", "--base", "prep.db", "--salida", "actas", "--instante", AT)
    assert done.returncode == DONE, done.stderr
    found = constancia(tmp_path / "actas", "ceros")
    assert found["en_ceros"] and found["motivos"] == [] and found["apertura"] is None
    assert found["bitacora"] == {"evento": 0, "sha256": "0" * 64}
    assert found["tablas"]["ledger"] == found["tablas"]["result"] == 0
    assert {one["id"]: one["esperadas"] for one in found["contiendas"]} == {
        name: CATALOG.expected(name) for name in CATALOG.contests
    }
    for one in found["contiendas"]:
        assert sum(place["esperadas"] for place in one["territorios"]) == one["esperadas"]
    assert sum(one["esperadas"] for one in found["catd"]) == len(CATALOG.actas) == found["actas_esperadas"]
    assert (tmp_path / "prep.db").read_bytes() == before
    assert {path.name for path in tmp_path.iterdir()} == {"prep.db", "actas"}, (
        "nothing is left beside the base"
    )


def test_the_opening_alone_is_still_zero_and_any_event_more_is_not(tmp_path: Path) -> None:
    url = str(tmp_path / "prep.db")
    database = open_database(url)
    engine = Engine(Store(database), CATALOG, "simulacro")
    orders = Orders()
    engine.execute([orders.open()], START)
    with reading(database) as connection:
        opened = zeros(connection, START)
    engine.execute([orders.receive(0)], START + MINUTE)
    with reading(database) as connection:
        received = zeros(connection, START + MINUTE)
    database.dispose()
    assert opened["en_ceros"] and opened["apertura"]["eventos_antes"] == 0
    assert not received["en_ceros"]
    assert received["apertura"]["en_ceros_al_abrir"]
    assert received["motivos"] == [
        "La bitácora tiene 1 evento además de la apertura.",
        "1 actas ya no están como esperadas.",
    ]


def test_rows_that_no_event_explains_are_told_and_so_is_a_foreign_table(tmp_path: Path) -> None:
    url = str(tmp_path / "prep.db")
    new_base(url)
    database = open_database(url)
    with database.begin() as connection:
        connection.execute(text("INSERT INTO image VALUES ('GUB', 'aa', 1)"))
        connection.execute(text("CREATE TABLE resultados_previos (votos INTEGER)"))
    with reading(database) as connection:
        found = zeros(connection, START)
    database.dispose()
    assert found["motivos"] == [
        "La tabla image tiene 1 filas.",
        "Hay tablas que este programa no conoce: resultados_previos.",
    ]


def test_a_night_with_results_answers_no_and_the_paper_says_so(prep: Prep, tmp_path: Path) -> None:
    night(tmp_path)
    done = prep("constancia", "ceros", "--base", "prep.db", "--salida", "actas", "--instante", AT)
    assert done.returncode == ANSWER_IS_NO
    assert "La base NO está en ceros." in done.stdout
    found = constancia(tmp_path / "actas", "ceros")
    for words in (
        docx_words(tmp_path / "actas/acta-de-ceros.docx"),
        pdf_words(tmp_path / "actas/acta-de-ceros.pdf"),
    ):
        assert "Por qué no está en ceros" in words
        assert found["bitacora"]["sha256"] in words
        assert digest_of(found) in words
        assert "SIMULACRO" in words
        assert f"{len(CATALOG.actas)}" in words


# -- hashes ----------------------------------------------------------------------------------------


def test_the_hashes_are_those_of_the_files_and_anybody_can_check_them(prep: Prep, tmp_path: Path) -> None:
    new_base(str(tmp_path / "prep.db"))
    done = prep("constancia", "hashes", "--base", "prep.db", "--salida", "actas", "--instante", AT)
    assert done.returncode == DONE, done.stderr
    found = constancia(tmp_path / "actas", "hashes")
    core = components.folder_of("core")
    assert core is not None
    listed = tmp_path / "actas/acta-de-hashes.sha256"
    assert hashlib.sha256(listed.read_bytes()).hexdigest() == found["componentes_sha256"]
    one = next(item for item in found["componentes"] if item["ruta"] == "core/engine.py")
    assert one["sha256"] == hashlib.sha256((core / "engine.py").read_bytes()).hexdigest()
    assert found["reglas"]["sha256"] == hashlib.sha256((core / "domain/rules.py").read_bytes()).hexdigest()
    assert found["python"]["version"] == ".".join(str(part) for part in sys.version_info[:3])
    assert {"sqlalchemy", "cryptography"} <= {item["nombre"] for item in found["dependencias"]}
    assert found["base"]["version"] and len(found["base"]["esquema_sha256"]) == 64
    words = pdf_words(tmp_path / "actas/acta-de-hashes.pdf")
    assert "core/engine.py" in words and one["sha256"] in words and found["base"]["esquema_sha256"] in words


def test_a_file_a_trigger_and_a_dependency_that_changed_are_each_told() -> None:
    before: dict[str, Any] = {
        "componentes": [{"ruta": "core/a.py", "sha256": "1"}, {"ruta": "core/b.py", "sha256": "2"}],
        "dependencias": [{"nombre": "numpy", "version": "2.4.6", "registro_sha256": "9"}],
        "base": {"version": "0003", "esquema_sha256": "x"},
        "modo": "oficial",
    }
    after: dict[str, Any] = {
        "componentes": [{"ruta": "core/a.py", "sha256": "7"}, {"ruta": "core/c.py", "sha256": "3"}],
        "dependencias": [{"nombre": "numpy", "version": "2.5.0", "registro_sha256": "8"}],
        "base": {"version": "0003", "esquema_sha256": "y"},
        "modo": "oficial",
    }
    assert differences(before, before) == []
    assert [(one["que"], one["clase"]) for one in differences(before, after)] == [
        ("componente core/a.py", "cambió"),
        ("componente core/b.py", "falta"),
        ("componente core/c.py", "sobra"),
        ("dependencia numpy", "cambió"),
        ("base esquema_sha256", "cambió"),
    ]


def test_an_acta_after_a_trigger_was_dropped_says_the_schema_changed(prep: Prep, tmp_path: Path) -> None:
    new_base(str(tmp_path / "prep.db"))
    prep("constancia", "hashes", "--base", "prep.db", "--salida", "antes", "--instante", AT)
    # The files are those of a tree where people work: what is compared is what this test changes.
    earlier = constancia(tmp_path / "antes", "hashes")
    database = open_database(str(tmp_path / "prep.db"))
    with database.begin() as connection:
        connection.execute(text("DROP TRIGGER ledger_no_update"))
    database.dispose()
    done = prep(
        "constancia", "hashes", "--base", "prep.db", "--salida", "despues", "--contra",
        "antes/acta-de-hashes.json", "--instante", "2021-06-07T18:00:00-05:00",
    )  # fmt: skip
    assert done.returncode == ANSWER_IS_NO
    later = constancia(tmp_path / "despues", "hashes")
    changed = [one["que"] for one in later["comparacion"]["diferencias"]]
    assert {"base esquema_sha256", "base piezas"} <= set(changed)
    assert later["comparacion"]["contra_sha256"] == digest_of(earlier)
    assert "base esquema_sha256" in docx_words(tmp_path / "despues/acta-de-hashes.docx")


# -- cierre ----------------------------------------------------------------------------------------


def test_the_closing_tells_the_night_and_agrees_with_what_was_published(prep: Prep, tmp_path: Path) -> None:
    night(tmp_path)
    done = prep(
        "constancia", "cierre", "--base", "prep.db", "--trabajo", ".", "--salida", "actas", "--instante", AT
    )
    assert done.returncode == DONE, done.stdout + done.stderr
    found = constancia(tmp_path / "actas", "cierre")
    assert [cut["corte"] for cut in found["cortes"]] == [1, 2, 3]
    assert [cut["ultimo"] for cut in found["cortes"]] == [False, False, True]
    last = json.loads((tmp_path / "cortes/0003/indice.json").read_text(encoding="utf-8"))
    for name, header in found["contadores_finales"].items():
        assert header == last["contiendas"][name]["encabezado"]
    assert found["comprobacion"]["correcta"]
    assert [one["motivo"] for one in found["sin_acta"]] == ["PAQUETE_NO_ENTREGADO"]
    assert found["sin_acta"][0]["acta"] == CATALOG.actas[3].key
    assert [one["incidente"] for one in found["incidentes"]] == ["i1"]
    assert found["incidentes"][0]["terminado"] is not None
    assert len(found["medidas"]) == 1
    assert [one["clase"] for one in found["avisos"]] == ["cut_missed"]
    totals = [
        sum(one[key] for one in found["imagenes"].values())
        for key in ("capturadas", "con_codigo", "sin_acta")
    ]
    assert totals == [2, 1, 1]
    assert found["horas_con_menos_cortes"], "one cut in most hours"
    for words in both(tmp_path / "actas/acta-de-cierre"):
        assert "ACTAS_CONTABILIZADAS" in words
        assert found["cortes"][0]["manifiesto_sha256"] in words
        assert CATALOG.actas[3].key in words
        assert "corte que no salió" in words
        assert found["bitacora"]["sha256"] in words


def test_a_manifest_that_was_swapped_after_the_night_is_told(tmp_path: Path) -> None:
    url = night(tmp_path)
    manifest = tmp_path / "cortes/0002/manifiesto.json"
    manifest.chmod(0o644)
    manifest.write_text(manifest.read_text(encoding="utf-8") + " ", encoding="utf-8")
    database = open_read_only(url)
    found = closing(database, END, tmp_path)
    database.dispose()
    assert not found["conforme"]
    assert found["faltas"] == ["cortes/0002/manifiesto.json no es el que la bitácora registró."]


def test_there_is_no_closing_of_an_operation_that_goes_on(prep: Prep, tmp_path: Path) -> None:
    night(tmp_path, close=False)
    done = prep("constancia", "cierre", "--base", "prep.db", "--salida", "actas")
    assert done.returncode == 2
    assert "no está cerrada" in done.stderr
    assert not (tmp_path / "actas").exists()


# -- signature -------------------------------------------------------------------------------------


def test_a_constancia_changed_after_signing_does_not_verify(prep: Prep, tmp_path: Path) -> None:
    night(tmp_path)
    prep("constancia", "ceros", "--base", "prep.db", "--salida", "actas", "--instante", AT)
    path = tmp_path / "actas/acta-de-ceros.json"
    assert prep("constancia", "verificar", path).returncode == DONE
    whole = json.loads(path.read_bytes())
    whole["constancia"]["en_ceros"] = True
    path.write_text(json.dumps(whole), encoding="utf-8")
    done = prep("constancia", "verificar", path)
    assert done.returncode == ANSWER_IS_NO
    assert "su contenido cambió después" in done.stdout


def test_the_signature_of_another_key_or_for_another_constancia_is_refused(tmp_path: Path) -> None:
    made = {"clase": "acta_de_ceros", "modo": "simulacro", "en_ceros": False}
    other = rehearsal_key("prep.jal.prueba/simulacro", "otra")
    path = tmp_path / "a.json"
    path.write_bytes(seal(made, KEY))
    assert read_sealed(path, KEY.vkey)[0] == made
    with pytest.raises(SignatureError, match="otra llave"):
        read_sealed(path, other.vkey)
    # The text is right and the signature is of a key with the same name: only its bytes tell.
    whole = json.loads(path.read_bytes())
    whole["firma"]["llave"] = other.vkey
    path.write_text(json.dumps(whole), encoding="utf-8")
    with pytest.raises(SignatureError, match="no es válida"):
        read_sealed(path)


def test_the_same_night_at_the_same_instant_gives_the_same_bytes(prep: Prep, tmp_path: Path) -> None:
    night(tmp_path)
    for folder in ("uno", "dos"):
        prep("constancia", "cierre", "--base", "prep.db", "--salida", folder, "--instante", AT)
    for path in (tmp_path / "uno").iterdir():
        assert path.read_bytes() == (tmp_path / "dos" / path.name).read_bytes(), path.name


def test_an_official_base_asks_for_its_key_and_has_no_mark_of_simulacro(prep: Prep, tmp_path: Path) -> None:
    new_base(str(tmp_path / "prep.db"), "oficial")
    order = ["constancia", "ceros", "--base", "prep.db", "--salida", "actas", "--instante", AT]
    without = prep(*order)
    assert without.returncode == 2 and "--llave" in without.stderr
    generate(tmp_path / "ensayo.pem", "prep.jal.prueba/simulacro", None)
    wrong = prep(*order, "--llave", "ensayo.pem")
    assert wrong.returncode == 2 and "modo" in wrong.stderr
    key = generate(tmp_path / "oficial.pem", "prep.jal.prueba/oficial", b"primera mitad, segunda mitad")
    for number, half in (("1", "primera mitad, "), ("2", "segunda mitad")):
        (tmp_path / f"mitad-{number}").write_text(half + "\n")
        order += [f"--mitad-{number}", f"mitad-{number}"]
    done = prep(*order, "--llave", "oficial.pem")
    assert done.returncode == DONE, done.stderr
    assert read_sealed(tmp_path / "actas/acta-de-ceros.json", key.vkey)[0]["modo"] == "oficial"
    for words in (
        docx_words(tmp_path / "actas/acta-de-ceros.docx"),
        pdf_words(tmp_path / "actas/acta-de-ceros.pdf"),
    ):
        assert "SIMULACRO" not in words and "ficticios" not in words


# -- read-only -------------------------------------------------------------------------------------


def test_the_base_cannot_be_written_through_the_connection_of_a_constancia(tmp_path: Path) -> None:
    url = night(tmp_path)
    database = open_read_only(url)
    with database.connect() as connection, pytest.raises(DBAPIError):
        connection.execute(text("DELETE FROM result"))
    database.dispose()


def test_a_base_somebody_is_writing_is_read_with_what_is_in_its_log(tmp_path: Path) -> None:
    url = str(tmp_path / "prep.db")
    database = open_database(url)
    engine = Engine(Store(database), CATALOG, "simulacro")
    orders = Orders()
    engine.execute([orders.open()], START)
    assert (tmp_path / "prep.db-wal").stat().st_size > 0
    reader = open_read_only(url)
    with reading(reader) as connection:
        assert zeros(connection, START)["eventos"] == 1
    reader.dispose()
    database.dispose()


def test_a_base_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No existe la base"):
        open_read_only(str(tmp_path / "nada.db"))
    assert list(tmp_path.iterdir()) == []


def test_on_postgresql_a_role_that_can_only_select_is_enough(
    prep: Prep, tmp_path: Path, postgres_cluster: Cluster, postgres_url: str
) -> None:
    night(tmp_path, postgres_url)
    name = postgres_url.rpartition("/")[2]
    plain = f"postgresql://prep@127.0.0.1:{postgres_cluster.port}/{name}"
    role = f"lector_{name}"
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {role} LOGIN".encode())
        connection.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}".encode())
    url = postgres_url.replace("://prep@", f"://{role}@")
    try:
        order = ("--base", url, "--salida", "actas", "--instante", AT)
        done = prep("constancia", "cierre", "--trabajo", ".", *order)
        assert done.returncode == DONE, done.stdout + done.stderr
        assert constancia(tmp_path / "actas", "cierre")["motor_de_base"] == "postgresql"
        done = prep("constancia", "hashes", *order)
        assert done.returncode == DONE, done.stderr
        before = constancia(tmp_path / "actas", "hashes")["base"]
        with psycopg.connect(plain, autocommit=True) as connection:
            connection.execute(b"DROP TRIGGER ledger_no_change ON ledger")
        prep("constancia", "hashes", "--base", url, "--salida", "otra", "--instante", AT)
        after = constancia(tmp_path / "otra", "hashes")["base"]
        assert after["piezas"] == before["piezas"] - 1
        assert after["esquema_sha256"] != before["esquema_sha256"]
        owner = open_read_only(postgres_url)
        with owner.connect() as reading_only, pytest.raises(DBAPIError, match="read-only"):
            reading_only.execute(text("DELETE FROM result"))
        owner.dispose()
    finally:
        engine = create_engine(postgres_url)
        with engine.begin() as connection:
            connection.execute(text(f"DROP OWNED BY {role}"))
            connection.execute(text(f"DROP ROLE {role}"))
        engine.dispose()


def test_the_lock_with_a_version_for_each_python_gives_all_of_them(tmp_path: Path) -> None:
    lock = tmp_path / "requirements.lock"
    lock.write_text(
        "numpy==2.4.6 ; python_full_version < '3.12' \\\n    --hash=sha256:aa\n"
        "numpy==2.5.0 ; python_full_version >= '3.12' \\\n    --hash=sha256:bb\nPillow==12.0\n",
        encoding="utf-8",
    )
    assert components.read_lock(lock) == {"numpy": ["2.4.6", "2.5.0"], "pillow": ["12.0"]}


def test_the_commit_is_the_one_head_names_loose_or_packed(tmp_path: Path) -> None:
    git = tmp_path / ".git"
    (git / "refs/heads").mkdir(parents=True)
    (git / "HEAD").write_text("ref: refs/heads/main\n", encoding="utf-8")
    (git / "packed-refs").write_text("# pack-refs\n" + "a" * 40 + " refs/heads/main\n", encoding="utf-8")
    assert components.commit(tmp_path) == "a" * 40
    (git / "refs/heads/main").write_text("b" * 40 + "\n", encoding="utf-8")
    assert components.commit(tmp_path) == "b" * 40
    assert components.commit(tmp_path / "otra") is None
