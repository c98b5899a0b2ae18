"""The measured source: after H0, right in UTC, and what a meter on it shows."""

import struct
import sys
import warnings
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from demandlib import bdew
from hypothesis import given, settings
from hypothesis import strategies as st

from meter import daily, registers
from meter.application import Application
from meter.element import SimulatedElement
from meter.profiles import Profiles
from osgp_tools import model as tables
from osgp_tools.source import BERLIN, QUARTER, REVERSE, Source, SourceError
from tables.compiled import ARENA, MODEL
from tables.model import MASTER, Model

sys.path.insert(0, str(Path(__file__).parents[1] / "unit"))
from fakes import Settings
from meter_support import Events, Flash, Sets, ring

WEEK = Source.household(date(2026, 3, 26), 7, 3500, 2500)  # summer time begins on the 29th
MOMENTS = st.integers(0, 7 * 86400)


def at(second: int) -> datetime:
    return WEEK.begin + timedelta(seconds=second)


def tier_of(moment: datetime) -> int:
    """The default calendar, by zoneinfo: tier 0 from 6 to 22 h."""
    return 0 if 6 <= moment.astimezone(BERLIN).hour < 22 else 1


def test_a_year_has_the_annual_consumption():
    source = Source.household(date(2025, 12, 31), 367, 3500)
    begin = datetime(2026, 1, 1, tzinfo=BERLIN).astimezone(UTC)
    end = datetime(2027, 1, 1, tzinfo=BERLIN).astimezone(UTC)
    # the hour that spring lacks and the one that autumn has twice are not alike
    assert source.consumption(begin, end) == pytest.approx(3_500_000, abs=100)


def test_it_is_h0_of_local_time():
    """Quarter hours of winter and summer against demandlib's own table, found there by label."""
    with warnings.catch_warnings():
        table = bdew.ElecSlp(2026).get_scaled_profiles({"h0": 4321.0})["h0"]
    for local in (
        datetime(2026, 1, 15, 0, 0, tzinfo=BERLIN),
        datetime(2026, 3, 29, 1, 45, tzinfo=BERLIN),
        datetime(2026, 3, 29, 3, 0, tzinfo=BERLIN),
        datetime(2026, 8, 12, 18, 30, tzinfo=BERLIN),
        datetime(2026, 10, 25, 2, 15, tzinfo=BERLIN),
        datetime(2026, 10, 25, 2, 15, fold=1, tzinfo=BERLIN),
        datetime(2026, 12, 31, 23, 45, tzinfo=BERLIN),
    ):
        moment = local.astimezone(UTC)
        source = Source.household(moment.date(), 1, 4321)
        energy = source.forward[(moment - source.begin) // QUARTER]
        assert energy == round(table[local.replace(tzinfo=None)] * 1e6), local


def test_local_time_moves_with_summer_time():
    """The same local hour of two workdays has the same energy, before and after the change."""
    before = datetime(2026, 3, 27, 11, 0, tzinfo=UTC)  # Friday, 12:00
    after = datetime(2026, 3, 30, 10, 0, tzinfo=UTC)  # Monday, 12:00
    source = Source.household(date(2026, 3, 26), 7, 3500)
    for k in range(8):
        a = source.cumulative(before + (k + 1) * QUARTER) - source.cumulative(before + k * QUARTER)
        b = source.cumulative(after + (k + 1) * QUARTER) - source.cumulative(after + k * QUARTER)
        assert a == b


def test_two_are_the_same():
    assert Source.household(date(2026, 3, 26), 7, 3500, 2500) == WEEK


def test_it_scales():
    small = Source.household(date(2026, 11, 19), 2, 2000)
    large = Source.household(date(2026, 11, 19), 2, 4000)
    assert sum(large.forward) == pytest.approx(2 * sum(small.forward), abs=200)
    assert small.reverse == ()


def test_the_sun_is_fed_in_by_day_only():
    assert sum(WEEK.reverse) > 1_000_000
    for k, (taken, given_back) in enumerate(zip(WEEK.forward, WEEK.reverse, strict=True)):
        assert taken == 0 or given_back == 0
        assert not given_back or 24 <= k % 96 < 72


def test_warnings_are_left_as_they_were():
    """demandlib turns every warning of the process into an error; here it does not."""
    before = list(warnings.filters)
    Source.household(date(2031, 5, 1), 1, 1000)
    assert list(warnings.filters) == before


def test_file(tmp_path):
    path = tmp_path / "source"
    WEEK.write(path)
    assert path.stat().st_size == 14 + 7 * 96 * 6
    assert Source.decode(path.read_bytes()) == WEEK


def test_what_is_not_a_source():
    data = WEEK.encode()
    for bad in (b"", data[:-1], data + b"\0", b"x" + data[1:], data[:8] + b"\x02" + data[9:]):
        with pytest.raises(SourceError):
            Source.decode(bad)


def test_no_more_than_three_octets():
    with pytest.raises(OverflowError):
        Source(date(2026, 1, 1), (1 << 24,) * 96).encode()


def test_outside_of_its_span():
    for moment in (WEEK.begin - timedelta(seconds=1), WEEK.end + timedelta(seconds=1)):
        with pytest.raises(SourceError):
            WEEK.cumulative(moment)
    assert WEEK.cumulative(WEEK.begin) == 0
    assert WEEK.cumulative(WEEK.end) == sum(WEEK.forward)


@given(MOMENTS)
def test_the_element_gives_what_the_source_says(second):
    element = SimulatedElement(reader(WEEK.encode()))
    element.take(element.since + second // 86400, second % 86400)
    assert element.forward == WEEK.cumulative(at(second))
    assert element.reverse == WEEK.cumulative(at(second), REVERSE)


@given(MOMENTS, MOMENTS)
@settings(max_examples=30, deadline=None)
def test_tiers_add_up(a, b):
    start, end = at(min(a, b)), at(max(a, b))
    tiers = WEEK.by_tier(start, end, tier_of)
    assert abs(sum(tiers.values()) - WEEK.consumption(start, end)) <= 2  # remainders
    assert set(tiers) <= {0, 1}
    one = WEEK.by_tier(start, end, lambda moment: 5)
    assert one.get(5, 0) == WEEK.consumption(start, end)


def reader(data: bytes):
    def read(offset, buf):
        buf[:] = data[offset : offset + len(buf)]

    return read


@pytest.mark.parametrize("second", [0, 86400 + 7, 3 * 86400 + 3600, 5 * 86400 + 48_123, 7 * 86400])
def test_a_meter_shows_it_to_the_watt_hour(second):
    """BT23 and BT64 of the firmware's meter against the source, by tier, summer time or not."""
    model = Model(MODEL, ARENA, Settings())
    element = SimulatedElement(reader(WEEK.encode()))
    rings = ring(Flash(8), registers.SIZE), ring(Flash(3), daily.SIZE)
    profiles = Profiles(model, Settings(), Sets().ring, [], Events())
    meter = Application(model, element, profiles, rings, Settings(), Events())
    meter.set_clock(element.since + second // 86400, second % 86400, 0, 0)
    while meter.poll(0) == 0:
        pass
    figures = tables.decode(23, read(model, 23))
    for name, direction in (("forward_wh", 0), ("reverse_wh", 1)):
        expected = WEEK.consumption(WEEK.begin, at(second), direction)
        assert figures["total"]["summations"][name] == expected
        by_tier = WEEK.by_tier(WEEK.begin, at(second), tier_of, direction)
        for tier, block in enumerate(figures["tiers"]):
            assert block["summations"][name] == by_tier.get(tier, 0)
    for back in range(second // 86400):  # full days
        check_block(read(model, 64), read(model, 63), back + (second % 86400 >= 900))


def read(model: Model, number: int) -> bytes:
    body = bytearray(model.size(number))
    assert model.read(number, 0, len(body), body, 0, MASTER) == 0
    return bytes(body)


def check_block(data: bytes, status: bytes, back: int) -> None:
    """A full block so many before the newest one: each interval is a register of the source."""
    place = (struct.unpack_from("<I", status, 5)[0] - back) % 10
    block = tables.decode(64, data)["blocks"][place]
    year, month, day, hour, minute = block["end_time"]
    end = datetime(2000 + year, month, day, hour, minute, tzinfo=UTC)
    assert (hour, minute) == (0, 0)
    assert block["simple_status"] == tuple(range(96))
    for k, interval in enumerate(block["intervals"]):
        moment = end - (95 - k) * QUARTER
        values = [WEEK.consumption(WEEK.begin, moment, d) for d in (0, 1)]
        assert list(interval["values"]) == values
