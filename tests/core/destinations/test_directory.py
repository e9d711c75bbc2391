"""What only a folder does: its own copies, compressed siblings, and files the machine left torn."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import brotli
import pytest

from core.destinations import Distributor, Pace, open_destination
from core.destinations.directory import DirectoryDestination
from core.publication.public_tree import object_key
from tests.core.destinations.work_tree import WorkTree, missing_of_the_shown_cut

QUICK = Pace(first_retry_s=0.05, last_retry_s=0.1, recheck_s=0.2, silent_s=0.3)


def publish(work: WorkTree, folder: Path) -> dict[str, object]:
    with Distributor(work.root, [open_destination(str(folder))], pace=QUICK) as distributor:
        assert distributor.drain(20), distributor.states()
        (state,) = distributor.states()
    return state


@pytest.fixture
def public(tmp_path: Path) -> Path:
    return tmp_path / "publico"


def test_no_file_of_the_work_folder_is_within_reach_of_who_writes_where_the_public_looks(
    work: WorkTree, public: Path
) -> None:
    publish(work, public)
    checked = 0
    for path in public.rglob("*"):
        own = work.root / path.relative_to(public)
        if path.is_file() and own.is_file():
            good = own.read_bytes()
            path.write_bytes(b"{}")
            assert own.read_bytes() == good, path
            checked += 1
    assert checked > 10


def test_files_are_copied_whole(work: WorkTree, public: Path) -> None:
    publish(work, public)
    assert (public / "difusion/0001.zip").read_bytes() == (work.root / "difusion/0001.zip").read_bytes()
    assert missing_of_the_shown_cut(open_destination(str(public))) == []
    assert not list((public / ".prep-temporal").glob("*"))


def test_every_text_of_a_kilobyte_has_its_compressed_sibling_and_only_the_shared_a_brotli(
    work: WorkTree, public: Path
) -> None:
    publish(work, public)
    pointer = work.pointer()
    shared = {object_key(pointer["portal"]), "index.html"}
    checked = 0
    for path in public.rglob("*"):
        key = str(path.relative_to(public))
        if not path.is_file() or key.endswith((".gz", ".br")) or key.startswith("."):
            continue
        packed, brotlied = path.with_name(path.name + ".gz"), path.with_name(path.name + ".br")
        text = path.suffix in (".json", ".csv", ".html", ".css") and key != "corte.json"
        assert packed.exists() == (text and path.stat().st_size >= 1024), key
        if packed.exists():
            assert gzip.decompress(packed.read_bytes()) == path.read_bytes()
            checked += 1
        if key in shared or key.startswith("sitio/"):
            assert brotli.decompress(brotlied.read_bytes()) == path.read_bytes()
    assert checked >= 6
    assert not any(brotlied.exists() for brotlied in public.glob("cortes/*/*.br"))


def test_a_page_that_gets_small_loses_the_siblings_that_would_hide_it(work: WorkTree, public: Path) -> None:
    publish(work, public)
    assert (public / "index.html.gz").exists()
    work.pages({"index.html": "<p>breve</p>"})
    publish(work, public)
    assert (public / "index.html").read_text() == "<p>breve</p>"
    assert not (public / "index.html.gz").exists()
    assert not (public / "index.html.br").exists()


def test_a_copy_the_machine_left_torn_is_made_again(work: WorkTree, public: Path) -> None:
    """Power went out after the name was written and before the bytes were on disk."""
    publish(work, public)
    work.publish()
    torn = public / "cortes/0002/JAL.csv"
    torn.parent.mkdir(parents=True)
    size = (work.root / "cortes/0002/JAL.csv").stat().st_size
    torn.write_bytes(bytes(size))
    (public / "cortes/0002/JAL.csv.gz").write_bytes(b"")
    publish(work, public)
    assert torn.read_bytes() == (work.root / "cortes/0002/JAL.csv").read_bytes()
    assert gzip.decompress((public / "cortes/0002/JAL.csv.gz").read_bytes()) == torn.read_bytes()


def test_what_was_already_announced_is_never_made_again(work: WorkTree, public: Path) -> None:
    publish(work, public)
    changed = public / "difusion/0001.zip"
    changed.unlink()
    changed.write_bytes(b"PK otra cosa")
    os.utime(changed, ns=(1, 1))
    with Distributor(work.root, [open_destination(str(public))], pace=QUICK) as distributor:
        distributor.announce()
        work.publish()
        assert not distributor.drain(0.5)
        (state,) = distributor.states()
    assert "otro contenido" in str(state["error"])
    assert changed.read_bytes() == b"PK otra cosa"
    assert not (public / "cortes/0002").exists() or work.pointer()["corte"] == 2


def test_nothing_that_is_not_public_is_listed(tmp_path: Path) -> None:
    root = tmp_path / "publico"
    (root / "cortes/0001").mkdir(parents=True)
    for name in ("prep.db", ".oculto", "cortes/0001/a.csv", "cortes/0001/a.csv.gz", "index.html.br"):
        (root / name).write_bytes(b"x")
    assert {entry.key for entry in DirectoryDestination(root).list()} == {"cortes/0001/a.csv"}


def test_a_second_publication_of_the_same_writes_nothing(work: WorkTree, public: Path) -> None:
    publish(work, public)
    before = {path: path.stat().st_ino for path in public.rglob("*") if path.is_file()}
    assert publish(work, public)["subidos"] == 0
    assert {path: path.stat().st_ino for path in public.rglob("*") if path.is_file()} == before
