"""The places where a publication is shown, and what keeps each of them up with the work folder."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit

from core.destinations.directory import DirectoryDestination
from core.destinations.distributor import Distributor, Pace
from core.destinations.s3 import S3Destination, find_credentials, parse_address
from core.destinations.target import Destination, DestinationError
from core.errors import UsageError

__all__ = ["Destination", "DestinationError", "Distributor", "Pace", "open_destination"]


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
