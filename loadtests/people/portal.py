"""Those who look at the portal: citizens, difusores and newspapers.

Each does what the page does (core/portal/assets/js, docs/portal.md): polls the pointer with its tag and some
jitter, waits a random while before loading a new cut, and goes down by the names of the objects. All that
comes is checked by `loadtests.judging.content`.
"""

from __future__ import annotations

import json
import os
import time
from collections import OrderedDict
from pathlib import Path
from typing import Any

import gevent  # type: ignore[import-untyped]
from locust import task

from loadtests.bounded import FILE_BYTES, MOST_BYTES, SMALL_BYTES
from loadtests.judging.content import (
    PointerReader,
    check_asset,
    check_checkpoint,
    check_digest,
    check_index,
    check_package,
    check_page,
    check_portal,
    check_root,
    check_section,
    check_shared,
    check_territory,
    files_of,
    json_object,
)
from loadtests.judging.kinds import (
    ASSETS,
    CATALOG,
    CHECKPOINT,
    DATABASE,
    IMAGE,
    INDEX,
    LINKED,
    MANIFEST,
    PACKAGE,
    PAGE,
    POINTER,
    PORTAL_OBJECT,
    ROOT,
    SECTION,
    TERRITORY,
    VIEW,
)
from loadtests.judging.tally import Reader
from loadtests.people.base import SCENE, Person, away, now
from loadtests.profile import longest_poll_s

ORIGIN = "https://diario.example"
COME_S = 1.0
"""Locust lets in all those of a second at once; people come at any moment of it."""
_KEPT = 2_000
_parsed: OrderedDict[str, dict[str, Any]] = OrderedDict()
"""Objects that were read, by name: everybody downloads and checks them, they are parsed once."""


class Reading(Person):
    """Somebody who follows the cuts."""

    abstract = True
    followed: Reader | None = None
    """None too until it has come: it may be told to leave before that."""

    def on_start(self) -> None:
        """Come."""
        gevent.sleep(self.random.random() * COME_S)
        self.pointers = PointerReader(SCENE.expected, self.fault)
        self.followed = self.tally.reader(now(), longest_poll_s(self.settings))
        self.due = time.monotonic()
        self.portal: dict[str, Any] | None = None
        self.mine: set[str] = set()

    def on_stop(self) -> None:
        """Leave."""
        if self.followed is not None and self.followed.until is None:
            self.followed.until = now()

    def turn(self) -> float:
        """Wait for the hour of the next question, and set the one after it; how late it is, in ms.

        It is late when the question before had not been answered by then. The hours do not wait for the
        server: one that stops for half a minute owes every question of that half minute.
        """
        due = self.due
        self.due += self.jitter(self.settings["sondeo_s"], self.settings["variacion_pct"])
        left = due - time.monotonic()
        if left <= 0:
            return -1000 * left
        self.think(left)
        return 0.0

    def poll(self, late_ms: float = 0.0, origin: str = "") -> dict[str, Any] | None:
        """Ask for the pointer; the pointer when it is of a new cut."""
        headers = self.pointers.ask_headers() | ({"Origin": origin} if origin else {})
        reply = self.ask(
            f"/{POINTER}", POINTER, headers, accept=(200, 304), late_ms=late_ms, most=SMALL_BYTES
        )
        if reply is None:
            return None
        if origin:
            check_shared(POINTER, reply, origin, self.fault)
        self.tally.counts["apuntadores"] += 1
        pointer = self.pointers.take(reply)
        if pointer is not None and self.followed is not None:
            self.followed.seen.append((pointer["corte"], now()))
        return pointer

    def obj(self, sha256: str, name: str) -> dict[str, Any] | None:
        """An object by its name, asked for once by each browser, its bytes checked."""
        if sha256 in self.mine and sha256 in _parsed:
            return _parsed[sha256]
        reply = self.ask(f"/objetos/{sha256[:2]}/{sha256}.json", name)
        if reply is None:
            return None
        self.tally.counts["objetos"] += 1
        if not check_digest(f"objeto {sha256[:12]}…", reply.body, sha256, self.fault):
            return None
        found = _parsed.get(sha256) or json_object(f"objeto {sha256[:12]}…", reply, self.fault)
        if found is not None:
            self.mine.add(sha256)
            _parsed[sha256] = found
            _parsed.move_to_end(sha256)
            while len(_parsed) > _KEPT:
                _parsed.popitem(last=False)
        return found

    def load(self, pointer: dict[str, Any]) -> bool:
        """Load what the page shows first of a cut."""
        portal = self.obj(pointer["portal"], PORTAL_OBJECT)
        if portal is None:
            return False
        check_portal(pointer, portal, self.fault)
        if self.obj(portal["catalogo"], CATALOG) is None:
            return False
        self.portal = portal
        if self.followed is not None:
            self.followed.shown.append((pointer["corte"], now()))
        return True

    def file(self, pointer: dict[str, Any], name: str, sha256: str, label: str) -> bytes | None:
        """A file of the folder of a cut, checked."""
        most = FILE_BYTES if label == DATABASE else MOST_BYTES
        reply = self.ask(f"/{pointer['base']}{name}", label, most=most)
        if reply is None or not check_digest(name, reply.body, sha256, self.fault):
            return None
        self.tally.counts["archivos"] += 1
        return reply.body


class Citizen(Reading):
    """Opens the page, follows the cuts, goes down to an acta now and then, seldom downloads the database."""

    abstract = True
    showing: gevent.Greenlet | None = None

    def on_start(self) -> None:
        """Open the page: it, its sheet and script, the pointer and the objects of the first view."""
        super().on_start()
        page = self.ask("/", PAGE, accept=(200, 404))
        for name in [] if page is None else check_page(page, self.fault):
            asset = self.ask(f"/{name}", ASSETS)
            if asset is not None and check_asset(name, asset.body, self.fault):
                self.tally.counts["guiones"] += 1
        pointer = self.poll()
        if pointer is not None and self.load(pointer):
            self.showing = self.apart(self.look)
        # Where each one is in its half minute does not depend on when it came.
        self.due = time.monotonic() + self.random.random() * self.settings["sondeo_s"]

    @task
    def live(self) -> None:
        """One turn: ask, and with a new cut, begin to show it. The next question does not wait for that."""
        pointer = self.poll(self.turn())
        if pointer is not None:
            if self.showing is not None and not self.showing.dead:
                self.tally.counts["cortes_saltados"] += 1
            self.showing = self.apart(self.show, pointer)

    def show(self, pointer: dict[str, Any]) -> None:
        """Wait a random while, load the cut and look at it, unless a newer one came meanwhile."""
        self.think(self.random.random() * self.settings["espera_corte_s"])
        if self.pointers.pointer is pointer and self.load(pointer):
            self.look()

    def on_stop(self) -> None:
        """Close the page."""
        super().on_stop()
        if self.showing is not None:
            self.showing.kill(timeout=1)

    def look(self) -> None:
        """Go down, and download, as often as the profile says."""
        if self.chance(self.settings["profundiza_pct"]):
            self.drill()
        if self.chance(self.settings["base_pct"]):
            self.download()

    def pause(self) -> None:
        """Read what is on the screen."""
        self.think(self.jitter(self.settings["piensa_s"], 80))

    def drill(self) -> None:
        """Entidad, distrito or municipio, sección, acta and its image."""
        assert self.portal is not None
        contest = self.random.choice(self.portal["contiendas"])
        root = self.obj(contest["raiz"], ROOT)
        if root is None:
            return
        check_root(contest, root, self.fault)
        self.pause()
        number, name = self.random.choice(root["territorios"])
        territory = self.obj(name, TERRITORY)
        if territory is None:
            return
        check_territory(contest, number, territory, self.fault)
        self.pause()
        row = self.random.choice(territory["secciones"])
        section = self.obj(row[1], SECTION)
        if section is None:
            return
        check_section(row, section, self.fault)
        if self.chance(self.settings["acta_pct"]) and section["actas"]:
            self.pause()
            # A rehearsal may draw a few images only; on the night, who opens an acta finds one.
            drawn = [one for one in section["actas"] if one.get("imagen_archivo")]
            self.open_acta(self.random.choice(drawn or section["actas"]))

    def open_acta(self, acta: dict[str, Any]) -> None:
        """The image of an acta, whose name is its integrity code; nothing when it has none."""
        self.tally.counts["actas"] += 1
        code, suffix = acta.get("imagen"), acta.get("imagen_archivo")
        if not code or not suffix:
            return
        shown = acta.get("imagen_vista")
        if shown:
            view = self.ask(f"/vistas/{code[:2]}/{code}.webp", VIEW)
            if view is not None and check_digest(f"vista {code[:12]}…", view.body, shown, self.fault):
                self.tally.counts["vistas"] += 1
        image = self.ask(f"/imagenes/{code[:2]}/{code}.{suffix}", IMAGE)
        if image is not None and check_digest(f"imagen {code[:12]}…", image.body, code, self.fault):
            self.tally.counts["imagenes"] += 1

    def download(self) -> None:
        """The database of the cut on the screen, with its index and its manifest."""
        pointer = self.pointers.pointer
        # The one on the screen now: another may be loaded meanwhile.
        portal = self.portal
        assert pointer is not None and portal is not None
        if portal["corte"] != pointer["corte"]:
            return
        index = self.file(pointer, "indice.json", pointer["indice_sha256"], INDEX)
        manifest = self.file(pointer, "manifiesto.json", pointer["manifiesto_sha256"], MANIFEST)
        if index is None or manifest is None:
            return
        check_index(pointer, portal, json.loads(index), self.fault)
        archives = {
            name: sha for name, sha in files_of(json.loads(manifest)).items() if name.endswith(".zip")
        }
        if archives:
            name = self.random.choice(sorted(archives))
            self.file(pointer, name, archives[name], DATABASE)


class Difusor(Reading):
    """Pulls the package of every cut and verifies it."""

    abstract = True

    @task
    def live(self) -> None:
        """One turn."""
        pointer = self.poll(self.turn())
        if pointer is not None:
            note = self.ask("/checkpoint", CHECKPOINT, most=SMALL_BYTES)
            if note is not None:
                check_checkpoint(pointer, note.body, self.fault)
            self.pull(pointer)

    def pull(self, pointer: dict[str, Any]) -> None:
        """The package of a cut."""
        package = self.ask(f"/{pointer['difusion']}", PACKAGE, most=FILE_BYTES)
        if package is None:
            return
        told: list[tuple[str, str]] = []
        good = away(check_package, pointer, package.body, lambda *fault: told.append(fault))
        for kind, where in told:
            self.fault(kind, where)
        if not good:
            return
        self.tally.counts["paquetes"] += 1
        if self.followed is not None:
            self.followed.shown.append((pointer["corte"], now()))
        if SCENE.package_path:
            # Every difusor of every process leaves its own, whole.
            part = Path(f"{SCENE.package_path}.{os.getpid()}")
            part.write_bytes(package.body)
            part.replace(SCENE.package_path)


class Newspaper(Reading):
    """Hot-links the data: its readers' pages ask for the pointer and the portal object, with no memory."""

    abstract = True

    @task
    def live(self) -> None:
        """One reader of the newspaper."""
        late_ms = self.turn()
        self.mine.clear()
        self.pointers.tag = ""
        before = self.pointers.pointer
        self.poll(late_ms, ORIGIN)
        pointer = self.pointers.pointer
        if pointer is None:
            return
        key = f"/objetos/{pointer['portal'][:2]}/{pointer['portal']}.json"
        reply = self.ask(key, LINKED, {"Origin": ORIGIN, "Referer": f"{ORIGIN}/"})
        if reply is None:
            return
        self.tally.counts["objetos"] += 1
        check_shared(LINKED, reply, ORIGIN, self.fault)
        if check_digest(PORTAL_OBJECT, reply.body, pointer["portal"], self.fault):
            portal = json_object(PORTAL_OBJECT, reply, self.fault)
            if portal is not None:
                check_portal(pointer, portal, self.fault)
                if pointer is not before and self.followed is not None:
                    self.followed.shown.append((pointer["corte"], now()))
