"""Opens captured messages with a member's keys, in either security mode (`suites.py`).

In mode 0 the digest is verified and RC4 taken off; what is encrypted may also come in clear
(ET04.12.3). An answer continues digest and cipher of its request. In mode 2 the tag is verified
and the ciphertext opened under the number of the request.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESCCM

from osgp.kernels import digest, digest_pad, rc4, rc4_key
from osgp.security.keys import base_key
from osgp_tools.suites import (
    BROADCAST,
    EVERYBODY,
    KEY_LENGTH,
    LEGACY,
    NUMBER,
    TABLE_ACCESS,
    TAG,
    AesPsk,
    Code,
    nonce,
    subkey,
)

DIGEST_LENGTH = TAG  # the tag of mode 2 is as long and in the same place
_SHORTEST = 1 + 1 + DIGEST_LENGTH


@dataclass(frozen=True)
class Answer:
    text: bytes  # response code on, in clear
    encrypted: bool


class Request(Protocol):
    """A request that held."""

    @property
    def text(self) -> bytes:
        """Command and sequence number, in clear."""
        ...

    @property
    def encrypted(self) -> bool: ...

    def answer(self, apdu: bytes) -> Answer | None:
        """Its answer, opened; None when that does not hold."""
        ...


class Key(Protocol):
    """What opens. It is never shown."""

    def request(self, device: tuple[int, int], apdu: bytes) -> Request | None:
        """A request to the device with this subnet and node; None: it does not hold."""
        ...


class Keys:
    """Several: the first that opens counts."""

    def __init__(self, keys: Iterable[Key]) -> None:
        self._keys = tuple(keys)

    def __repr__(self) -> str:
        return f"Keys({len(self._keys)})"

    def request(self, device: tuple[int, int], apdu: bytes) -> Request | None:
        opened = (key.request(device, apdu) for key in self._keys)
        return next((request for request in opened if request), None)


def keys(
    mode: int, unique_id: bytes, unicast: Iterable[bytes], broadcast: Iterable[bytes]
) -> Keys:
    """A member's keys, and those under which it hears broadcasts."""
    size = KEY_LENGTH[mode]
    if mode == LEGACY:
        return Keys(Omak(key[:size]) for key in (*unicast, *broadcast))
    return Keys(
        [
            *(AesKey(key, unique_id) for key in unicast),
            *(AesBroadcastKey(key) for key in broadcast),
        ]
    )


# ---- mode 0


class Omak:
    """Mode 0, 12 octets. Raises ValueError for another length."""

    def __init__(self, omak: bytes) -> None:
        if len(omak) != KEY_LENGTH[LEGACY]:
            raise ValueError(f"an OMAK has 12 octets, not {len(omak)}")
        self._omak = omak
        self._base = base_key(omak)

    def __repr__(self) -> str:
        return "Omak(...)"

    def request(self, device: tuple[int, int], apdu: bytes) -> "OmakRequest | None":
        if len(apdu) < _SHORTEST:
            return None
        text, tag = apdu[1:-DIGEST_LENGTH], apdu[-DIGEST_LENGTH:]
        cipher = bytearray(258)
        rc4_key(cipher, bytes(a ^ b for a, b in zip(self._base, tag)) + self._base[8:])
        plain = bytearray(text)
        rc4(cipher, plain, 0, len(plain))
        for candidate, encrypted in ((bytes(plain), True), (text, False)):
            accumulator = bytearray(8)
            covered = bytes(device) + apdu[:1] + candidate
            position = digest(accumulator, self._omak, 0, covered, 0, len(covered))
            if self._padded(accumulator, position) == tag:
                state = bytes(accumulator), position, bytes(cipher)
                return OmakRequest(candidate, encrypted, self, state)
        return None

    def answer(self, state: tuple[bytes, int, bytes], apdu: bytes) -> Answer | None:
        if len(apdu) < _SHORTEST:
            return None
        begun, at, cipher = state
        text, tag = apdu[1:-DIGEST_LENGTH], apdu[-DIGEST_LENGTH:]
        plain = bytearray(text)
        rc4(bytearray(cipher), plain, 0, len(plain))
        for candidate, encrypted in ((bytes(plain), True), (text, False)):
            accumulator = bytearray(begun)
            covered = apdu[:1] + candidate
            position = digest(accumulator, self._omak, at, covered, 0, len(covered))
            if self._padded(accumulator, position) == tag:
                return Answer(candidate, encrypted)
        return None

    def _padded(self, accumulator: bytearray, position: int) -> bytes:
        final = bytearray(accumulator)
        digest_pad(final, self._omak, position)
        return bytes(final)


@dataclass(frozen=True)
class OmakRequest:
    text: bytes
    encrypted: bool
    _key: Omak
    # accumulator of the digest before it was padded, its position, RC4's state after the request
    state: tuple[bytes, int, bytes] = field(repr=False)

    def answer(self, apdu: bytes) -> Answer | None:
        return self._key.answer(self.state, apdu)


# ---- mode 2


class AesKey:
    """Mode 2, 16 octets. Its subkeys are made of the device's unique id."""

    def __init__(self, key: bytes, unique_id: bytes) -> None:
        self._parts = key, unique_id

    def __repr__(self) -> str:
        return "AesKey(...)"

    def request(self, device: tuple[int, int], apdu: bytes) -> "AesRequest | None":
        suite = AesPsk(*self._parts, *device)
        text = suite.request(apdu)
        return None if text is None else AesRequest(text, apdu, suite)


@dataclass(frozen=True)
class AesRequest:
    text: bytes
    _apdu: bytes
    _suite: AesPsk
    encrypted: bool = True

    def answer(self, apdu: bytes) -> Answer | None:
        text = self._suite.answer(self._apdu, apdu)
        if text is None:
            return None
        return Answer(text, text[0] not in (Code.DIGEST_ERROR, Code.SEQUENCE_NUMBER_ERROR))


class AesBroadcastKey:
    """Mode 2, what is said to everybody: nobody answers it."""

    def __init__(self, key: bytes) -> None:
        self._ccm = AESCCM(subkey(key, b"ENCB", EVERYBODY), tag_length=TAG)

    def __repr__(self) -> str:
        return "AesBroadcastKey(...)"

    def request(self, device: tuple[int, int], apdu: bytes) -> "BroadcastRequest | None":
        if device != (0, 0) or len(apdu) < 2 + NUMBER + TAG:
            return None
        number = apdu[-TAG - NUMBER : -TAG]
        sealed = apdu[1 : -TAG - NUMBER] + apdu[-TAG:]
        where = nonce(BROADCAST, EVERYBODY, number)
        try:
            text = self._ccm.decrypt(where, sealed, bytes((0, 0, TABLE_ACCESS)))
        except InvalidTag:
            return None
        return BroadcastRequest(text + number)


@dataclass(frozen=True)
class BroadcastRequest:
    text: bytes
    encrypted: bool = True

    @staticmethod
    def answer(apdu: bytes) -> Answer | None:
        return None
