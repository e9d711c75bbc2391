"""A small file system of its own for a folder (tmpfs), which can be filled and emptied.

Where it may not be mounted there is none: whoever wants a full disk then does without.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from pathlib import Path

from loadtests.faults.processes import RehearsalError

BALLAST = ".lastre"


class SmallDisk:
    """One that is mounted, until `close`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @classmethod
    def mounted(cls, folder: Path, mib: int) -> SmallDisk | None:
        """Mount one on a folder, made if needed; None where that is not permitted."""
        folder.mkdir(parents=True, exist_ok=True)
        if os.geteuid() != 0 or shutil.which("mount") is None:
            return None
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={mib}m", "tmpfs", str(folder)],
            capture_output=True,
            check=False,
        )
        return cls(folder) if done.returncode == 0 else None

    def fill(self, leave: int) -> None:
        """Write until no more than so many bytes are free."""
        with (self._folder / BALLAST).open("ab", buffering=0) as ballast, contextlib.suppress(OSError):
            while (free := self._free()) > leave:
                ballast.write(bytes(min(free - leave, 1 << 20)))

    def empty(self) -> None:
        """Give the space back."""
        (self._folder / BALLAST).unlink(missing_ok=True)

    def close(self) -> None:
        """Unmount it; what it held stays in the folder: it is the evidence of what was found.

        Raises RehearsalError when it could not be kept or is still mounted: then nothing is removed.
        """
        self.empty()
        kept = self._folder.with_name(f"{self._folder.name}.guardada")
        try:
            shutil.copytree(self._folder, kept, symlinks=True, dirs_exist_ok=True)
        except OSError as error:
            raise RehearsalError(
                f"No se pudo guardar en «{kept}» todo lo que tenía el disco chico."
            ) from error
        finally:
            # Lazily, should somebody still have a file open there.
            subprocess.run(["umount", "-l", str(self._folder)], capture_output=True, check=False)
        if os.path.ismount(self._folder):
            raise RehearsalError(f"No se pudo desmontar el disco chico de «{self._folder}».")
        shutil.rmtree(self._folder)
        kept.rename(self._folder)

    def _free(self) -> int:
        found = os.statvfs(self._folder)
        return found.f_bavail * found.f_frsize
