"""Milliseconds that wrap, as every MicroPython port counts them: 0 .. 2**30 - 1.

Half the range is the longest span that can be told: 6.2 days. What lasts longer is counted in days
and seconds by the clock.
"""

from micropython import const

_MASK = const(0x3FFFFFFF)
_HALF = const(0x20000000)
FAR = const(0x1FFFFFFF)  # ms: "not before 6 days", for a part that waits for an event only


def diff(a: int, b: int) -> int:
    """Milliseconds from b to a; negative when a is the earlier one."""
    return (((a - b) & _MASK) ^ _HALF) - _HALF  # never 2**30 in between: that would be an object


def add(a: int, ms: int) -> int:
    """The tick `ms` after a; `ms` of up to FAR, either way."""
    return ((a - _HALF + ms) & _MASK) ^ _HALF  # as a + ms, but never 2**30 in between
