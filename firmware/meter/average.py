"""Rare: average power over the last sub-intervals (ET80, MEP p.183-185), while that is wanted.

Rolling, or block with one sub-interval.
"""


class Average:
    """The mean of what was measured each second, told at each end of a sub-interval."""

    def __init__(self, seconds: int, count: int):
        """A sub-interval of so many seconds, the interval of so many of them."""
        self._seconds = seconds
        self._powers = [-1] * count  # mean of each sub-interval; -1: not over yet
        self._next = 0
        self._sum = 0
        self._passed = 0

    def add(self, power: int, seconds: int) -> int:
        """`power` (W, or mA) was measured for some seconds.

        Returns the average of the interval that has ended with them; -1: none has.
        """
        powers = self._powers
        average = -1
        while seconds:
            part = min(seconds, self._seconds - self._passed)
            seconds -= part
            self._passed += part
            self._sum += power * part
            if self._passed == self._seconds:
                powers[self._next] = self._sum // self._seconds
                self._next = (self._next + 1) % len(powers)
                self._sum = 0
                self._passed = 0
                average = -1 if powers[self._next] < 0 else sum(powers) // len(powers)
        return average


def run(seconds, count):
    """A sub-interval of so many seconds, the interval of so many of them."""
    return Average(seconds, count)
