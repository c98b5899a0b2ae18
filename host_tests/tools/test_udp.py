"""How a CN/IP channel is written, and datagrams between its members on this machine."""

import asyncio
import socket

import pytest

from osgp_tools import udp
from osgp_tools.lpdu import APDU, BROADCAST, Frame
from osgp_tools.port import LinkError, Port

PIN = Frame(pdu=APDU, address=BROADCAST, body=b"\x7f" + bytes(14)).encode()


def ports(count):
    """UDP ports of 127.0.0.1 that nobody has."""
    sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    found = [str(one.getsockname()[1]) for one in sockets]
    for one in sockets:
        one.close()
    return found


def test_a_channel_in_words():
    assert udp.parse("1628,192.0.2.7:1629,id=0400000000aa") == (
        [("127.0.0.1", 1628), ("192.0.2.7", 1629)],
        bytes.fromhex("0400000000aa"),
    )


def test_who_has_no_id_has_its_address():
    _, unique_id = udp.parse("192.0.2.1:1628,1629")
    assert unique_id == bytes((192, 0, 2, 1)) + (1628).to_bytes(2, "big")


def test_as_the_board_takes_it():
    assert udp.written("1628,1629") == "127.0.0.1:1628,127.0.0.1:1629,id=7f000001065c"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1628", "a channel is HERE,MEMBER,..."),
        ("1628,id=0400000000aa", "a channel is HERE,MEMBER,..."),
        ("1628,x", "'x' is not [HOST:]PORT"),
        ("1628,70000", "'70000' is not [HOST:]PORT"),
        ("1628,0", "'0' is not [HOST:]PORT"),
        ("1628,1629,id=04", "04: a unique id has 12 hexadecimal digits"),
    ],
)
def test_what_is_no_channel(text, said):
    with pytest.raises(ValueError, match="^" + said.replace("[", r"\[") + "$"):
        udp.parse(text)


def test_frames_between_three_members():
    async def scenario():
        numbers = ports(3)
        members = []
        for k in range(3):
            order = numbers[k:] + numbers[:k]
            members.append(await Port.open("ip:" + ",".join(order)))
        heard = [asyncio.Queue() for _ in members]
        for member, queue in zip(members, heard, strict=True):
            member.heard.append(queue.put_nowait)
        for sender in members:
            for _ in range(2):
                await sender.send(PIN)
            for member, queue in zip(members, heard, strict=True):
                for _ in range(0 if member is sender else 2):
                    assert await asyncio.wait_for(queue.get(), 5) == PIN
        assert all(queue.empty() for queue in heard)
        assert len({member.unique_id for member in members}) == 3
        for member in members:
            member.close()

    asyncio.run(scenario())


def test_a_place_that_is_taken():
    async def scenario():
        here, there = ports(2)
        first = await Port.open(f"ip:{here},{there}")
        with pytest.raises(LinkError, match="Address already in use"):
            await Port.open(f"ip:{here},{there}")
        first.close()

    asyncio.run(scenario())


def test_a_closed_port_sends_nothing():
    async def scenario():
        here, there = ports(2)
        port = await Port.open(f"ip:{here},{there}")
        port.close()
        with pytest.raises(LinkError, match="closed"):
            await port.send(PIN)

    asyncio.run(scenario())
