"""The typed errors of the public log. Messages are told to the user, so they are complete and in Spanish."""

from __future__ import annotations

from core.errors import PrepError


class TransparencyError(PrepError):
    """Base of everything the public log refuses."""


class ProofError(TransparencyError):
    """A proof does not lead where it says, or was asked for outside the tree."""


class NoteError(TransparencyError):
    """A signed note or a checkpoint is badly written, or nobody known signed it."""


class KeyFileError(TransparencyError):
    """A key file cannot be opened, is damaged, or belongs to another mode or origin."""


class EntryError(TransparencyError):
    """The bytes of a log entry are not what their class must hold."""


class LogError(TransparencyError):
    """The folder of the log is damaged, or was asked for something it does not allow."""


class FrozenLogError(LogError):
    """The log was closed: nothing may follow its closing entry."""


class ForkError(LogError):
    """Another entry already stands where this one would go: appending it would give two stories."""


class LogBusyError(LogError):
    """Another process is appending to the log."""


class RetiredKeyError(LogError):
    """The key was replaced by a later one; it no longer signs this log."""
