"""The desk device's watchdog: a pipe on which the process tells that it lives.

As on a chip, the first word starts it, and then each has to come within 8 s of the one before.
"""

import asyncio
import contextlib
import os
import select
from collections.abc import Callable

TIMEOUT = 8.0  # s, as on every board
_CHUNK = 64


class Watchdog:
    """One process's. `feeder` is the descriptor to give it; close it here by `started`."""

    def __init__(self, bite: Callable[[], None]):
        """bite: called once, when the process was silent for too long."""
        self.bitten = False
        self._bite = bite
        self._timer: asyncio.TimerHandle | None = None
        self._reader, self.feeder = os.pipe()
        asyncio.get_running_loop().add_reader(self._reader, self._fed)

    def started(self) -> None:
        """The process has its own copy of `feeder`, or there is none."""
        os.close(self.feeder)

    def close(self) -> None:
        self._stop()
        asyncio.get_running_loop().remove_reader(self._reader)
        with contextlib.suppress(OSError):
            os.close(self._reader)

    def _fed(self) -> None:
        if not os.read(self._reader, _CHUNK):  # the process has ended
            self._stop()
            asyncio.get_running_loop().remove_reader(self._reader)
            return
        self._stop()
        self._timer = asyncio.get_running_loop().call_later(TIMEOUT, self._silent)

    def _silent(self) -> None:
        if select.select([self._reader], [], [], 0)[0]:  # it was us who were slow
            self._fed()
            return
        self.bitten = True
        self._bite()

    def _stop(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None
