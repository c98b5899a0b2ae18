"""A node that never keeps quiet: noise with a good CRC, and good frames of all kinds that concern
nobody. The others' work takes longer, and comes to the same.
"""

import random

import pytest
from world import MODES, Stranger, World, until_it_answers

from osgp_tools import lpdu
from osgp_tools.addp import Query
from osgp_tools.lpdu import Frame, crc16

HERS, OURS = b"\xba\xbb\x1e", b"OSG"
PAUSE = 0.6  # s from one frame to the next
FRAMES = 400


def babble(rng: random.Random, ids: list[bytes]) -> bytes:
    """An LPDU: the seventh part noise that is no frame of version 0.

    She announces few answers: who announces many makes everybody wait for them, as the access of
    14908 has it, and nothing above can help that.
    """
    if rng.random() < 1 / 7:
        noise = bytes((rng.randrange(4), rng.randrange(64, 256)))
        noise += rng.randbytes(rng.randrange(4, 60))
        return noise + crc16(noise).to_bytes(2, "big")
    body = rng.choice(
        (
            b"\x00" + rng.randbytes(rng.randrange(0, 90)),  # as if secured
            b"\x46\x01" + rng.randbytes(68),  # as if she were a concentrator
            b"\x6c\x00", b"\x64\x00", b"\x63\x00" + rng.randbytes(15), b"\x6e\x01\0\0\4\0abcd",
            b"\x4d\x02" + rng.randbytes(12), b"\x4d\x00\x2c\x3b\x07\x0c\x51", b"\x52\x01",
            b"\x45" + rng.randbytes(18), b"\x4a" + rng.randbytes(24),
            b"\x80\x12" + rng.randbytes(2), rng.randbytes(rng.randrange(2, 40)),
        )
    )  # fmt: skip
    frame = Frame(
        pdu=rng.choice((lpdu.TPDU, lpdu.SPDU)),
        source=(rng.randrange(256), rng.randrange(1, 127)),
        domain=rng.choice((HERS, HERS, OURS, b"", b"\x07", b"OSGP\0\0")),
        tid=rng.randrange(16),
        body=body,
        priority=rng.random() < 0.1,
        delta_backlog=rng.randrange(4),
    )
    return frame.with_(**_address(rng, ids)).encode()


def _address(rng: random.Random, ids: list[bytes]) -> dict:
    """Everywhere, but not as a request to us by name that a device would have to answer well."""
    kind = rng.randrange(5)
    if kind == 0:
        return {"address": lpdu.BROADCAST, "pdu": lpdu.TPDU, "kind": lpdu.UNACKD_RPT}
    if kind == 1:
        return {"address": lpdu.GROUP, "group": rng.randrange(256)}
    if kind == 2:
        return {"address": lpdu.UNIQUE_ID, "unique_id": rng.choice((*ids, rng.randbytes(6)))}
    if kind == 3:
        return {"destination": (1, rng.randrange(1, 4)), "auth": rng.random() < 0.2}
    answer = {"kind": lpdu.RESPONSE, "source": (1, rng.randrange(1, 4)), "destination": (1, 127)}
    return answer | {"address": lpdu.SUBNET_NODE, "pdu": lpdu.SPDU}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("seed", [1, 2])
def test_work_goes_on(record, mode, seed):
    with World(record, devices=3, mode=mode) as world:
        babbler = Stranger(world)
        ids = [world.id(k) for k in range(3)]
        rng = random.Random(seed)
        for k in range(FRAMES):
            babbler.say(babble(rng, ids), after=2 + k * PAUSE)
        search = Query(b"\x04\0\0\0\xba\xbb", nonce=seed, slots=16, slot_length=16)
        babbler.say(search.frame().encode(), after=20)

        async def story():
            head = world.concentrator()
            assert await head.discovery.find() == ids
            for k in range(3):
                device = await until_it_answers(head, world.id(k))
                session = device.session
                await session.write(53, b"\x3c\x00", 4)
                assert await session.read(53) == world.table(k, 53)
                whole = world.table(k, 0)
                assert await session.read(0, 0, len(whole)) == whole
                assert world.is_member(k, head)

        world.live(story)
        world.channel.advance(world.channel.now + 300_000_000_000)  # she goes on, nobody listens
        for k in range(3):
            device = world.devices[k]
            assert [one[:3] for one in world.writes(k)] == [b"\x4f\x00\x35"]
            assert world.table(k, 53)[4] == 0x3C
            assert (device.member.generation, world.address(k)) == (1, (1, k + 1))
            assert device.node.npdu.malformed and device.node.npdu.not_ours
            assert device.node.management.online
        assert record.refused
