"""The concentrator: makes devices members, sets their clocks, reads them and keeps what it read.

Clauses: `profile.md` 14-18 and 29-31.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime, timedelta

from osgp_tools import clock
from osgp_tools.client import Client, NoAnswerError, Target
from osgp_tools.discovery import DISCOVERY
from osgp_tools.membership import InstallationKeys, commission
from osgp_tools.profile_readout import ReadoutError
from osgp_tools.readings import Readings
from osgp_tools.readout import Day, Figure, Meter
from osgp_tools.rekey import session_of
from osgp_tools.search import Search
from osgp_tools.session import Code, RefusedError, SequenceLostError, Session, SessionError
from osgp_tools.store import Member, Vault
from osgp_tools.suites import LEGACY
from osgp_tools.topology import Topology

BP10 = 10
SET_ALL = 7  # time, date, qualifier
LONGER = 8  # octets that the request with BP10 has more than the partial read before it
CLOCK_TRIES = 3
LATE = 0.5  # s by which BP10 may have been longer under way than estimated
INTERVAL = timedelta(minutes=15)
FILLED_IN = 60.0  # s that a device may take to fill in its past
LOOK_PAUSE = 1.0


class ConcentratorError(Exception):
    """A device does not do what it must, or takes too long for it."""


def midnight(moment: datetime) -> datetime:
    """The last midnight in UTC: the end of the last full day."""
    return moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


class Device:
    """A member of the network and the session with it."""

    def __init__(self, member: Member, session: Session):
        self.member = member
        self.session = session
        self.meter = Meter(session)

    def __str__(self) -> str:
        return f"{self.member.unique_id.hex()} ({self.member.subnet}/{self.member.node})"


class Concentrator:
    """One client, one vault of members, one store of readings."""

    def __init__(
        self,
        client: Client,
        vault: Vault,
        readings: Readings,
        keys: InstallationKeys,
        mode: int = LEGACY,
        topology: Topology | None = None,
    ):
        """`mode`: the security mode in which it commissions. `topology`: it learns from every
        exchange, and its ways are gone; without one everybody is asked directly."""
        self.client = client
        self.topology = topology
        if topology is not None:
            client.routes = topology
            client.exchanged.append(topology.learn)
        self.mode = mode
        self.vault = vault
        self.readings = readings
        self.keys = keys
        client.exchanged.append(readings.exchange)

    # ---- members

    async def join(self, unique_id: bytes) -> Device:
        """The device as a member: one that still answers as such, else commissioned (again)."""
        member = self.vault.member(unique_id)
        if member:
            device = self.device(member)
            try:
                await device.meter.table(1)
                return device
            except (NoAnswerError, SequenceLostError):
                pass  # its place or its number is not ours any more
            except RefusedError as refused:
                if refused.code != Code.DIGEST_ERROR:
                    raise
        return await self.commission(unique_id)

    async def commission(self, unique_id: bytes) -> Device:
        """Make the device a member, under a new key."""
        place = self.vault.new_place(unique_id, self.mode)
        target = Target(DISCOVERY, unique_id=unique_id)
        await commission(self.client, target, self.keys.of(unique_id), place)
        member = self.vault.admit(unique_id, place)
        if self.topology is not None:
            self.topology.admit(unique_id, Target(member.domain, member.subnet, member.node))
        return self.device(member)

    def device(self, member: Member) -> Device:
        """The session with a member. One at a time for each: it holds the numbers."""
        return Device(member, session_of(self.client, self.vault, member))

    async def with_each(
        self,
        devices: Iterable[Device],
        work: Callable[[Device], Awaitable[object]],
        search: Search | None = None,
    ) -> dict[Device, Exception]:
        """The same work with each device; with those for which it failed, once more at the end.

        `search`: looks for those that did not answer, where they may have moved to. Returns with
        whom the work could not be done, and why.
        """
        failed = await self._attempt(devices, work)
        if search:
            for device, error in failed.items():
                if isinstance(error, NoAnswerError):
                    await search.one(device.member.unique_id)
        return await self._attempt(failed, work)

    @staticmethod
    async def _attempt(
        devices: Iterable[Device], work: Callable[[Device], Awaitable[object]]
    ) -> dict[Device, Exception]:
        failed: dict[Device, Exception] = {}
        for device in devices:
            try:
                await work(device)
            except (NoAnswerError, SessionError, ConcentratorError, ReadoutError) as error:
                failed[device] = error
        return failed

    # ---- the clock

    async def set_clock(self, device: Device) -> None:
        """BP10 with the time at which the device will have it.

        The way there is estimated from the exchange before. The procedure is sent so that it
        arrives on a full second, the finest that LTIME tells. What needed a retry came late and is
        set again; over a way that always needs some, the device's clock is looked at.
        """
        await device.meter.table(5)
        for _ in range(CLOCK_TRIES):
            assert self.client.last
            delay = self.client.last.one_way(LONGER)
            arrival = int(clock.wall() + delay) + 1
            await asyncio.sleep(arrival - delay - clock.wall())
            ltime = _ltime(arrival)
            weekday = datetime.fromtimestamp(arrival, UTC).isoweekday() % 7
            outcome = await device.session.procedure(
                BP10, bytes((SET_ALL,)) + ltime + bytes((weekday,))
            )
            if outcome.result:
                raise SessionError(f"{device} does not take the time: result {outcome.result}")
            initiated = outcome.initiated
            if initiated and not initiated.retries and initiated.one_way() < delay + LATE:
                return
            await device.meter.table(5)
        if not await self._clock_is_right(device):
            raise ConcentratorError(f"{device}: the clock could not be set without retries")

    @staticmethod
    async def _clock_is_right(device: Device) -> bool:
        """As far as can be told from here: BT52 shows a moment between question and answer."""
        asked = clock.wall()
        year, *rest = (await device.meter.table(52, "clock"))["clock"]
        if not year:
            return False
        told = datetime(2000 + year, *rest, tzinfo=UTC).timestamp()
        return asked - 1 <= told <= clock.wall()

    async def wait_for_past(self, device: Device) -> None:
        """Until the clock is right and the load profile reaches up to now."""
        deadline = clock.monotonic() + FILLED_IN
        while clock.monotonic() < deadline:
            if not await device.meter.clock_is_wrong():
                newest = await device.meter.newest_interval()
                if newest and clock.utc() - newest < INTERVAL:
                    return
            await asyncio.sleep(LOOK_PAUSE)
        raise ConcentratorError(f"{device}: its load profile does not reach up to now")

    # ---- reading; each keeps what it read

    async def read_identity(self, device: Device) -> dict[str, str]:
        identity = await device.meter.identity()
        self.readings.device(device.member, clock.utc(), identity)
        return identity

    async def read_registers(self, device: Device) -> list[Figure]:
        """BT23: energies and counts, in total and by tier; the demands are left out."""
        figures = await device.meter.figures(23, "summations")
        self.readings.registers(
            device.member.unique_id,
            clock.utc(),
            [(one.tier, one.quantity, one.value, one.unit) for one in figures],
        )
        return figures

    async def read_instantaneous(self, device: Device) -> list[Figure]:
        """BT28."""
        figures = await device.meter.figures(28, "values")
        self.readings.instantaneous(
            device.member.unique_id,
            clock.utc(),
            [(one.quantity, one.value, one.unit) for one in figures],
        )
        return figures

    async def read_day(
        self,
        device: Device,
        ends_at: datetime,
        advance: Callable[[int, int], None] = lambda done, total: None,
    ) -> Day:
        """The day of load profile that ends with the midnight `ends_at`."""
        day = await device.meter.day(ends_at, advance)
        rows = [
            (one.ends_at, name, one.registers[k], one.consumption[k], one.status, unit)
            for one in day.intervals
            for k, (name, unit) in enumerate(day.quantities)
        ]
        self.readings.intervals(device.member.unique_id, rows)
        return day


def _ltime(moment: int) -> bytes:
    """LTIME_DATE of a time in seconds since 1970, UTC."""
    at = datetime.fromtimestamp(moment, UTC)
    return bytes((at.year - 2000, at.month, at.day, at.hour, at.minute, at.second))
