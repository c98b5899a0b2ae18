"""Devices, a concentrator's transceiver, and the power line between them."""

import asyncio
import hashlib
import random
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from functools import lru_cache

from osgp_tools.airtime import SECOND
from osgp_tools.channel import Channel
from osgp_tools.link_budget import Link, Signal
from osgp_tools.lpdu import crc16
from osgp_tools.simulation.device import SimulatedDevice, keep_rare_modules
from osgp_tools.simulation.link import BUFFERS
from osgp_tools.simulation.loop import BEGAN
from osgp_tools.simulation.topologies import Topology, star
from osgp_tools.source import Source
from osgp_tools.station import Station

FIRST_ID = 0x0400_0000_1000  # unique id of place 0, the concentrator's transceiver
HOUSES = 20  # kinds of household: 1,500 kWh a year and 250 more for each kind
DAYS = 6  # of a source: two before the beginning
START = 1.0  # s within which all devices get power
NOTHING = Link(-90.0, -9.0)  # not even a carrier

Listener = Callable[[int, int, bytes], None]  # ns, place of the sender, LPDU with CRC


class ClientLink:
    """The concentrator's transceiver, as `client.Link` wants it."""

    def __init__(self, channel: Channel, phase: int) -> None:
        self.unique_id = unique_id(0)
        self.station = channel.attach(self._frame, self._error, self._sent, phase=phase)
        self._waiting = 0  # frames in the transceiver
        self._room = asyncio.Event()
        self.damaged = 0  # frames with a wrong CRC
        self.heard: list[Callable[[bytes], None]] = []
        self.signal = Signal()  # of the frame that is being told

    async def send(self, lpdu: bytes) -> None:
        """Hand an LPDU (CRC included) to the transceiver, when it has room for it."""
        while self._waiting >= BUFFERS:
            self._room.clear()
            await self._room.wait()
        self.say(lpdu)

    def say(self, lpdu: bytes, *, attenuate: bool = False) -> None:
        self._waiting += 1
        self.station.send(lpdu, priority=bool(lpdu[0] & 0x80), attenuate=attenuate)

    def _sent(self) -> None:
        self._waiting = max(self._waiting - 1, 0)  # not all of them went by `say`
        self._room.set()

    def _error(self) -> None:
        self.damaged += 1

    def _frame(self, lpdu: bytes, signal: Signal) -> None:
        self.signal = signal
        for listener in self.heard:
            listener(lpdu)


class Network:
    """`devices[k]` is at place k + 1 of the topology; place 0 is the concentrator's.

    Nothing happens until the channel advances: in `simulation.run`, or by hand.
    """

    def __init__(
        self,
        seed: int = 1,
        devices: int = 3,
        topology: Topology | None = None,
        *,
        loss: float = 0.0,
        powered: bool = True,
    ) -> None:
        """`topology`: a star of so many devices, if none is given. `loss`: of frames, on top of
        what the links lose. `powered`: all devices start within the first second."""
        keep_rare_modules()
        self.seed = seed
        self.topology = topology or star(devices)
        self.channel = Channel(seed=seed, loss=loss, link=NOTHING)
        self.listeners: list[Listener] = []
        self.channel.tap = self._tell
        self._hash = hashlib.sha256()
        phases = self.topology.phases
        self.client_link = ClientLink(self.channel, phases[0])
        self.devices = [
            SimulatedDevice(
                self.channel, place, unique_id(place), phases[place], household(place), seed
            )
            for place in range(1, len(phases))
        ]
        for (a, b), link in self.topology.links.items():
            self.channel.set_link(self.station(a), self.station(b), link, both_ways=False)
        if powered:
            self._start()

    def _start(self) -> None:
        rng = random.Random(f"start of {self.seed}")
        for one in self.devices:
            self.channel.call_at(int(rng.uniform(0, START) * SECOND), one.power)

    def station(self, place: int) -> Station:
        return self.devices[place - 1].station if place else self.client_link.station

    @property
    def digest(self) -> str:
        """Of all frames until now, their senders and their times."""
        return self._hash.hexdigest()

    def _tell(self, when: int, sender: Station, lpdu: bytes) -> None:
        self._hash.update(b"%d %d " % (when, sender.index) + lpdu)
        for listener in self.listeners:
            listener(when, sender.index, lpdu)

    # ---- what may happen to a network

    def cut(self, k: int) -> None:
        """Device k loses power."""
        self.devices[k].cut()

    def power(self, k: int) -> None:
        """And has it again."""
        self.devices[k].power()

    def move(self, k: int, links: Mapping[int, Link]) -> None:
        """Device k hears these places, and they it, in place of those it heard before."""
        moved = self.devices[k].station
        for other in self.channel.stations:
            if other is not moved:
                self.channel.set_link(moved, other, links.get(other.index, NOTHING))

    def say(self, place: int, lpdu: bytes, at: int = 0) -> None:
        """A frame (without CRC) out of the transceiver at a place, whoever stands behind it."""
        self.station(place).send(lpdu + crc16(lpdu).to_bytes(2, "big"), at)


def unique_id(place: int) -> bytes:
    return (FIRST_ID + place).to_bytes(6, "big")


def household(place: int) -> bytes:
    """What the device at a place measures, as a file of `osgp_tools/source.py`."""
    return _household(place % HOUSES)


@lru_cache
def _household(kind: int) -> bytes:
    return household_source(kind).encode()


@lru_cache
def household_source(kind: int) -> Source:
    first: date = BEGAN.date() - timedelta(days=2)
    return Source.household(first, DAYS, 1500 + 250 * kind)
