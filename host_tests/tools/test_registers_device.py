"""Self reads, demand resets and their lists on the whole device, by procedures and tables."""

import struct

import pytest

import ticks
from device import Device
from meter.clock import day_number
from meter.element import SimulatedElement
from meter_support import source
from osgp_tools.model import decode
from rig import MemoryBoard
from tables.model import MASTER, OK

TODAY = day_number(26, 11, 21)
USED = [1000 * (k % 300) for k in range(3 * 96)]
BP04, BP05, BP09, EP26, EP34 = 4, 5, 9, 2048 + 26, 2048 + 34
SELF_READS = 2  # a code of LIST
RESET, SELF_READ = 20, 21


class Meter:
    """A device that is called through BT07 and read through the model."""

    def __init__(self):
        self.board = MemoryBoard(SimulatedElement(source(TODAY - 1, USED)))
        self.board.now = 1000
        self.device = Device(self.board)
        self.psn = 10
        self.device.application.set_clock(TODAY, 43200, 0, self.board.now)
        while self.device.application.behind:
            self.device.application.poll(self.board.now)

    def call(self, number, *parameters):
        """The result code."""
        self.psn += 1
        octets = bytearray(struct.pack("<HB", number, self.psn) + bytes(parameters))
        model = self.device.model
        assert model.write(7, 0, octets, 0, len(octets), MASTER, self.board.now) == OK
        response = self.read(8)
        assert struct.unpack_from("<HB", response) == (number, self.psn)
        return response[3]

    def read(self, number):
        buf = bytearray(self.device.model.size(number))
        assert self.device.model.read(number, 0, len(buf), buf, 0, MASTER) == OK
        return bytes(buf)

    def table(self, number):
        return decode(number, self.read(number))

    def run(self, seconds, step=1):
        for _ in range(0, seconds, step):
            self.board.now = ticks.add(self.board.now, 1000 * step)
            while self.device.application.poll(self.board.now) == self.board.now:
                pass


@pytest.fixture
def meter():
    return Meter()


def test_procedures_reach_the_tables(meter):
    before = meter.read(23)
    assert meter.call(BP09, 2) == 0
    reads = meter.table(26)
    assert (reads["valid"], reads["last"], reads["sequence"], reads["unread"]) == (1, 0, 0, 1)
    entry = reads["entries"][0]
    assert entry["captured"] == (26, 11, 21, 13, 0)
    assert entry["total"] == decode(23, before)["total"]
    assert meter.call(EP34) == 0
    log = meter.table(2089)
    assert log["entries"][0]["reason"] == 1
    assert log["entries"][0]["total"] == decode(23, before)["total"]
    assert meter.table(25)["total"] == decode(23, before)["total"]
    after = meter.table(23)
    assert after["demand_resets"] == 1
    before = decode(23, before)["total"]["demands"][0]
    assert after["total"]["demands"][0]["cumulative"] == before["values"][0] > 0
    assert after["total"]["demands"][0]["values"] == [0]


def test_what_happens_is_in_the_event_log(meter):
    meter.call(BP09, 3)
    numbers = [entry["event"] & 0x0FFF for entry in meter.table(74)["entries"]]
    assert SELF_READ in numbers and RESET in numbers


def test_entries_are_marked_as_read(meter):
    for _ in range(3):
        meter.call(BP09, 2)
    assert meter.call(BP05, SELF_READS, 4, 0) == 2
    assert meter.call(BP05, SELF_READS, 2, 0) == 0
    assert meter.table(26)["unread"] == 1
    assert meter.call(BP04, SELF_READS) == 0
    reads = meter.table(26)
    assert (reads["unread"], reads["valid"], reads["sequence"]) == (0, 3, 2)


def test_any_parameters_are_answered(meter):
    for number in (BP09, *[2048 + k for k in (16, 32, 33, 34, 64)]):
        for length in (0, 1, 2, 3, 11, 12, 13, 40):
            for octet in (0, 0x80, 0xFF):
                assert meter.call(number, *([octet] * length)) <= 4
                meter.psn %= 200
                meter.psn += 10


def test_registers_come_from_all_energies(meter):
    total = meter.table(23)["total"]["summations"]
    used = sum(USED[: 96 + 48])
    assert total["forward_wh"] == used // 1000
    assert total["import_varh"] == total["q1_varh"] > 0
    tiers = meter.table(23)["tiers"]
    by_tier = sum(tier["summations"]["forward_wh"] for tier in tiers)
    assert total["forward_wh"] - len(tiers) < by_tier <= total["forward_wh"]
    quarter = 96 + 48
    demands = meter.table(28)["demands"]
    assert demands[0]["demand"] == USED[quarter - 1] // 250  # the quarter hour that has ended
    meter.run(60)
    demands = meter.table(28)["demands"]
    assert demands[0]["demand"] == USED[quarter] * 60 // 900 // 250  # of the one so far
