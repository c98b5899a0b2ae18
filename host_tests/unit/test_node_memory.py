"""Receiving and answering leaves the heap as it was: 0 octets in 100 frames, on MicroPython.

What a large function puts on the heap while it runs is given back when it returns: so `mem_alloc`
is compared, with no collection between.
"""

import gc

import ticks
from lon_support import ACK, lpdu, uplink
from node_support import Bench
from osgp.kernels import copy
from support import MICROPYTHON, skip, unhex

if not MICROPYTHON:
    skip("measures MicroPython's heap")

TO_US = "00 1A 01 85 05 89 C0FFEE "
ACKD = "00 0A 01 85 05 89 C0FFEE "
TOP = (1 << 30) - 50  # the ticks wrap while it runs


class Line:
    """A UART that takes no memory either."""

    def __init__(self):
        self.up = b""
        self.writes = 0

    def write(self, buf, n):
        self.writes += 1

    def any(self):
        return len(self.up)

    def readinto(self, buf, n):
        n = len(self.up)
        copy(buf, 0, self.up, 0, n)
        self.up = b""
        return n


class Answer:
    def request(self, buf, a, end, out, o, now):
        copy(out, o, buf, a, end)
        return o + end - a


def grown(first: str, second: str, now: int, answered=True, collected=False) -> int:
    """Heap octets that 100 frames leave behind, the two in turn, each acknowledged by the chip.

    collected: only what is no garbage counts.
    """
    bench = Bench()
    draft = bench.member.draft()
    bench.member.set_address(draft, 14, unhex("83 01 00 40 2A"))
    bench.member.commit(draft)
    node = bench.node
    node.handlers[0x00] = Answer()
    line = node.link.uart = Line()
    frames = (uplink(lpdu(first)), uplink(lpdu(second)))

    def turn(up, now):
        line.up = up
        node.readable(now)
        node.poll(now)
        line.up = ACK
        node.readable(now)
        node.poll(now)

    def run(now, n):
        while n:
            turn(frames[n & 1], now)
            now = ticks.add(now, 1)
            n -= 1

    run(now, 2)
    line.writes = 0
    gc.collect()
    if not collected:
        gc.disable()
    before = gc.mem_alloc()
    run(now, 100)
    if collected:
        gc.collect()
    after = gc.mem_alloc()
    gc.enable()
    assert line.writes == (200 if answered else 100), line.writes  # acknowledgements, answers
    assert node.link.ready
    return after - before


def test_new_requests():
    for now in (3000, TOP):
        assert grown(TO_US + "01 00 30 0003", TO_US + "02 00 30 0003", now) == 0


def test_repeated_requests():
    assert grown(TO_US + "01 00 30 0003", TO_US + "01 00 30 0003", 3000) == 0


def test_acknowledged_messages():
    assert grown(ACKD + "01 00 40", ACKD + "02 00 40", 3000) == 0


def test_messages_to_a_group():
    head = "00 06 01 85 2A C0FFEE "
    assert grown(head + "01 00 40", head + "02 00 40", 3000) == 0
    assert grown(head + "01 00 40", head + "51 01 00 00 40", 3000) == 0  # repeated with a list


def test_broadcasts():
    head = "00 02 01 85 00 C0FFEE "
    assert grown(head + "11 00 40", head + "12 00 40", 3000, answered=False) == 0


def test_status_queries_leave_only_garbage():
    """They are answered by a rare module."""
    for now in (3000, TOP):
        assert grown(TO_US + "01 51", TO_US + "02 56", now, collected=True) == 0


def test_frames_by_unique_id():
    head = "00 1E 01 85 00 040000112233 C0FFEE "
    assert grown(head + "01 00 30 0003", head + "02 00 30 0003", 3000) == 0


def test_frames_of_others():
    others = "00 1A 01 85 05 8A C0FFEE 01 51", "00 12 01 85 07 BADBAD 01 51"
    assert grown(others[0], others[1], 3000, answered=False) == 0
