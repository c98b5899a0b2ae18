"""The time of the running loop, real or simulated."""

import asyncio
import time
from datetime import UTC, datetime

from osgp_tools import clock
from osgp_tools.channel import Channel
from osgp_tools.simulation.loop import BEGAN, run


def test_a_simulated_loop_says_its_own_time():
    async def work():
        before = clock.monotonic(), clock.wall()
        await asyncio.sleep(3600)
        return clock.monotonic() - before[0], clock.wall() - before[1], clock.utc()

    passed, of_day, now = run(work, Channel(seed=1))
    assert passed == of_day == 3600
    assert (now - BEGAN).total_seconds() == 3600


def test_any_other_loop_has_the_computer_s():
    async def work():
        return clock.monotonic() - asyncio.get_running_loop().time(), clock.wall(), clock.utc()

    apart, wall, utc = asyncio.run(work())
    assert -1 < apart <= 1
    assert 0 <= time.time() - wall < 60
    assert abs(datetime.now(UTC) - utc).total_seconds() < 60


def test_the_time_of_day_is_known_without_a_loop():
    assert abs(time.time() - clock.wall()) < 60
