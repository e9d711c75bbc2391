"""What a test was made with: version of the project, machine, and the programs that measured.

To compare one report with another. It looks once, when the report is written; what cannot be known is left
out.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
from importlib import metadata
from pathlib import Path

from core.evidence.components import build
from loadtests.ceiling import nginx_path

_MODEL = re.compile(r"^model name\s*:\s*(.+)$", re.MULTILINE)
_MEMORY = re.compile(r"^MemTotal:\s*(\d+) kB$", re.MULTILINE)
_VERSION = re.compile(r"\d+(?:\.\d+)+\S*")


def machine() -> dict[str, str]:
    """Each thing that is known, by its name in Spanish."""
    made = build()
    version, commit = made["version"], made["confirmacion"]
    found = {
        "prep": " · ".join(
            part for part in (version, commit and f"confirmación {commit[:12]}") if part is not None
        ),
        "procesador": _processor(),
        "núcleos": _cores(),
        "memoria": _memory(),
        "sistema": f"{platform.system()} {platform.release()} ({platform.machine()})",
        "Python": platform.python_version(),
        "Locust": _package("locust"),
        "nginx": _program(nginx_path(), "-v"),
        "wrk": _program(shutil.which("wrk"), "-v"),
        "carga media al terminar": " · ".join(f"{one:.1f}" for one in os.getloadavg())
        + " (en 1, 5 y 15 minutos)",
    }
    return {name: value for name, value in found.items() if value}


def _processor() -> str:
    found = _MODEL.search(_text("/proc/cpuinfo"))
    return " ".join(found[1].split()) if found else platform.processor()


def _cores() -> str:
    there = os.cpu_count() or 1
    mine = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else there
    return f"{there}" if mine == there else f"{mine} de {there}"


def _memory() -> str:
    found = _MEMORY.search(_text("/proc/meminfo"))
    return f"{int(found[1]) / 1024**2:.1f} GiB" if found else ""


def _text(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _package(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def _program(path: str | None, option: str) -> str:
    """The version a program says; «no está» when it is not there."""
    if path is None:
        return "no está"
    try:
        done = subprocess.run([path, option], capture_output=True, text=True, timeout=5, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return "está y no dice su versión"
    found = _VERSION.search(done.stdout + done.stderr)
    return found[0] if found else "está y no dice su versión"
