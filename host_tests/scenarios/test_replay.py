"""Somebody records a day and plays it again, to devices and to concentrators: nothing happens
that did not happen before.
"""

import asyncio

import pytest
from world import MODES, Stranger, World

from osgp_tools import broadcast, groups, rekey
from osgp_tools.broadcast import Fate, Order

GROUP = 0x0102
EP02, OPEN_RELAY = 2050, b"\x01\x00"
TABLES = (7, 8, 53, 2048 + 28, 2048 + 97)  # BT07, BT08, BT53, ET28, ET97
PAUSE = 0.5  # s between two frames of a replay
LONG = 9.0  # s: longer than devices remember transactions


async def day(head, world):
    """Membership, groups, reads, writes, a procedure, an order to a group."""
    devices = [await head.join(world.id(k)) for k in range(2)]
    for device in devices:
        await device.session.write(53, b"\x3c\x00", 4)
        await groups.change(device.session, groups.ADD, GROUP)
        await head.concentrator.set_clock(device)
        assert (await device.session.read(1))[:3] == b"OED"
    sent = await broadcast.tell(head.client, head.vault, Order((GROUP,), EP02, OPEN_RELAY))
    told = [one async for one in broadcast.finish(head.client, head.vault, sent)]
    assert [one.fate for one in told] == [Fate.BY_BROADCAST] * 2
    return devices


def state(world, k):
    """What a replay might have changed in a device."""
    device = world.devices[k]
    member = device.member
    return {
        "tables": [world.table(k, number) for number in TABLES if number != 7],
        "number": world.expected(k),
        "place": (world.address(k), member.generation, member.mode),
        "keys": (bytes(member.unicast_key), bytes(member.broadcast_key)),
        "broadcast": (bytes(member.image[54:60]), device.transactions[0].executed),
        "carried out": len(world.executed[k]),
        "relay": device.control.et30[28] & 1,
    }


def changed(before, after):
    return [(name, was, after[name]) for name, was in before.items() if was != after[name]]


async def play(attacker, tape):
    """To its end, and until devices have forgotten it."""
    for octets in tape:
        attacker.say(octets)
        await asyncio.sleep(PAUSE)
    await asyncio.sleep(LONG)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("backwards", [False, True])
def test_a_recorded_day(record, mode, backwards):
    """At once, a second time, and after a power cut of both devices."""
    with World(record, devices=2, mode=mode) as world:
        attacker = Stranger(world)

        async def story():
            head = world.concentrator()
            await day(head, world)
            tape = [one.octets for one in world.aired][:: -1 if backwards else 1]
            stored = head.vault.members()
            for turn in range(3):
                if turn == 2:
                    await dark(world)
                before = [state(world, k) for k in range(2)]
                await play(attacker, tape)
                for k in range(2):
                    assert changed(before[k], state(world, k)) == [], f"replay {turn}"
                assert head.vault.members() == stored
            for k in range(2):
                assert world.is_member(k, head)

        world.live(story)


async def dark(world):
    """Power goes, and comes back."""
    for k in range(2):
        world.network.cut(k)
        world.network.power(k)
    await asyncio.sleep(3)


@pytest.mark.parametrize("mode", MODES)
def test_while_the_concentrator_works(record, mode):
    """Requests and answers of yesterday between those of today: transaction numbers are the same
    every now and then."""
    with World(record, devices=2, mode=mode) as world:
        attacker = Stranger(world)

        async def story():
            head = world.concentrator()
            devices = await day(head, world)
            tape = [one.octets for one in world.aired]
            stored = head.vault.members()
            await asyncio.sleep(LONG)
            for k, octets in enumerate(tape):
                attacker.say(octets, k * PAUSE)
            for _ in range(15):
                for k, device in enumerate(devices):
                    assert await device.session.read(1) == world.table(k, 1)
            assert head.vault.members() == stored
            again = await head.commission(world.id(0))
            assert await again.session.read(53) == world.table(0, 53)
            assert all(world.is_member(k, head) for k in range(2))

        world.live(story)
        for k in range(2):
            assert len(world.writes(k)) == 3  # BT53, and BT07 for EP27 and BP10


@pytest.mark.parametrize("mode", MODES)
def test_after_a_key_change(record, mode):
    """The commissioning message brings the old key: it was good once, under a challenge that is
    used up."""
    with World(record, mode=mode) as world:
        attacker = Stranger(world)

        async def story():
            head = world.concentrator()
            device = await head.commission(world.id(0))
            tape = [one.octets for one in world.aired if one.frame.body[:1] == b"\x46"]
            assert len(tape) == 2  # the message, and its answer
            await rekey.change_key(device.session, head.vault, world.id(0))
            assert world.is_member(0, head)
            for _ in range(2):
                await asyncio.sleep(LONG)
                await play(attacker, tape)
                assert world.is_member(0, head)
            assert await device.session.read(53) == world.table(0, 53)

        world.live(story)
        assert world.devices[0].commissioning.done == 1


@pytest.mark.parametrize("mode", MODES)
def test_at_another_concentrator(record, mode):
    """Another one, with a store of its own, hears the first one's day: it takes nobody in."""
    with World(record, devices=2, mode=mode) as world:
        attacker = Stranger(world)

        async def story():
            first, second = world.concentrator(), world.concentrator()
            await day(first, world)
            tape = [one.octets for one in world.aired]
            await play(attacker, tape)
            assert second.vault.members() == []
            assert second.client.statistics.foreign
            assert all(world.is_member(k, first) for k in range(2))

        world.live(story)
