"""Two concentrators on one line, each with a store of its own: the second takes a device over by
commissioning alone, the first is told 0B and knows it, and nobody's numbers come twice.
"""

import asyncio

import pytest
from world import MODES, World, in_time, is_request

from osgp_tools.client import NoAnswerError
from osgp_tools.session import Code, OtherKeyError, RefusedError
from osgp_tools.suites import LEGACY

SECOND = (2, 127)


async def is_refused(device):
    """0B: in clear in mode 0; in mode 2 under a key that is not ours, so nobody can be sure."""
    with pytest.raises((RefusedError, OtherKeyError)) as caught:
        await device.session.read(1)
    if device.member.mode == LEGACY:
        assert caught.value.code == Code.DIGEST_ERROR
    else:
        assert caught.type is OtherKeyError


@pytest.mark.parametrize("mode", MODES)
def test_the_second_takes_over_by_commissioning(record, mode):
    with World(record, devices=3, mode=mode) as world:

        async def story():
            first, second = world.concentrator(), world.concentrator(SECOND)
            devices = [await first.commission(world.id(k)) for k in range(3)]
            # Being found changes nothing: members answer both, and stay the first one's.
            assert len(await second.discovery.find()) == 3
            assert all(world.is_member(k, first) for k in range(3))
            kept = first.vault.members()
            taken = await second.commission(world.id(1))
            assert (await taken.session.read(1)) == world.table(1, 1)
            assert world.is_member(1, second) and not world.is_member(1, first)
            # Device 1 has the place 1/1 in the second's eyes, which is device 0's in the first's.
            assert world.address(0) == world.address(1) == (1, 1)
            assert first.vault.members() == kept
            assert second.vault.member(world.id(0)) is None
            # Who was not taken over is read as before.
            assert (await devices[2].session.read(1)) == world.table(2, 1)

        world.live(story)
        assert [one.member.generation for one in world.devices] == [1, 2, 1]


@pytest.mark.parametrize("mode", MODES)
def test_the_first_is_told_0b_and_takes_back(record, mode):
    """Here both give the device the same place."""
    with World(record, mode=mode) as world:

        async def story():
            first, second = world.concentrator(), world.concentrator(SECOND)
            old = await first.commission(world.id(0))
            await old.session.write(53, b"\x3c\x00", 4)
            new = await second.commission(world.id(0))
            await is_refused(old)
            assert world.table(0, 53)[4] == 0x3C  # what was set stays, whoever reads it
            assert await new.session.read(53) == world.table(0, 53)
            again = await first.join(world.id(0))
            assert world.is_member(0, first) and not world.is_member(0, second)
            assert await again.session.read(53) == world.table(0, 53)
            await is_refused(new)

        world.live(story)
        assert world.devices[0].member.generation == 3


@pytest.mark.parametrize("mode", MODES)
def test_both_at_the_same_time(record, mode):
    """Both find and commission everybody at once, with the same address of their own, too: each
    device ends as a member of exactly one."""
    with World(record, devices=3, mode=mode) as world:

        async def all_of(head):
            outcome = []
            for k in range(3):
                try:
                    outcome.append(await head.commission(world.id(k)))
                except Exception as error:  # the other one was there between
                    outcome.append(error)
            return outcome

        async def story():
            heads = world.concentrator(), world.concentrator()
            found = await asyncio.gather(*(head.discovery.find() for head in heads))
            assert all(set(ids) <= {world.id(k) for k in range(3)} for ids in found)
            await asyncio.gather(*(all_of(head) for head in heads))
            for k in range(3):
                if not any(world.is_member(k, head) for head in heads):
                    await heads[0].commission(world.id(k))
                assert sum(world.is_member(k, head) for head in heads) == 1

        world.live(story)
        for k in range(3):
            assert world.devices[k].member.keyed
            assert world.writes(k) == []


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("held", [0x47, 0x46])
def test_one_comes_between(record, mode, held):
    """The first one's challenge, or its commissioning message, comes when the second one has the
    device already: its answer is worth nothing, the device is the second one's."""
    with World(record, mode=mode) as world:

        async def story():
            first, second = world.concentrator(), world.concentrator(SECOND)
            late = []

            def hold(aired, place):
                frame = aired.frame
                if frame.source == (1, 127) and is_request(frame, held) and place == 1:
                    late.append(aired.octets)
                    return ()
                return (0.0,)

            world.faults = hold
            with pytest.raises(NoAnswerError):
                await first.commission(world.id(0))
            device = await second.commission(world.id(0))
            world.faults = in_time
            for octets in late:
                first.link.say(octets)
            await asyncio.sleep(20)
            assert world.is_member(0, second) and first.vault.members() == []
            assert await device.session.read(1) == world.table(0, 1)
            await first.commission(world.id(0))
            assert world.is_member(0, first) and not world.is_member(0, second)
            await is_refused(device)

        world.live(story)
        assert world.devices[0].member.generation == 2


@pytest.mark.parametrize("mode", MODES)
def test_sessions_of_both_do_not_mix(record, mode):
    """Each reads its own devices while the other one does: no answer is taken for the other's."""
    with World(record, devices=4, mode=mode) as world:

        async def read(head, numbers):
            devices = [await head.commission(world.id(k)) for k in numbers]
            for _ in range(4):
                for k, device in zip(numbers, devices, strict=True):
                    assert await device.session.read(1) == world.table(k, 1)

        async def story():
            first, second = world.concentrator(), world.concentrator(SECOND)
            for k in range(2):  # so that the second one's devices get other places
                absent = bytes((9, 9, 9, 9, 9, k))
                second.vault.admit(absent, second.vault.new_place(absent))
            await asyncio.gather(read(first, (0, 1)), read(second, (2, 3)))
            assert {world.address(k) for k in range(4)} == {(1, n) for n in (1, 2, 3, 4)}

        world.live(story)
