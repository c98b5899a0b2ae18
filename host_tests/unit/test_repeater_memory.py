"""Repeating leaves the heap as it was: 0 octets in 100 messages and their answers."""

import gc

import ticks
from lon_support import ACK, lpdu, uplink
from node_support import Bench
from osgp.kernels import copy
from repeating_support import add_repeater
from support import MICROPYTHON, skip

if not MICROPYTHON:
    skip("measures MicroPython's heap")

TOP = (1 << 30) - 50  # the ticks wrap while it runs
READ = "00 30 0017 00000001 1122334455667788"
DATA = "00 00" + "55" * 84 + "1122334455667788"


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
        n = min(n, len(self.up))
        copy(buf, 0, self.up, 0, n)
        self.up = self.rest if n == 128 else b""
        return n


def frames(number: int, message: str) -> tuple:
    """A message of 1/5 to repeat and the answer of 7/12, in pieces as the UART gives them."""
    there = uplink(lpdu("01 1A 01 85 05 89 C0FFEE 0%d" % number + message + READ))
    back = uplink(lpdu("00 1A 07 8C 05 89 C0FFEE 2%d" % number + DATA))
    return there[:128], there[128:], back[:128], back[128:]


def grown(message: str, now: int) -> int:
    bench = Bench()
    node = bench.node
    repeater = add_repeater(node)
    line = node.link.uart = Line()
    numbers = frames(1, message), frames(2, message)

    def take(up, rest, now):
        line.up = up
        line.rest = rest
        node.readable(now)
        if line.up:
            node.readable(now)
        node.poll(now)
        line.up = ACK
        node.readable(now)
        node.poll(now)

    def run(now, n):
        while n:
            pieces = numbers[n & 1]
            take(pieces[0], pieces[1], now)
            take(pieces[2], pieces[3], now)
            now = ticks.add(now, 1)
            n -= 1

    run(now, 2)
    line.writes = 0
    gc.collect()
    gc.disable()
    before = gc.mem_alloc()
    run(now, 100)
    after = gc.mem_alloc()
    gc.enable()
    assert line.writes == 400, line.writes  # acknowledgements, messages, answers
    assert repeater.forwarded + repeater.acted == 102 and not repeater.refused
    return after - before


def test_repeater():
    for now in (3000, TOP):
        assert grown(" 4D 01 07 0C 40 2C 3D 08 0D ", now) == 0


def test_agent():
    for now in (3000, TOP):
        assert grown(" 4D 00 2C 3D 07 0C ", now) == 0
