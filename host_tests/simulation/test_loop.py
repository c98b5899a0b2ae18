"""asyncio in a channel's time."""

import asyncio
import time
from datetime import UTC, datetime

import pytest

from osgp_tools import clock, entropy
from osgp_tools.airtime import SECOND
from osgp_tools.channel import Channel
from osgp_tools.simulation import run
from osgp_tools.simulation.loop import BEGAN, NothingHappensError


def test_a_week_of_sleep_takes_no_time():
    channel = Channel(seed=1)
    began = time.monotonic()

    async def main():
        for _ in range(7):
            await asyncio.sleep(86_400)
        return clock.monotonic()

    assert run(main, channel) == 7 * 86_400
    assert channel.now == 7 * 86_400 * SECOND
    assert time.monotonic() - began < 5


def test_timers_and_the_channels_events_come_in_order():
    channel = Channel(seed=1)
    seen = []
    for tenth in (5, 1, 3):
        channel.call_at(tenth * SECOND // 10, lambda tenth=tenth: seen.append(("line", tenth)))

    async def main():
        for tenth in (2, 4, 6):
            await asyncio.sleep(tenth / 10 - clock.monotonic())
            seen.append(("task", tenth))

    run(main, channel)
    assert [tenth for _, tenth in seen] == [1, 2, 3, 4, 5, 6]
    assert [who for who, _ in seen] == ["line", "task"] * 3


def test_a_task_goes_on_at_the_moment_of_the_event_that_woke_it():
    channel = Channel(seed=1)

    async def main():
        event = asyncio.Event()
        channel.call_at(1_234_567_891, event.set)
        async with asyncio.timeout(2):
            await event.wait()
        return channel.now

    assert run(main, channel) == 1_234_567_891


def test_a_timeout_is_over_when_its_time_is():
    channel = Channel(seed=1)

    async def main():
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1.536):
                await asyncio.Event().wait()
        return clock.monotonic()

    assert run(main, channel) == pytest.approx(1.536, abs=1e-8)


def test_waiting_for_ever_is_said():
    async def main():
        await asyncio.Event().wait()

    with pytest.raises(NothingHappensError):
        run(main, Channel(seed=1))


def test_time_of_day_begins_where_it_is_told_to():
    began = datetime(2031, 3, 1, tzinfo=UTC)

    async def main():
        await asyncio.sleep(60)
        return clock.utc()

    assert run(main, Channel(seed=1), began=began) == datetime(2031, 3, 1, 0, 1, tzinfo=UTC)
    assert run(main, Channel(seed=1)).date() == BEGAN.date()


def test_random_octets_follow_from_the_seed_in_here_and_from_nothing_elsewhere():
    async def main():
        return entropy.octets(16)

    assert run(main, Channel(), seed=3) == run(main, Channel(), seed=3)
    assert run(main, Channel(), seed=3) != run(main, Channel(), seed=4)
    assert asyncio.run(main()) != asyncio.run(main())
    assert entropy.octets(16) != entropy.octets(16)
