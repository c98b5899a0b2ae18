"""Answers that cross: they come when the question was asked again, or when another one is open."""

import pytest
from world import MODES, World, in_time, is_answer

from osgp_tools.client import NoAnswerError


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("delay", [1.3, 1.9, 3.3, 6.5])
def test_every_answer_is_late(record, mode, delay):
    """By more than a try's timer (1.536 s): the device answers each try, and the answers to a
    transaction's first tries come in its last ones, or in the next transaction."""
    with World(record, devices=2, mode=mode) as world:
        read = {}

        async def story():
            head = world.concentrator()
            one, other = [await head.commission(world.id(k)) for k in range(2)]
            before = head.client.statistics.foreign
            world.faults = late(delay)
            for table in (1, 0, 1, 3):
                for k, device in enumerate((one, other)):
                    try:
                        read[k, table] = await device.session.read(table, 0, 5)
                    except NoAnswerError:
                        read[k, table] = None
            world.faults = in_time
            for k, device in enumerate((one, other)):
                assert await device.session.read(1, 0, 20) == world.table(k, 1)[:20]
                assert world.is_member(k, head)
            assert delay < 1.5 or head.client.statistics.foreign > before

        world.live(story)
        assert delay > 6 or None not in read.values()
        for (k, table), data in read.items():
            assert data in (None, world.table(k, table)[:5]), f"table {table} of {k}"
        for k in range(2):
            assert world.writes(k) == []


def late(delay):
    """Answers come so much later, all else in time."""

    def faults(aired, place):
        return (delay,) if place == 0 and is_answer(aired.frame) else (0.0,)

    return faults


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("delay", [1.9, 4.0, 9.0])
def test_becoming_a_member_by_late_answers(record, mode, delay):
    """Challenge and word of success come late: tried again until it holds, and no store and
    device that think differently."""
    with World(record, mode=mode) as world:

        async def story():
            head = world.concentrator()
            world.faults = late(delay)
            try:
                await head.commission(world.id(0))
            except NoAnswerError:
                assert head.vault.members() == []
            else:
                assert world.is_member(0, head)
            world.faults = in_time
            device = await head.join(world.id(0))
            assert world.is_member(0, head)
            assert (await device.session.read(1))[:3] == b"OED"

        world.live(story)


@pytest.mark.parametrize("mode", MODES)
def test_two_devices_answer_at_once_and_the_other_way_round(record, mode):
    """The answer of the device asked first comes while the second one's is awaited."""
    with World(record, devices=2, mode=mode) as world:

        async def story():
            head = world.concentrator()
            one, other = [await head.commission(world.id(k)) for k in range(2)]
            world.faults = late_from(1, 9.0)
            with pytest.raises(NoAnswerError):
                await one.session.read(1)
            read = await other.session.read(1)
            assert read == world.table(1, 1) != world.table(0, 1)
            world.faults = in_time
            assert await one.session.read(1) == world.table(0, 1)
            assert world.is_member(0, head) and world.is_member(1, head)

        world.live(story)


def late_from(sender, delay):
    def faults(aired, place):
        return (delay,) if (place, aired.place) == (0, sender) else (0.0,)

    return faults
