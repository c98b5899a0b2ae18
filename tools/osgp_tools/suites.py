"""The two security suites of the power line, as the concentrator seals requests and opens answers.

    mode 0   00 | command .. sequence(4) | digest(8)      OMA digest; RC4 between the bars
             00 | code [count(2) data]   | digest(8)
    mode 2   00 | command | sequence(4) | tag(8)          AES-CCM; the sequence number in clear
             00 | code [count(2) data]  | tag(8)

A request that does not hold is answered by 0B, one whose number is not due by 0C and the number
that is; both in clear. In mode 0 the 0B is bare, and anybody may have sent it. In mode 2 both end
in the CMAC of answer and request, in this order. Clauses: `profile.md` 1-5 and 8-10, `osgp.md` 1
and 2. Mode 2 is written apart from the firmware's `osgp/security/aes.py`, on `cryptography`.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESCCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.cmac import CMAC

from osgp.kernels import digest, digest_pad, equal, rc4, rc4_key
from osgp.security.keys import base_key

TABLE_ACCESS = 0x00  # APDU code
LEGACY, AES_PSK = 0, 2  # security modes (ET04.127)
KEY_LENGTH = {LEGACY: 12, AES_PSK: 16}
TAG = 8
NUMBER = 4
REQUEST, ANSWER, BROADCAST = 0, 1, 2  # directions, the first octet of a nonce
EVERYBODY = bytes(6)  # in a unique id's place in what is broadcast


class Code(IntEnum):
    """Response codes (osgp.md 1.1)."""

    OK = 0x00
    ERROR = 0x01
    SERVICE_NOT_SUPPORTED = 0x02
    INSUFFICIENT_CLEARANCE = 0x03
    OPERATION_NOT_POSSIBLE = 0x04
    INAPPROPRIATE_ACTION = 0x05
    BUSY = 0x06
    INVALID_SERVICE_SEQUENCE_STATE = 0x0A
    DIGEST_ERROR = 0x0B
    SEQUENCE_NUMBER_ERROR = 0x0C
    INCOMPATIBLE = 0x1E
    INTERFACE_CHANGE = 0x1F
    UNKNOWN = 0xFF  # not a response code: what is none of the above

    @classmethod
    def _missing_(cls, value):
        return cls.UNKNOWN

    def __str__(self) -> str:
        return f"{self.value:02X} {self.name.lower().replace('_', ' ')}"


@dataclass(frozen=True)
class Answer:
    """An answer that holds. `data`: the octets of a read, the number of a 0C."""

    code: Code
    data: bytes = b""


def parse(text: bytes | bytearray) -> Answer | None:
    """An opened answer, `code [count data]`; None when its length is not exact (profile 2)."""
    if len(text) == 1:
        return Answer(Code(text[0]))
    if len(text) < 3 or text[0] != Code.OK or len(text) != 3 + int.from_bytes(text[1:3], "big"):
        return None
    return Answer(Code.OK, bytes(text[3:]))


class SealedRequest(Protocol):
    """A request as it goes on the line, and what it takes to read its answer."""

    apdu: bytes

    def open(self, apdu: bytes) -> Answer | None:
        """The answer in an APDU; None when it is not this request's answer under this key."""
        ...


class Suite(Protocol):
    """One key and one device."""

    def seal(self, sequence: int, command: bytes) -> SealedRequest:
        """A request. `command`: up to its sequence number, which is used once under a key."""
        ...

    def refused(self, request: bytes, answer: bytes) -> bool:
        """Does a device with this key say, by an 0B, that the request does not hold?"""
        ...


# ---- mode 0


class Legacy:
    """Mode 0 with one device. `key`: the OMAK, 12 octets."""

    def __init__(self, key: bytes, subnet: int, node: int):
        self._parts = key, subnet, node

    def seal(self, sequence: int, command: bytes) -> "Sealed":
        return Sealed(*self._parts, sequence, command)

    @staticmethod
    def refused(request: bytes, answer: bytes) -> bool:
        """Anybody may say so."""
        return answer == bytes((TABLE_ACCESS, Code.DIGEST_ERROR))


class Sealed:
    """One request under digest and RC4."""

    def __init__(self, key: bytes, subnet: int, node: int, sequence: int, command: bytes):
        """`key`: the OMAK, 12 octets. `command`: the request up to its sequence number."""
        text = bytearray(command + sequence.to_bytes(NUMBER, "big"))
        head = bytes((subnet, node, TABLE_ACCESS)) + text
        self._key = key
        self._accumulator = bytearray(8)
        self._position = digest(self._accumulator, key, 0, head, 0, len(head))
        tag = bytearray(self._accumulator)
        digest_pad(tag, key, self._position)
        base = base_key(key)
        self._cipher = bytearray(258)
        rc4_key(self._cipher, bytes(a ^ b for a, b in zip(base, tag)) + base[8:])
        rc4(self._cipher, text, 0, len(text))
        self.apdu = bytes((TABLE_ACCESS,)) + text + tag

    def open(self, apdu: bytes) -> Answer | None:
        """The answer in an APDU; None when it is not this request's answer under this key."""
        if Legacy.refused(self.apdu, apdu):
            return Answer(Code.DIGEST_ERROR)
        if len(apdu) < 2 + TAG or apdu[0] != TABLE_ACCESS:
            return None
        text, tag = bytearray(apdu[1:-TAG]), apdu[-TAG:]
        if text[0] == Code.SEQUENCE_NUMBER_ERROR and len(text) == 5 and self._holds(text, tag):
            return Answer(Code.SEQUENCE_NUMBER_ERROR, bytes(text[1:]))  # always in clear
        rc4(bytearray(self._cipher), text, 0, len(text))
        return parse(text) if self._holds(text, tag) else None

    def _holds(self, text: bytearray, tag: bytes) -> bool:
        accumulator = bytearray(self._accumulator)
        answer = bytes((TABLE_ACCESS,)) + text
        position = digest(accumulator, self._key, self._position, answer, 0, len(answer))
        digest_pad(accumulator, self._key, position)
        return equal(accumulator, 0, tag, 0, TAG)


# ---- mode 2


def cmac(key: bytes, message: bytes) -> bytes:
    """AES-128-CMAC (NIST SP 800-38B), 16 octets."""
    mac = CMAC(AES(key))
    mac.update(message)
    return mac.finalize()


def subkey(key: bytes, label: bytes, unique_id: bytes) -> bytes:
    """A key for one use by one device: ENCU, MACU; ENCB for everybody (profile 8)."""
    return cmac(key, b"\x01" + label + b"\x00" + unique_id + b"\x00\x80")


def nonce(direction: int, unique_id: bytes, sequence: bytes) -> bytes:
    """13 octets, never twice under one key (profile 9, 10)."""
    return bytes((direction,)) + unique_id + sequence + bytes(2)


class AesPsk:
    """Mode 2 with one device. `key`: the unicast key, 16 octets."""

    def __init__(self, key: bytes, unique_id: bytes, subnet: int, node: int):
        self._unique_id = unique_id
        self._ccm = AESCCM(subkey(key, b"ENCU", unique_id), tag_length=TAG)
        self._mac = subkey(key, b"MACU", unique_id)
        self._associated = bytes((subnet, node, TABLE_ACCESS))

    def seal(self, sequence: int, command: bytes) -> "SealedAes":
        return SealedAes(self, sequence, command)

    def encrypt(self, direction: int, sequence: bytes, text: bytes) -> bytes:
        """Ciphertext and tag."""
        return self._ccm.encrypt(
            nonce(direction, self._unique_id, sequence), text, self._associated
        )

    def decrypt(self, direction: int, sequence: bytes, sealed: bytes) -> bytes | None:
        """The text; None when the tag does not hold."""
        where = nonce(direction, self._unique_id, sequence)
        try:
            return self._ccm.decrypt(where, sealed, self._associated)
        except InvalidTag:
            return None

    def request(self, apdu: bytes) -> bytes | None:
        """Command and sequence number of a sealed request; None when it does not hold."""
        if len(apdu) < 2 + NUMBER + TAG:
            return None
        sequence = apdu[-TAG - NUMBER : -TAG]
        sealed = apdu[1 : -TAG - NUMBER] + apdu[-TAG:]
        text = self.decrypt(REQUEST, sequence, sealed)
        return None if text is None else text + sequence

    def answer(self, request: bytes, apdu: bytes) -> bytes | None:
        """The answer to a request, code first, opened; None when it does not hold."""
        if len(apdu) < 2 + TAG or apdu[0] != TABLE_ACCESS:
            return None
        opened = self.decrypt(ANSWER, request[-TAG - NUMBER : -TAG], apdu[1:])
        if opened is not None:
            return opened
        text, tag = apdu[1:-TAG], apdu[-TAG:]
        told = (text[0], len(text)) in ((Code.DIGEST_ERROR, 1), (Code.SEQUENCE_NUMBER_ERROR, 5))
        mac = cmac(self._mac, apdu[:-TAG] + request)
        return text if equal(mac, 0, tag, 0, TAG) and told else None

    def refused(self, request: bytes, answer: bytes) -> bool:
        return self.answer(request, answer) == bytes((Code.DIGEST_ERROR,))


class SealedAes:
    """One request under AES-CCM."""

    def __init__(self, suite: AesPsk, sequence: int, command: bytes):
        number = sequence.to_bytes(NUMBER, "big")
        sealed = suite.encrypt(REQUEST, number, command)
        self._suite = suite
        self.apdu = bytes((TABLE_ACCESS,)) + sealed[:-TAG] + number + sealed[-TAG:]

    def open(self, apdu: bytes) -> Answer | None:
        """The answer in an APDU; None when it is not this request's answer under this key."""
        text = self._suite.answer(self.apdu, apdu)
        if text is None:
            return None
        if text[0] == Code.SEQUENCE_NUMBER_ERROR and len(text) == 1 + NUMBER:
            return Answer(Code.SEQUENCE_NUMBER_ERROR, text[1:])
        return parse(text)


def suite(mode: int, key: bytes, unique_id: bytes, subnet: int, node: int) -> Suite:
    """The suite of a security mode. ValueError: there is none."""
    if mode == LEGACY:
        return Legacy(key[: KEY_LENGTH[LEGACY]], subnet, node)
    if mode == AES_PSK:
        return AesPsk(key, unique_id, subnet, node)
    raise ValueError(f"security mode {mode}: there are 0 and 2")


def key_check(mode: int, key: bytes) -> bytes:
    """What EP20 carries to show that a key arrived as it was sent, 4 octets (profile 13)."""
    zeros = bytes(16)
    if mode == AES_PSK:
        return cmac(key, zeros)[:4]
    state = bytearray(8)
    digest_pad(state, key, digest(state, key, 0, zeros, 0, len(zeros)))
    return bytes(state[:4])
