"""Writes the portal into a publication: pages at the root, immutable assets named by their content.

A page names its scripts and styles by their file in `assets`; here each becomes `sitio/<hash>.<ext>`,
so a browser keeps them for ever and a change has another address. `portal.js` is the files of
`assets/js` one after the other. Idempotent and deterministic: a file that is as it should be is not
touched. It knows nothing of cuts: pages find theirs in `corte.json`.
"""

from __future__ import annotations

import html
import json
import re
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit

from core.errors import UsageError
from core.whole_file import write_whole

ASSETS = Path(__file__).parent / "assets"
SITE = "sitio"
MODES = ("oficial", "simulacro")
BUNDLE = "portal.js"

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'self'"
)
"""What a page may load: this site and nothing else. `frame-ancestors` only works as a header."""

_REFERENCE = re.compile(r'\b(src|href)="([A-Za-z0-9_.-]+\.(?:js|css|svg|png|webp|json))"')
_PUBLISHED = frozenset({"corte.json", "llaves.json"})
"""Names a page may link that are files of the publication, not assets."""
_SLOT = re.compile(r"\{\{([a-z]+)\}\}")
_WORD = "SIMULACRO"


@dataclass(frozen=True, slots=True)
class SiteOptions:
    """What a publication says on its pages, and how often they ask.

    `difusores` are pairs (name, address). `contact` is an e-mail or an https address. `poll_ms` is the
    time between two questions for `corte.json` (± 20 %) and `wait_ms` the longest wait before loading
    a cut that appeared. Raises UsageError for an address that is not one.
    """

    difusores: tuple[tuple[str, str], ...] = ()
    contact: str = ""
    poll_ms: int = 30_000
    wait_ms: int = 30_000

    def __post_init__(self) -> None:
        for name, address in self.difusores:
            if urlsplit(address).scheme not in ("http", "https"):
                raise UsageError(f"La dirección del difusor «{name}» no es http ni https: {address}")
        if self.contact and not re.fullmatch(r"https://\S+|[^\s@]+@[^\s@]+", self.contact):
            raise UsageError(f"El contacto del portal no es un correo ni una dirección https: {self.contact}")
        if self.poll_ms < 100 or self.wait_ms < 0:
            raise UsageError("El portal pregunta cada 100 ms o más, y su espera no puede ser negativa.")


def build_site(
    work: Path,
    *,
    mode: str,
    title: str = "PREP",
    place: str = "",
    election: str = "",
    options: SiteOptions | None = None,
) -> list[str]:
    """Write pages and assets into `work`; returns their public names, assets first.

    `title` heads every page; with `place` («Jalisco») it becomes «PREP Jalisco». What an earlier version
    left is not removed: a page somebody has open may still ask for it. Raises UsageError for a mode
    that does not exist.
    """
    if mode not in MODES:
        raise UsageError(f"El modo del portal es oficial o simulacro; se pidió «{mode}».")
    settings = options or SiteOptions()
    work = Path(work)
    keys: list[str] = []
    assets = {name: _asset(work, name, data, keys) for name, data in sorted(_assets().items())}
    listing = json.dumps(
        {"difusores": [list(pair) for pair in settings.difusores]}, ensure_ascii=False, separators=(",", ":")
    )
    difusores = _asset(work, "difusores.json", listing.encode(), keys)
    name = f"{title} {_spoken(place)}".strip()
    slots = {
        "modo": mode,
        "titulo": html.escape(name),
        "simulacro": f"{_WORD} · " if mode == "simulacro" else "",
        "entidad": html.escape(" · ".join(part for part in (name, election) if part)),
        "csp": CSP,
        "marca": _watermark(),
        "ajustes": "\n".join(
            f'<meta name="prep-{key}" content="{value}">'
            for key, value in (
                ("sondeo", settings.poll_ms), ("espera", settings.wait_ms), ("difusores", difusores),
            )
        ),
        "contacto": _contact(settings.contact),
    }  # fmt: skip
    for page in sorted(ASSETS.glob("*.html")):
        text = _filled(page.read_text(encoding="utf-8"), slots, assets, page.name)
        _write(work / page.name, text.encode())
        keys.append(page.name)
    for script in _tools():
        _write(work / script.name, script.read_bytes())
        keys.append(script.name)
    return list(dict.fromkeys(keys))


def asset_name(name: str, data: bytes) -> str:
    """Public name of an asset: the first 16 hexadecimal digits of its SHA-256."""
    return f"{SITE}/{sha256(data).hexdigest()[:16]}{Path(name).suffix}"


@cache
def _assets() -> dict[str, bytes]:
    """Every asset a page may name, and the bundle of the portal's scripts."""
    found = {
        path.name: path.read_bytes()
        for path in ASSETS.iterdir()
        if path.is_file() and path.suffix not in (".html", ".py")
    }
    found[BUNDLE] = b"".join(path.read_bytes() for path in sorted((ASSETS / "js").glob("*.js")))
    return found


def _tools() -> list[Path]:
    """Single-file programs published at the root, when they are there."""
    package = Path(__file__).parent
    places = (package.parent / "verification" / "verificar.py", package / "assets_py" / "difusor.py")
    return [path for path in places if path.is_file()]


def _asset(work: Path, name: str, data: bytes, keys: list[str]) -> str:
    key = asset_name(name, data)
    _write(work / key, data)
    keys.append(key)
    return key


def _filled(text: str, slots: dict[str, str], assets: dict[str, str], page: str) -> str:
    def reference(match: re.Match[str]) -> str:
        attribute, name = match.groups()
        if name in _PUBLISHED:
            return match.group(0)
        if name not in assets:
            raise UsageError(f"La página {page} nombra {name}, que no está entre los archivos del portal.")
        return f'{attribute}="{assets[name]}"'

    # Names first: what a slot brings is text of the publication, and nothing in it is a reference.
    return _SLOT.sub(lambda match: slots[match.group(1)], _REFERENCE.sub(reference, text))


def _spoken(place: str) -> str:
    """A place as it is said: catalogues write it in capitals.

    >>> _spoken("CIUDAD DE MÉXICO"), _spoken("Jalisco")
    ('Ciudad de México', 'Jalisco')
    """
    if not place.isupper():
        return place
    words = place.lower().split()
    return " ".join(word if word in ("de", "del", "la", "el", "y") else word.capitalize() for word in words)


def _contact(contact: str) -> str:
    if not contact:
        return ""
    address = contact if contact.startswith("https://") else f"mailto:{contact}"
    return f'<li><a href="{html.escape(address)}">Contacto</a></li>'


def _watermark() -> str:
    """Seen only when the page is in the mode of a rehearsal, which a rehearsal's `corte.json` also sets."""
    return (
        f'<p class="simulacro">{_WORD}: datos ficticios, no son resultados de ninguna elección</p>\n'
        '<svg class="marca" aria-hidden="true" focusable="false"><defs><pattern id="marca" width="340" '
        'height="190" patternUnits="userSpaceOnUse" patternTransform="rotate(-24)">'
        f'<text x="10" y="90">{_WORD}</text></pattern></defs>'
        '<rect width="100%" height="100%" fill="url(#marca)"/></svg>'
    )


def _write(path: Path, data: bytes) -> None:
    """Put the bytes in their place in one step, unless they are there already."""
    with suppress(OSError):
        if path.read_bytes() == data:
            return
    write_whole(path, data, durable=False)
