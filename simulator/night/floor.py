"""Where people work: what they have in hand stops with the place and goes on with what it lacked.

A stop (a power cut, a total stop of capture) freezes the work in hand (preempt-resume) and lets
nothing begin; stops inside stops are counted. What would end at the very beginning of a stop has
ended, as in `simulator.fast.kernel`. Only whoever is busy is interrupted: interrupting somebody who waits
for work would lose the work he was about to be given.
"""

from __future__ import annotations

import simpy

from simulator.night.model import Process


class Floor:
    """A place whose work can be stopped."""

    def __init__(self, env: simpy.Environment) -> None:
        self._env = env
        self._stops = 0
        self._busy: dict[simpy.Process, int] = {}
        self._back = env.event()

    @property
    def stopped(self) -> bool:
        """True inside a stop."""
        return self._stops > 0

    def work(self, duration_ms: int) -> Process:
        """The process that runs this works that long, stops apart."""
        env = self._env
        me = env.active_process
        assert me is not None
        left = duration_ms
        while left:
            while self._stops:
                yield self._back
            begun = int(env.now)
            self._busy[me] = begun + left
            try:
                yield env.timeout(left)
                left = 0
            except simpy.Interrupt:
                left -= int(env.now) - begun
            # Whoever was interrupted is no longer in it: `stop` took him out.
            self._busy.pop(me, None)

    def stop(self) -> None:
        """Everything in hand freezes."""
        self._stops += 1
        now = self._env.now
        for process in [process for process, ends in self._busy.items() if ends > now]:
            # Out of the list at once: a second stop in this same instant must not interrupt him again.
            del self._busy[process]
            process.interrupt()

    def resume(self) -> bool:
        """End one stop; True when it was the last one and work goes on."""
        assert self._stops, "resume without a stop"
        self._stops -= 1
        if self._stops:
            return False
        back, self._back = self._back, self._env.event()
        back.succeed()
        return True
