"""The form by which anybody enters the control room: what it asks for and what it is sent.

For whoever enters without a browser. It asks nobody.
"""

from __future__ import annotations

import re
from urllib.parse import urlencode

ENTER = "/entrar"
SENT_AS = {"Content-Type": "application/x-www-form-urlencoded"}
_TOKEN = re.compile(r'name="csrf" value="([^"]+)"')


def token_of(page: bytes) -> str | None:
    """The token of a form that was served; None when what was served is not the form."""
    found = _TOKEN.search(page.decode("utf-8", "replace"))
    return found[1] if found else None


def filled(token: str, user: str, password: str) -> str:
    """The form as it is sent, to go on to the first page."""
    return urlencode({"csrf": token, "siguiente": "/", "usuario": user, "contrasena": password})
