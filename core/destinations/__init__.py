"""The places where a publication is shown, and what keeps each of them up with the work folder."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit

from core.destinations.directory import DirectoryDestination
from core.destinations.distributor import Distributor, Pace
from core.destinations.s3 import S3Destination, find_credentials, parse_address
from core.destinations.target import Destination, DestinationError
from core.errors import UsageError

__all__ = [
    "Destination",
    "DestinationError",
    "Distributor",
    "Pace",
    "open_destination",
    "open_destinations",
]


def open_destination(
    spec: str, name: str | None = None, *, environment: Mapping[str, str] | None = None
) -> Destination:
    """The destination of an address: a folder, `file:///folder` or `s3://bucket/prefix?endpoint=…`.

    `nombre=address` names it. Nothing is written, and no server asked, until something is published.
    Raises UsageError for an address that is none of these, or that carries credentials.
    """
    label, equals, rest = spec.partition("=")
    if equals and name is None and label and not set(label) & set("/:?.\\"):
        name, spec = label, rest
    if not spec:
        raise UsageError("falta el destino: una carpeta o s3://cubo/prefijo?endpoint=…")
    if spec.startswith("s3://"):
        address = parse_address(spec)
        return S3Destination(address, find_credentials(address, environment or os.environ), name)
    if spec.startswith("file://"):
        return DirectoryDestination(Path(unquote(urlsplit(spec).path)), name)
    if "://" in spec:
        raise UsageError(
            f"no se puede publicar en {spec.partition('://')[0]}://; se esperaba una carpeta o s3://"
        )
    return DirectoryDestination(Path(spec), name)


def open_destinations(
    work: Path, specs: Sequence[str], *, environment: Mapping[str, str] | None = None
) -> list[Destination]:
    """The destinations of what is published from `work`, each address as in `open_destination`.

    Raises UsageError, too, for two of one name and for a folder that is, contains or is inside `work`: in
    a public folder lies nothing but what is public, and the work folder has the database.
    """
    found = [open_destination(spec, environment=environment) for spec in specs]
    names = [destination.name for destination in found]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UsageError(f"hay dos destinos que se llaman «{twice[0]}»; póngales nombre: radio=…, web=…")
    private = Path(work).resolve()
    for destination in found:
        if not isinstance(destination, DirectoryDestination):
            continue
        public = destination.root.resolve()
        if public == private or private in public.parents or public in private.parents:
            raise UsageError(
                f"el destino «{destination.root}» y la carpeta de trabajo «{work}» no pueden ser la misma ni "
                "estar una dentro de la otra: la de trabajo tiene la base, que no es pública"
            )
    return found
