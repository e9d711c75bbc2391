"""Those who look at the control room: walls, and operators who also act.

They enter by the form, as anybody does, and follow the writer as the page does
(control_room/assets/10-sala.js): the next question is due when the next snapshot is. An operator only acts
in a rehearsal. Nothing of the room is imported.
"""

from __future__ import annotations

import re
import secrets
from typing import Any

import gevent.lock  # type: ignore[import-untyped]
from locust import task
from locust.exception import StopUser

from loadtests.judging.content import GOES_BACK, IDENTITY, TAG, Reply, json_object
from loadtests.judging.kinds import CATD, LOG, MAP, ME, SNAPSHOT
from loadtests.judging.tally import Writer
from loadtests.people.base import SCENE, Person, now
from loadtests.room_form import ENTER, SENT_AS, filled, token_of

AFTER_S = 0.12
AGAIN_S = 0.4
"""As in the page: what the writer may take, and how soon to ask again when it is late."""
SPREAD = 0.2
"""As in the page: part of the time between two snapshots in which the screens share out their questions."""
_ASSET = re.compile(r'(?:src|href)="(/[^"?]+\.(?:js|css)(?:\?[^"]*)?)"')
ENTER_TRIES = 60
SESSIONS = 8
"""Sessions of each class in a process. Nobody opens two hundred in a minute: checking a password is slow on
purpose, and the room checks two at a time."""
_sessions: dict[str, list[list[Any]]] = {}
_latest: dict[str, int] = {}
"""Newest snapshot of each writer that anybody of this process has seen."""
_door = gevent.lock.BoundedSemaphore(1)
_refused: set[str] = set()
"""Classes whose password the room refused: it locks who insists, and the next one has the same."""
_read: list[tuple[bytes, dict[str, Any]]] = []
"""The last snapshot that was read: two hundred screens get the same bytes."""


class Watching(Person):
    """Somebody with the room open."""

    abstract = True
    kind = "muro"

    def on_start(self) -> None:
        """Enter and open the page. Leaves the test, told as a failure, when it cannot enter."""
        self.tag = ""
        self.seq: int | None = None
        self.boot = ""
        self.snapshot: dict[str, Any] = {}
        self.me: dict[str, Any] = {}
        if not self.come_in():
            raise StopUser
        me = self.ask(ME, ME)
        self.me = json_object("yo.json", me, self.fault) or {} if me is not None else {}
        wanted = SCENE.expected.mode
        if wanted is not None and self.me.get("modo") != wanted:
            self.fault(IDENTITY, f"la sala es de modo «{self.me.get('modo')}» y se esperaba «{wanted}»")
            raise StopUser
        self.ask(MAP, MAP, accept=(200, 404))

    def come_in(self) -> bool:
        """Through the form the first ones; the others are more windows of somebody who is already in."""
        sessions = _sessions.setdefault(self.kind, [])
        with _door:
            if self.kind in _refused:
                return False
            if len(sessions) < SESSIONS:
                if not self.enter():
                    return False
                sessions.append(list(self.client.cookiejar))
                page = self.ask("/", "página de la sala")
                if page is not None:
                    for path in sorted(set(_ASSET.findall(page.body.decode("utf-8", "replace")))):
                        self.ask(path.replace("&amp;", "&"), "guion y hojas de estilo")
                return True
        for cookie in sessions[self.number % SESSIONS]:
            self.client.cookiejar.set_cookie(cookie)
        return True

    def enter(self) -> bool:
        """Fill in the form. A room that is checking others' passwords says so, and one tries again."""
        user, password = (SCENE.credentials or {}).get(self.kind, ("", ""))
        for left in reversed(range(ENTER_TRIES)):
            form = self.ask(ENTER, "formulario de entrada")
            token = token_of(form.body) if form is not None else None
            if token is None:
                return False
            with self.waited("POST", "entrar"):
                answer = self.client.post(
                    ENTER, data=filled(token, user, password), name="entrar", catch_response=True,
                    allow_redirects=False, headers=SENT_AS,
                )  # fmt: skip
            with answer as got:
                if got.status_code == 303:
                    got.success()
                    self.tally.counts["entradas"] += 1
                    return True
                if got.status_code != 503:
                    got.failure(f"no se pudo entrar: {got.status_code}")
                    _refused.add(self.kind)
                    return False
                self.tally.counts["entradas_en_espera"] += 1
                if not left:
                    got.failure("la sala no tuvo lugar para comprobar la contraseña")
                    return False
                got.success()
            self.think(0.5 + self.random.random())
        return False

    def follow(self) -> float:
        """Ask for the snapshot; returns how long until the next question, in seconds."""
        asked = {"If-None-Match": self.tag} if self.tag else {}
        reply = self.ask(SNAPSHOT, SNAPSHOT, asked, accept=(200, 304))
        tick = float(self.snapshot.get("tick_s", 2))
        if reply is None:
            return tick
        if reply.status == 304:
            if not asked:
                self.fault(TAG, "304 de la sala sin haber mandado If-None-Match")
        else:
            self.take(self.read(reply), reply.headers.get("etag", ""))
        try:
            age = float(reply.headers.get("x-sala-edad-ms", "")) / 1000
        except ValueError:
            return tick
        if age >= 2 * tick:
            return tick
        return tick - age + AFTER_S + self.random.random() * SPREAD * tick if age < tick else AGAIN_S

    def read(self, reply: Reply) -> dict[str, Any] | None:
        """The snapshot of an answer. Each is read once, whoever gets it: the same bytes say the same."""
        if _read and _read[0][0] == reply.body:
            return _read[0][1]
        found = json_object("sala.json", reply, self.fault)
        if found is not None:
            _read[:] = [(reply.body, found)]
        return found

    def on_stop(self) -> None:
        """Leave. What others saw and this screen did not is missed; the last one may be on its way."""
        self.tally.watched_until = max(self.tally.watched_until, now())
        if self.seq is not None:
            self.tally.counts["fotografias_perdidas"] += max(0, _latest[self.boot] - self.seq - 1)

    def take(self, snapshot: dict[str, Any] | None, tag: str) -> None:
        """A snapshot: numbers of one writer only grow, and those between two that came were missed."""
        if snapshot is None:
            return
        if tag and tag == self.tag:
            self.fault(TAG, "la sala mandó 200 con la misma ETag")
        self.tag = tag
        seq, boot = int(snapshot["seq"]), str(snapshot["boot_id"])
        if boot == self.boot and self.seq is not None:
            if seq < self.seq:
                self.fault(GOES_BACK, f"fotografía {seq} después de la {self.seq}")
            elif seq > self.seq + 1:
                self.tally.counts["fotografias_perdidas"] += seq - self.seq - 1
            if seq > self.seq:
                self.tally.counts["fotografias_nuevas"] += 1
        self.tally.counts["fotografias_vistas"] += 1
        _latest[boot] = max(seq, _latest.get(boot, seq))
        tick = float(snapshot.get("tick_s") or 0)
        self.tally.writers.setdefault(boot, Writer(seq, now(), seq, tick)).last = _latest[boot]
        self.seq, self.boot, self.snapshot = seq, boot, snapshot


class Wall(Watching):
    """A wall: it only looks."""

    abstract = True

    @task
    def live(self) -> None:
        """One question."""
        self.think(self.follow())


class Operator(Watching):
    """Looks, asks for details, and in a rehearsal acknowledges alerts."""

    abstract = True
    kind = "operador"

    def on_start(self) -> None:
        """Enter."""
        super().on_start()
        self.acts_at = now() + self.random.random() * self.settings["actua_cada_s"]

    @task
    def live(self) -> None:
        """One question; now and then, something more."""
        wait = self.follow()
        if now() >= self.acts_at:
            self.acts_at = now() + self.jitter(self.settings["actua_cada_s"], 30)
            self.act()
        self.think(wait)

    def act(self) -> None:
        """Look at a CATD and at the log; acknowledge an alert that nobody has."""
        catds = self.snapshot.get("catd") or []
        if catds:
            self.ask(f"/api/catd/{self.random.choice(catds)['id']}.json", CATD)
        self.ask(LOG, LOG)
        if self.me.get("modo") != "simulacro":
            return
        active = [one for one in self.snapshot.get("alertas", []) if one.get("estado") == "activa"]
        if active:
            self.send(
                "reconocer_alerta", {"alerta": self.random.choice(active)["id"], "nota": "prueba de carga"}
            )

    def send(self, action: str, fields: dict[str, Any]) -> None:
        """An action of the room, with its token and a key of its own. The engine may refuse it."""
        headers = {"X-CSRF": str(self.me.get("csrf", ""))}
        body = {"llave": secrets.token_hex(16), **fields}
        name = f"acción {action}"
        with self.waited("POST", name):
            answer = self.client.post(
                f"/api/acciones/{action}", json=body, name=name, headers=headers, catch_response=True,
                allow_redirects=False,
            )  # fmt: skip
        with answer as got:
            if got.status_code in (200, 409, 422):
                got.success()
                self.tally.counts["acciones" if got.status_code == 200 else "acciones_rechazadas"] += 1
            else:
                got.failure(str(got.status_code))
