"""Reading a meter: identity, registers, instantaneous values, one day of load profile.

Where a value lies, what it is called and in what unit it counts is asked of the definitions
(`osgp_tools.model`); no offset stands here.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from osgp_tools import clock, model
from osgp_tools.profile_readout import REGISTER_RANGE, DataSet, ReadoutError
from osgp_tools.session import READ_LIMIT, Session
from osgp_tools.source_names import source
from tables import layout
from tables.schema import Field

PROFILE = 1  # the data set of a day's curve
A_DAY = timedelta(days=1)
TOTAL = -1  # in the place of a tier

Advance = Callable[[int, int], None]  # called with octets read so far, and of how many


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

    async def figures(self, number: int, group: str) -> list[Figure]:
        """The values of a table that stand in a group of this name, each read whole: the
        "summations" of BT23, in total and by tier, the "values" of BT28.

        A partial read ends between two values, so that none is half old and half new.
        """
        figures = []
        for piece in _pieces(number, group):
            offset = piece[0][1]
            size = piece[-1][1] + piece[-1][2].size - offset
            started = clock.wall()
            body = await self.session.read(number, offset, size)
            ended = clock.wall()
            for path, place, field in piece:
                octets = body[place - offset : place - offset + field.size]
                figures.append(Figure(path, field.read(octets), field.unit, started, ended))
        return figures

    async def clock_is_wrong(self) -> bool:
        """Does BT03 say clock error?"""
        return bool((await self.table(3, "status_1"))["status_1"]["clock_error"])

    # ---- load profile

    async def newest_interval(self) -> datetime | None:
        """The end of the newest interval (UTC); None: there is none."""
        data = await DataSet.of(self.session, PROFILE)
        status = await data.status()
        return await data.block_end(status["last_block"]) if status["valid_blocks"] else None

    async def day(self, ends_at: datetime, advance: Advance = lambda done, total: None) -> Day:
        """The day of load profile that ends with the midnight `ends_at` (UTC)."""
        data = await DataSet.of(self.session, PROFILE)
        shape = data.shape
        if shape.intervals * shape.length != A_DAY:
            raise ReadoutError(f"a block of its load profile is no day: {shape}")
        status = await data.status()
        block = await _find(data, status, ends_at)
        last = await _find(data, status, ends_at - A_DAY)
        before = await data.values(last, shape.intervals - 1)
        done = 0

        def count(octets: int) -> None:
            nonlocal done
            done += octets
            advance(done, shape.block_size)

        read = await data.block(block, shape.intervals, count)
        if len(read) != shape.intervals:
            raise ReadoutError(f"intervals are missing in the day that ends {ends_at:%F}")
        sources = [source(number) for number in data.source_ids]
        intervals = []
        for one in read:
            used = tuple(
                (now - then) % REGISTER_RANGE if kind.counts else now
                for now, then, kind in zip(one.values, before, sources)
            )
            state = int.from_bytes(one.status, "big")
            intervals.append(Interval(one.ends_at, one.values, used, state))
            before = one.values
        return Day(_quantities(data.source_ids), tuple(intervals))


def _quantities(source_ids: tuple[int, ...]) -> tuple[tuple[str, str], ...]:
    """Name and unit of each channel: those of the summation with the same source id in BT23."""
    numbers = model.decode(22, model.default(22))["summations"]
    fields = [leaf for leaf in _leaves(23) if leaf[0].startswith("total.summations.")]
    names = {
        number: (path.rpartition(".")[2], field.unit)
        for number, (path, _, field) in zip(numbers, fields)
    }
    return tuple(
        names.get(number) or (source(number).name, source(number).unit) for number in source_ids
    )


async def _find(data: DataSet, status: dict[str, Any], ends_at: datetime) -> int:
    """The index of the block that ends at `ends_at`: newest first, down to an older one."""
    for age in range(status["valid_blocks"]):
        index = (status["last_block"] - age) % data.shape.blocks
        end = await data.block_end(index)
        if end == ends_at:
            return index
        if end < ends_at:
            break
    raise ReadoutError(f"no day of its load profile ends {ends_at:%FT%R}")


def _leaves(number: int) -> Iterator[tuple[str, int, Field]]:
    return layout.leaves(model.table(number).record)


def _pieces(number: int, group: str) -> list[list[tuple[str, int, Field]]]:
    """The values of a table's group in pieces that one partial read can fetch."""
    pieces: list[list[tuple[str, int, Field]]] = [[]]
    for leaf in _leaves(number):
        if group not in leaf[0].split("."):
            continue
        if pieces[-1] and leaf[1] + leaf[2].size - pieces[-1][0][1] > READ_LIMIT:
            pieces.append([])
        pieces[-1].append(leaf)
    return pieces
