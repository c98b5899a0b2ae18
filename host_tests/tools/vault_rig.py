"""A store and a real device (`rig`) that it made a member, and a line that fails where told."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from osgp_tools.client import Client, Effort, Target
from osgp_tools.discovery import DISCOVERY
from osgp_tools.lpdu import decode
from osgp_tools.membership import commission, desk_key
from osgp_tools.rekey import session_of
from osgp_tools.session import Session
from osgp_tools.store import Member, Vault
from rig import UID, Rig, StillElement

QUICK = Effort(1, 0.02)


Fate = Callable[[int], tuple[bool, bool, bool]]


class KilledError(Exception):
    """The concentrator's process ends here."""


class Line:
    """Hands frames to the device. `fate(frame number)`: arrives? is answered? goes on?"""

    def __init__(self, rig: Rig):
        self.rig = rig
        self.heard = []
        self.sent: list[bytes] = []  # secured requests: APDUs with code 00
        self.frames = 0
        self.said = []  # as a port has it
        self.fate: Fate = lambda number: (True, True, True)

    def close(self) -> None:
        """As a port."""

    async def send(self, lpdu: bytes) -> None:
        for listener in self.said:
            listener(lpdu)
        body = decode(lpdu).body
        if body[:1] == b"\x00":
            self.sent.append(body)
        arrives, answered, goes_on = self.fate(self.frames)
        self.frames += 1
        answers = self.rig.exchange(lpdu) if arrives else []
        if not goes_on:
            raise KilledError
        for frame in answers if answered else ():
            for listener in self.heard:
                asyncio.get_running_loop().call_soon(listener, frame.encode())


class Office:
    """A concentrator's store, client and session, and how it ends: cleanly, or killed."""

    def __init__(self, path: Path, rig: Rig | None = None, subnet: int = 1):
        self.path = path
        self.rig = rig or Rig(StillElement())
        self.line = Line(self.rig)
        self.subnet = subnet
        self.start()

    def start(self) -> None:
        self.vault = Vault(self.path)
        self.line.heard.clear()

    def client(self) -> Client:
        address = (self.subnet, 127)
        return Client(self.line, address, silence=0, reading=QUICK, writing=QUICK)

    def kill(self) -> None:
        """Nothing is given back."""
        self.vault._numbers.clear()
        self.vault.close()
        self.start()

    async def commission(self, mode: int) -> Member:
        place = self.vault.new_place(UID, mode)
        target = Target(DISCOVERY, unique_id=UID)
        await commission(self.client(), target, desk_key(UID), place)
        return self.vault.admit(UID, place)

    def member(self) -> Member:
        return self.vault.find(UID.hex())

    def session(self) -> Session:
        return session_of(self.client(), self.vault, self.member())
