"""The frozen octets of mode 2 in host_tests/unit/test_envelope_aes.py, made again out of
`profile.md` 8 to 10 and another library's AES, CCM and CMAC."""

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESCCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.cmac import CMAC

import test_envelope_aes as frozen
from secured import UID

NUMBER = frozen.SEQUENCE.to_bytes(4, "big")
OWN = bytes((5, 9, 0))  # subnet, node, APDU code


def cmac(key: bytes, message: bytes) -> bytes:
    mac = CMAC(AES(key))
    mac.update(message)
    return mac.finalize()


def subkey(label: bytes, uid: bytes) -> bytes:
    return cmac(frozen.MASTER_KEY, b"\x01" + label + b"\0" + uid + b"\0\x80")


def sealed(key: bytes, direction: int, uid: bytes, text: bytes, associated: bytes) -> bytes:
    nonce = bytes((direction,)) + uid + NUMBER + b"\0\0"
    return AESCCM(key, 8).encrypt(nonce, text, associated)


def numbered(ciphertext: bytes) -> bytes:
    """A request: the number in clear in front of the tag."""
    return b"\0" + ciphertext[:-8] + NUMBER + ciphertext[-8:]


@pytest.mark.parametrize("vector", frozen.VECTORS)
def test_requests_and_answers(vector):
    command, request, clear, answer = map(bytes.fromhex, vector)
    key = subkey(b"ENCU", UID)
    assert request == numbered(sealed(key, 0, UID, command, OWN))
    assert answer == b"\0" + sealed(key, 1, UID, clear, OWN)


@pytest.mark.parametrize("refusal", frozen.REFUSALS)
def test_refusals(refusal):
    request = bytes.fromhex(frozen.VECTORS[0][1])
    answer = bytes.fromhex(refusal)
    assert answer[-8:] == cmac(subkey(b"MACU", UID), answer[:-8] + request)[:8]


def test_a_broadcast():
    command = bytes.fromhex(frozen.BROADCAST_COMMAND)
    key = subkey(b"ENCB", bytes(6))
    expected = numbered(sealed(key, 2, bytes(6), command, bytes(3)))
    assert bytes.fromhex(frozen.BROADCAST) == expected
