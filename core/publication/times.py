"""Milliseconds of the epoch printed as local time, many at once.

Most times of a night share their minute, so the minute is formatted once. The clock itself is not
here: every instant is given.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

_MINUTE_MS = 60_000
_KEPT_MINUTES = 20_000


def local(at_ms: int, utc_offset_minutes: int) -> datetime:
    """The instant with its time zone, without fractions of a second."""
    zone = timezone(timedelta(minutes=utc_offset_minutes))
    return datetime.fromtimestamp(at_ms // 1000, tz=zone)


def utc_label(utc_offset_minutes: int) -> str:
    """The zone as the header of the files writes it.

    >>> utc_label(-360)
    '(UTC-6)'
    """
    hours, minutes = divmod(abs(utc_offset_minutes), 60)
    sign = "-" if utc_offset_minutes < 0 else "+"
    return f"(UTC{sign}{hours}:{minutes:02d})" if minutes else f"(UTC{sign}{hours})"


def iso(at_ms: int, utc_offset_minutes: int) -> str:
    """ISO 8601 with its zone.

    >>> iso(1_559_560_020_000, -300)
    '2019-06-03T06:07:00-05:00'
    """
    return local(at_ms, utc_offset_minutes).isoformat()


class Clock:
    """Formats instants with one strftime format and zone. `none` is the text of no time."""

    def __init__(
        self, time_format: str, utc_offset_minutes: int, *, none: str = "", suffix: str = ""
    ) -> None:
        self._offset_ms = utc_offset_minutes * _MINUTE_MS
        self._offset = utc_offset_minutes
        self._format = time_format
        self._none = none
        self._suffix = suffix
        self._parts: dict[int, tuple[str, str]] = {}

    def text(self, at_ms: int | None) -> str:
        """The local time of an instant, truncated to the second."""
        if at_ms is None:
            return self._none
        minute, rest = divmod(at_ms + self._offset_ms, _MINUTE_MS)
        parts = self._parts.get(minute)
        if parts is None:
            parts = self._minute(minute)
        return parts[0] + _SECONDS[rest // 1000] + parts[1] if parts[1] is not _WITHOUT else parts[0]

    def _minute(self, minute: int) -> tuple[str, str]:
        moment = local(minute * _MINUTE_MS - self._offset_ms, self._offset)
        before, mark, after = self._format.partition("%S")
        text = moment.strftime(before)
        tail = (moment.strftime(after) if after else "") + self._suffix
        parts = (text, tail) if mark else (text + tail, _WITHOUT)
        if len(self._parts) >= _KEPT_MINUTES:
            self._parts.clear()
        self._parts[minute] = parts
        return parts


_SECONDS = tuple(f"{second:02d}" for second in range(60))
_WITHOUT = "\0"
"""Marks a format without seconds."""
