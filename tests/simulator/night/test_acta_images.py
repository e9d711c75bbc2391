"""`prep simular --imagenes`: the hash a command carries is that of a picture that is in the folder."""

from __future__ import annotations

import json
import subprocess
import sys
from hashlib import sha256
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from core.domain.catalog import Catalog
from core.images import check as image_check
from core.images.store import ImageStore
from core.storage.database import open_existing
from core.storage.reading import SnapshotReader
from core.tally.snapshot import Snapshot
from simulator.night.ballots import image_hash
from simulator.night.run import catalog_of_the_night
from simulator.scenario.file import load_scenario, open_scenario_catalog
from tests.conftest import Prep
from tests.simulator.conftest import DATA
from tests.simulator.night.test_restart import end_of, killed

SMALL = DATA / "chica.toml"
SEED = ("--semilla", "4")


def the_catalog() -> Catalog:
    loaded = load_scenario(SMALL)
    return catalog_of_the_night(open_scenario_catalog(loaded), loaded.scenario)


def last_snapshot(folder: Path) -> Snapshot:
    database = open_existing(str(folder / "prep.db"))
    try:
        return SnapshotReader(database, len(the_catalog().actas)).read()
    finally:
        database.dispose()


def files(folder: Path) -> dict[str, str]:
    """Everything in the image store of a run, with its hash."""
    return {
        path.relative_to(folder).as_posix(): sha256(path.read_bytes()).hexdigest()
        for part in ("imagenes", "vistas")
        for path in sorted((folder / part).rglob("*"))
        if path.is_file()
    }


def prep_in(place: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run `prep` in a folder that several tests share."""
    return subprocess.run(
        [Path(sys.executable).parent / "prep", *arguments],
        capture_output=True, text=True, check=False, cwd=place, stdin=subprocess.DEVNULL,
    )  # fmt: skip


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole night with all its images."""
    place = tmp_path_factory.mktemp("imagenes")
    done = prep_in(place, "simular", SMALL, "--salida", "s", *SEED, "--imagenes", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["imagenes"]["fraccion"] == 1
    return place / "s"


def test_every_captured_acta_has_its_image_and_its_views(drawn: Path) -> None:
    snapshot, store = last_snapshot(drawn), ImageStore(drawn)
    lacking = image_check.missing(snapshot, store)
    assert not lacking, lacking
    counts = image_check.counts(the_catalog(), snapshot, lacking)
    assert counts.total.with_image > 50
    assert counts.total.captured == counts.total.with_image + counts.total.sin_acta
    assert snapshot.outside
    for acta in snapshot.actas:
        if acta is not None and acta.image_hash:
            assert sha256(store.get(acta.image_hash)).hexdigest() == acta.image_hash
            assert store.has_views(acta.image_hash)


def test_a_photo_is_a_photo_and_a_scan_a_scan(drawn: Path) -> None:
    store = ImageStore(drawn)
    seen = set()
    for acta in last_snapshot(drawn).actas:
        if acta is not None and acta.image_hash:
            image = Image.open(BytesIO(store.get(acta.image_hash)))
            phone = 0x0110 in image.getexif()
            assert phone == (acta.medium == "MOVIL")
            seen.add(phone)
    assert seen == {True, False}


def test_what_is_deleted_from_the_store_is_counted_as_missing(drawn: Path, tmp_path: Path) -> None:
    snapshot, catalog = last_snapshot(drawn), the_catalog()
    there = [acta for acta in snapshot.actas if acta is not None and acta.image_hash]
    lost = {there[0].acta, there[-1].acta}
    store = ImageStore(tmp_path)
    for acta in there:
        if acta.acta not in lost:
            store.put(ImageStore(drawn).get(acta.image_hash))
    for one in snapshot.outside:
        store.put(ImageStore(drawn).get(one.image_hash))
    lacking = image_check.missing(snapshot, store)
    assert set(lacking.actas) == lost
    counts = image_check.counts(catalog, snapshot, lacking)
    assert counts.total.missing == 2
    assert sum(count.missing for count in counts.by_contest.values()) == 2
    for catd in catalog.catds:
        expected = sum(catalog.catd_of(acta).id == catd.id for acta in lost)
        assert counts.by_catd[catd.id].missing == expected


def test_a_fraction_draws_the_same_pictures_of_fewer_and_a_killed_run_ends_with_them(
    prep: Prep, drawn: Path, tmp_path: Path
) -> None:
    command = ("simular", SMALL, *SEED, "--imagenes", "0.1")
    done = prep(*command, "--salida", "entera")
    assert done.returncode == 0, done.stderr
    some, everything = files(tmp_path / "entera"), files(drawn)
    assert 0 < len(some) < len(everything) / 2
    assert some.items() <= everything.items()
    # An integrity code is not an image: what it says of images is what the last cut published.
    told = json.loads((tmp_path / "entera" / "ultimo" / "manifiesto.json").read_bytes())["imagenes"]
    assert told["faltantes"] > told["con_imagen"] > 0
    assert (
        f"{told['con_imagen']:,} actas con su imagen en el último corte, {told['faltantes']:,} sin ella"
        in done.stdout
    )
    assert "con imagen" not in done.stdout
    killed(tmp_path, "recien_confirmado", 2, *command, "--salida", "s")
    done = prep(*command, "--salida", "s", "--continuar")
    assert done.returncode == 0, done.stderr
    assert end_of(tmp_path / "s") == end_of(tmp_path / "entera")
    assert files(tmp_path / "s") == some


def test_a_run_is_not_continued_with_other_images(prep: Prep, drawn: Path, tmp_path: Path) -> None:
    (tmp_path / "s").symlink_to(drawn)
    other = prep("simular", SMALL, "--salida", "s", *SEED, "--imagenes", "0.5", "--continuar")
    assert other.returncode == 2
    assert "la parte de las actas que se dibuja" in other.stderr


def test_without_the_option_nothing_of_it_is_there(prep: Prep, tmp_path: Path) -> None:
    done = prep("simular", SMALL, "--salida", "s", *SEED, "--json")
    assert done.returncode == 0, done.stderr
    assert "imagenes" not in json.loads(done.stdout)
    assert not (tmp_path / "s" / "imagenes").exists()
    assert "imagenes" not in json.loads((tmp_path / "s" / ".prep-salida.json").read_text())["corrida"]
    scenario_sha256, catalog = load_scenario(SMALL).sha256, the_catalog()
    published = [acta for acta in last_snapshot(tmp_path / "s").actas if acta is not None and acta.image_hash]
    assert published
    for acta in published:
        entry = catalog.actas[acta.acta]
        name = f"{entry.contest}/{entry.key}/{entry.id}"
        attempts = ("escaner", "escaner-2", "movil")
        assert acta.image_hash in {image_hash(scenario_sha256, name, attempt) for attempt in attempts}


def test_drawing_changes_nothing_but_the_hashes_of_the_images(
    prep: Prep, drawn: Path, tmp_path: Path
) -> None:
    done = prep("simular", SMALL, "--salida", "s", *SEED, "--sin-cortes")
    assert done.returncode == 0, done.stderr
    without, with_images = (
        [acta and acta._replace(image_hash="") for acta in last_snapshot(folder).actas]
        for folder in (tmp_path / "s", drawn)
    )
    assert without == with_images


@pytest.mark.parametrize("fraction", ["0", "-0.1", "1.01", "nan"])
def test_a_fraction_that_is_none_is_refused(prep: Prep, fraction: str) -> None:
    done = prep("simular", SMALL, "--salida", "s", *SEED, f"--imagenes={fraction}")
    assert done.returncode == 2
    assert "--imagenes lleva una fracción" in done.stderr
