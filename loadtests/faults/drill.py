"""The rehearsal: the night, its publisher, its room and their servers, each a process of its own.

It starts them, moves the night on, asks each what it says of itself and starts again what was killed. What
is measured happens at the pace of the machine: between faults the night is moved on, and during a fault it
runs as time does (or faster where the fault needs traffic). What is broken is in the faults.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from core.errors import PrepError
from loadtests.faults import edge
from loadtests.faults.bucket import Bucket
from loadtests.faults.clock import VARIABLE as CLOCK
from loadtests.faults.clock import RehearsalClock
from loadtests.faults.cutter import VARIABLE as TRAP
from loadtests.faults.night import EVERY_MIN, HOURS, write_night
from loadtests.faults.postgres import Postgres
from loadtests.faults.processes import (
    START_S,
    Program,
    RehearsalError,
    children,
    command_of,
    last_line,
    read_json,
    wait_until,
)
from loadtests.faults.servers import ACCESS_KEY, S3, SECRET_KEY
from loadtests.faults.setup import make_key, probe, publisher_config, room_config
from loadtests.faults.size import Size
from loadtests.faults.small_disk import SmallDisk
from loadtests.processes import PREP, free_port
from simulator.live.control import CONTROL, ControlClient

SEED = 7
FORWARD, SLOWEST = 3_000.0, 20.0
"""Virtual seconds per second while the night is moved on: far from the hour, and just before it."""
LOOKS_LEFT, LEAST_LEFT_S, LOOKS_FORGET = 4.0, 0.06, 0.95
"""What is left would take so many looks at the speed chosen, or these seconds. How long a look takes is the
longest of late, a little forgotten at each: a busy machine stalls now and then, and longer the more it has
to do."""
CROWDED = 2.0
"""Processes that want each core from which what is left takes longer."""
ROUGH = 500
"""Milliseconds to the next slot, for each virtual second per second that it may be passed at."""
MINUTE_MS = 60_000
EVERY_MS = EVERY_MIN * MINUTE_MS


class Drill:
    """One rehearsal in a new folder. A context manager: whatever was started is ended."""

    def __init__(self, folder: Path, size: Size, *, postgres: Postgres | None, s3: S3 | None) -> None:
        self.folder = folder
        self.size = size
        self.postgres = postgres
        self._s3 = s3
        self.run = folder / "corrida"
        """Of the night and the publisher."""
        self.public = folder / "destino"
        self.room_folder = folder / "sala"
        self.key = folder / "llave.pem"
        self.trap = folder / "trampa.json"
        self.logs = folder / "registros"
        self.clock = RehearsalClock(folder / "reloj.json")
        self.base = postgres.url() if postgres is not None else str(self.run / "prep.db")
        self.bucket: Bucket | None = None
        self.night: Program | None = None
        self.publisher: Program | None = None
        self.room: Program | None = None
        self._reference: Program | None = None
        self._started: list[Program] = []
        self.room_port = 0
        self.scenario = folder / "noche" / "fallas.toml"
        self.small_disk: SmallDisk | None = None
        self.night_runs = 0
        self.jumped: list[int] = []
        """Slots it went past with no time for their cut, ms UTC: a machine with too much to do."""
        self._look_s = 0.0

    # -- start and end -------------------------------------------------------------------------

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _start(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        if self._s3 is not None:
            self._s3.launch()
            self.bucket = Bucket(self._s3)
        if self.size.disk_mib:
            self.small_disk = SmallDisk.mounted(self.run, self.size.disk_mib)
        write_night(self.folder / "noche", self.size.secciones)
        self.start_night()
        make_key(self.base, self.key)
        if "sala" in self.size.parts:
            self._start_room()
        if self._s3 is not None:
            self._s3.wait()
        self.start_publisher(wait=False)
        self.wait_published(1)
        # Nobody waits for it until the end.
        self._reference = self.launch("referencia", [*PREP, *self.night_arguments(self._calm)], {})

    def close(self) -> None:
        """End everything."""
        for program in reversed(self._started):
            program.kill()
        if self.bucket is not None:
            self.bucket.close()
        if self.small_disk is not None:
            self.small_disk.close()

    def stand_up(self) -> None:
        """Start again whoever is down, after a fault that could not be carried through, and see a cut out."""
        if self.night is None or self.publisher is None:
            return
        if not self.night.alive:
            self.start_night(again=True)
        if not self.publisher.alive:
            self.start_publisher()
        self.cut()

    def launch(self, name: str, arguments: Sequence[str | Path], environment: Mapping[str, str]) -> Program:
        """Start a program of the rehearsal; it is ended with it, whatever happens."""
        program = Program(self.logs / f"{name}.log", arguments, environment)
        self._started.append(program)
        return program

    # -- the night -----------------------------------------------------------------------------

    def night_arguments(self, folder: Path) -> list[str | Path]:
        """The command line of the night, without its pace."""
        images = ["--imagenes", str(self.size.images)] if "imagenes" in self.size.parts else []
        return [
            *("simular", self.scenario, "--salida", folder, "--semilla", str(SEED)),
            *("--sin-cortes", *images),
        ]

    def start_night(self, *, again: bool = False) -> None:
        """Start it live, or go on with one that was killed."""
        self.run.mkdir(parents=True, exist_ok=True)
        (self.run / CONTROL).unlink(missing_ok=True)
        arguments = self.night_arguments(self.run)
        if self.postgres is not None:
            arguments += ["--base", self.base]
        self.night_runs += 1
        self.night = self.launch(
            f"noche-{self.night_runs}",
            [*PREP, *arguments, "--velocidad", "1", *(["--continuar"] if again else [])],
            {},
        )
        self.night.wait_for("la noche atiende órdenes", lambda: self._night_ms() is not None)
        self.follow()

    def pace(self, speed: float) -> None:
        """Virtual seconds per second."""
        ControlClient(self.run).set_speed(speed)
        self.follow()

    def follow(self) -> None:
        """The clock of the publisher goes by that of the night, never back."""
        now = self._night_ms()
        if now is not None:
            with contextlib.suppress(OSError):
                now = max(now, self.clock.right_ms())
            self.clock.set(now)

    def forward(self, until_ms: int) -> None:
        """Move everything on to an hour of the night (ms UTC)."""
        client, looked = ControlClient(self.run), time.monotonic()
        patience = looked + START_S
        # An hour that is not a slot may be gone past by a little.
        slowest = max(SLOWEST, -until_ms % EVERY_MS / ROUGH)
        least_s = LEAST_LEFT_S * max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1) / CROWDED)
        # When it ended, or a fault has it down, the hour goes on without it.
        with contextlib.suppress(PrepError):
            # Slower as it comes near: a night that went past the hour would have its cut late at once.
            while (left_s := (until_ms - (self._night_ms() or until_ms)) / 1000) > 0:
                if time.monotonic() > patience:
                    raise RehearsalError("La noche no avanza.")
                before, looked = looked, time.monotonic()
                self._look_s = max(looked - before, LOOKS_FORGET * self._look_s)
                due_s = max(least_s, LOOKS_LEFT * self._look_s)
                client.set_speed(min(FORWARD, max(slowest, left_s / due_s)))
                time.sleep(0.005)
            client.set_speed(1.0)
        self.clock.set(max(until_ms, self._night_ms() or 0))

    def _night_state(self) -> dict[str, Any]:
        if self.night is None or not self.night.alive or not (self.run / CONTROL).is_file():
            return {}
        try:
            return ControlClient(self.run).state()
        except (PrepError, OSError):
            return {}

    def _night_ms(self) -> int | None:
        found = self._night_state().get("utc_ms")
        return None if found is None else int(found)

    def writer_pid(self) -> int:
        """The process of the night that writes to the database."""
        assert self.night is not None
        for pid in children(self.night.process.pid):
            if "simulator.live.office" in command_of(pid):
                return pid
        raise RehearsalError("La noche no tiene proceso que escriba en la base.")

    # -- the publisher -------------------------------------------------------------------------

    def publisher_arguments(self) -> list[str | Path]:
        """The command line of the publisher."""
        arguments: list[str | Path] = [
            *("publicar", "--base", self.base, "--trabajo", self.run, "--llave", self.key),
            *("--cada", str(EVERY_MIN), "--destino", self.public),
        ]
        if "imagenes" in self.size.parts:
            arguments += ["--imagenes", self.run, "--config", publisher_config(self.folder)]
        if self.bucket is not None:
            arguments += ["--destino", self.bucket.address]
        return arguments

    def start_publisher(self, *, wait: bool = True) -> None:
        """Start it; with `wait`, until it says what it does."""
        before = self.publisher_state().get("boot_id")
        environment = {
            CLOCK: str(self.folder / "reloj.json"),
            TRAP: str(self.trap),
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        }
        if self.size.tick_s is not None:
            environment[edge.TICK] = str(self.size.tick_s)
        self.publisher = self.launch(
            "publicador", ["-m", "loadtests.faults.edge", *self.publisher_arguments()], environment
        )
        if wait:
            self.publisher.wait_for(
                "el publicador trabaja",
                lambda: self.publisher_state().get("boot_id") not in (None, before),
            )

    def publisher_state(self) -> dict[str, Any]:
        """`publicador.json`, as it is now."""
        return read_json(self.run / "publicador.json")

    def publisher_log(self) -> list[dict[str, Any]]:
        """The lines of `publicador.jsonl`."""
        found: list[dict[str, Any]] = []
        with contextlib.suppress(OSError):
            for line in (self.run / "publicador.jsonl").read_text(encoding="utf-8").splitlines():
                with contextlib.suppress(ValueError):
                    found.append(json.loads(line))
        return found

    def cut_number(self) -> int:
        """The last cut of the work folder."""
        return int(read_json(self.run / "corte.json").get("corte", 0))

    def public_cut(self) -> int:
        """The cut the public sees."""
        return int(read_json(self.public / "corte.json").get("corte", 0))

    def next_slot(self) -> int:
        """The first slot after the present hour, ms UTC."""
        return (self.clock.right_ms() // EVERY_MS + 1) * EVERY_MS

    def last_slot(self) -> int:
        """The slot the present hour is in, ms UTC."""
        return self.clock.right_ms() // EVERY_MS * EVERY_MS

    def have_time(self, ms: int) -> None:
        """No slot comes in so long: the one that would is cut first."""
        if self.next_slot() - self.clock.right_ms() < ms:
            self.cut()

    def come_slot(self) -> int:
        """Move on to the next slot: a cut is due. Returns the number it will have."""
        number, slot = self.cut_number() + 1, self.next_slot()
        self.forward(slot)
        self.jumped += range(slot, self.last_slot(), EVERY_MS)
        return number

    def wait_published(self, number: int, seconds: float = 90.0) -> None:
        """Until the public has that cut and the publisher has nothing left to say against it."""
        wait_until(f"sale el corte {number}", lambda: self.public_cut() >= number, seconds)
        wait_until(
            "el publicador queda en espera",
            lambda: self.publisher_state().get("estado") in ("esperando", "cerrada"),
            seconds,
        )

    def cut(self) -> int:
        """Have the next cut out, whole; its number."""
        number = self.come_slot()
        self.wait_published(number)
        return number

    # -- the room ------------------------------------------------------------------------------

    def _start_room(self) -> None:
        self.room_port = free_port()
        config = room_config(self.folder, tick_s=self.size.room_tick_s, stale_s=self.size.room_stale_s)
        self.room = self.launch(
            "sala",
            [
                *(*PREP, "sala", "--base", self.base, "--sala", self.room_folder, "--config", config),
                *("--puerto", str(self.room_port), "--corrida", self.run, "--publico", self.public),
            ],
            {},
        )

    def wait_room(self) -> None:
        """Until the room is well, where there is one: it takes longer to be there than the publisher."""
        if self.room is not None:
            self.room.wait_for("la sala atiende", lambda: self.health().get("ok"))

    def health(self) -> dict[str, Any]:
        """What the room says to probes; `{"ok": false, "motivo"}` also when nobody answers."""
        return probe(self.room_port)

    def snapshot(self) -> dict[str, Any]:
        """The last snapshot of the room."""
        return read_json(self.room_folder / "sala.json")

    def alert(self, *rules: str) -> str | None:
        """The first active alert of the room of some rules, in words."""
        for one in self.snapshot().get("alertas", ()):
            if one["regla"] in rules:
                return f"alerta {one['regla']} «{one['titulo']}» (P{one['prioridad']})"
        return None

    def room_agrees(self, within_ms: int) -> bool:
        """Whether the hour of the room is that of the night."""
        there = self.snapshot().get("reloj", {}).get("ahora_ms")
        return there is not None and abs(int(there) - self.clock.right_ms()) < within_ms

    def snapshot_writer_pid(self) -> int:
        """The process that writes the snapshots."""
        return int(read_json(self.room_folder / "escritor.json")["pid"])

    def web_pid(self) -> int:
        """The process that answers the browsers."""
        assert self.room is not None
        for pid in children(self.room.process.pid):
            if "spawn_main" in command_of(pid):
                return pid
        raise RehearsalError("La sala no tiene proceso web.")

    # -- the end -------------------------------------------------------------------------------

    def finish(self) -> tuple[int, int]:
        """Let the night end and the last cut go out; the exit codes of night and publisher."""
        assert self.night is not None and self.publisher is not None
        with contextlib.suppress(PrepError):
            ControlClient(self.run).set_speed(100_000.0)
        night = self.night.end(120)
        end_ms = self.end_ms
        self.clock.set(max(end_ms, self.clock.right_ms()))
        return night, self.publisher.end(120)

    @property
    def end_ms(self) -> int:
        """When the operation ends, ms UTC."""
        from simulator.scenario.file import load_scenario

        calendar = load_scenario(self.scenario).scenario.calendar
        assert calendar.length_ms == HOURS * 60 * MINUTE_MS
        return int(calendar.start_ms + calendar.length_ms)

    def reference(self) -> Path:
        """The same night in virtual time with nothing broken: its folder."""
        assert self._reference is not None
        if self._reference.end(300) != 0:
            raise RehearsalError(
                f"La noche de referencia no terminó bien: {last_line(self._reference.said())}"
            )
        return self._calm

    @property
    def _calm(self) -> Path:
        return self.folder / "referencia"
