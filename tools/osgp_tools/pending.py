"""Pending tables: what is written now and becomes the table later (OPT pp.8-12, `osgp.md` 5).

Table n has its pending table at 4096 + n. Reads and writes of it carry a pending event description
(PED) of 6 octets before the table's own; the count has them in it, the offset has not.

    PED  event code 4 bits | self read bit 4 | demand reset bit 5 | storage 5
"""

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from osgp_tools import values
from osgp_tools.session import READ_LIMIT, WRITE_LIMIT, Session
from tables.datatypes import STIME

PENDING = 4096
PED_SIZE = 6
AT_A_MOMENT, AFTER_A_TIME, BY_PROCEDURE = range(3)  # event codes
_SELF_READ, _DEMAND_RESET = 0x10, 0x20
_UNITS = {"w": "weeks", "d": "days", "h": "hours", "m": "minutes", "s": "seconds"}
_DURATION = re.compile(r"(?:\d{1,6}[wdhms])+")


@dataclass(frozen=True)
class Ped:
    """When a pending table becomes the table, and what is done just before."""

    code: int = BY_PROCEDURE
    storage: bytes = bytes(5)
    self_read: bool = False
    demand_reset: bool = False

    def encode(self) -> bytes:
        first = self.code | _SELF_READ * self.self_read | _DEMAND_RESET * self.demand_reset
        return bytes((first,)) + self.storage

    @classmethod
    def decode(cls, octets: bytes) -> "Ped":
        """ValueError: not 6 octets."""
        if len(octets) != PED_SIZE:
            raise ValueError(f"a PED has {PED_SIZE} octets, not {len(octets)}")
        first = octets[0]
        return cls(first & 0x0F, octets[1:], bool(first & _SELF_READ), bool(first & _DEMAND_RESET))

    @property
    def empty(self) -> bool:
        """Nothing is pending: a moment, and none is given (OPT p.10)."""
        return self.code == AT_A_MOMENT and not any(self.storage)

    def __str__(self) -> str:
        if self.empty:
            return "nothing pending"
        if self.code == AT_A_MOMENT:
            text = f"at {values.show(STIME, tuple(self.storage))} UTC"
        elif self.code == AFTER_A_TIME:
            parts = [f"{n}{unit}" for n, unit in zip(self.storage, _UNITS) if n]
            text = f"{''.join(parts) or '0s'} after the write"
        elif self.code == BY_PROCEDURE:
            text = "by BP12 or BP13" + (f", {self.storage.hex()}" if any(self.storage) else "")
        else:
            text = f"event code {self.code}, {self.storage.hex()}"
        before = [name for name, wanted in self._before() if wanted]
        return text + (f", after a {' and a '.join(before)}" if before else "")

    def _before(self) -> tuple[tuple[str, bool], ...]:
        return ("self read", self.self_read), ("demand reset", self.demand_reset)


def at(text: str) -> Ped:
    """At a moment, to the minute: ISO 8601, UTC unless it says otherwise. ValueError."""
    moment = datetime.fromisoformat(text)
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    if moment.second or moment.microsecond or not 2000 <= moment.year < 2256:
        raise ValueError(f"{text}: a full minute, from the year 2000 on")
    parts = (moment.year - 2000, moment.month, moment.day, moment.hour, moment.minute)
    return Ped(AT_A_MOMENT, bytes(parts))


def after(text: str) -> Ped:
    """A time after the write: 90s, 1h30m, 2w. ValueError."""
    if not _DURATION.fullmatch(text):
        raise ValueError(f"{text}: a time is 90s, 1h30m, 2w")
    duration = timedelta()
    for number, unit in re.findall(r"(\d+)([wdhms])", text):
        duration += timedelta(**{_UNITS[unit]: int(number)})
    weeks, days = divmod(duration.days, 7)
    hours, seconds = divmod(duration.seconds, 3600)
    if weeks > 255:
        raise ValueError(f"{text}: 255 weeks is the longest")
    return Ped(AFTER_A_TIME, bytes((weeks, days, hours, seconds // 60, seconds % 60)))


def trigger(
    moment: str, delay: str, manual: bool, self_read: bool = False, demand_reset: bool = False
) -> Ped:
    """The PED that the options of a command ask for. ValueError: not exactly one of the three."""
    if bool(moment) + bool(delay) + manual != 1:
        raise ValueError("when? give --at, --in or --manual, one of them")
    ped = at(moment) if moment else after(delay) if delay else Ped()
    return replace(ped, self_read=self_read, demand_reset=demand_reset)


async def read(session: Session, table: int, offset: int, count: int) -> tuple[Ped, bytes]:
    """The PED, and `count` octets of the pending table of `table` from `offset`."""
    body = b""
    ped = Ped()
    while True:
        size = min(READ_LIMIT - PED_SIZE, count - len(body))
        answer = await session.read(PENDING + table, offset + len(body), PED_SIZE + size)
        ped = Ped.decode(answer[:PED_SIZE])
        body += answer[PED_SIZE:]
        if len(body) >= count:
            return ped, body


async def write(session: Session, table: int, ped: Ped, data: bytes, offset: int = 0) -> None:
    """Write the pending table of `table`, by as many writes as the power line's limit asks for.

    Only the last of them has the trigger, so that nothing is activated by half: until then the
    table waits for a procedure.
    """
    step = WRITE_LIMIT - PED_SIZE
    places = range(0, max(len(data), 1), step)
    for k in places:
        event = ped if k == places[-1] else Ped()
        await session.write(PENDING + table, event.encode() + data[k : k + step], offset + k)
