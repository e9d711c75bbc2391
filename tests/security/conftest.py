"""Rooms of the control room for the tests of security."""

from tests.control_room.web.conftest import room

__all__ = ["room"]
