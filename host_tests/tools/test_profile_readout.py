"""Load profile by the shape that a meter has now: built here octet by octet, read back by name."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from osgp_tools import model, readout
from osgp_tools.curve import draw_profile
from osgp_tools.profile_readout import (
    REGISTER_RANGE,
    DataSet,
    Interval,
    Profile,
    ReadoutError,
    Shape,
    intervals,
)
from osgp_tools.source_names import Source, source

QUARTER = timedelta(minutes=15)
MIDNIGHT = datetime(2026, 2, 1, tzinfo=UTC)
# blocks, intervals, channels, minutes: of sets 1 to 4
SHAPES = ((10, 96, 2, 15), (3, 4, 5, 60), (0, 0, 0, 0), (2, 31, 1, 84))
SOURCES = ((0, 1), (8, 15, 0, 113, 4), (), (29,))


class Meter:
    """A session with a meter of which there are only tables."""

    target = "1/1"

    def __init__(self, shapes=SHAPES, sources=SOURCES):
        self.shapes = shapes
        names = ("blocks", "intervals", "channels", "interval_time")
        sets = [dict(zip(names, one)) for one in shapes]
        control = b""
        for numbers in sources:
            control += b"".join(bytes((0, number, 0)) for number in numbers) + b"\x20"
        self.status = [{} for _ in shapes]
        self.tables = {61: model.encode(61, {"sets": sets}), 62: control}
        for k, (blocks, count, channels, _) in enumerate(shapes):
            self.tables[64 + k] = bytes(blocks * Shape(blocks, count, channels, 1).block_size)

    def put(self, number, index, octets):
        size = Shape(*self.shapes[number - 1]).block_size
        body = bytearray(self.tables[63 + number])
        body[index * size : index * size + len(octets)] = octets
        self.tables[63 + number] = bytes(body)

    async def read(self, table, offset, count):
        body = model.encode(63, {"sets": self.status}) if table == 63 else self.tables[table]
        return body[offset : offset + count].ljust(count, b"\0")


def newest(meter, number, blocks):
    """The newest blocks of a data set; each octet of them was told as progress."""

    async def work():
        data = await DataSet.of(meter, number)
        plan = await data.newest(blocks)
        told = []
        found = await data.profile(plan, told.append)
        assert sum(told) == data.size(plan)
        return found

    return asyncio.run(work())


def block(shape, end, values, marks=b""):
    """A block whose newest interval ends at `end`; values: of each interval, None: skipped."""
    octets = bytes((end.year - 2000, end.month, end.day, end.hour, end.minute))
    status = bytearray(shape.status_size)
    rows = b""
    for k, row in enumerate(values):
        if row is not None:
            status[k // 8] |= 1 << k % 8
        rows += (marks or bytes(shape.marks_size)) + b"".join(
            value.to_bytes(4, "little", signed=True) for value in row or [0] * shape.channels
        )
    return octets + bytes(status) + rows


def test_a_day_out_of_two_blocks():
    """The newest block is not full; the one before is the last of the ring."""
    meter = Meter()
    shape = Shape(10, 96, 2, 15)
    register = REGISTER_RANGE - 950  # begins again at 0 in the night
    rows = [((register + 10 * k) % REGISTER_RANGE, 7) for k in range(98)]
    meter.put(1, 9, block(shape, MIDNIGHT, rows[:96]))
    meter.put(1, 0, block(shape, MIDNIGHT + 2 * QUARTER, rows[96:]))
    meter.status[0] = {"valid_blocks": 2, "last_block": 0, "valid_intervals": 2}
    found = newest(meter, 1, 2)
    assert len(found.intervals) == 98
    assert found.intervals[0].ends_at == MIDNIGHT - 95 * QUARTER
    assert found.intervals[-1].ends_at == MIDNIGHT + 2 * QUARTER
    assert [one.name for one in found.sources] == ["forward active", "reverse active"]
    series = found.series(0)
    assert len(series) == 97 and {value for _, value in series} == {10}
    assert {value for _, value in found.series(1)} == {0}
    assert str(found) == "98 intervals, 2026-01-31T00:00Z to 2026-02-01T00:30Z"
    assert len(newest(meter, 1, 1).intervals) == 2
    assert len(newest(meter, 1, 99).intervals) == 98


def test_another_set_of_another_shape():
    meter = Meter()
    shape = Shape(3, 4, 5, 60)
    rows = [(100, 230_000, 5, -3, 60), None, (120, 231_000, 9, -4, 0)]
    meter.put(2, 1, block(shape, MIDNIGHT, rows, bytes((0x21, 0x12, 0x9F))))
    meter.status[1] = {"valid_blocks": 1, "last_block": 1, "valid_intervals": 3}
    found = newest(meter, 2, 1)
    assert [one.ends_at for one in found.intervals] == [MIDNIGHT - timedelta(hours=2), MIDNIGHT]
    assert [one.name for one in found.sources] == [
        "forward active",
        "voltage L1",
        "forward active",
        "mapped source 1",
        "power off",
    ]
    assert found.series(1) == [(MIDNIGHT - timedelta(hours=2), 230_000), (MIDNIGHT, 231_000)]
    assert found.series(2) == []  # an interval is missing between the two
    assert found.intervals[0].marks == [
        "power failed",
        "channel 1 overflow",
        "channel 2 overflow",
        "channel 3 partial",
        "channel 4 clock error",
        "channel 5 placeholder",
    ]
    heading, first, second = found.lines()
    assert heading.split("\t")[1:3] == ["forward active / W", "voltage L1 / mV"]
    assert second.startswith("2026-02-01T00:00Z\t120\t231000\t9\t-4\t0\tpower failed")
    assert first.count("\t") == 6


def test_the_concentrators_day_in_another_shape():
    """24 hours of three channels, one of which is no register."""
    shape = Shape(5, 24, 3, 60)
    meter = Meter([(5, 24, 3, 60)], [(1, 15, 0)])
    use = [(1000 + 4 * k, 230_000 + k, 500 + 9 * k) for k in range(48)]
    meter.put(1, 4, block(shape, MIDNIGHT - timedelta(days=1), use[:24]))
    meter.put(1, 0, block(shape, MIDNIGHT, use[24:]))
    meter.status[0] = {"valid_blocks": 2, "last_block": 0, "valid_intervals": 24}
    told = []
    day = asyncio.run(readout.Meter(meter).day(MIDNIGHT, lambda *one: told.append(one)))
    assert day.quantities == (("reverse_wh", "Wh"), ("voltage L1", "mV"), ("forward_wh", "Wh"))
    assert [one.consumption for one in day.intervals] == [(4, 230_024 + k, 9) for k in range(24)]
    assert day.intervals[-1].ends_at == MIDNIGHT
    assert told[-1] == (shape.block_size, shape.block_size)


def test_a_set_of_days():
    meter = Meter()
    rows = [(1000 + 50 * k,) for k in range(31)]
    meter.put(4, 0, block(Shape(2, 31, 1, 84), MIDNIGHT, rows))
    meter.status[3] = {"valid_blocks": 1, "last_block": 0, "valid_intervals": 31}
    found = newest(meter, 4, 1)
    assert found.sources[0].name == "tier 0 forward active"
    assert found.length == timedelta(days=1)
    assert {value for _, value in found.series(0)} == {50}


def test_sets_that_are_not_there():
    meter = Meter()
    for number in (3, 5):
        with pytest.raises(ReadoutError, match=f"data set {number} is not configured"):
            newest(meter, number, 1)
    meter.status[0] = {"valid_blocks": 0}
    assert str(newest(meter, 1, 1)) == "no intervals yet"


def test_a_time_that_is_none():
    shape = Shape(1, 4, 1, 15)
    with pytest.raises(ReadoutError, match="no time: 0000000000"):
        list(intervals(shape, bytes(shape.block_size), 4))


@pytest.mark.parametrize(
    ("number", "wanted"),
    [
        (0, Source("forward active", "Wh", True)),
        (3, Source("export reactive", "varh", True)),
        (4, Source("power off", "s", True)),
        (12, Source("current L1", "mA")),
        (18, Source("power factor L1", "1/1000")),
        (20, Source("apparent power", "VA")),
        (25, Source("sine L3", "1/1000")),
        (28, Source("errors", "", True)),
        (39, Source("tier 0 errors", "", True)),
        (44, Source("tier 1 power off", "min", True)),
        (72, Source("tier 3 errors", "", True)),
        (74, Source("MEP device 1 counter 2", "", True)),
        (81, Source("forward active after the transformers", "W")),
        (95, Source("present demand 8", "")),
        (107, Source("reactive Q4", "var")),
        (108, Source("reactive Q1", "varh", True)),
        (112, Source("mapped source 0", "")),
        (200, Source("source 200", "")),
    ],
)
def test_source_ids(number, wanted):
    """MEP p.204-206."""
    assert source(number) == wanted


def a_profile(count):
    rows = [
        Interval(MIDNIGHT + k * QUARTER, (1000 + 25 * k, 230_000 + k % 7), bytes(2))
        for k in range(count)
        if k not in (20, 21)
    ]
    return Profile((source(0), source(15)), QUARTER, tuple(rows))


def test_pictures(tmp_path):
    draw_profile("Set 1", a_profile(96), tmp_path / "new" / "curve.svg")
    text = (tmp_path / "new" / "curve.svg").read_text()
    assert text.startswith("<?xml") and "svg" in text
    draw_profile("Set 1", a_profile(96), tmp_path / "curve.png")
    assert (tmp_path / "curve.png").read_bytes()[:4] == b"\x89PNG"


def test_nothing_to_draw(tmp_path):
    with pytest.raises(ReadoutError, match="nothing to draw"):
        draw_profile("Set 1", a_profile(1), tmp_path / "curve.png")
