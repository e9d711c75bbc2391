"""A small work folder with whole publications in it, made by hand: what the destinations read, no more.

Its log is not signed and its entries say nothing: the destinations only read sizes, hashes and roots. The
whole chain, from the database on, is tested with the sample of the publication.
"""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

from core.destinations import Destination
from core.publication.archives import write_zip
from core.publication.public_tree import object_key, record_path
from core.publication.times import local
from core.transparency.merkle import root

ORIGIN = "prep.jal.2021/simulacro"
START_MS = 1_622_770_000_000
EVERY_MS = 1_200_000


def compact(document: Any) -> bytes:
    return json.dumps(document, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


class WorkTree:
    """`publish` adds a cut and moves the pointer; `notice` adds a notice to the same cut."""

    def __init__(self, root: Path, *, mode: str = "simulacro", origin: str = ORIGIN) -> None:
        self.root = root
        self.mode = mode
        self.origin = origin
        self.cut = 0
        self.entries = 1
        self.notices = 0
        self.pages({"index.html": "<!doctype html><title>PREP</title>" + "<p>página</p>" * 100})
        self.write("sitio/0123456789abcdef.css", b"", name=b"body { color: black }\n" * 80)
        self.write("llaves.json", compact({"origen": origin, "modo": mode, "llaves": []}))
        self.write("prep.db", b"lo que nunca sale")

    def write(self, key: str, data: bytes, *, name: bytes | None = None) -> str:
        if name is not None:
            data, key = name, f"sitio/{sha256(name).hexdigest()[:16]}.css"
        path = self.root / key
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.tmp")
        temporary.write_bytes(data)
        temporary.replace(path)
        return sha256(data).hexdigest()

    def pages(self, pages: dict[str, str]) -> None:
        for name, text in pages.items():
            self.write(name, text.encode())

    def put_object(self, document: Any) -> str:
        data = compact(document)
        name = sha256(data).hexdigest()
        self.write(object_key(name), data)
        return name

    def publish(self, *, objects: int = 4, size: int = 1500) -> int:
        """One more cut, whole, and then its pointer; returns its number."""
        self.prepare(self.cut + 1, objects=objects, size=size)
        self.cut += 1
        self.entries += 1
        self.point()
        return self.cut

    def prepare(self, number: int, *, objects: int = 4, size: int = 1500) -> None:
        """The files of a cut, without the pointer."""
        made = [self.put_object({"corte": number, "n": i, "relleno": "é" * size}) for i in range(objects)]
        base = f"cortes/{number:04d}"
        csv = ("CLAVE,VOTOS\n" + "".join(f"{i},{i * number}\n" for i in range(400))).encode()
        listed = [{"ruta": "JAL.csv", "bytes": len(csv), "sha256": self.write(f"{base}/JAL.csv", csv)}]
        at = START_MS + number * EVERY_MS
        moment = local(at, -300)
        archive = self.root / base / "JAL_SIMULACRO.zip"
        write_zip(archive, [("JAL.csv", csv)], moment)
        data = archive.read_bytes()
        listed.append({"ruta": archive.name, "bytes": len(data), "sha256": sha256(data).hexdigest()})
        index = {
            "modo": self.mode,
            "corte": number,
            "instante": moment.isoformat(),
            "ultimo": False,
            "contiendas": {"DIP_LOC": {"raiz": made[0], "csv": "JAL.csv"}},
        }
        data = compact(index)
        listed.append(
            {"ruta": "indice.json", "bytes": len(data), "sha256": self.write(f"{base}/indice.json", data)}
        )
        manifest = {
            "modo": self.mode,
            "corte": number,
            "instante": moment.isoformat(),
            "instante_ms": at,
            "archivos": listed,
        }
        self.write(f"{base}/manifiesto.json", compact(manifest))
        self.write(f"hojas/ab/ab{number:062x}", bytes(64))
        picture = b"\xff\xd8" + bytes([number]) * 900
        name = sha256(picture).hexdigest()
        image = f"imagenes/{name[:2]}/{name}.jpg"
        self.write(image, picture)
        self.write(f"vistas/{name[:2]}/{name}_m.webp", b"RIFF" + bytes([number]))
        record = record_path(self.root, number)
        record.parent.mkdir(exist_ok=True)
        record.write_bytes(compact({"objetos": made, "imagenes": [image]}))
        self.write(
            f"emisiones/{number:04d}.json",
            compact(
                {"formato": 1, "hoja": number, "tamano": number + 1, "checkpoint": self.note(number + 1)}
            ),
        )
        self.write(f"difusion/{number:04d}.zip", b"PK" + bytes(3000 + number))

    def notice(self) -> None:
        """A notice: another entry of the log, the same cut."""
        self.notices += 1
        self.entries += 1
        self.write(f"avisos/{self.notices:04d}.json", compact({"numero": self.notices, "detalle": {}}))
        self.point()

    def note(self, size: int, signatures: int = 1) -> str:
        lines = "".join(f"— firma{i} AAAA\n" for i in range(signatures))
        return f"{self.origin}\n{size}\n{self.log_root(size)}\n\n{lines}"

    def log_root(self, size: int) -> str:
        return root([self.leaf(index) for index in range(size)]).hex()

    def leaf(self, index: int) -> bytes:
        """Hash of an entry of the log; another story overrides it."""
        return sha256(f"{self.origin} {index}".encode()).digest()

    def point(self, *, generated_ms: int | None = None, signatures: int = 1) -> None:
        """Tiles, checkpoint and pointer of the state as it is."""
        self.write(f"tile/0/000.p/{self.entries}", b"".join(map(self.leaf, range(self.entries))))
        self.write(f"tile/entries/000.p/{self.entries}", b"\2" * 90 * self.entries)
        self.write("checkpoint", self.note(self.entries, signatures).encode())
        base = f"cortes/{self.cut:04d}/"
        manifest = (self.root / base / "manifiesto.json").read_bytes()
        index = (self.root / base / "indice.json").read_bytes()
        made = json.loads(record_path(self.root, self.cut).read_bytes())["objetos"]
        at = START_MS + self.cut * EVERY_MS
        pointer = {
            "formato": 1,
            "modo": self.mode,
            "entidad": 14,
            "eleccion": "2021",
            "corte": self.cut,
            "instante": local(at, -300).isoformat(),
            "instante_ms": at,
            "ultimo": False,
            "base": base,
            "indice_sha256": sha256(index).hexdigest(),
            "manifiesto_sha256": sha256(manifest).hexdigest(),
            "emision": f"emisiones/{self.cut:04d}.json",
            "hoja": self.entries - 1,
            "bitacora": {
                "origen": self.origin,
                "tamano": self.entries,
                "raiz": self.log_root(self.entries),
            },
            "portal": made[-1],
            "difusion": f"difusion/{self.cut:04d}.zip",
            "testigos": {"de": 1, "con": signatures},
            "siguiente_ms": at + EVERY_MS,
            "avisos": self.notices,
            "generado_ms": at if generated_ms is None else generated_ms,
        }
        self.write("corte.json", compact(pointer))

    def pointer(self) -> dict[str, Any]:
        """What the pointer of the work folder says."""
        found: dict[str, Any] = json.loads((self.root / "corte.json").read_bytes())
        return found


def shown(destination: Destination) -> dict[str, Any] | None:
    """The pointer of a destination as a visitor reads it."""
    found = destination.get("corte.json")
    return None if found is None else json.loads(found.data)


def missing_of_the_shown_cut(destination: Destination) -> list[str]:
    """Everything the destination's own pointer leads to and a visitor would not find whole."""
    pointer = shown(destination)
    if pointer is None:
        return []
    lost = []
    number = pointer["corte"]

    def read(key: str) -> bytes:
        found = destination.get(key)
        if found is None:
            lost.append(key)
            return b""
        return found.data

    manifest = read(pointer["base"] + "manifiesto.json")
    if sha256(manifest).hexdigest() != pointer["manifiesto_sha256"]:
        return [*lost, "manifiesto.json"]
    for file in json.loads(manifest)["archivos"]:
        if sha256(read(pointer["base"] + file["ruta"])).hexdigest() != file["sha256"]:
            lost.append(file["ruta"])
    root = json.loads(read(pointer["base"] + "indice.json"))["contiendas"]["DIP_LOC"]["raiz"]
    for name in (root, pointer["portal"]):
        if sha256(read(object_key(name))).hexdigest() != name:
            lost.append(name)
    for key in (pointer["emision"], pointer["difusion"], f"hojas/ab/ab{number:062x}"):
        read(key)
    size = int(read("checkpoint").split(b"\n")[1])
    if size < pointer["bitacora"]["tamano"]:
        lost.append("checkpoint")
    read(f"tile/0/000.p/{size}")
    return lost
