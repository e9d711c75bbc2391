"""Commands that end with whoever starts them, however it ends: a test leaves nothing asking.

The system is told before the command takes the process's place (Linux; elsewhere the command goes as it is).
What a command itself starts is its own business.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence

_PR_SET_PDEATHSIG = 1
_TIE = """\
import ctypes, os, sys
ctypes.CDLL(None).prctl(int(sys.argv[1]), int(sys.argv[2]))
if os.getppid() != int(sys.argv[3]):
    sys.exit(1)  # it ended meanwhile
os.execvp(sys.argv[4], sys.argv[4:])
"""


def tied(command: Sequence[str], end: signal.Signals = signal.SIGKILL) -> list[str]:
    """A command that gets `end` when the thread that starts it ends. It keeps its process id."""
    if sys.platform != "linux":
        return list(command)
    told = [str(_PR_SET_PDEATHSIG), str(int(end)), str(os.getpid())]
    return [sys.executable, "-I", "-S", "-c", _TIE, *told, *command]
