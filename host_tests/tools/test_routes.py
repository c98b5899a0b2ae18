"""Requests by way of repeaters: what goes out, whose answer counts, what failures say.

The octets are those of `lon.md` 3 (LTEP). One repeater stands here for all of a way.
"""

import asyncio

import pytest
from fake_line import FakeDevice, FakeLine, PlainNumbers

from osgp_tools import clock, lpdu
from osgp_tools.channel import Channel
from osgp_tools.client import BrokenWayError, Client, NoAnswerError
from osgp_tools.exchange import DIRECT, READING, Effort, Target, Way
from osgp_tools.ltep import UNACKD_RPT, Hop
from osgp_tools.routes import plan, room
from osgp_tools.session import Session
from osgp_tools.simulation.loop import run
from osgp_tools.suites import LEGACY, suite

DOMAIN = bytes.fromhex("C0FFEE")
TARGET = Target(DOMAIN, 8, 13)
ONE = Way(DOMAIN, (Hop(5, 9),))
TWO = Way(DOMAIN, (Hop(5, 9), Hop(7, 12)))
STATUS = b"\x51"
KEY = bytes(range(12))


class Repeater:
    """A link whose first repeater says what it is told to; None: nothing."""

    def __init__(self, *says: bytes | None):
        self.heard = []
        self.sent = []
        self.says = list(says)
        self.changes = {}

    async def send(self, octets):
        frame = lpdu.decode(octets)
        self.sent.append(frame)
        answer = self.says.pop(0) if self.says else None
        if answer is not None:
            back = frame.with_(
                source=frame.destination, destination=frame.source, kind=lpdu.RESPONSE, body=answer
            )
            asyncio.get_running_loop().call_later(0.2, self.say, back.with_(**self.changes))

    def say(self, frame):
        for listener in self.heard:
            listener(frame.encode())


class Ways:
    """Routes that know some ways to everybody."""

    def __init__(self, *ways):
        self.given = ways

    def ways(self, target):
        return self.given


def asking(link, *ways, target=TARGET, **options):
    """(answer, client) of one request by these ways, in no real time."""

    async def main():
        client = Client(link, silence=0)
        client.routes = Ways(*ways)
        return await client.request(target, STATUS, READING, **options), client

    return run(main, Channel(seed=1))


def test_a_message_is_wrapped_for_the_way_and_its_answer_is_the_target_s():
    link = Repeater(b"\x31status")
    answer, client = asking(link, ONE)
    assert answer == b"\x31status"
    (frame,) = link.sent
    assert (frame.destination, frame.domain) == ((5, 9), DOMAIN)
    assert frame.body[:3] == b"\x4d\x00\x2c" and frame.body[4:] == b"\x08\x0d\x51"
    assert client.last.way == ONE and client.last.broken is None
    assert client.statistics.by_hops[1].exchanges == 1


def test_the_next_repeater_stands_in_the_message():
    link = Repeater(b"\x31status")
    asking(link, TWO)
    body = link.sent[0].body
    assert body[0] == 0x4D and body[1] & 0x0F == 1 and body[2:4] == b"\x07\x0c"
    assert link.sent[0].destination == (5, 9)


def test_a_target_is_reached_by_unique_id():
    link = Repeater(b"\x21")
    asking(link, ONE, target=Target(b"OSGP\0\0", unique_id=bytes(range(6))))
    assert link.sent[0].domain == DOMAIN
    assert link.sent[0].body[2] == 0xCC and link.sent[0].body[4:10] == bytes(range(6))


def test_a_failure_says_which_repeater_heard_nothing():
    for left, broken in ((1, 0), (0, 1)):
        told = []

        async def main(left=left, told=told):
            client = Client(Repeater(bytes((0x4C, left))), silence=0)
            client.exchanged.append(told.append)
            await client.transact(TARGET, STATUS, READING, way=TWO)

        with pytest.raises(BrokenWayError, match=("7/12", "5/9")[left]):
            run(main, Channel(seed=1))
        assert (told[0].broken, told[0].failed, told[0].busy) == (broken, True, False)


def test_a_busy_repeater_says_so():
    async def main():
        client = Client(Repeater(b"\x4c\x81"), silence=0)
        with pytest.raises(BrokenWayError):
            await client.transact(TARGET, STATUS, READING, way=TWO)
        return client.last

    assert run(main, Channel(seed=1)).busy


def test_after_a_busy_repeater_some_time_passes():
    async def main():
        client = Client(Repeater(b"\x4c\x80", b"\x31"), silence=0)
        client.routes = Ways(ONE, ONE)
        await client.request(TARGET, STATUS, READING)
        return clock.monotonic()

    assert run(main, Channel(seed=1)) >= 2.0


def test_a_failure_from_further_than_the_way_goes_is_passed_over():
    link = Repeater(b"\x4c\x07", b"\x31")
    answer, client = asking(link, TWO)
    assert answer == b"\x31" and client.statistics.foreign == 1 and len(link.sent) == 2


def test_the_next_way_is_tried_when_one_fails():
    link = Repeater(b"\x4c\x00", None, None, None, None, None, b"\x31")
    answer, client = asking(link, ONE, DIRECT, TWO)
    assert answer == b"\x31"
    assert [frame.destination for frame in link.sent] == [(5, 9), *[(8, 13)] * 5, (5, 9)]
    assert client.statistics.failed == 2 and client.last.way == TWO


def test_when_no_way_is_left_the_last_failure_is_raised():
    with pytest.raises(BrokenWayError, match="8/13: 5/9 hears nothing of it"):
        asking(Repeater(None, None, None, None, None, b"\x4c\x00"), DIRECT, ONE)
    with pytest.raises(NoAnswerError, match="no way leads there"):
        asking(Repeater())


def test_an_answer_that_did_not_come_the_way_back_is_none():
    link = Repeater(*[b"\x31"] * 5)
    link.changes = {"source": (8, 13)}
    with pytest.raises(NoAnswerError, match=r"by way of 5/9: no answer to \d tries"):
        asking(link, ONE)


def test_what_is_not_accepted_does_not_end_it():
    link = Repeater(b"\x32", b"\x31")
    answer, _ = asking(link, ONE, accept=lambda apdu: apdu == b"\x31")
    assert answer == b"\x31"


def test_an_order_without_answer_is_served_by_the_agent():
    async def main():
        client = Client(Repeater(b"\x4d"), silence=0)
        everybody = Target(DOMAIN)
        answer = await client.transact(everybody, b"\0order", READING, way=ONE, service=UNACKD_RPT)
        return answer, client.link.sent[0].body

    answer, body = run(main, Channel(seed=1))
    assert answer == b"" and body[2] == 0x64  # target type 3, unacknowledged and repeated


def test_a_direct_message_goes_out_as_it_is():
    sending = plan(TARGET, DIRECT, STATUS, READING)
    assert (sending.to, sending.apdu, sending.retries) == (TARGET, STATUS, READING.retries)
    assert sending.timer == sending.patience == READING.timer


@pytest.mark.parametrize("hops", [1, 2, 8, 16])
def test_the_source_waits_for_all_who_repeat(hops):
    way = Way(DOMAIN, tuple(Hop(1, k) for k in range(1, hops + 1)))
    sending = plan(TARGET, way, bytes(21), READING)
    assert sending.retries * sending.timer + sending.patience > READING.timer * hops / 3
    slower = plan(TARGET, way, bytes(21), Effort(2, 2.048))
    assert slower.retries * slower.timer + slower.patience >= 3 * 2.048


def test_a_message_and_its_way_stay_within_what_devices_take():
    assert room(TARGET, DIRECT) == 114
    assert [room(TARGET, way) for way in (ONE, TWO)] == [114 - 6, 114 - 9]
    long = Way(DOMAIN, tuple(Hop(k, k) for k in range(1, 17)))
    assert room(TARGET, long) == 114 - 6 - 2 * 15 - 1
    same_subnet = Way(DOMAIN, tuple(Hop(5, k) for k in range(1, 17)))
    assert room(TARGET, same_subnet) == 114 - 6 - 15 - 1
    with pytest.raises(ValueError, match="a device takes 160"):
        plan(TARGET, long, bytes(130), READING)


def test_a_long_way_makes_writes_shorter():
    """What a request has less room for is written in more pieces."""

    async def main():
        line, device = FakeLine(), FakeDevice(1, {64: bytes(200)})
        line.devices.append(device)
        device.join(1, 5, KEY, 1)
        client = Client(line, silence=0)
        client.room = lambda target: 61
        sealing = suite(LEGACY, KEY, device.unique_id, 1, 5)
        session = Session(client, Target(b"OSG", 1, 5), sealing, PlainNumbers())
        await session.write(64, bytes(range(100)), 7)
        return device

    device = run(main, Channel(seed=1))
    assert device.tables[64] == bytes(7) + bytes(range(100)) + bytes(93)
    assert [len(command) - 8 for command in device.executed] == [40, 40, 20]
