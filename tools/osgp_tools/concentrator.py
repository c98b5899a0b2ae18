"""The concentrator: makes devices members, sets their clocks, reads them and keeps what it read.

Clauses: `profile.md` 14-18 and 29-31.
"""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from osgp_tools.client import Client, NoAnswerError, Target
from osgp_tools.discovery import DISCOVERY
from osgp_tools.membership import InstallationKeys, commission
from osgp_tools.readings import Readings
from osgp_tools.readout import Day, Figure, Meter
from osgp_tools.session import Code, RefusedError, SequenceLostError, Session, SessionError
from osgp_tools.store import Member, Vault

BP10 = 10
SET_ALL = 7  # time, date, qualifier
LONGER = 8  # octets that the request with BP10 has more than the partial read before it
CLOCK_TRIES = 3
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

    def __init__(self, client: Client, vault: Vault, readings: Readings, keys: InstallationKeys):
        self.client = client
        self.vault = vault
        self.readings = readings
        self.keys = keys
        client.exchanged.append(readings.exchange)

    # ---- members

    async def join(self, unique_id: bytes) -> Device:
        """The device as a member: one that still answers as such, else commissioned (again)."""
        known = {member.unique_id: member for member in self.vault.members()}
        if unique_id in known:
            device = self.device(known[unique_id])
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
        place = self.vault.new_place(unique_id)
        target = Target(DISCOVERY, unique_id=unique_id)
        await commission(self.client, target, self.keys.of(unique_id), place)
        return self.device(self.vault.admit(unique_id, place))

    def device(self, member: Member) -> Device:
        """The session with a member. One at a time for each: it holds the numbers."""
        target = Target(member.domain, member.subnet, member.node)
        numbers = self.vault.numbers(member.unique_id)
        return Device(member, Session(self.client, target, member.key, numbers))

    # ---- the clock

    async def set_clock(self, device: Device) -> None:
        """BP10 with the time at which the device will have it.

        The way there is estimated from the exchange before. The procedure is sent so that it
        arrives on a full second, the finest that LTIME tells. What needed a retry came late and is
        set again.
        """
        await device.meter.table(5)
        for _ in range(CLOCK_TRIES):
            assert self.client.last
            delay = self.client.last.one_way(LONGER)
            arrival = int(time.time() + delay) + 1
            await asyncio.sleep(arrival - delay - time.time())
            ltime = _ltime(arrival)
            weekday = datetime.fromtimestamp(arrival, UTC).isoweekday() % 7
            outcome = await device.session.procedure(
                BP10, bytes((SET_ALL,)) + ltime + bytes((weekday,))
            )
            if outcome.result:
                raise SessionError(f"{device} does not take the time: result {outcome.result}")
            if outcome.initiated and not outcome.initiated.retries:
                return
            await device.meter.table(5)
        raise ConcentratorError(f"{device}: the clock could not be set without retries")

    async def wait_for_past(self, device: Device) -> None:
        """Until the clock is right and the load profile reaches up to now."""
        deadline = time.monotonic() + FILLED_IN
        while time.monotonic() < deadline:
            if not await device.meter.clock_is_wrong():
                newest = await device.meter.newest_interval()
                if newest and datetime.now(UTC) - newest < INTERVAL:
                    return
            await asyncio.sleep(LOOK_PAUSE)
        raise ConcentratorError(f"{device}: its load profile does not reach up to now")

    # ---- reading; each keeps what it read

    async def read_identity(self, device: Device) -> dict[str, str]:
        identity = await device.meter.identity()
        self.readings.device(device.member, datetime.now(UTC), identity)
        return identity

    async def read_registers(self, device: Device) -> list[Figure]:
        """BT23: energies and counts, in total and by tier; the demands are left out."""
        figures = await device.meter.figures(23, "summations")
        self.readings.registers(
            device.member.unique_id,
            datetime.now(UTC),
            [(one.tier, one.quantity, one.value, one.unit) for one in figures],
        )
        return figures

    async def read_instantaneous(self, device: Device) -> list[Figure]:
        """BT28."""
        figures = await device.meter.figures(28, "values")
        self.readings.instantaneous(
            device.member.unique_id,
            datetime.now(UTC),
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
