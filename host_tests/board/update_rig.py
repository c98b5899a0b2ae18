"""Code downloads on an emulated Pico: two images, the concentrator's end, and kills.

Version 1 is this tree, version 2 `next_firmware`: its tables have other layouts. Version 1 is
always in bank A, 2 in B.
"""

import asyncio
import sys
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random

from board_ends import UID
from board_rig import BT06, INSTALLATION_KEY, Board, content, flash_file

import banks
from osgp_tools import flash as flash_map
from osgp_tools import signing
from osgp_tools.client import Client, Target
from osgp_tools.discovery import DISCOVERY
from osgp_tools.emulator import EmulatorError
from osgp_tools.image import FIRMWARE, PACKET, build_bank
from osgp_tools.membership import commission
from osgp_tools.rekey import session_of
from osgp_tools.session import Session
from osgp_tools.store import Vault
from osgp_tools.update import Listener, Plan, Update
from osgp_tools.update_device import Part, Stage
from osgp_tools.update_packets import Image
from osgp_tools.update_status import Status, look
from osgp_tools.update_store import Downloads

sys.path.insert(0, str(Path(__file__).parents[1]))

import next_firmware

FLAGS = 0x2F010  # in a bank: an octet a packet, 00 it is there
FEEDER = 40, 42  # octets of BT06 in front of what version 2 has more, and with it
AIR = 0.045  # s for a frame: the device has to do with it for so long, and the line is slower
RUNS = "the device runs"
RIPE = "device.trial._good_since=(device.trial._good_since-600000)&0x3FFFFFFF"
AT_START = 0.25  # how often a kill is followed by one at the start
NOW = ""  # a phase that every work is in
HOW = ("power", "power in an operation", "watchdog")


@dataclass(frozen=True)
class Images:
    """What is signed by one test key."""

    public: bytes
    one: Image
    two: Image

    @classmethod
    def make(cls, folder: Path, *, following: bool = True) -> "Images":
        """The record of the key goes where XDG_STATE_HOME says. Not `following`: version 2 has
        the same tables."""
        key = folder / "key"
        public = signing.make(key, height=5)
        firmware = next_firmware.make(folder / "next") if following else FIRMWARE
        made = build_bank(1), build_bank(2, firmware=firmware)
        return cls(public, *(Image(signing.sign(image, key)) for image in made))

    def flash(self, path: Path) -> Path:
        """A new device with version 1."""
        return flash_file(path, {0: self.one.octets}, {"/update.pub": self.public})


class Raw:
    """A copy of a flash file's raw region, as `banks.load` takes it."""

    def __init__(self, path: Path):
        self._octets = bytearray(path.read_bytes()[flash_map.RAW : flash_map.FILES])

    def read(self, address: int, buf: bytearray) -> None:
        buf[:] = self._octets[address : address + len(buf)]

    def program(self, address: int, octets: bytes) -> None:
        self._octets[address : address + len(octets)] = octets

    def erase(self, address: int) -> None:
        self.program(address, b"\xff" * flash_map.SECTOR)


class Phases(Listener):
    """What an update does, for who waits for it."""

    def __init__(self) -> None:
        self.seen = {NOW}
        self._more = asyncio.Event()

    def phase(self, text: str) -> None:
        self.seen.add(text)
        self._more.set()

    async def until(self, text: str) -> None:
        while text not in self.seen:
            self._more.clear()
            await self._more.wait()


class Life:
    """A board, its concentrator, and what becomes of them. Chance is that of `random`."""

    def __init__(
        self, board: Board, images: Images, folder: Path, random: Random, data: bytes = b""
    ):
        """folder: the concentrator's. data: what is in BT06 already."""
        self.board = board
        self.images = images
        self.random = random
        self.kills: Counter[tuple[str, str]] = Counter()  # (when, how)
        self.data = data  # octets of BT06, as version 1 has them
        self.vault = Vault(folder / "concentrator.db")
        self.kept = Downloads(folder / "concentrator.db")
        self.client = Client(board.transceiver, silence=0.0)

    async def begin(self) -> None:
        """The device becomes a member."""
        await self.board.up()
        place = self.vault.new_place(UID)
        await commission(self.client, Target(DISCOVERY, unique_id=UID), INSTALLATION_KEY, place)
        self.vault.admit(UID, place)

    def close(self) -> None:
        self.vault.close()
        self.kept.close()

    @property
    def session(self) -> Session:
        member = self.vault.member(UID)
        assert member
        return session_of(self.client, self.vault, member)

    async def write(self, number: int) -> None:
        """Data that version 1 has to keep, and version 2 to have moved."""
        self.data = content(number)
        await self.session.write(BT06, self.data, 0)

    # ---- an update, or a part of it

    async def update(
        self, image: Image, *, back: bool = False, listener: Listener | None = None
    ) -> Part:
        """To this image, on trial. back: it is in the other bank."""
        plan = Plan(confirm=False, back=back)
        members = self.vault.members()
        update = Update(self.client, self.vault, self.kept, image, members, plan, listener)
        self.board.transceiver.air = AIR
        try:
            await update.run()
        finally:
            self.board.transceiver.air = 0.0
        return update.parts[0]

    async def until(self, image: Image, phase: str) -> None:
        """An update as far as the beginning of a phase."""
        phases = Phases()
        working = asyncio.ensure_future(self.update(image, listener=phases))
        await phases.until(phase)
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)

    async def ripen(self) -> None:
        """The ten minutes of a trial are over."""
        if "None" not in await self.board.console("device.trial"):
            await self.board.console(RIPE)

    async def confirm(self, image: Image) -> None:
        """The second EP10."""
        member = self.vault.member(UID)
        assert member
        part = Part(member, self.session, image, self.kept)
        await part.confirm()
        assert part.stage == Stage.CONFIRMED, part.text

    async def fill(self, image: Image, missing: int) -> None:
        """Bank B is erased, then the power goes; as it comes again all packets are there, but for
        so many."""
        await self.until(image, "sending packets")
        await self.board.kill()
        numbers = range(image.packets)
        there = set(numbers) - set(self.random.sample(numbers, missing))
        flash = bytearray(self.board.flash.read_bytes())
        start = flash_map.BANKS[1]
        head = start + flash_map.DOWNLOAD
        assert flash[head : head + 8] == b"OSGPLOAD", "packets were to be sent, nothing is erased"
        for number in there:
            at = start + PACKET * number
            flash[at : at + PACKET] = image.packet(number)[2:]
            flash[start + FLAGS + number] = 0
        self.board.flash.write_bytes(flash)
        await self._start()
        await self.up()

    # ---- kills

    async def download(self, kills: int, span: float) -> None:
        """Version 2 by the line; kills up to `span` s after the first packet."""
        for _ in range(kills):
            await self.killed("in a download", self._forward, "sending packets", span)

    async def erase(self, kills: int) -> None:
        for _ in range(kills):
            await self.killed("while it erases", self._forward, "erasing", 4)

    async def switch(self, image: Image, kills: int) -> None:
        """To what is in the other bank: verified within a second, and 5 s later the restart. A
        trial that a kill did not keep from beginning is given back."""
        one, two = self.images.one, self.images.two
        for k in range(kills):
            when, span = ("in a switch", 10) if k % 2 else ("in a verification", 1.2)
            status = await self.killed(when, partial(self._go, image), "switching banks", span)
            if status.on_trial and k < kills - 1:
                part = await self._go(two if image is one else one)
                assert part.stage == Stage.CONFIRMED, part.text
        part = await self._go(image)
        assert part.stage == Stage.TRIAL, part.text
        assert (await self.stand()).on_trial

    async def trial(self, image: Image, kills: int, confirming: int) -> None:
        """Kills in the trial, and while it is confirmed."""
        for _ in range(kills):
            await self.killed("in the trial", lambda _: asyncio.sleep(0), NOW, 5)
        for _ in range(confirming):
            await self.ripen()
            await self.killed("while it confirms", lambda _: self.confirm(image), NOW, 0.4)
        await self.ripen()
        await self.confirm(image)
        status = await self.stand()
        assert not status.on_trial
        assert status.version == image.version[0]

    async def _go(self, image: Image, listener: Listener | None = None) -> Part:
        """To an image that has run in the other bank before, or else is on its way there."""
        k = int(image is self.images.two)
        start = flash_map.BANKS[k] + FLAGS
        flags = self.board.flash.read_bytes()[start : start + image.packets]
        whole = k == 0 or not any(flags)
        back = whole and self.selector().ids[k] == image.id
        return await self.update(image, back=back, listener=listener)

    def _forward(self, phases: Phases) -> Awaitable[object]:
        return self.update(self.images.two, listener=phases)

    async def killed(
        self, when: str, work: Callable[[Phases], Awaitable[object]], phase: str, span: float
    ) -> Status:
        """Begin the work, and kill the device up to `span` s after it has come to a phase. Then
        the device must stand."""
        phases = Phases()
        working = asyncio.ensure_future(work(phases))
        there = asyncio.ensure_future(phases.until(phase))
        await asyncio.wait([working, there], return_when=asyncio.FIRST_COMPLETED)
        await asyncio.sleep(self.random.uniform(0, span))
        before = self.selector()
        if before.trial and phase != NOW:
            when = "in the trial"
        how = await self.kill(when, len(HOW) if before.tries != 1 else 2)
        if self.random.random() < AT_START:
            await asyncio.sleep(self.random.uniform(0, 2))
            await self.kill("at a start", 2)
        for task in (working, there):
            task.cancel()
        await asyncio.gather(working, there, return_exceptions=True)
        status = await self.up()
        after = self.selector()
        tries = f", {after.tries} tries left" if after.trial else ""
        print(f"{self.kills.total()}. {when}, {how}: {status}{tries}")
        if before.trial and after.trial:  # lost power spends no try
            assert before.tries - after.tries in ((0, 1) if how == "watchdog" else (0,))
        return status

    def selector(self) -> banks.State:
        """As it is in flash now."""
        return banks.load(Raw(self.board.flash))

    async def kill(self, when: str, ways: int) -> str:
        """Now, in one of so many ways (HOW). Returns which."""
        how = HOW[self.random.randrange(ways)]
        self.board.prompt.printed = ""
        if how == "watchdog":
            await self.board.pico.command("watchdog")
            await self.board.pico.event("reset")
        else:
            if how == "power in an operation":
                await self.board.pico.cut_in_operation(self.random.randint(1, 3))
                try:
                    await self.board.pico.until_cut(1.5)
                except EmulatorError:
                    how = "power"  # it writes nothing now
            await self.board.kill()
            await self._start()
        self.kills[when, how] += 1
        return how

    async def _start(self) -> None:
        self.board.prompt.printed = ""
        await self.board.start()

    async def up(self) -> Status:
        """It starts, and then it stands."""
        printed = await self.board.prompt.until(f"{RUNS}|safe mode", 120)
        assert printed.endswith(RUNS), printed
        await asyncio.sleep(2.2)
        return await self.stand()

    async def stand(self) -> Status:
        """The device runs a whole bank, answers, and has its data."""
        status = await look(self.session)
        assert status.active == status.version - 1, status
        before, after = FEEDER if status.version == 2 else (0, 0)
        body = await self.session.read(BT06, 0, len(self.data) + after - before)
        assert body[:before] + body[after:] == self.data
        assert await self.board.number("device.settings._settings.bad") == 0
        return status
