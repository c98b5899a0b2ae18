"""The time of the running event loop.

Everything that a concentrator does in time asks here, so that it runs unchanged in a loop whose
clock is a simulated line's (`simulation`): such a loop says by `wall()` what time of day it is.
"""

import asyncio
import time
from datetime import UTC, datetime


def monotonic() -> float:
    """Seconds, of which only differences mean something."""
    return asyncio.get_running_loop().time()


def wall() -> float:
    """Seconds since 1970, UTC."""
    try:
        of_loop = getattr(asyncio.get_running_loop(), "wall", None)
    except RuntimeError:  # outside of a loop
        of_loop = None
    return of_loop() if of_loop else time.time()


def utc() -> datetime:
    """The time of day, UTC."""
    return datetime.fromtimestamp(wall(), UTC)
