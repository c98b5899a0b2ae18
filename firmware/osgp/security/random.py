"""Random octets for challenges, and whether their source may be trusted with one."""

import hashlib

from micropython import const

_NAME = "random"
_DRAW = const(16)
_KEPT = const(32)


class Random:
    """What the board draws from, looked at once at start.

    A source that repeats lets an old challenge come again, so it is worse than none: `repeats` is
    then True, and nobody becomes a member and nothing secured is answered. Seen are two draws that
    are the same, and a first draw that is that of the last start. Of it only the SHA-256 is kept.
    """

    def __init__(self, draw, settings):
        """draw(n) -> n octets. settings: keeps what is seen. OSError: it cannot."""
        first = draw(_DRAW)
        digest = hashlib.sha256(first).digest()
        kept = bytearray(_KEPT)
        settings.load(_NAME, kept)
        self.repeats = first == draw(_DRAW) or kept == digest
        if not self.repeats:
            settings.replace(_NAME, digest, _KEPT)
        self.draw = draw
