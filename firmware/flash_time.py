"""How long flash takes. A slice may be short and its flash slow: the two are counted apart.

`FlashTime` is the stopwatch; `TimedFlash` and `TimedSettings` are the board's raw region and its
settings with the stopwatch around whatever writes.
"""

import ticks


class FlashTime:
    """Microseconds that flash took: `spent`, which wraps as ticks do, and `longest`, of one."""

    def __init__(self, ticks_us):
        self.ticks_us = ticks_us
        self.spent = 0
        self.longest = 0
        self.operations = 0

    def since(self, start: int):
        """An operation that began at tick `start` (microseconds) has ended."""
        took = ticks.diff(self.ticks_us(), start)
        self.spent = ticks.add(self.spent, took)
        self.longest = max(self.longest, took)
        self.operations += 1


class TimedFlash:
    """A board's `flash`: reads pass through."""

    def __init__(self, flash, time: FlashTime):
        self.unit = flash.unit
        self.read = flash.read
        self._flash = flash
        self._time = time

    def program(self, address: int, buf):
        start = self._time.ticks_us()
        try:
            self._flash.program(address, buf)
        finally:
            self._time.since(start)

    def erase(self, address: int):
        start = self._time.ticks_us()
        try:
            self._flash.erase(address)
        finally:
            self._time.since(start)


class TimedSettings:
    """A board's settings: what reads passes through."""

    def __init__(self, settings, time: FlashTime):
        self.load = settings.load
        self.window = settings.window
        self.copy = settings.copy
        self._settings = settings
        self._time = time

    @property
    def bad(self) -> int:
        """Values that were damaged."""
        return self._settings.bad

    def replace(self, name: str, buf, n: int):
        start = self._time.ticks_us()
        try:
            self._settings.replace(name, buf, n)
        finally:
            self._time.since(start)

    def remove(self, name: str):
        start = self._time.ticks_us()
        try:
            self._settings.remove(name)
        finally:
            self._time.since(start)
