"""An order to a group: who is in it does it once, whatever is lost, comes again, or loses power;
who is not in it, never.
"""

import asyncio

import pytest
from world import MODES, Stranger, World, in_time

from osgp_tools import broadcast, groups, lpdu
from osgp_tools.airtime import SECOND
from osgp_tools.broadcast import Fate, Order

GROUP, OTHER = 0x0102, 0x0103
EP02, OPEN_RELAY = 2050, b"\x01\x00"
ORDER = Order((GROUP,), EP02, OPEN_RELAY)
MEMBERS, OUTSIDER = (0, 1), 2
DONE = (Fate.BY_BROADCAST, Fate.ONE_BY_ONE)
DARK = 4.0  # s


async def members(world):
    head = world.concentrator()
    for k in range(3):
        device = await head.commission(world.id(k))
        group = GROUP if k in MEMBERS else OTHER
        await groups.change(device.session, groups.ADD, group)
    return head


async def fates(head, sent):
    told = [one async for one in broadcast.finish(head.client, head.vault, sent)]
    return [one.fate for one in told]


def began(world):
    """How often each device began the procedure, and whether its relay is open."""
    counts = [world.procedures[k].count(EP02) for k in range(3)]
    assert [bool(world.devices[k].control.et30[28] & 1) for k in range(3)] == [
        bool(count) for count in counts
    ]
    return counts


def is_order(aired) -> bool:
    frame = aired.frame
    return frame.address == lpdu.BROADCAST and frame.pdu == lpdu.TPDU


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("lost", [(1,), (2,), (1, 2), (1, 2, 3)])
def test_those_that_heard_nothing_are_told_by_themselves(record, mode, lost):
    """Places that hear none of its sendings."""
    with World(record, devices=3, mode=mode) as world:

        async def story():
            head = await members(world)
            world.faults = lambda aired, place: () if place in lost and is_order(aired) else (0.0,)
            sent = await broadcast.tell(head.client, head.vault, ORDER)
            assert began(world) == [int(1 not in lost), int(2 not in lost), 0]
            told = await fates(head, sent)
            for k in MEMBERS:
                assert told[k] == (Fate.ONE_BY_ONE if k + 1 in lost else Fate.BY_BROADCAST)
            assert told[OUTSIDER] == Fate.OUTSIDE
            assert began(world) == [1, 1, 0]

        world.live(story)


@pytest.mark.parametrize("mode", MODES)
def test_copies_come_all_day(record, mode):
    """By agents, by somebody who recorded them, before and after power cuts, and after those who
    missed it were told by themselves."""
    with World(record, devices=3, mode=mode) as world:
        attacker = Stranger(world)

        async def story():
            head = await members(world)
            world.faults = lambda aired, place: (
                () if place == 2 and is_order(aired) else (0.0, 0.9, 2.2)
            )
            sent = await broadcast.tell(head.client, head.vault, ORDER)
            copies = [one for one in world.aired if is_order(one)]
            assert len(copies) == 1 + broadcast.REPEATS
            world.faults = in_time
            assert [await fates(head, sent) for _ in range(2)][-1][:2] == [Fate.BY_BROADCAST] * 2
            for turn in range(3):
                for k in MEMBERS if turn else ():
                    world.network.cut(k)
                    world.network.power(k)
                await asyncio.sleep(10)
                for one in copies:
                    octets = one.frame.with_(source=(7, 7 + turn), tid=turn).encode()
                    attacker.say(octets)
                    attacker.say(one.octets, 0.5)
                await asyncio.sleep(10)
                taken = [world.devices[k].broadcast.accepted for k in MEMBERS]
                assert taken == ([0, 0] if turn else [1, 0]), "since its start"
            assert began(world) == [1, 1, 0]

        world.live(story)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("after", [0.0, 0.002, 0.02, 0.3, 0.7, 0.95, 1.3, 2.5])
@pytest.mark.parametrize("sending", [0, 1])
def test_power_goes_in_the_middle(record, mode, after, sending):
    """So long after one of its sendings was heard. Then those who do not know are asked, the
    copies come again, and the power goes once more."""
    with World(record, devices=3, mode=mode) as world:
        attacker = Stranger(world)
        heard = []

        def cut(aired, place):
            if place == 1 and is_order(aired):
                heard.append(aired)
                if len(heard) == sending + 1:
                    at = world.channel.now + int(after * SECOND)
                    world.channel.call_at(at, lambda: world.network.cut(0))
                    at += int(DARK * SECOND)
                    world.channel.call_at(at, lambda: world.network.power(0))
            return (0.0,)

        async def story():
            head = await members(world)
            world.faults = cut
            sent = await broadcast.tell(head.client, head.vault, ORDER)
            world.faults = in_time
            await asyncio.sleep(DARK + 2)
            assert began(world)[1:] == [1, 0]
            told = await fates(head, sent)
            if told[0] == Fate.IN_DOUBT:
                told = await fates(head, sent)
            assert told[0] in DONE, told
            for _ in range(2):
                taken = world.devices[0].broadcast.accepted
                for one in heard:
                    attacker.say(one.octets)
                await asyncio.sleep(10)
                assert world.devices[0].broadcast.accepted == taken
                world.network.cut(0)
                world.network.power(0)
                await asyncio.sleep(3)
            assert began(world) == [1, 1, 0]

        world.live(story)
