"""What a person asks of a forecast: the moment and the what-ifs, in words of the command line.

It turns words into `WhatIf` and moments; what they do to the night is `night`.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

from core.errors import UsageError
from simulator.forecast.night import WhatIf
from simulator.forecast.state import NightState

FORMS = (
    "«enlace catd-012 22:00», «enlace distrito-7 22:00», «capturistas +20 21:30» o «capturistas 150 23:00»"
)
_LINK = re.compile(r"enlace\s+(catd|distrito)-?(\d{1,6})\s+(\d{1,2}):(\d{2})")
_PEOPLE = re.compile(r"capturistas\s+([+-]?)(\d{1,5})\s+(\d{1,2}):(\d{2})")


def parse_moment(text: str, offset_minutes: int) -> int:
    """`--ahora`: an ISO date and time; without a zone it is the time of the entity. ms UTC."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(
            f"--ahora «{text}»: se esperaba una fecha y hora como 2021-06-06T22:30, con o sin diferencia UTC"
        ) from error
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone(timedelta(minutes=offset_minutes)))
    return round(moment.timestamp()) * 1000


def parse_what_if(text: str, state: NightState) -> WhatIf:
    """One `--si`. Raises UsageError when it is not one of the forms, or names a place or an hour the night
    does not have."""
    words = " ".join(text.lower().split())
    if found := _LINK.fullmatch(words):
        kind, number = found[1], int(found[2])
        catds = state.catalog.catds
        if kind == "catd":
            chosen = tuple(catd.id for catd in catds if catd.id == number)
        else:
            chosen = tuple(catd.id for catd in catds if catd.distrito == number)
        if not chosen:
            what = "el CATD" if kind == "catd" else "ningún CATD del distrito"
            raise UsageError(f"--si «{text}»: el catálogo no tiene {what} {number}")
        return WhatIf(words, _moment(text, found[3], found[4], state), catds=chosen)
    if found := _PEOPLE.fullmatch(words):
        people = int(found[2]) * (-1 if found[1] == "-" else 1)
        at = _moment(text, found[3], found[4], state)
        return WhatIf(words, at, people=people, relative=bool(found[1]))
    raise UsageError(f"--si «{text}»: se esperaba {FORMS}")


def _moment(text: str, hour: str, minute: str, state: NightState) -> int:
    """The next time the clock of the entity shows that hour."""
    if int(hour) > 23 or int(minute) > 59:
        raise UsageError(f"--si «{text}»: {hour}:{minute} no es una hora")
    now = datetime.fromtimestamp(state.now_ms / 1000, state.zone)
    then = now.replace(hour=int(hour), minute=int(minute), second=0, microsecond=0)
    if then < now.replace(second=0, microsecond=0):
        then += timedelta(days=1)
    at = max(state.now_ms, round(then.timestamp()) * 1000)
    if at >= state.ends_ms:
        end = datetime.fromtimestamp(state.ends_ms / 1000, state.zone)
        raise UsageError(
            f"--si «{text}»: esa hora ya pasó o es posterior al cierre "
            f"(son las {now:%H:%M} y cierra a las {end:%H:%M} del {end:%d/%m})"
        )
    return at
