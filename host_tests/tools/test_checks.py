"""The judge of the main job: it must say yes to the truth, and no to a watt-hour beside it."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from osgp_tools import curve
from osgp_tools.checks import (
    Verdict,
    by_tier,
    check_day,
    check_power,
    check_registers,
    tier_at,
)
from osgp_tools.readout import Day, Figure, Interval
from osgp_tools.source import FORWARD, QUARTER, REVERSE, Source

FIRST = date(2026, 11, 19)
SOURCE = Source(  # 2 days; in the second one it feeds in at noon
    FIRST,
    tuple(70_000 + 137 * k for k in range(192)),
    tuple(31_500 if 140 <= k < 150 else 0 for k in range(192)),
)
NOW = SOURCE.begin + timedelta(days=1, hours=11, minutes=7)  # 12:07 local: tier 0 counts
NAMES = {"forward_wh": FORWARD, "reverse_wh": REVERSE}


def true_day() -> Day:
    intervals = []
    for k in range(96, 192):
        start = SOURCE.begin + k * QUARTER
        end = start + QUARTER
        registers = tuple(SOURCE.cumulative(end, d) // 1000 for d in (FORWARD, REVERSE))
        used = tuple(SOURCE.consumption(start, end, d) for d in (FORWARD, REVERSE))
        intervals.append(Interval(end, registers, used, 0))
    return Day((("forward_wh", "Wh"), ("reverse_wh", "Wh")), tuple(intervals))


def true_registers() -> list[Figure]:
    seconds = NOW.timestamp()
    figures = []
    for name, direction in NAMES.items():
        total = SOURCE.cumulative(NOW, direction) // 1000
        figures.append(
            Figure(f"total.summations.{name}", total, "Wh", seconds - 0.5, seconds + 0.5)
        )
        tiers = SOURCE.by_tier(SOURCE.begin, NOW, tier_at, direction)
        for tier in range(4):
            path = f"tiers.{tier}.summations.{name}"
            figures.append(Figure(path, tiers.get(tier, 0), "Wh", seconds - 0.5, seconds + 0.5))
    return figures


@pytest.mark.parametrize(
    ("moment", "tier"),
    [
        (datetime(2026, 11, 20, 5, 0, tzinfo=UTC), 0),  # 6 h local
        (datetime(2026, 11, 20, 4, 59, tzinfo=UTC), 1),
        (datetime(2026, 11, 20, 21, 0, tzinfo=UTC), 1),  # 22 h local
        (datetime(2026, 7, 20, 4, 0, tzinfo=UTC), 0),  # 6 h local, summer
        (datetime(2026, 7, 20, 20, 0, tzinfo=UTC), 1),
    ],
)
def test_tiers_by_local_time(moment, tier):
    assert tier_at(moment) == tier


def test_the_true_day_is_true():
    verdict = check_day(true_day(), SOURCE)
    assert verdict.wrong == () and verdict.exact == verdict.compared == 2 * (96 + 3)


@pytest.mark.parametrize("at", [0, 50, 95])
def test_one_watt_hour_too_many_is_noticed(at):
    day = true_day()
    intervals = list(day.intervals)
    used = intervals[at].consumption
    intervals[at] = replace(intervals[at], consumption=(used[0] + 1, used[1]))
    wrong = check_day(replace(day, intervals=tuple(intervals)), SOURCE).wrong
    assert len(wrong) == 2  # the interval, and the stretch of its tier
    assert all(text.startswith("forward_wh") for text in wrong)


def test_tiers_of_a_day_add_up_to_the_source():
    day = true_day()
    begin = SOURCE.begin + timedelta(days=1)
    assert sum(by_tier(day).values()) == SOURCE.consumption(begin, SOURCE.end)
    night = SOURCE.consumption(begin, begin + timedelta(hours=5))
    night += SOURCE.consumption(begin + timedelta(hours=21), SOURCE.end)
    assert by_tier(day)[1] == night


def test_true_registers_are_true_and_idle_tiers_exactly():
    verdict = check_registers(true_registers(), SOURCE)
    assert verdict.wrong == ()
    assert verdict.compared == 10 and verdict.exact >= 7


def test_registers_that_are_off_are_noticed():
    """An idle one by one watt-hour; one that counts moves within the read's own window."""
    figures = [
        replace(one, value=one.value + (1 if one.tier > 0 else 3)) for one in true_registers()
    ]
    assert len(check_registers(figures, SOURCE).wrong) == 10


def test_power_is_that_of_the_quarter_hour():
    seconds = NOW.timestamp()
    figure = Figure("values.forward_w", (70_000 + 137 * 140) * 4 // 1000, "W", seconds, seconds)
    assert check_power([figure], SOURCE).wrong == ()
    assert check_power([replace(figure, value=figure.value + 1)], SOURCE).wrong
    other = replace(figure, path="values.voltage_l1")
    assert check_power([other], SOURCE) == Verdict(0, 0, ())


def test_the_load_curve_is_drawn(tmp_path):
    paths = [tmp_path / "made" / "curve.svg", tmp_path / "made" / "curve.png"]
    curve.draw([("one", true_day()), ("other", true_day())], paths)
    svg = paths[0].read_text()
    assert svg.startswith("<?xml") and "Date" not in svg
    assert paths[1].read_bytes()[:4] == b"\x89PNG"
