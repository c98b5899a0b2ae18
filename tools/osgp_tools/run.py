"""The main job: a power line, three devices, a concentrator, and whether it is all true.

Everything is made anew under `build/run`, keys too. What is left besides at the end:
`build/readings.db`, `build/load-curve.svg` and `.png`.
"""

import asyncio
import shutil
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rich.console import Console

from osgp_tools import airtime, clock, curve, report
from osgp_tools.checks import Verdict
from osgp_tools.client import Client, Exchange
from osgp_tools.concentrator import Concentrator, Device, midnight
from osgp_tools.desk import Desk, House
from osgp_tools.discovery import ANSWERS_WINDOW, Discovery
from osgp_tools.membership import InstallationKeys
from osgp_tools.port import Port
from osgp_tools.readings import Readings
from osgp_tools.readout import Day
from osgp_tools.report import Reading, Teller
from osgp_tools.source import Source
from osgp_tools.store import Vault

HOUSES = ((2500, 0), (3500, 600), (4500, 0))  # kWh a year, peak power of solar cells in W
PAST_DAYS, DAYS = 2, 4  # that a source tells of: two past ones, today, and tomorrow if it begins
LIMIT = 120.0  # s that the job may take at SPEED=1
FAST_WINDOW = 0.4  # s for answers where nothing takes time on the air, but processes do
STEPS = 20  # of a device's bar: eight, and twelve for the load profile
PROFILE_STEPS = 12


class MainJobError(Exception):
    """The job could not be done, or what came of it is not true."""


@dataclass
class Passage:
    """The exchanges of one part of the run, and its time."""

    exchanges: list[Exchange] = field(default_factory=list)
    seconds: float = 0.0
    octets: int = 0  # of tables, read

    def share(self) -> float:
        """How near the channel's limit it came (profile 35): only what was necessary counts."""
        lengths = [n for e in self.exchanges for n in (e.request_octets, e.answer_octets)]
        return airtime.share(lengths, self.seconds)

    def rate(self) -> float:
        """Octets of tables brought, in bit/s."""
        return self.octets * 8 / self.seconds


class MainJob:
    """One run in `folder`. After `do`, `devices` holds what was read."""

    def __init__(self, folder: Path, speed: float, pcap: Path | None, teller: Teller):
        self.folder = folder
        self.speed = speed
        self.pcap = pcap
        self.teller = teller
        self.devices: list[Reading] = []
        self.profile = Passage()
        self.log: list[Exchange] = []
        self.exchanges = self.retries = 0
        self.frames = 0  # on the line, by its own count
        self._names: dict[bytes, str] = {}

    async def do(self) -> None:
        """The whole of it. Raises MainJobError and whatever its parts raise."""
        place = self.folder / "run"
        if place.exists():
            shutil.rmtree(place)
        for file in self.folder.glob("readings.db*"):
            file.unlink()
        place.mkdir(parents=True)
        sources = await asyncio.to_thread(self._write_sources, place)
        houses = [House(f"device{k}", path) for k, path in enumerate(sources, start=1)]
        async with Desk(place, houses, speed=self.speed, pcap=self.pcap) as desk:
            port = await Port.open(desk.port)
            try:
                await self._concentrate(port, sources)
            finally:
                port.close()
            self.frames = desk.statistics()["line"]["frames"]

    def _write_sources(self, place: Path) -> list[Path]:
        first = (datetime.now(UTC) - timedelta(days=PAST_DAYS)).date()
        paths = []
        for k, (annual, feed_in) in enumerate(HOUSES, start=1):
            path = place / f"device{k}.source"
            Source.household(first, DAYS, annual, feed_in).write(path)
            paths.append(path)
        return paths

    async def _concentrate(self, port: Port, sources: list[Path]) -> None:
        vault = Vault(self.folder / "run" / "concentrator.db")
        readings = Readings(self.folder / "readings.db")
        client = Client(port)
        client.exchanged.append(self.log.append)
        try:
            discovery = Discovery(client, ANSWERS_WINDOW if self.speed else FAST_WINDOW)
            concentrator = Concentrator(client, vault, readings, InstallationKeys())
            devices = await self._gather(discovery, concentrator)
            ends_at = midnight(clock.utc())
            for device in devices:
                source = self._source_of(device, sources)
                self.devices.append(await self._read(concentrator, device, ends_at, source))
        finally:
            vault.close()
            readings.close()
            self.exchanges = client.statistics.exchanges
            self.retries = client.statistics.retries

    async def _gather(self, discovery: Discovery, concentrator: Concentrator) -> list[Device]:
        """Find all devices, make them members, and set their clocks."""
        teller = self.teller
        teller.begin("line", len(HOUSES))
        teller.step("line", 0, "finding devices")
        seen: list[bytes] = []

        def found(unique_id: bytes) -> None:
            seen.append(unique_id)
            teller.step("line", len(seen), f"found {unique_id.hex()}")

        ids = await discovery.find(found)
        if len(ids) != len(HOUSES):
            raise MainJobError(
                f"{len(ids)} devices found of {len(HOUSES)}; see {self.folder}/run/*.log"
            )
        teller.step("line", len(seen), f"{len(seen)} devices, and no other answers")
        devices = []
        for unique_id in ids:
            name = self._names[unique_id] = unique_id.hex()
            teller.begin(name, STEPS)
            teller.step(name, 0, "commissioning", quiet=True)
            device = await concentrator.join(unique_id)
            address = f"{device.member.subnet}/{device.member.node}"
            teller.step(name, 2, f"member as {address}")
            await concentrator.set_clock(device)
            teller.step(name, 4, "clock set")
            devices.append(device)
        return devices

    @staticmethod
    def _source_of(device: Device, sources: list[Path]) -> Source:
        """Transceiver n is device n's: its id tells which source it measures."""
        number = int.from_bytes(device.member.unique_id[-2:], "big") & 0xFFF
        return Source.decode(sources[number - 1].read_bytes())

    async def _read(
        self, concentrator: Concentrator, device: Device, ends_at: datetime, source: Source
    ) -> Reading:
        teller = self.teller
        name = self._names[device.member.unique_id]
        identity = await concentrator.read_identity(device)
        teller.step(
            name, 5, f"{identity['manufacturer']} {identity['model']}, no. {identity['utility']}"
        )
        await concentrator.wait_for_past(device)
        teller.step(name, 6, "past filled in")
        registers = await concentrator.read_registers(device)
        teller.step(name, 7, "registers read")
        instantaneous = await concentrator.read_instantaneous(device)
        teller.step(name, 8, "instantaneous values read")
        day = await self._read_day(concentrator, device, ends_at)
        teller.step(name, STEPS, "read", quiet=True)
        address = f"{device.member.subnet}/{device.member.node}"
        return Reading(
            device.member.unique_id,
            address,
            identity,
            registers,
            instantaneous,
            day,
            source,
        )

    async def _read_day(
        self, concentrator: Concentrator, device: Device, ends_at: datetime
    ) -> Day:
        """The load profile, with the channel's use measured."""
        name = self._names[device.member.unique_id]

        def advance(done: int, total: int) -> None:
            step = 8 + PROFILE_STEPS * done / total
            self.teller.step(name, step, f"load profile, {done} of {total} octets", done < total)
            if done == total:
                self.profile.octets += total

        started = clock.monotonic()
        before = len(self.log)
        day = await concentrator.read_day(device, ends_at, advance)
        self.profile.exchanges += self.log[before:]
        self.profile.seconds += clock.monotonic() - started
        return day


def run(folder: Path, speed: float, pcap: Path | None) -> int:
    """Do the main job and tell of it. 0: all of it held; 1: not."""
    console = Console()
    started = time.monotonic()
    with Teller(console) as teller:
        job = MainJob(folder, speed, pcap, teller)
        asyncio.run(job.do())
    labels = [(f"{one.unique_id.hex()} ({one.address})", one.day) for one in job.devices]
    pictures = [folder / "load-curve.svg", folder / "load-curve.png"]
    curve.draw(labels, pictures)
    wrong = [f"{one.address}: {text}" for one in job.devices for text in one.verdict.wrong]
    seconds = time.monotonic() - started
    for table in report.tables(job.devices):
        console.print(table)
    if speed == 1 and seconds > LIMIT:
        wrong.append(f"it took {seconds:.0f} s, which is more than {LIMIT:.0f} s")
    for text in wrong[:20]:
        console.print(text, highlight=False)
    made = [folder / "readings.db", *pictures] + ([pcap] if pcap else [])
    paths = ", ".join(str(path) for path in made)
    console.print(f"made {paths}", highlight=False, soft_wrap=True)
    console.print(_last_line(job, seconds, wrong), highlight=False, soft_wrap=True)
    return 1 if wrong else 0


def _last_line(job: MainJob, seconds: float, wrong: list[str]) -> str:
    """The last line: what held, and at what cost."""
    verdict = sum((one.verdict for one in job.devices), Verdict(0, 0, ()))
    parts = [
        f"main job: {f'FAILED, {len(wrong)} not true' if wrong else 'ok'}",
        f"{len(job.devices)} devices",
        f"{verdict.compared} values compared with the source's, {verdict.exact} exactly",
        f"{job.exchanges} exchanges",
        f"{job.frames} frames on the line",
        f"{job.retries} retries",
        f"{seconds:.1f} s",
    ]
    if job.speed == 1:
        each = sum(e.seconds for e in job.profile.exchanges) / len(job.profile.exchanges)
        parts += [
            f"{each:.2f} s an exchange (two minutes allow {LIMIT / each:.0f})",
            f"load profile at {job.profile.share():.0%} of the channel's limit",
            f"{job.profile.rate():.0f} bit/s of tables on a line of {airtime.BITS_PER_SECOND} raw",
        ]
    return ", ".join(parts)
