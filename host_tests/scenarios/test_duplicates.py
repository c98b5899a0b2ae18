"""A channel that repeats frames: each message is carried out once, each answer taken once."""

import pytest
from world import MODES, World

BP10 = 10


async def dialogue(head, unique_id):
    """Membership, reads, a write and a procedure; what was read."""
    device = await head.commission(unique_id)
    session = device.session
    identity = await session.read(1)
    await session.write(53, b"\x3c\x00", 4)
    outcome = await session.procedure(BP10, bytes((7, 26, 11, 21, 4, 0, 0, 6)))
    assert outcome.result == 0
    return identity, await session.read(53)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("delays", [(0, 0.4), (0, 0.0, 2.5), (0, 9.0), (0, 1.0, 5.0, 12.0)])
def test_everything_comes_again(record, delays, mode):
    """Within the 8.2 s for which a device knows a repetition, and after them."""
    with World(record, devices=2, mode=mode) as world:
        world.faults = lambda aired, place: delays
        read = {}

        async def story():
            head = world.concentrator()
            for k in range(2):
                read[k] = await dialogue(head, world.id(k))
            assert world.is_member(0, head) and world.is_member(1, head)

        world.live(story)
        world.channel.advance(world.channel.now + 30_000_000_000)
        assert read[0][0][:4] == read[1][0][:4] == b"OED "
        assert read[0][1] == read[1][1] and read[0][1][4:5] == b"\x3c"
        for k in range(2):
            assert len(world.writes(k)) == 2
            assert world.expected(k) == 1 + len(world.executed[k])
            assert world.devices[k].member.generation == 1
