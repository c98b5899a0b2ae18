"""Three devices in a row, each of which hears its neighbours only: what befalls a frame on its
way befalls it at each hop.
"""

import asyncio
from contextlib import suppress

import pytest
from world import MODES, Stranger, World, in_time

from osgp_tools.client import NoAnswerError

HOPS = 3
LONG = 9.0  # s: longer than devices remember transactions


async def members(world):
    head = world.concentrator()
    assert sorted(await head.search.everybody()) == [world.id(k) for k in range(HOPS)]
    return head, [await patiently(head.commission, world.id(k)) for k in range(HOPS)]


async def patiently(work, *arguments, tries=4):
    """The work, again when nobody answers."""
    for _ in range(tries - 1):
        with suppress(NoAnswerError):
            return await work(*arguments)
    return await work(*arguments)


async def dialogue(world, device, k):
    await patiently(device.session.write, 53, b"\x78\x00", 4)
    assert await patiently(device.session.read, 53) == world.table(k, 53)
    assert await patiently(device.session.read, 1) == world.table(k, 1)


def judge(world, head):
    """Each is a member, did its one write once, and has done nothing else."""
    for k in range(HOPS):
        assert world.is_member(k, head)
        assert [one[:3] for one in set(world.writes(k))] == [b"\x4f\x00\x35"]
        assert world.table(k, 53)[4] == 0x78


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("delays", [(0,), (0, 0.0), (0, 0.7), (0, 3.0), (0, 9.0)])
def test_everything_comes_again(record, mode, delays):
    """At each hop: a repeater forwards once what it hears twice."""
    with World(record, hops=HOPS, mode=mode) as world:

        async def story():
            world.faults = lambda aired, place: delays
            head, devices = await members(world)
            for k, device in enumerate(devices):
                await dialogue(world, device, k)
            await asyncio.sleep(20)
            judge(world, head)

        world.live(story)
        if max(delays) < LONG:  # later a repeater is at work on the old one when a new one comes
            assert all(len(world.writes(k)) == 1 for k in range(HOPS))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("each", [5, 7, 11])
def test_each_kth_frame_is_lost(record, mode, each):
    with World(record, hops=HOPS, mode=mode) as world:

        async def story():
            head, devices = await members(world)
            world.faults = lambda aired, place: () if aired.number % each == 0 else (0.0,)
            for k, device in enumerate(devices):
                await dialogue(world, device, k)
            world.faults = in_time
            judge(world, head)

        world.live(story)


@pytest.mark.parametrize("mode", MODES)
def test_a_repeater_goes_dark(record, mode):
    """Whom it is needed for is silent, not lost: it comes back, and everything goes on."""
    with World(record, hops=HOPS, mode=mode) as world:

        async def story():
            head, devices = await members(world)
            for cut in (0, 1):
                world.network.cut(cut)
                with pytest.raises(NoAnswerError):
                    await devices[2].session.read(1)
                world.network.power(cut)
                await asyncio.sleep(3)
                assert await patiently(devices[2].session.read, 1) == world.table(2, 1)
            for k, device in enumerate(devices):
                await dialogue(world, device, k)
            judge(world, head)

        world.live(story)
        assert [one.member.generation for one in world.devices] == [1] * HOPS


@pytest.mark.parametrize("mode", MODES)
def test_a_recorded_day(record, mode):
    """Played again to all at once: repeaters forward what they cannot read, the devices it was
    for know it."""
    with World(record, hops=HOPS, mode=mode) as world:

        async def story():
            head, devices = await members(world)
            for k, device in enumerate(devices):
                await dialogue(world, device, k)
            tape = [one.octets for one in world.aired]
            numbers = [world.expected(k) for k in range(HOPS)]
            attacker = Stranger(world)
            for octets in tape:
                attacker.say(octets)
                await asyncio.sleep(1.0)
            await asyncio.sleep(LONG)
            assert [world.expected(k) for k in range(HOPS)] == numbers
            judge(world, head)
            for k, device in enumerate(devices):
                assert await patiently(device.session.read, 1) == world.table(k, 1)

        world.live(story)
