"""Reading a meter: identity, registers, instantaneous values, one day of load profile.

Where a value lies, what it is called and in what unit it counts is asked of the definitions
(`osgp_tools.model`); no offset stands here.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from osgp_tools import model
from osgp_tools.session import READ_LIMIT, Session
from tables import layout
from tables.schema import Field

REGISTER_RANGE = 1_000_000_000  # registers have nine digits and begin again at 0
TOTAL = -1  # in the place of a tier

Advance = Callable[[int, int], None]  # called with octets read so far, and of how many


class ReadoutError(Exception):
    """The meter does not have what was asked for."""


@dataclass(frozen=True)
class Figure:
    """One value, and the host's time (s since 1970) within which the meter looked at it."""

    path: str  # in its table: "tiers.1.summations.forward_wh"
    value: int
    unit: str
    not_before: float
    not_after: float

    @property
    def quantity(self) -> str:
        return self.path.rpartition(".")[2]

    @property
    def tier(self) -> int:
        first, _, rest = self.path.partition(".")
        return int(rest.partition(".")[0]) if first == "tiers" else TOTAL


@dataclass(frozen=True)
class Interval:
    """The registers at the end of an interval (UTC) and the consumption in it, by channel."""

    ends_at: datetime
    registers: tuple[int, ...]
    consumption: tuple[int, ...]
    status: int


@dataclass(frozen=True)
class Day:
    """A day of load profile. `quantities`: name and unit of each channel."""

    quantities: tuple[tuple[str, str], ...]
    intervals: tuple[Interval, ...]


class Meter:
    """What the concentrator reads of one device."""

    def __init__(self, session: Session):
        self.session = session

    async def table(self, number: int, path: str = "") -> dict[str, Any]:
        """The decoded values of a whole table, or of what `path` names in it."""
        offset, size = model.field(number, path) if path else (0, model.table(number).size)
        return model.decode(number, await self.session.read(number, offset, size), offset)

    async def identity(self) -> dict[str, str]:
        """Who made it, what it is, and its three numbers (BT01, BT05, ET03)."""
        made = await self.table(1)
        version = made["firmware_version"] << 8 | made["firmware_revision"]
        number = await self.table(5)
        utility = await self.table(2048 + 3, "utility_serial_number")
        return {
            "manufacturer": made["manufacturer"].strip(),
            "model": made["model"].strip(),
            "hardware": f"{made['hardware_version']}.{made['hardware_revision']}",
            "firmware": f"{version >> 12}.{version >> 5 & 0x7F:02}.{version & 0x1F:02}",
            "serial": made["serial_number"],
            "identity": number["identification"],
            "utility": utility["utility_serial_number"],
        }

    async def figures(self, number: int) -> list[Figure]:
        """All values of a table of figures (BT23, BT28), each read whole.

        A partial read ends between two values, so that none is half old and half new.
        """
        figures = []
        for piece in _pieces(number):
            offset = piece[0][1]
            size = piece[-1][1] + piece[-1][2].size - offset
            started = time.time()
            body = await self.session.read(number, offset, size)
            ended = time.time()
            for path, place, field in piece:
                octets = body[place - offset : place - offset + field.size]
                figures.append(Figure(path, field.read(octets), field.unit, started, ended))
        return figures

    # ---- load profile

    async def newest_interval(self) -> datetime | None:
        """The end of the newest interval (UTC); None: there is none."""
        status = (await self.table(63))["sets"][0]
        if not status["valid_blocks"]:
            return None
        return await self._block_end(status["last_block"])

    async def clock_is_wrong(self) -> bool:
        """Does BT03 say clock error?"""
        return bool((await self.table(3, "status_1"))["status_1"]["clock_error"])

    async def day(self, ends_at: datetime, advance: Advance = lambda done, total: None) -> Day:
        """The day of load profile that ends with the midnight `ends_at` (UTC)."""
        await self._check_shape()
        status = (await self.table(63))["sets"][0]
        block = await self._find(status, ends_at)
        before = await self._last_registers(status, ends_at - timedelta(days=1))
        values = await self._block(block, advance)
        if len(values["simple_status"]) != len(values["intervals"]):
            raise ReadoutError(f"intervals are missing in the day that ends {ends_at:%F}")
        step = timedelta(days=1) / len(values["intervals"])
        first = ends_at - timedelta(days=1)
        intervals = []
        for k, one in enumerate(values["intervals"]):
            registers = tuple(one["values"])
            used = tuple((now - last) % REGISTER_RANGE for now, last in zip(registers, before))
            state = int.from_bytes(one["extended_status"], "big")
            intervals.append(Interval(first + (k + 1) * step, registers, used, state))
            before = registers
        return Day(await self._quantities(), tuple(intervals))

    async def _check_shape(self) -> None:
        """The definitions are of one shape; the meter says in BT61 which one it has."""
        shape = (await self.table(61))["sets"]
        if shape != model.decode(61, model.default(61))["sets"]:
            raise ReadoutError(f"its load profile has another shape: {shape}")

    async def _quantities(self) -> tuple[tuple[str, str], ...]:
        """Name and unit of each channel: that of the summation with the same source id."""
        channels = (await self.table(62))["sets"][0]["channels"]
        sources = model.decode(22, model.default(22))["summations"]
        fields = [leaf for leaf in _leaves(23) if leaf[0].startswith("total.summations.")]
        names = {
            source: (path.rpartition(".")[2], field.unit)
            for source, (path, _, field) in zip(sources, fields)
        }
        return tuple(names[channel["source"]] for channel in channels)

    async def _find(self, status: dict[str, Any], ends_at: datetime) -> int:
        """The index of the block that ends at `ends_at`, newest first: the last two it can be."""
        for age in range(status["valid_blocks"]):
            index = (status["last_block"] - age) % _blocks()
            end = await self._block_end(index)
            if end == ends_at:
                return index
            if end < ends_at:
                break
        raise ReadoutError(f"no day of its load profile ends {ends_at:%FT%R}")

    async def _last_registers(self, status: dict[str, Any], ends_at: datetime) -> tuple[int, ...]:
        """The registers with which the day before begins to be counted from."""
        index = await self._find(status, ends_at)
        count = model.decode(61, model.default(61))["sets"][0]["intervals"]
        values = await self.table(64, f"blocks.{index}.intervals.{count - 1}")
        return tuple(values["blocks"][index]["intervals"][count - 1]["values"])

    async def _block_end(self, index: int) -> datetime:
        values = await self.table(64, f"blocks.{index}.end_time")
        year, *rest = values["blocks"][index]["end_time"]
        return datetime(2000 + year, *rest, tzinfo=UTC)

    async def _block(self, index: int, advance: Advance) -> dict[str, Any]:
        """A block of the past: it does not change, so reads may end anywhere in it."""
        offset, size = model.field(64, f"blocks.{index}")
        body = b""
        while len(body) < size:
            piece = min(READ_LIMIT, size - len(body))
            body += await self.session.read(64, offset + len(body), piece)
            advance(len(body), size)
        return model.decode(64, body, offset)["blocks"][index]


def _blocks() -> int:
    return model.decode(61, model.default(61))["sets"][0]["blocks"]


def _leaves(number: int) -> Iterator[tuple[str, int, Field]]:
    return layout.leaves(model.table(number).record)


def _pieces(number: int) -> list[list[tuple[str, int, Field]]]:
    """The values of a table in groups that one partial read can fetch."""
    pieces: list[list[tuple[str, int, Field]]] = [[]]
    for leaf in _leaves(number):
        if pieces[-1] and leaf[1] + leaf[2].size - pieces[-1][0][1] > READ_LIMIT:
            pieces.append([])
        pieces[-1].append(leaf)
    return pieces
