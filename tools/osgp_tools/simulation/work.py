"""What a concentrator does in a network that is new to it, from its first search to the daily
reading, by the classes with which `osgp` does it on a real line. Each piece is measured.
"""

import asyncio
import os
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

from osgp_tools import broadcast, clock, groups, model
from osgp_tools.client import Client, NoAnswerError
from osgp_tools.concentrator import Concentrator, ConcentratorError, Device, midnight
from osgp_tools.membership import CommissionError, InstallationKeys
from osgp_tools.profile_readout import ReadoutError
from osgp_tools.readings import Readings
from osgp_tools.search import Search
from osgp_tools.session import SessionError
from osgp_tools.simulation.loop import run
from osgp_tools.simulation.measure import Figures, Watch
from osgp_tools.simulation.network import FIRST_ID, Network
from osgp_tools.store import Vault
from osgp_tools.suites import AES_PSK
from osgp_tools.topology import Topology

GROUP = 0x0101
OPEN_RELAY_1 = bytes((1, 0))  # of EP02: output 1, open
EP02, ET30 = 2048 + 2, 2048 + 30
FORCED, RELAY_1 = model.field(ET30, "relays")[0], 1  # relays that EP02 holds open
MEMORY = "/dev/shm"  # a store that is forgotten need not wait for a disk
ROUNDS = 3  # in which those that did not answer get another go
BREATH = 60.0  # s for devices to make up for their past

T = TypeVar("T")
Thing = TypeVar("Thing")


class Work:
    """One concentrator at place 0 of a network. `figures`: what was done so far."""

    def __init__(self, network: Network, folder: Path, mode: int = AES_PSK) -> None:
        self.network = network
        self.figures: list[Figures] = []
        self.troubles: Counter[str] = Counter()  # what went wrong and was tried again
        self.devices: dict[bytes, Device] = {}
        self.ids: list[bytes] = []  # in the order in which they were found: the nearest first
        self.watch = Watch(network)
        self.topology = Topology()
        self.client = Client(network.client_link)
        self.vault = Vault(folder / "vault.db")
        self.readings = Readings(folder / "readings.db")
        self.concentrator = Concentrator(
            self.client, self.vault, self.readings, InstallationKeys(), mode, self.topology
        )

    def close(self) -> None:
        self.vault.close()
        self.readings.close()

    async def everything(self) -> None:
        """All of it, one after the other."""
        await self.discover()
        await self.commission()
        await self.set_clocks()
        await self.read_day()
        await self.form_group()
        await self.switch_group()

    # ---- its pieces

    async def discover(self) -> None:
        """Find everybody, knowing nobody."""
        search = Search(self.client, self.topology, self.network.client_link.unique_id)
        with self.watch.of("discover", len(self.network.devices)) as figures:
            self.ids = await search.everybody()
            figures.done = len(self.ids)
        self.figures.append(figures)

    async def commission(self) -> None:
        async def one(unique_id: bytes) -> None:
            self.devices[unique_id] = await self.concentrator.commission(unique_id)

        await self._each("commission", self.ids, one)

    async def set_clocks(self) -> None:
        """Then devices make up for the two days that their elements can tell."""
        await self._each("set clocks", self._members(), self.concentrator.set_clock)
        await asyncio.sleep(BREATH)

    async def read_day(self) -> None:
        """Everybody's registers and yesterday's load profile."""
        ends_at = midnight(clock.utc())

        async def one(device: Device) -> None:
            await self.concentrator.read_registers(device)
            await self.concentrator.read_day(device, ends_at)

        await self._each("read a day", self._members(), one)

    async def form_group(self) -> None:
        async def one(device: Device) -> None:
            if GROUP not in await groups.read(device.session):
                await groups.change(device.session, groups.ADD, GROUP)

        await self._each("form a group", self._members(), one)

    async def switch_group(self) -> None:
        """One broadcast, and one from each agent; then everybody is asked what he did."""
        order = broadcast.Order((GROUP,), EP02, OPEN_RELAY_1)
        members = self._members()
        with self.watch.of("switch the group", len(members)) as figures:
            sent = await broadcast.tell(self.client, self.vault, order)
            figures.done = sum(self._has_switched(device) for device in members)
        self.figures.append(figures)
        with self.watch.of("ask who has switched", len(members)) as figures:
            async for told in broadcast.finish(self.client, self.vault, sent):
                figures.done += told.fate.good
                if not told.fate.good:
                    self.troubles[str(told.fate)] += 1
        self.figures.append(figures)

    # ---- how

    def _members(self) -> list[Device]:
        return [self.devices[one] for one in self.ids if one in self.devices]

    async def _each(
        self, name: str, things: Iterable[Thing], work: Callable[[Thing], Awaitable[T]]
    ) -> None:
        """The same for each; those that fail come again when all others had their turn."""
        left = list(things)
        with self.watch.of(name, len(left)) as figures:
            for _ in range(ROUNDS):
                failed = []
                for thing in left:
                    try:
                        await work(thing)
                        figures.done += 1
                    except (
                        NoAnswerError,
                        SessionError,
                        ConcentratorError,
                        CommissionError,
                        ReadoutError,
                    ) as error:
                        self.troubles[f"{name}: {type(error).__name__}"] += 1
                        failed.append(thing)
                left = failed
        self.figures.append(figures)

    def _has_switched(self, device: Device) -> bool:
        """By looking into the device, which no concentrator can."""
        place = int.from_bytes(device.member.unique_id, "big") - FIRST_ID
        firmware = self.network.devices[place - 1].device
        return firmware is not None and bool(firmware.control.et30[FORCED] & RELAY_1)


def work_through(network: Network) -> Work:
    """Everything, in the network's own time, with a store that is forgotten afterwards."""
    with TemporaryDirectory(dir=MEMORY if os.path.isdir(MEMORY) else None) as folder:

        async def main() -> Work:
            work = Work(network, Path(folder))
            try:
                await work.everything()
            finally:
                work.close()
            return work

        return run(main, network.channel, seed=network.seed)
