"""An image on the line: EP09, to all members of a group at once or to one (`profile.md` 23).

    EP09 {packet 2, octets 56}

By broadcast it is the only record of an ET27 (`broadcast.py`), under a number of its own. Nobody
answers: ET17 tells what came.
"""

import binascii
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from osgp_tools import broadcast, image
from osgp_tools.client import Client
from osgp_tools.exchange import Way
from osgp_tools.image import PACKET, Header
from osgp_tools.session import (
    BROADCAST_NUMBERS,
    FULL_WRITE,
    PROCEDURE_INITIATE,
    Session,
)
from osgp_tools.store import Broadcast, Member, Vault
from osgp_tools.transactions import GROUPS, Transaction

EP09 = 2048 + 9
BLOCK = 8  # numbers taken at a time; a crash skips so many, and a window has 16


@dataclass(frozen=True)
class Image:
    """What is to be brought to devices."""

    octets: bytes

    @cached_property
    def header(self) -> Header:
        """ImageError: it has none."""
        return Header.decode(self.octets)

    @cached_property
    def id(self) -> bytes:
        """8 octets: what EP10 calls it by."""
        return image.identity(self.octets)

    @cached_property
    def fingerprint(self) -> bytes:
        """8 octets of all of it: two signatures of one header have one id."""
        return hashlib.sha256(self.octets).digest()[:8]

    @cached_property
    def crc(self) -> int:
        """As ET17 tells it."""
        return binascii.crc32(self.octets)

    @property
    def version(self) -> tuple[int, int]:
        """As ET17 tells them: version and security counter, the low 16 bits of each."""
        return self.header.version & 0xFFFF, self.header.security & 0xFFFF

    @property
    def packets(self) -> int:
        return image.packets(self.octets)

    def packet(self, number: int) -> bytes:
        """The parameters of EP09. The last packet is filled up with FF."""
        octets = self.octets[PACKET * number : PACKET * (number + 1)].ljust(PACKET, b"\xff")
        return number.to_bytes(2, "little") + octets

    def __str__(self) -> str:
        return f"version {self.header.version}, id {self.id.hex()}, {self.packets} packets"


class Loudspeaker:
    """Packets of an image to a group. `said`: how many went out."""

    def __init__(self, client: Client, vault: Vault, group: int):
        self.client = client
        self.group = group
        self.said = 0
        self._vault = vault
        self._free: list[Broadcast] = []  # numbers that are ours and were not used yet

    def next_number(self) -> int:
        """What the next packet will go under."""
        if not self._free:
            self._free = self._vault.broadcasts(BLOCK)
        return self._free[0].number

    async def say(
        self, what: Image, packet: int, members: Iterable[Member], by: Sequence[Way]
    ) -> None:
        """Send a packet once, and once through each of the agents `by`; `members`: for whom."""
        number = self.next_number()
        used = self._free.pop(0)
        psn = BROADCAST_NUMBERS[number % len(BROADCAST_NUMBERS)]
        bt07 = EP09.to_bytes(2, "little") + bytes((psn,)) + what.packet(packet)
        head = bytes((FULL_WRITE,)) + PROCEDURE_INITIATE.to_bytes(2, "big")
        message = head + len(bt07).to_bytes(2, "big") + bt07
        request = Transaction(GROUPS, 1 + number % 0xFFFF, (message,), (self.group,)).encode()
        command = broadcast.write_of(request)
        await broadcast.send(self.client, members, used, command, by, repeats=0)
        self.said += 1

    def close(self) -> None:
        """Give back the numbers that were not used."""
        self._vault.give_back(self._free)
        self._free = []


async def give(session: Session, what: Image, packet: int) -> None:
    """A packet to one device, by unicast. What came of it says ET17."""
    await session.initiate(EP09, what.packet(packet))
