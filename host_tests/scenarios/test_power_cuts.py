"""A device loses power while it becomes a member, or while it works: it comes back as what it
was, or as what it was to be; never as something between that nobody can reach.
"""

import asyncio
from contextlib import suppress

import pytest
from world import MODES, World, in_time, until_it_answers

from osgp_tools.airtime import SECOND
from osgp_tools.client import NoAnswerError

DARK = 4.0  # s
AFTER = (0.0, 0.001, 0.012, 0.03, 0.1, 0.3)  # s from a frame's end to the cut


def cut_at(world: World, number: int, after: float):
    """The device goes so long after it has heard, or sent, the frame of this number."""

    def faults(aired, place):
        if aired.number == number and not done:
            done.append(aired)
            now = world.channel.now
            world.channel.call_at(now + int(after * SECOND), lambda: world.network.cut(0))
            at = now + int((after + DARK) * SECOND)
            world.channel.call_at(at, lambda: world.network.power(0))
        return (0.0,)

    done = []
    return faults


async def again(work, tries=3):
    """The work, once more when nobody answers."""
    for _ in range(tries - 1):
        with suppress(NoAnswerError):
            return await work()
    return await work()


def live(record, mode, faulty=None):
    world = World(record, mode=mode)
    if faulty:
        world.faults = cut_at(world, *faulty)

    async def story():
        head = world.concentrator()
        device = await until_it_answers(head, world.id(0))
        await asyncio.sleep(DARK + 1)
        assert world.is_member(0, head)
        for value in (b"\x3c\x00", b"\x1e\x00"):
            await again(lambda value=value: device.session.write(53, value, 4))
            await asyncio.sleep(DARK + 1)
            assert world.table(0, 53)[4:6] == value
        read = await again(lambda: device.session.read(53))
        await asyncio.sleep(DARK + 1)
        assert read == world.table(0, 53)
        assert world.is_member(0, head)
        assert [member.node for member in head.vault.members()] == [1]

    with world:
        world.live(story)
    world.writes(0)  # no number was good twice, before and after the cut
    return world


@pytest.mark.parametrize("mode", MODES)
def test_at_every_frame(record, mode):
    """Service pin, challenge, commissioning, writes and a read, and their answers; soon after it,
    and when the device is at work on it."""
    whole = live(record, mode)
    count = len(whole.aired)
    assert count >= 11
    for number in range(count):
        for after in AFTER if 3 <= number <= 6 else AFTER[:2]:
            world = live(record, mode, (number, after))
            assert world.devices[0].member.generation <= 2


@pytest.mark.parametrize("mode", MODES)
def test_a_member_stays_one(record, mode):
    """Ten cuts, reads between: no key and no number is lost, nobody commissions again."""
    with World(record, devices=2, mode=mode) as world:

        async def story():
            head = world.concentrator()
            devices = [await head.commission(world.id(k)) for k in range(2)]
            for _ in range(10):
                world.network.cut(1)
                assert await devices[0].session.read(1) == world.table(0, 1)
                world.network.power(1)
                assert await devices[1].session.read(1) == world.table(1, 1)
            assert world.is_member(1, head)
            assert [one.member.generation for one in world.devices] == [1, 1]

        world.live(story)


@pytest.mark.parametrize("mode", MODES)
def test_the_concentrator_goes_too(record, mode):
    """Its store is opened again as it stands on disk: nothing was given back. The next number is
    the end of a block; the device's window of eight does not reach there, and it says so."""
    with World(record, mode=mode) as world:

        async def story():
            head = world.concentrator()
            device = await head.commission(world.id(0))
            assert await device.session.read(1) == world.table(0, 1)
            world.faults = lambda aired, place: () if place == 0 else (0.0,)
            with pytest.raises(NoAnswerError):
                await device.session.read(1)
            world.faults = in_time
            restarted = world.restarted(head)
            device = await restarted.join(world.id(0))
            assert await device.session.read(1) == world.table(0, 1)
            assert world.is_member(0, restarted)

        world.live(story)
        world.writes(0)
