"""One bounded HTTP request to somebody who may be slow, dead or hostile."""

from __future__ import annotations

import http.client
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from core.witness.errors import SilentError

MAX_ANSWER = 1 << 20
_BLOCK = 16 << 10


@dataclass(frozen=True, slots=True)
class Reply:
    """What was answered: the status code, the type without its parameters, and the body."""

    status: int
    kind: str
    body: bytes

    @property
    def text(self) -> str:
        """The beginning of the body for people, in one line."""
        return " ".join(self.body[:300].decode("utf-8", "replace").split())


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


_OPENER = urllib.request.build_opener(_NoRedirect)


def post(url: str, body: bytes, kind: str, timeout_s: float, *, limit: int = MAX_ANSWER) -> Reply:
    """POST and read the answer, whatever its code; redirections are not followed.

    `timeout_s` bounds each wait, and the whole answer too. Raises SilentError.
    """
    request = urllib.request.Request(
        url, body, {"Content-Type": kind, "User-Agent": "prep", "Connection": "close"}, method="POST"
    )
    return _send(request, timeout_s, limit)


def _send(request: urllib.request.Request, timeout_s: float, limit: int) -> Reply:
    url, until = request.full_url, time.monotonic() + timeout_s
    try:
        with _open(request, timeout_s) as answer:
            data = b""
            while block := answer.read1(_BLOCK):
                data += block
                if len(data) > limit:
                    raise SilentError(f"{url} contesta más de {limit} bytes")
                if time.monotonic() > until:
                    raise SilentError(f"{url} no terminó de contestar en {timeout_s:g} s")
            kind = (answer.headers.get("Content-Type") or "").partition(";")[0].strip().lower()
            return Reply(answer.status, kind, data)
    except TimeoutError:
        raise SilentError(f"{url} no contestó en {timeout_s:g} s") from None
    except urllib.error.URLError as error:
        raise SilentError(f"{url} no contesta: {error.reason}") from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise SilentError(f"{url} no contesta: {str(error) or type(error).__name__}") from None


def getter(base: str, timeout_s: float, *, limit: int = MAX_ANSWER) -> Callable[[str], bytes]:
    """Reads the files of a publication by their public names; FileNotFoundError for one that is not there.

    Raises SilentError.
    """

    def get(name: str) -> bytes:
        url = f"{base.rstrip('/')}/{name}"
        reply = _send(urllib.request.Request(url, headers={"User-Agent": "prep"}), timeout_s, limit)
        if reply.status in (403, 404, 410):
            raise FileNotFoundError(url)
        if reply.status != 200:
            raise SilentError(f"{url} contesta {reply.status}")
        return reply.body

    return get


def _open(request: urllib.request.Request, timeout_s: float) -> Any:
    try:
        return _OPENER.open(request, timeout=timeout_s)
    except urllib.error.HTTPError as error:
        # An answer too: the protocol speaks with its codes.
        return error
