"""The other end of security mode 2, from `profile.md` 8 to 10 over CMAC and CCM alone.

For tests. CMAC and CCM are the firmware's, which test_ccm.py holds against the published vectors.
"""

from osgp.security.ccm import cmac, open_, seal
from support import aes


def subkey(key, label, uid):
    return aes(cmac(aes(key), b"\x01" + label + b"\x00" + uid + b"\x00\x80"))


def nonce(direction, uid, number):
    return bytes((direction,)) + uid + number + b"\x00\x00"


class Client:
    """Makes requests for one device and judges its answers."""

    def __init__(self, key, uid, subnet, node):
        self.uid = uid
        self.associated = bytes((subnet, node, 0))
        self.cipher = subkey(key, b"ENCU", uid)
        self.mac = subkey(key, b"MACU", uid)
        self._request = b""
        self._number = b""

    def request(self, command, number, encrypted=True, surplus=0):
        """An APDU with the command under a sequence number.

        encrypted: as `oma_client.Client` has it; here is no other way. surplus: zeros behind the
        command; negative: octets less.
        """
        assert encrypted
        command = command + bytes(surplus) if surplus > 0 else command[: len(command) + surplus]
        self._number = number.to_bytes(4, "big")
        where = nonce(0, self.uid, self._number)
        sealed = seal(self.cipher, where, self.associated, command, 8)
        self._request = b"\x00" + sealed[:-8] + self._number + sealed[-8:]
        return self._request

    def answer(self, apdu, request=None):
        """The answer in clear, code first. AssertionError: it is not the answer to the request
        made last, or to the one given."""
        request = request or self._request
        assert apdu[0] == 0
        where = nonce(1, self.uid, request[-12:-8])
        text = open_(self.cipher, where, self.associated, apdu[1:], 8)
        if text is None:
            text = apdu[1:-8]
            assert text == b"\x0b" or (text[:1] == b"\x0c" and len(text) == 5)
            assert apdu[-8:] == cmac(self.mac, apdu[:-8] + request)[:8], "the MAC is wrong"
        return text


def broadcast(key, command, number):
    """An APDU to everybody."""
    where = nonce(2, bytes(6), number.to_bytes(4, "big"))
    sealed = seal(subkey(key, b"ENCB", bytes(6)), where, bytes(3), command, 8)
    return b"\x00" + sealed[:-8] + number.to_bytes(4, "big") + sealed[-8:]
