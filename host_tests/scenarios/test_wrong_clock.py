"""A device's clock that is wrong, or steps: the concentrator sets it right, within a second, and
intervals go on from there.
"""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from world import MODES, World, in_time

from osgp_tools import clock
from osgp_tools.concentrator import INTERVAL

BP10, SET_ALL = 10, 7
STEPS = (timedelta(hours=2), timedelta(minutes=-40), timedelta(days=400), timedelta(seconds=-3))


def time_of(world, k=0) -> datetime:
    """What the device takes for UTC (BT52)."""
    year, month, day, hour, minute, second = world.table(k, 52)[:6]
    return datetime(2000 + year, month, day, hour, minute, second, tzinfo=UTC)


def wrong_by(world, k=0) -> timedelta:
    return abs(time_of(world, k) - clock.utc())


async def set_wrong(device, step):
    """Somebody with the key sets it, to the second or not."""
    at = clock.utc() + step
    weekday = at.isoweekday() % 7
    ltime = bytes((at.year - 2000, at.month, at.day, at.hour, at.minute, at.second, weekday))
    outcome = await device.session.procedure(BP10, bytes((SET_ALL,)) + ltime)
    assert outcome.result == 0


@pytest.mark.parametrize("mode", MODES)
def test_wrong_by_anything(record, mode):
    with World(record, mode=mode) as world:

        async def story():
            head = world.concentrator()
            concentrator = head.concentrator
            device = await head.commission(world.id(0))
            assert await device.meter.clock_is_wrong(), "it has never been told the time"
            await concentrator.set_clock(device)
            assert wrong_by(world) <= timedelta(seconds=1)
            for step in STEPS:
                await set_wrong(device, step)
                assert wrong_by(world) > abs(step) - timedelta(seconds=2)
                await concentrator.set_clock(device)
                assert wrong_by(world) <= timedelta(seconds=1)
            assert not await device.meter.clock_is_wrong()

        world.live(story)


def test_over_a_line_that_loses_a_fifth(record):
    """What needed a retry came late, and is set again."""
    with World(record) as world:

        async def story():
            head = world.concentrator()
            device = await head.commission(world.id(0))
            world.faults = lambda aired, place: () if aired.number % 5 == 0 else (0.0,)
            for step in STEPS:
                await set_wrong(device, step)
                await head.concentrator.set_clock(device)
                assert wrong_by(world) <= timedelta(seconds=1)

        world.live(story)


def test_a_start_without_the_time(record):
    """After a power cut it does not know the time; what it measured meanwhile is not lost."""
    with World(record) as world:

        async def story():
            head = world.concentrator()
            device = await head.commission(world.id(0))
            await head.concentrator.set_clock(device)
            await head.concentrator.wait_for_past(device)
            before = await device.meter.newest_interval()
            world.network.cut(0)
            await asyncio.sleep(3 * 3600)
            world.network.power(0)
            await asyncio.sleep(60)
            assert await device.meter.clock_is_wrong()
            assert await device.meter.newest_interval() == before, "no interval without a clock"
            await head.concentrator.set_clock(device)
            await head.concentrator.wait_for_past(device)
            assert wrong_by(world) <= timedelta(seconds=1)
            newest = await device.meter.newest_interval()
            assert timedelta(0) <= clock.utc() - newest < INTERVAL

        world.live(story)


def test_a_clock_that_steps_all_day(record):
    """Set wrong each hour, set right a quarter of an hour later: intervals end at each quarter of
    an hour and never in the future, once the clock is right."""
    with World(record) as world:

        async def story():
            head = world.concentrator()
            device = await head.commission(world.id(0))
            await head.concentrator.set_clock(device)
            await head.concentrator.wait_for_past(device)
            for hour in range(8):
                step = timedelta(minutes=(7, -7, 20, -50)[hour % 4])
                await set_wrong(device, step)
                await asyncio.sleep(900)
                world.faults = in_time
                await head.concentrator.set_clock(device)
                assert wrong_by(world) <= timedelta(seconds=1)
                await asyncio.sleep(2700)
                newest = await device.meter.newest_interval()
                assert newest.minute % 15 == newest.second == 0
                assert timedelta(0) <= clock.utc() - newest < INTERVAL

        world.live(story)
