"""The firmware's end of the UART and the simulated chip, written apart, with octets damaged."""

import random

import pytest

from osgp.lon.mip import Mip
from osgp_tools.link_budget import Signal
from osgp_tools.lpdu import Frame
from osgp_tools.mip_chip import Chip

NODE = bytes.fromhex("040000112233")
STEP = 5  # ms
HEARD = Signal(phase=2, status=0x0C, levels=0x5A)


def frame(number):
    """An LPDU like no other one, with every octet somewhere."""
    body = bytes((number * 7 + k) & 0xFF for k in range(20 + number % 60)) + bytes((0x7E,) * 3)
    return Frame(body=body, tid=number & 15).encode()


class Pair:
    """Both ends in one virtual time; `noise` is the probability that an octet suffers."""

    def __init__(self, seed=0, noise=0.0):
        self.now = 0
        self.random = random.Random(seed)
        self.noise = noise
        self.down, self.up = bytearray(), bytearray()
        self.said, self.heard = [], []
        self.arrived = bytearray()
        self.mip = Mip(self)
        self.chip = Chip(NODE, self.up.extend, self._transmit)
        self.mip.start(0)

    def any(self):
        return len(self.arrived)

    def readinto(self, buffer, n):
        buffer[:n] = self.arrived[:n]
        del self.arrived[:n]
        return n

    def write(self, octets, n):
        self.down += octets[:n]

    def _transmit(self, wanted):
        self.said.append(wanted.lpdu)
        self.chip.sent()

    def _carried(self, buffer):
        """What arrives of what was written: some octets lost, doubled or changed."""
        octets = bytearray()
        for octet in buffer:
            luck = self.random.random() / self.noise if self.noise else 9
            if luck < 1:
                octets += (b"", bytes((octet, octet)), bytes((octet ^ 0x10,)))[int(luck * 3)]
            else:
                octets.append(octet)
        buffer.clear()
        return octets

    def step(self):
        self.now += STEP
        down = self._carried(self.down)
        if down:
            self.chip.feed(bytes(down), self.now)
        self.chip.poll(self.now)
        self.arrived += self._carried(self.up)
        while self.arrived:
            while self.mip.take(self.now):
                self.heard.append(bytes(self.mip.rx[self.mip.frame : self.mip.end]))
        self.mip.poll(self.now)

    def until(self, done, ms=60_000):
        deadline = self.now + ms
        while not done():
            assert self.now < deadline, "nothing goes on"
            self.step()

    def send(self, octets):
        self.until(lambda: self.mip.ready)
        self.mip.tx[2 : len(octets)] = octets[:-2]
        self.mip.send(len(octets), self.now)

    def exchange(self, count):
        """Frames both ways; returns what should have come."""
        frames = [frame(number) for number in range(count)]
        for octets in frames:
            self.send(octets)
            self.chip.receive(octets, self.now, HEARD)
            self.step()
        self.until(lambda: self.mip.ready and len(self.heard) >= count)
        return frames


def test_the_start():
    pair = Pair()
    pair.until(lambda: pair.mip.up)
    assert bytes(pair.mip.uid) == NODE
    assert pair.mip.mains_hz == 50


def test_frames_go_both_ways_with_phase_and_signal():
    pair = Pair()
    pair.until(lambda: pair.mip.up)
    frames = pair.exchange(100)
    assert pair.said == pair.heard == frames
    assert (pair.mip.phase, pair.mip.ssi1, pair.mip.ssi2) == (2, 0x0C, 0x5A)


@pytest.mark.parametrize("fault", ["reject", "fail", "drop_ack", "garble"])
def test_each_fault_is_repaired(fault):
    pair = Pair()
    pair.until(lambda: pair.mip.up)
    frames = [frame(number) for number in range(20)]
    for octets in frames:
        setattr(pair.chip.faults, fault, 2)
        pair.send(octets)
        pair.chip.receive(octets, pair.now, HEARD)
        pair.until(lambda: pair.mip.ready)
    pair.until(lambda: len(pair.heard) >= 20)
    assert pair.said == pair.heard == frames


def test_a_reset_of_the_chip_is_noticed_and_the_start_done_again():
    pair = Pair()
    pair.until(lambda: pair.mip.up)
    pair.chip.reset(pair.now)
    pair.until(lambda: not pair.mip.up)
    pair.until(lambda: pair.mip.up)
    assert pair.exchange(10) == pair.said == pair.heard


@pytest.mark.parametrize("seed", range(8))
def test_on_a_bad_uart_frames_arrive_whole_once_and_in_order(seed):
    """One octet in 1000 suffers, which is one frame in ten."""
    pair = Pair(seed, noise=1 / 1000)
    pair.until(lambda: pair.mip.up)
    frames = [frame(number) for number in range(60)]
    for number, octets in enumerate(frames, 1):
        pair.send(octets)
        pair.chip.receive(octets, pair.now, HEARD)
        pair.until(lambda wanted=number: pair.mip.ready and len(pair.heard) >= wanted)
    assert pair.said == pair.heard == frames
    assert pair.chip.statistics()["resent"] + pair.mip.repeats > 0
