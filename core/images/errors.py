"""What can be wrong with an image, told so that whoever sent it knows what to do.

Values only: who looks for each fault is `probe` and `store`.
"""

from __future__ import annotations

from core.errors import PrepError


class ImageError(PrepError):
    """Base of everything that is wrong with an image or with where images are kept."""


class NotAnImageError(ImageError):
    """The bytes are not a JPEG nor a PNG."""


class TruncatedImageError(ImageError):
    """The image begins well and cannot be read to its end."""


class ImageTooLargeError(ImageError):
    """The file weighs, or the picture measures, more than any photo or scan of an acta."""


class DecompressionBombError(ImageError):
    """A small file that would become a huge picture: no acta looks like that."""


class MissingImageError(ImageError):
    """The store has no image with that hash."""


class CorruptImageError(ImageError):
    """What the store has under a hash is not what was kept: its SHA-256 is another."""


class StoreError(ImageError):
    """The place where images are kept does not answer, or does not let us in."""
