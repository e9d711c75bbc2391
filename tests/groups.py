"""Which tests share something that is slow to build, so that one worker runs them.

It only says names; the scheduler is made in conftest.
"""

from __future__ import annotations

BROWSER = "tests/control_room/browser/"
PORTAL = ("tests/portal/", "tests/core/portal/test_nginx.py")
"""Tests that use the same published nights, browser and nginx."""
S3 = ("tests/core/destinations/", "tests/core/images/test_images_s3.py")
"""Tests that use the same S3 server."""
FUZZ = "tests/fuzz/"
"""Tests whose files, room or publication are made once for each of their modules."""
ALONE = ("test_rehearsal.py", "test_never_lies.py")
"""Files of the browser's tests with rooms of their own. The others look at the same one."""


def group_of(nodeid: str) -> str | None:
    """The group of a test; None when it may run anywhere."""
    if nodeid.startswith(S3):
        return "S3"
    if nodeid.startswith(PORTAL):
        return PORTAL[0]
    if nodeid.startswith(FUZZ):
        return nodeid.split("::")[0]
    if not nodeid.startswith(BROWSER):
        return None
    file = nodeid.removeprefix(BROWSER).split("::")[0]
    return f"{BROWSER}{file}" if file in ALONE else BROWSER
