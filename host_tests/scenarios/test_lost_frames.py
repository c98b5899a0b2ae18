"""Frames that are lost: each single one of a whole dialogue, each k-th, and whole answers.

Whatever is lost, device and store say the same in the end, and each write is carried out once.
"""

import pytest
from world import MODES, World, in_time

from osgp_tools.client import NoAnswerError

BP10 = 10
NOW = (0.0,)


async def dialogue(head, unique_id):
    """Discovery, membership, reads of one frame and of several, a write, a procedure."""
    assert await head.discovery.find() == [unique_id]
    device = await head.commission(unique_id)
    session = device.session
    identity = await session.read(1)
    await session.write(53, b"\x3c\x00", 4)
    noon = bytes((7, 26, 11, 21, 12, 0, 0, 6))
    assert (await session.procedure(BP10, noon)).result == 0
    return identity, await session.read(53), await session.read(0, 0, 100)


def live(record, mode, faults):
    """The dialogue under faults: the world after it, and what was read."""
    world = World(record, mode=mode)
    world.faults = faults
    read = []

    async def story():
        head = world.concentrator()
        read.extend(await dialogue(head, world.id(0)))
        assert world.is_member(0, head)

    with world:
        world.live(story)
        world.channel.advance(world.channel.now + 10_000_000_000)
    return world, read


def judge(world, read, whole):
    """As without losses: what was read, what was carried out, how often."""
    assert read == whole
    assert [one[:3] for one in world.writes(0)] == [b"\x4f\x00\x35", b"\x40\x00\x07"]
    assert world.devices[0].member.generation == 1
    assert world.table(0, 53)[4] == 0x3C


@pytest.mark.parametrize("mode", MODES)
def test_each_frame_of_a_dialogue_is_lost_once(record, mode):
    """For everybody, as by noise on the line."""
    world, whole = live(record, mode, in_time)
    judge(world, whole, whole)
    count = len(world.aired)
    assert count > 20
    for n in range(count):
        world, read = live(
            record, mode, lambda aired, place, n=n: () if aired.number == n else NOW
        )
        judge(world, read, whole)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("each", [3, 4, 5, 7])
def test_each_kth_frame_is_lost(record, mode, each):
    _, whole = live(record, mode, in_time)

    def faults(aired, place):
        return () if aired.number % each == each - 1 else NOW

    world, read = live(record, mode, faults)
    judge(world, read, whole)


@pytest.mark.parametrize("mode", MODES)
def test_no_answer_ever_gets_through(record, mode):
    """The device does what it is told, its answers are lost, then the line is good again: the
    concentrator has no member, then it has one, with a place that the device has, too."""
    with World(record, mode=mode) as world:

        async def story():
            head = world.concentrator()
            world.faults = lambda aired, place: () if place == 0 else NOW
            with pytest.raises(NoAnswerError):
                await head.commission(world.id(0))
            assert head.vault.members() == []
            world.faults = lambda aired, place: () if is_membership(aired) else NOW
            with pytest.raises(NoAnswerError):
                await head.commission(world.id(0))
            assert world.devices[0].member.keyed and head.vault.members() == []
            world.faults = in_time
            device = await head.join(world.id(0))
            assert world.is_member(0, head)
            assert world.address(0) == (1, 1)  # the place that was promised to it
            assert (await device.session.read(1))[:3] == b"OED"

        world.live(story)
        assert world.devices[0].member.generation == 2


def is_membership(aired) -> bool:
    """The answer to 46: word that the device is a member."""
    return aired.place == 1 and aired.frame.body[:1] == b"\x46"
