"""Ticks: the arithmetic of a counter that wraps at 2**30."""

import ticks
from support import MICROPYTHON, allocated

TOP = (1 << 30) - 1


def test_add_wraps_and_diff_finds_back():
    for start in (0, 1, 1000, TOP >> 1, (TOP >> 1) + 1, TOP - 1, TOP):
        for ms in (0, 1, 250, 8192, 86_400_000, ticks.FAR, -1, -250, -ticks.FAR):
            end = ticks.add(start, ms)
            assert end == (start + ms) % (1 << 30)
            assert ticks.diff(end, start) == ms
            assert ticks.diff(start, end) == -ms


def test_half_the_range_is_in_the_past():
    assert ticks.diff(1 << 29, 0) == -(1 << 29)
    assert ticks.diff((1 << 29) - 1, 0) == (1 << 29) - 1


def test_nothing_is_allocated_when_the_counter_wraps():
    if not MICROPYTHON:
        return

    def across():
        ticks.add(TOP, 5000)
        ticks.add(TOP - 1, ticks.FAR)
        ticks.diff(TOP - 3, 2)
        ticks.diff(2, TOP - 3)

    assert allocated(across) == 0
