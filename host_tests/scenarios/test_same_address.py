"""Two devices with one address, and somebody who answers in a device's name: data that are not
the device's are never taken. What the concentrator is told, and can tell, hangs on the mode.
"""

import pytest
from world import MODES, Stranger, World, is_request

from osgp_tools import lpdu
from osgp_tools.client import NoAnswerError
from osgp_tools.session import Code, OtherKeyError, RefusedError
from osgp_tools.suites import AES_PSK, LEGACY

SECOND = (2, 127)
READS = 12


@pytest.mark.parametrize("mode", MODES)
def test_two_devices_at_one_address(record, mode):
    """Two concentrators gave 1/1 to a device each. Both devices hear every request of both; each
    answers those under the other's key with 0B. In mode 2 that 0B is worth nothing. In mode 0 it
    is bare: if it is first, the read is refused, and another one is needed."""
    with World(record, devices=2, mode=mode) as world:

        async def story():
            first, second = world.concentrator(), world.concentrator(SECOND)
            ours = await first.commission(world.id(0))
            theirs = await second.commission(world.id(1))
            assert world.address(0) == world.address(1) == (1, 1)
            good = [await attempt(ours, world.table(0, 1)) for _ in range(READS)]
            good += [await attempt(theirs, world.table(1, 1)) for _ in range(READS)]
            if mode == AES_PSK:
                assert all(good)
            else:
                assert any(good) and not all(good)
            assert len(world.executed[0]) >= READS <= len(world.executed[1])
            # Who wants peace takes the other device in and gives it a place of its own.
            moved = await first.commission(world.id(1))
            assert {world.address(0), world.address(1)} == {(1, 1), (1, 2)}
            for k, device in enumerate((ours, moved)):
                assert world.is_member(k, first)
                assert all([await attempt(device, world.table(k, 1)) for _ in range(READS)])

        world.live(story)
        assert world.writes(0) == world.writes(1) == []


async def attempt(device, right) -> bool:
    """Whether the read came to something; what it came to is right."""
    try:
        read = await device.session.read(1)
    except RefusedError as refused:
        assert refused.code == Code.DIGEST_ERROR
        return False
    assert read == right
    return True


def forgeries(answer: bytes, mode: int) -> list[bytes]:
    """What somebody without the key may say; `answer`: one that he has heard before."""
    found = [b"\x00\x0c" + bytes(12), b"\x00\x00", b"\x00", answer, answer[:-1] + b"\0", bytes(40)]
    return found if mode == LEGACY else [b"\x00\x0b", b"\x00\x0b" + bytes(8), *found]


@pytest.mark.parametrize("mode", MODES)
def test_somebody_answers_in_a_devices_name(record, mode):
    """With the right source, transaction number and destination, and before the device does."""
    with World(record, mode=mode) as world:
        forger = Stranger(world)
        said = []

        async def story():
            head = world.concentrator()
            device = await head.commission(world.id(0))
            right = await device.session.read(1)
            answer = world.frames[-1]
            assert answer.source == (1, 1)
            forged = forgeries(answer.body, mode)

            def forge(octets, _signal):
                request = lpdu.decode(octets)
                if is_request(request, 0) and said:
                    forger.say(answer.with_(tid=request.tid, body=said[0]).encode())

            forger.station.on_frame = forge
            for body in forged:
                said[:] = [body]
                assert await device.session.read(1) == right
            assert head.client.statistics.foreign > len(forged) / 2  # before the device did
            assert world.is_member(0, head)

        world.live(story)
        assert world.writes(0) == []


@pytest.mark.parametrize(
    ("mode", "body"), [(LEGACY, b"\x00\x0b"), (AES_PSK, b"\x00\x0b" + bytes(8))]
)
def test_the_device_is_silent_and_somebody_says_0b(record, mode, body):
    """That is all he can do: have the concentrator commission a device that needs it not."""
    with World(record, mode=mode) as world:
        forger = Stranger(world)

        async def story():
            head = world.concentrator()
            device = await head.commission(world.id(0))
            world.network.cut(0)
            kept = head.vault.members()

            def forge(octets, _signal):
                request = lpdu.decode(octets)
                if is_request(request, 0):
                    answer = request.with_(source=(1, 1), destination=request.source, body=body)
                    forger.say(answer.with_(kind=lpdu.RESPONSE, delta_backlog=0).encode())

            forger.station.on_frame = forge
            with pytest.raises((RefusedError, OtherKeyError)):
                await device.session.read(1)
            with pytest.raises(NoAnswerError):
                await head.join(world.id(0))
            assert head.vault.members() == kept
            forger.station.on_frame = lambda octets, signal: None
            world.network.power(0)
            again = await head.join(world.id(0))
            assert await again.session.read(1) == world.table(0, 1)
            assert world.devices[0].member.generation == 1, "its key was good all the time"

        world.live(story)
