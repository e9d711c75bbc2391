"""What a publisher really leaves in public, for the tests of those who verify it: one story, and two others.

Each is the public part alone of a work folder, as a stranger would have it.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from core.publication.public_tree import public_keys
from core.transparency import keyring
from core.transparency.keys import SigningKey, rehearsal_key
from core.transparency.log import EmissionLog
from tests.publication_sample import Night, photo, sample_catalog

CATALOG = sample_catalog()
ACTA = 9
"""An acta of the first cut, with its image, that nobody corrects."""
CORRECTED = 3


def acta_key(index: int) -> str:
    """The key of an acta."""
    return CATALOG.actas[index].key


def contest_of(index: int) -> str:
    """The contest of an acta."""
    return CATALOG.actas[index].contest


def image_name(index: int) -> str:
    """The published SHA-256 of the image of an acta."""
    return hashlib.sha256(photo(index)).hexdigest()


def image_path(site: Path, index: int) -> Path:
    """The image of an acta."""
    name = image_name(index)
    return site / f"imagenes/{name[:2]}/{name}.jpg"


def public_copy(work: Path, to: Path) -> Path:
    """What of a work folder leaves it, and nothing else."""
    for key in public_keys(work):
        (to / key).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(work / key, to / key)
    return to


@dataclass(frozen=True)
class Stories:
    """Public folders: after each cut of one night, and after the three of another with the same first cut."""

    key: SigningKey
    cuts: tuple[Path, Path, Path]
    other: Path

    @property
    def whole(self) -> Path:
        """After the last cut."""
        return self.cuts[2]


def make_stories(folder: Path) -> Stories:
    """Play both nights."""
    night = Night(folder / "trabajo")
    cuts = []
    try:
        for number, part in enumerate((night.first_part, night.second_part, night.third_part), 1):
            part()
            assert night.cut().refused is None
            cuts.append(public_copy(night.folder, folder / f"corte-{number}"))
    finally:
        night.close()
    other = Night(folder / "otra")
    try:
        for part in (other.first_part, lambda: other.acta(1, first=200), other.third_part):
            part()
            assert other.cut().refused is None
        return Stories(
            night.key, (cuts[0], cuts[1], cuts[2]), public_copy(other.folder, folder / "otra-publica")
        )
    finally:
        other.close()


def rotated(folder: Path) -> tuple[Path, Path, Path, tuple[SigningKey, SigningKey, SigningKey]]:
    """A night whose key changes twice: what is public before the change, just after it, and at the end."""
    night = Night(folder / "trabajo")
    work = night.folder
    keys = [night.key, *(rehearsal_key(night.key.origin, f"llave {n}") for n in (2, 3))]
    sites = []
    night.first_part()
    night.cut()
    sites.append(public_copy(work, folder / "antes"))
    at = night.at
    for old, new, part in ((0, 1, "second_part"), (1, 2, "third_part")):
        night.close()
        ring = keyring.read(work)
        assert ring is not None
        EmissionLog(work, keys[old]).rotate(keys[new], "Cambio programado", at + 1)
        ring.rotated(keys[old].vkey, keys[new].vkey, at + 1).write(work)
        if old == 0:
            sites.append(public_copy(work, folder / "cambio"))
        night = Night(work, key=keys[new])
        night.at = at
        getattr(night, part)()
        assert night.cut().refused is None
        at = night.at
    night.close()
    return sites[0], sites[1], public_copy(work, folder / "despues"), (keys[0], keys[1], keys[2])


def csv_name(contest: str) -> str:
    """The results file of a contest."""
    return f"JAL_{contest}_2021.csv"


def move_a_vote(path: Path) -> None:
    """Give the second column a vote of the first, in the first acta that counts: the sums stay the same."""
    text = path.read_bytes().decode("utf-8-sig")
    lines = text.split("\r\n") if "\r\n" in text else text.split("\n")
    table = next(i for i, line in enumerate(lines) if line.startswith("CLAVE_CASILLA"))
    columns = lines[table].split(",")
    first, second, kind = columns.index("PAN"), columns.index("PRI"), columns.index("CONTABILIZADA")
    for index in range(table + 1, len(lines)):
        (row,) = csv.reader(io.StringIO(lines[index])) if lines[index] else ([],)
        if row and row[kind] == "1" and int(row[first]) > 0:
            before = f",{row[first]},{row[second]},"
            after = f",{int(row[first]) - 1},{int(row[second]) + 1},"
            assert lines[index].count(before) >= 1
            lines[index] = lines[index].replace(before, after, 1)
            break
    path.write_bytes(b"\xef\xbb\xbf" + ("\r\n" if "\r\n" in text else "\n").join(lines).encode())


def section_object(site: Path, index: int) -> Path:
    """The object that has an acta in the cut the pointer tells."""
    key = acta_key(index).encode()
    pointer = json.loads((site / "corte.json").read_bytes())
    manifest = json.loads((site / pointer["base"] / "manifiesto.json").read_bytes())
    top = json.loads(object_path(site, manifest["raices_json"][contest_of(index)]).read_bytes())
    for place in top["territorios"]:
        for section in json.loads(object_path(site, place[1]).read_bytes())["secciones"]:
            path = object_path(site, section[1])
            if b'"acta":"' + key + b'"' in path.read_bytes():
                return path
    raise AssertionError(key)


def object_path(site: Path, name: str) -> Path:
    """Where an object is."""
    return site / f"objetos/{name[:2]}/{name}.json"


def other_figures(site: Path) -> str:
    """Put another object of the portal beside the good one; its name, which is its own hash."""
    name = json.loads((site / "corte.json").read_bytes())["portal"]
    told = json.loads((site / f"objetos/{name[:2]}/{name}.json").read_bytes())
    told["contiendas"][0]["por_partido"][0][1] += 1_000
    data = json.dumps(told, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()
    forged = hashlib.sha256(data).hexdigest()
    path = site / f"objetos/{forged[:2]}/{forged}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)
    return forged
