"""A network in virtual time for the scenarios: devices, concentrators, strangers, what befalls
their frames, and how it all ended.

    with World(record, devices=2) as world:
        world.live(story)           # async def story(): one = world.concentrator(); ...
        assert world.is_member(0, one)
"""

from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from unittest.mock import patch

from device import Device
from osgp.services import Services
from osgp_tools import lpdu, model, pcap
from osgp_tools.airtime import SECOND
from osgp_tools.client import Client, NoAnswerError
from osgp_tools.concentrator import Concentrator
from osgp_tools.discovery import Discovery
from osgp_tools.link_budget import Link
from osgp_tools.lpdu import Frame
from osgp_tools.membership import InstallationKeys
from osgp_tools.readings import Readings
from osgp_tools.search import Search
from osgp_tools.simulation import Network, run
from osgp_tools.simulation.loop import BEGAN
from osgp_tools.simulation.network import ClientLink, unique_id
from osgp_tools.simulation.topologies import line
from osgp_tools.store import Vault
from osgp_tools.suites import AES_PSK, LEGACY
from osgp_tools.topology import Topology
from tables.schema import NEVER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from osgp_tools.channel import Channel

MODES = (LEGACY, AES_PSK)
GOOD = Link()
WHOLE = 65535  # octets of one read here: no door is in between


class Record:
    """One capture for all networks of a test. What our decoder refuses is counted, not written:
    a transceiver makes a good CRC for any octets, and there is no second opinion on what they
    mean."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.path = folder / "frames.pcap"
        self.frames = 0
        self.refused = 0
        self.worlds = 0
        self._writer = pcap.Writer(self.path)

    def write(self, when: float, place: int, octets: bytes) -> None:
        try:
            lpdu.decode(octets)
        except lpdu.FrameError:
            self.refused += 1
            return
        self.frames += 1
        self._writer.write(octets, BEGAN.timestamp() + when, place)

    def close(self) -> None:
        self._writer.close()


@dataclass
class Aired:
    """A frame that was on the line."""

    number: int  # of all frames, from 0 on
    when: float  # s
    place: int  # of who sent it
    octets: bytes = field(repr=False)

    @property
    def frame(self) -> Frame:
        return lpdu.decode(self.octets)


@dataclass(frozen=True, order=True)
class Executed:
    """A command that a device carried out: its how many-eth membership, the sequence number."""

    generation: int
    number: int
    command: bytes


class Stranger:
    """A transceiver that hears and is heard everywhere, and is nobody's."""

    def __init__(self, world: "World"):
        self.heard: list[bytes] = []
        self._world = world
        channel = world.network.channel
        self.station = channel.attach(lambda octets, _signal: self.heard.append(octets))
        world.connect(self.station)

    def say(self, octets: bytes, after: float = 0.0) -> None:
        """An LPDU with its CRC, some seconds from now."""
        self.station.send(octets, self._world.network.channel.now + int(after * SECOND))


class Head:
    """A concentrator with a store of its own."""

    def __init__(
        self,
        link: ClientLink,
        address: tuple[int, int],
        vault: Vault,
        mode: int,
        number: int,
        topology: Topology | None = None,
    ):
        """`topology`: it goes through repeaters; without one it asks everybody directly."""
        self.number = number
        self.link = link
        self.client = client = Client(link, address)
        self.discovery = Discovery(client)
        self.vault = vault
        readings, keys = Readings(Path(":memory:")), InstallationKeys()
        self.topology = topology
        self.search = Search(client, topology or Topology(), link.unique_id)
        self.concentrator = Concentrator(client, vault, readings, keys, mode, topology)
        self.join = self.concentrator.join
        self.commission = self.concentrator.commission


class World:
    """`devices` houses that hear each other well, or `hops` of them in a row.

    `faults(aired, place) -> delays`: for each frame and each place that hears it, after how many
    seconds it gets there; none: never.
    """

    def __init__(
        self, record: Record, devices: int = 1, seed: int = 1, mode: int = LEGACY, hops: int = 0
    ):
        self.record = record
        self.mode = mode
        self.far = hops > 0
        devices = hops or devices
        self.network = Network(seed, devices, line(hops) if hops else None, powered=False)
        self.aired: list[Aired] = []
        self.executed: list[list[Executed]] = [[] for _ in range(devices)]
        self.procedures: list[list[int]] = [[] for _ in range(devices)]  # as they begin
        self.faults: Callable[[Aired, int], Iterable[float]] = in_time
        self._stack = ExitStack()
        self._links = [self.network.client_link]
        self._seed = seed
        self._heads = 0
        record.worlds += 1
        self._folder = record.folder / f"world{record.worlds}"
        self.network.listeners.append(self._note)
        for station in self.channel.stations:
            self._between(station)
        for one in self.network.devices:
            self._watch(one)
            one.filtered = False  # the firmware shall see what is for others, too
            self.channel.call_at(one.place * SECOND // 8, one.power)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._stack.close()

    @property
    def channel(self) -> "Channel":
        return self.network.channel

    @property
    def devices(self) -> list:
        """The firmware's own, as long as they have power."""
        return [one.device for one in self.network.devices]

    @property
    def frames(self) -> list[Frame]:
        return [aired.frame for aired in self.aired]

    def id(self, k: int) -> bytes:
        return unique_id(k + 1)

    # ---- who is there

    def concentrator(self, address: tuple[int, int] = (1, 127), mode: int | None = None) -> Head:
        """The first has the transceiver at place 0, each other one a new one. Within `live`."""
        self._heads += 1
        if self._heads > len(self._links):
            link = ClientLink(self.channel, 0)
            link.unique_id = (0x0400_0000_2000 + self._heads).to_bytes(6, "big")
            self.connect(link.station)
            self._links.append(link)
        vault = Vault(self._folder / f"{self._heads}.db")
        self._stack.callback(vault.close)
        mode = self.mode if mode is None else mode
        link = self._links[self._heads - 1]
        return Head(link, address, vault, mode, self._heads, Topology() if self.far else None)

    def restarted(self, head: Head) -> Head:
        """A concentrator in the place of one that was killed, on its store as that stands."""
        path = self._folder / f"{head.number}.db"
        copy = self._folder / f"{head.number}-again.db"
        for suffix in ("", "-wal"):
            if path.with_name(path.name + suffix).exists():
                octets = path.with_name(path.name + suffix).read_bytes()
                copy.with_name(copy.name + suffix).write_bytes(octets)
        head.link.heard.clear()
        vault = Vault(copy)
        self._stack.callback(vault.close)
        address, mode = head.client.address, head.concentrator.mode
        return Head(head.link, address, vault, mode, head.number)

    def connect(self, station) -> None:
        """A station that came later is heard by all, and hears them."""
        for other in self.channel.stations:
            if other is not station:
                self.channel.set_link(station, other, GOOD)
        self._between(station)

    def live(self, story) -> None:
        """Run the coroutine function in virtual time."""
        run(story, self.channel, seed=self._seed)

    # ---- frames

    def _note(self, when: int, place: int, octets: bytes) -> None:
        self.aired.append(Aired(len(self.aired), when / SECOND, place, octets))
        self.record.write(when / SECOND, place, octets)

    def _between(self, station) -> None:
        """Faults stand between the line and whoever hears it."""
        hear = station.on_frame

        def on_frame(octets, signal):
            aired = next(one for one in reversed(self.aired) if one.octets is octets)
            for delay in self.faults(aired, station.index):
                if delay:
                    at = self.channel.now + int(delay * SECOND)
                    self.channel.call_at(at, lambda: hear(octets, signal))
                else:
                    hear(octets, signal)

        station.on_frame = on_frame

    # ---- what a device did, and has

    def _watch(self, one) -> None:
        """Note each command and procedure that a device carries out, from its start on."""
        power = one.power
        start = Device.start

        def and_watch():
            def watched(device):
                self._instrument(device, one.place - 1)
                start(device)

            with patch.object(Device, "start", watched):
                power()

        one.power = and_watch

    def _instrument(self, device, k: int) -> None:
        carry_out, told = device.services.run, device.procedures.on_initiated

        def run_noted(buf, a, end, out, o, level, now):
            generation, number = device.member.generation, self.expected(k) - 1
            self.executed[k].append(Executed(generation, number, bytes(buf[a:end])))
            return carry_out(buf, a, end, out, o, level, now)

        def begins(number):
            self.procedures[k].append(number)
            told(number)

        device.services.run = run_noted
        device.procedures.on_initiated = begins

    def writes(self, k: int) -> list[bytes]:
        """The writes that device k carried out. No number was good twice for anything."""
        executed = self.executed[k]
        numbers = [(one.generation, one.number) for one in executed]
        assert numbers == sorted(set(numbers)), "a number was good twice"
        return [one.command for one in executed if one.command[0] in (0x40, 0x4F)]

    def table(self, k: int, number: int) -> bytes:
        """A table of device k, past its doors."""
        one = self.network.devices[k]
        services = Services(one.device.model, WHOLE, WHOLE)
        out = bytearray(model.table(number).size + 8)
        command = b"\x30" + number.to_bytes(2, "big")
        end = services.run(command, 0, len(command), out, 0, NEVER, 0)
        assert out[0] == 0, f"table {number}: {out[0]:02x}"
        return bytes(out[3:end])

    def address(self, k: int) -> tuple[int, int]:
        """Subnet and node of device k in its first domain."""
        entry = self.devices[k].member.domains[0]
        return entry.subnet, entry.node

    def is_member(self, k: int, head: Head) -> bool:
        """Do device and store say the same: place, key, mode, and whose number is next?"""
        member, kept = self.devices[k].member, head.vault.member(self.id(k))
        if kept is None or not member.keyed:
            return False
        same = self.address(k) == (kept.subnet, kept.node) and member.mode == kept.mode
        return same and bytes(member.unicast_key[: len(kept.key)]) == kept.key

    def expected(self, k: int) -> int:
        """The sequence number that device k expects."""
        counter = self.devices[k].counter
        return counter.hi << 16 | counter.lo


async def until_it_answers(head: Head, unique_id: bytes, tries: int = 4):
    """A device as a member: what whoever runs a concentrator does, again and again."""
    for _ in range(tries - 1):
        with suppress(NoAnswerError):
            return await head.join(unique_id)
    return await head.join(unique_id)


def in_time(_aired: Aired, _place: int) -> tuple[float, ...]:
    """No faults."""
    return (0.0,)


def is_answer(frame: Frame) -> bool:
    return frame.pdu == lpdu.SPDU and frame.kind == lpdu.RESPONSE


def is_request(frame: Frame, code: int | None = None) -> bool:
    """A request of layer 6 with this APDU code."""
    asked = frame.pdu == lpdu.SPDU and frame.kind == lpdu.REQUEST
    return asked and (code is None or frame.body[0] == code)
