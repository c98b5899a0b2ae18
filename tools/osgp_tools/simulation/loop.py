"""An event loop that lives in a channel's time and never sleeps.

Where asyncio would wait for its next timer, this one lets the channel live up to it, event by
event, until one of them makes a task ready. Tasks take no time of their own.
"""

import asyncio
import math
import random
import selectors
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import Any, TypeVar

from osgp_tools.airtime import SECOND
from osgp_tools.channel import Channel

T = TypeVar("T")

BEGAN = datetime(2026, 11, 21, 3, tzinfo=UTC)  # a Saturday: the wall clock at time 0


class NothingHappensError(Exception):
    """Everybody waits, and nothing is going to come: it would be for ever."""


class VirtualLoop(asyncio.SelectorEventLoop):
    """Time is the channel's. No sockets, no threads: there is nobody else in here.

    `wall()` is what `osgp_tools.clock` asks for the time of day, `octets(n)` what
    `osgp_tools.entropy` asks for keys and challenges: seeded, or no run would be like another.
    """

    def __init__(self, channel: Channel, seed: int = 0, began: datetime = BEGAN) -> None:
        self.channel = channel
        self._random = random.Random(f"octets of {seed}")
        self._began = began.timestamp()
        super().__init__(_Patience(self))
        self._clock_resolution = 1e-9  # a timer is due when it is reached, not before

    def time(self) -> float:
        """Seconds of the channel."""
        return self.channel.now / SECOND

    def wall(self) -> float:
        """Seconds since 1970."""
        return self._began + self.time()

    def octets(self, count: int) -> bytes:
        """In the place of the operating system's random source. No secrets are kept in here."""
        return self._random.randbytes(count)

    def pass_time(self, seconds: float | None) -> None:
        """Let the channel live until a task is ready, or these seconds are over."""
        channel = self.channel
        until = None if seconds is None else channel.now + math.ceil(seconds * SECOND)
        ready = self._ready  # type: ignore[attr-defined]
        while not ready:
            due = channel.next_due
            if due is not None and (until is None or due <= until):
                channel.advance(due)
            elif until is not None:
                channel.advance(until)
                return
            else:
                raise NothingHappensError(f"after {self.time():.1f} s")


class _Patience(selectors.SelectSelector):
    """What the loop asks to wait with."""

    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list:
        self._loop.pass_time(timeout)
        return []


def run(
    main: Callable[[], Coroutine[Any, Any, T]],
    channel: Channel,
    *,
    seed: int = 0,
    began: datetime = BEGAN,
) -> T:
    """What `main()` returns. `began`: the time of day when the channel's time was 0."""
    with asyncio.Runner(loop_factory=lambda: VirtualLoop(channel, seed, began)) as runner:
        return runner.run(main())
