"""What a witness answers instead of a cosignature, and what keeps one from working."""

from __future__ import annotations

from core.errors import PrepError


class WitnessError(PrepError):
    """A witness cannot work: its state is damaged, of another key, or in use by another process."""


class RefusedError(PrepError):
    """The request was not cosigned: `status` is the code of the protocol, `text` the reason in Spanish."""

    status = 400

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


class MalformedError(RefusedError):
    """The request does not have the form of the protocol."""


class UnknownOriginError(RefusedError):
    """The checkpoint is of a log this witness does not follow."""

    status = 404


class UnknownKeyError(RefusedError):
    """No known key of that log signed the checkpoint."""

    status = 403


class StaleError(RefusedError):
    """The old size is not that of the last checkpoint this witness cosigned, which is `size`."""

    status = 409

    def __init__(self, text: str, size: int) -> None:
        super().__init__(text)
        self.size = size


class ForkedError(StaleError):
    """A log key signed another root for the size this witness already cosigned: two stories."""


class BadProofError(RefusedError):
    """The consistency proof does not lead from what this witness cosigned to what it is asked to."""

    status = 422


class AskError(PrepError):
    """A witness, or a time-stamping authority, did not give what it was asked for."""


class SilentError(AskError):
    """It cannot be reached, takes too long, or answers what is not of the protocol."""


class ContradictsError(AskError):
    """The witness cosigned something that this log does not continue: two stories, or lost entries."""
