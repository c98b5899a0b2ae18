"""The host lives in the device's time: time-outs, air time and the time of day are the board's.

The emulator computes at a fraction of a Pico's speed and idles at its full speed, so wall time
says nothing. Here the event loop's clock follows the device's, and `osgp_tools.clock` asks the
loop. Between two looks at the device the clock goes on at the wall's pace, so it is a look off at
most; without a device it goes on like the wall's.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import Any

from osgp_tools import line_server
from osgp_tools.emulator import EmulatedPico, EmulatorError

LOOK = 0.01  # s of the device between two looks at its time
# Noon of a working day: neither a day nor a quarter hour ends within a test that does not want it.
START = datetime.fromisoformat("2026-03-10T12:02:00+00:00").timestamp()


class DeviceTime:
    """Seconds since this was made, and what else `time` has."""

    def __init__(self, start: float = START):
        self.start = start
        self._wall = time.monotonic()
        self._now = 0.0  # at the last look
        self._shown = 0.0  # never goes back
        self._ahead = 0.0  # of the device's own time since power-on

    def monotonic(self) -> float:
        self._shown = max(self._shown, self._now + time.monotonic() - self._wall)
        return self._shown

    def monotonic_ns(self) -> int:
        return int(self.monotonic() * 1e9)

    def time(self) -> float:
        """The time of day, s since 1970."""
        return self.start + self.monotonic()

    async def follow(self, pico: EmulatedPico) -> None:
        """Follow a board from its power-on until it is gone."""
        with contextlib.suppress(EmulatorError):
            self._ahead = self.monotonic() - await pico.time() / 1000
            while True:
                self._now = self._ahead + await pico.time() / 1000
                self._wall = time.monotonic()
                await asyncio.sleep(LOOK)


class _Loop(asyncio.SelectorEventLoop):
    """Its timers are in device time. Where that is slower than the wall's it wakes too early, and
    waits again; where it is faster (`speed`), a look too late at worst."""

    def __init__(self, clock: DeviceTime):
        self._device_time = clock
        super().__init__()

    def time(self) -> float:
        return self._device_time.monotonic()

    def wall(self) -> float:
        """What `osgp_tools.clock` asks for."""
        return self._device_time.time()


def run(test: Callable[[DeviceTime], Coroutine[Any, Any, Any]], start: float = START) -> Any:
    """The result of `test(clock)`, with everything around it in its time."""
    clock = DeviceTime(start)
    with contextlib.ExitStack() as stack:
        stack.enter_context(_replaced(line_server, "time", clock))
        runner = stack.enter_context(asyncio.Runner(loop_factory=lambda: _Loop(clock)))
        return runner.run(test(clock))


@contextlib.contextmanager
def _replaced(module, name: str, value: object):
    old = getattr(module, name)
    setattr(module, name, value)
    try:
        yield
    finally:
        setattr(module, name, old)
