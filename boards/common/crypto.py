"""AES, and random octets from a source that is not always there or not always good."""

import hashlib
import os

import cryptolib
from micropython import const

_ECB = const(1)
_DRAW = const(32)  # octets of SHA-256


def aes(key: bytes):
    """The function encrypt(block) -> 16 octets, or encrypt(block, out), under a key of 16."""
    return cryptolib.aes(key, _ECB).encrypt


def noise():
    """A seed of 32 octets from `os.urandom`. None: it gave the same twice."""
    first = os.urandom(_DRAW)
    second = os.urandom(_DRAW)
    return None if first == second else hashlib.sha256(first + second).digest()


class Generator:
    """Random octets out of a seed, for a chip whose noise cannot be had all the time.

    A state of 32 octets. Each draw replaces it by the SHA-256 of itself and of what the chip's
    register holds, so who reads it cannot say what was drawn before.
    """

    def __init__(self, seed):
        """seed: 32 octets of noise. None: there is none, every draw is 0, and that can be seen."""
        self._state = seed

    def random(self, n: int) -> bytes:
        """n octets, 32 at most."""
        if self._state is None:
            return bytes(n)
        self._state = hashlib.sha256(b"\x01" + self._state + os.urandom(_DRAW)).digest()
        return hashlib.sha256(b"\x02" + self._state).digest()[:n]
