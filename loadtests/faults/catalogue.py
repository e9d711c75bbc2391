"""Every fault there is, in the order they are injected."""

from __future__ import annotations

from loadtests.faults.cases.database import FileLocked, FileMoved, ServerKilled
from loadtests.faults.cases.disk import DiskFull
from loadtests.faults.cases.hour import ClockStepped
from loadtests.faults.cases.images import ImageDamaged
from loadtests.faults.cases.keys import CertificateMissing, KeyMissing
from loadtests.faults.cases.orders import OrdersAgain, OrdersWrong
from loadtests.faults.cases.publisher import CutterKilled, ServiceKilled
from loadtests.faults.cases.room import WebKilled, WriterFrozen
from loadtests.faults.cases.storage import S3Gone, S3Hung, S3Slow
from loadtests.faults.cases.writer import WriterKilled
from loadtests.faults.model import Fault

CATALOGUE: tuple[type[Fault], ...] = (
    CutterKilled,
    ServiceKilled,
    ClockStepped,
    S3Slow,
    S3Gone,
    S3Hung,
    ImageDamaged,
    DiskFull,
    OrdersAgain,
    OrdersWrong,
    KeyMissing,
    CertificateMissing,
    WriterFrozen,
    WebKilled,
    WriterKilled,
    FileLocked,
    FileMoved,
    ServerKilled,
)
"""Those that move the night on a lot go last: the others need actas still to come."""

BY_KEY: dict[str, type[Fault]] = {fault.key: fault for fault in CATALOGUE}
