"""RFC 3161 timestamps of checkpoints: the request, and the check that an answer is of what was asked.

The signature of the authority is NOT checked here: that takes its certificate, and `openssl ts -verify`
does it (docs/verificar.md). It sends and writes nothing. Answers are read by hand because authorities
send their certificates in any order, which a strict reader of DER refuses.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256

from rfc3161_client import HashAlgorithm, TimestampRequestBuilder

from core.transparency.errors import TransparencyError

QUERY = "application/timestamp-query"
REPLY = "application/timestamp-reply"

_SHA256 = bytes.fromhex("608648016503040201")
_SIGNED_DATA = bytes.fromhex("2a864886f70d010702")
_TST_INFO = bytes.fromhex("2a864886f70d0109100104")
_INTEGER, _OCTETS, _OID, _TIME, _SEQUENCE, _EXPLICIT = 0x02, 0x04, 0x06, 0x18, 0x30, 0xA0
_GRANTED = (0, 1)


class StampError(TransparencyError):
    """An answer is not a timestamp of what was asked."""


@dataclass(frozen=True, slots=True)
class StampRequest:
    """A request as it travels, what it is of, and the number that ties the answer to it."""

    data: bytes
    digest: bytes
    nonce: int | None


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a timestamp says: the SHA-256 it is of, and when it existed (ms of UNIX)."""

    digest: bytes
    at_ms: int
    nonce: int | None


def request(data: bytes) -> StampRequest:
    """Ask for a timestamp of the SHA-256 of some bytes, with the certificate of who signs it."""
    made = (
        TimestampRequestBuilder()
        .data(data)
        .hash_algorithm(HashAlgorithm.SHA256)
        .nonce(nonce=True)
        .cert_request(cert_request=True)
        .build()
    )
    return StampRequest(made.as_bytes(), sha256(data).digest(), made.nonce)


def read(reply: bytes) -> Stamp:
    """Read an answer. Raises StampError when it is not one, or it was not granted."""
    try:
        status, *token = _sequence(_only(reply))
        granted = int.from_bytes(_take(_sequence(status), _INTEGER), "big", signed=True)
        if granted not in _GRANTED:
            raise StampError(f"la autoridad no dio el sello (estado {granted})")
        return _info(_signed_content(token[0]))
    except (ValueError, IndexError, OverflowError):
        raise StampError("la autoridad contesta algo que no es un sello") from None


def check(reply: bytes, asked: StampRequest) -> Stamp:
    """Read the answer to a request. Raises StampError when it is of something else."""
    stamp = read(reply)
    if stamp.digest != asked.digest:
        raise StampError("el sello es de otra cosa: su huella no es la que se pidió")
    if stamp.nonce != asked.nonce:
        raise StampError("el sello es de otra petición")
    return stamp


_Item = tuple[int, bytes]
"""An element of DER: its tag and its contents."""


def _signed_content(token: _Item) -> bytes:
    """The TSTInfo inside a CMS SignedData."""
    kind, explicit = _sequence(token)
    if kind != (_OID, _SIGNED_DATA):
        raise ValueError
    content = _sequence(_only(_contents(explicit, _EXPLICIT)))[2]
    kind, explicit = _sequence(content)
    if kind != (_OID, _TST_INFO):
        raise ValueError
    return _contents(_only(_contents(explicit, _EXPLICIT)), _OCTETS)


def _info(data: bytes) -> Stamp:
    _version, _policy, imprint, _serial, moment, *rest = _sequence(_only(data))
    algorithm, digest = _sequence(imprint)
    if _sequence(algorithm)[0] != (_OID, _SHA256):
        raise StampError("el sello no es de un SHA-256")
    nonce = next((int.from_bytes(one, "big", signed=True) for tag, one in rest if tag == _INTEGER), None)
    return Stamp(_contents(digest, _OCTETS), _milliseconds(_contents(moment, _TIME).decode("ascii")), nonce)


def _milliseconds(text: str) -> int:
    whole, _, fraction = text.removesuffix("Z").partition(".")
    at = datetime.strptime(whole, "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    return round(at.timestamp()) * 1000 + int((fraction + "000")[:3])


def _items(data: bytes) -> list[_Item]:
    found, at = [], 0
    while at < len(data):
        tag, size, at = data[at], data[at + 1], at + 2
        if size & 0x80:
            digits = size & 0x7F
            if not 1 <= digits <= 4:
                raise ValueError
            size, at = int.from_bytes(data[at : at + digits], "big"), at + digits
        if at + size > len(data):
            raise ValueError
        found.append((tag, data[at : at + size]))
        at += size
    return found


def _only(data: bytes) -> _Item:
    (item,) = _items(data)
    return item


def _contents(item: _Item, tag: int) -> bytes:
    if item[0] != tag:
        raise ValueError
    return item[1]


def _sequence(item: _Item) -> list[_Item]:
    return _items(_contents(item, _SEQUENCE))


def _take(items: list[_Item], tag: int) -> bytes:
    return _contents(items[0], tag)
