"""Making a device a member, the concentrator's half: a challenge and one message.

    47 01 Nc(8)                  ->  47 01 Nd(8)
    46 01 Nc(8) sealed(52 + 8)   ->  46 01 sealed(1 + 8)

Both are sealed by CCM under a key made of the installation key and both sides' random octets.
Clauses: `profile.md` 14-16. The device's half is `osgp/commissioning.py`.
"""

import csv
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from osgp.security.ccm import cmac, open_, seal
from osgp_tools import entropy
from osgp_tools.client import Client, Target

CHALLENGE, COMMISSION = 0x47, 0x46
FORM = 1  # of both messages
TAG = 8
DESK_MASTER = b"OSGP-DESK-TEST-0"  # public: whoever reads this can commission a desk device
REQUEST_NONCE = bytes(13)
ANSWER_NONCE = b"\x01" + bytes(12)
BROADCAST_WINDOW = 16


class CommissionError(Exception):
    """The device was not made a member; the text says why."""


def aes(key: bytes) -> Callable[[bytes], bytes]:
    """AES-128 on single blocks, as a board gives it to the firmware."""
    encryptor = Cipher(algorithms.AES(key), modes.ECB()).encryptor()
    return lambda block: encryptor.update(bytes(block))


def desk_key(unique_id: bytes) -> bytes:
    """The installation key of a device on the desk board. Insecure, by rule."""
    return bytes(cmac(aes(DESK_MASTER), unique_id))


class InstallationKeys:
    """Installation keys by unique id: those of a file, and the desk's rule for all others.

    A line of the file: unique id, key, both hexadecimal (`build/install-keys.csv`).
    """

    def __init__(self, path: Path | None = None):
        self._keys: dict[bytes, bytes] = {}
        if path:
            with path.open(newline="") as file:
                self._keys = {
                    bytes.fromhex(row[0]): bytes.fromhex(row[1]) for row in csv.reader(file)
                }

    def of(self, unique_id: bytes) -> bytes:
        return self._keys.get(unique_id) or desk_key(unique_id)


@dataclass(frozen=True)
class Place:
    """What a device is told to be: its place in the network, and its keys, which are not shown."""

    domain: bytes
    subnet: int
    node: int
    unicast_key: bytes = field(repr=False)
    broadcast_key: bytes = field(repr=False)
    sequence: int = 1  # the first number it expects
    broadcast_base: int = 0  # B, the next broadcast number
    mode: int = 0

    def encode(self) -> bytes:
        """The 52 octets of the commissioning message."""
        head = bytes((self.mode, len(self.domain))) + self.domain.ljust(6, b"\0")
        numbers = self.sequence.to_bytes(4, "big") + self.broadcast_base.to_bytes(4, "big")
        window = BROADCAST_WINDOW.to_bytes(2, "big")
        keys = self.unicast_key + self.broadcast_key
        return head + bytes((self.subnet, self.node)) + keys + numbers + window


def new_key() -> bytes:
    """16 octets that nobody can guess (`entropy`)."""
    return entropy.octets(16)


def commissioning_key(
    installation_key: bytes, unique_id: bytes, ours: bytes, theirs: bytes
) -> bytes:
    """Kf, good for one commissioning: both sides' random octets are in it."""
    return bytes(cmac(aes(installation_key), b"\x01FCM\x00" + unique_id + ours + theirs))


async def commission(
    client: Client, target: Target, installation_key: bytes, place: Place
) -> None:
    """Give the device that `target` names by unique id its place.

    Raises CommissionError, and NoAnswerError: also when the installation key is not the device's.
    """
    ours = entropy.octets(8)
    theirs = await _challenge(client, target, ours)
    encrypt = aes(commissioning_key(installation_key, target.unique_id, ours, theirs))
    head = bytes((COMMISSION, FORM))
    bound = head + target.unique_id + ours
    message = head + ours + seal(encrypt, REQUEST_NONCE, bound, place.encode(), TAG)

    def result(apdu: bytes) -> bytes | None:
        if apdu[:2] != head or len(apdu) != len(head) + 1 + TAG:
            return None
        return open_(encrypt, ANSWER_NONCE, bound, apdu[2:], TAG)

    answer = await client.request(
        target, message, client.writing, lambda apdu: result(apdu) is not None
    )
    opened = result(answer)
    assert opened is not None
    if opened[0]:
        raise CommissionError(f"{target} refused: result {opened[0]}")


async def _challenge(client: Client, target: Target, ours: bytes) -> bytes:
    """The device's random octets for this commissioning."""
    head = bytes((CHALLENGE, FORM))
    answer = await client.request(
        target,
        head + ours,
        client.reading,
        lambda apdu: len(apdu) == len(head) + 8 and apdu[:2] == head,
    )
    return answer[2:]
