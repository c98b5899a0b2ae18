"""Opens captured mode-0 messages with the key: digest verified, RC4 taken off (`profile.md` 1 and
3).

    request   00 | command .. sequence(4) | digest(8)
    answer    00 | code [count(2) data]   | digest(8)

What stands between the bars may be encrypted. An answer continues digest and cipher of its
request.
"""

from dataclasses import dataclass

from osgp.kernels import digest, digest_pad, rc4, rc4_key
from osgp.security.keys import base_key

DIGEST_LENGTH = 8
_OMAK_LENGTH = 12
_SHORTEST = 1 + 1 + DIGEST_LENGTH


@dataclass(frozen=True)
class Request:
    """A request whose digest held, with what its answer goes on from."""

    text: bytes  # command and sequence number, in clear
    encrypted: bool
    accumulator: bytes  # of the digest, before it was padded
    position: int
    cipher: bytes  # RC4 state after the request


@dataclass(frozen=True)
class Answer:
    text: bytes  # response code on, in clear
    encrypted: bool


class Key:
    """An OMAK, 12 octets. It is never shown. Raises ValueError for another length."""

    def __init__(self, omak: bytes) -> None:
        if len(omak) != _OMAK_LENGTH:
            raise ValueError(f"an OMAK has 12 octets, not {len(omak)}")
        self._omak = omak
        self._base = base_key(omak)

    def __repr__(self) -> str:
        return "Key(...)"

    def request(self, device: tuple[int, int], apdu: bytes) -> Request | None:
        """A request to the device with this subnet and node; None: the digest does not hold."""
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
                return Request(candidate, encrypted, bytes(accumulator), position, bytes(cipher))
        return None

    def answer(self, request: Request, apdu: bytes) -> Answer | None:
        """The answer to an opened request; None when the digest does not hold."""
        if len(apdu) < _SHORTEST:
            return None
        text, tag = apdu[1:-DIGEST_LENGTH], apdu[-DIGEST_LENGTH:]
        plain = bytearray(text)
        rc4(bytearray(request.cipher), plain, 0, len(plain))
        for candidate, encrypted in ((bytes(plain), True), (text, False)):
            accumulator = bytearray(request.accumulator)
            covered = apdu[:1] + candidate
            position = digest(accumulator, self._omak, request.position, covered, 0, len(covered))
            if self._padded(accumulator, position) == tag:
                return Answer(candidate, encrypted)
        return None

    def _padded(self, accumulator: bytearray, position: int) -> bytes:
        final = bytearray(accumulator)
        digest_pad(final, self._omak, position)
        return bytes(final)
