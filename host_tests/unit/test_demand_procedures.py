"""BP09, EP16, EP32-34 and EP64 on a whole meter."""

import struct

from meter.clock import DAY, day_number
from meter_rig import Chip, Rig
from meter_support import PowerCut
from osgp.procedures import demand
from osgp.procedures.clock import run as run_clock
from osgp.procedures.results import BAD_PARAMETER, CONFLICT, DONE, TIMING

TODAY = day_number(26, 11, 21)
BP09 = 9
EP16, EP32, EP33, EP34, EP64 = [2048 + number for number in (16, 32, 33, 34, 64)]
SOURCES = bytes((8, 9, 10, 11, 104, 105, 106, 107))
HERE = b"\x34\x12\x0f\x01" + SOURCES

RESET, SELF_READ, DIMENSIONS = 20, 21, 88


class Strong(Chip):
    forward = 7000


class Device(Rig):
    """What procedures work on."""

    def __init__(self, clock=True):
        super().__init__(Strong(), TODAY, 12 * 3600)
        if clock:
            self.set_clock()
            self.catch_up()
            self.pass_seconds(1800, 30)

    def start(self):
        super().start()
        self.application = self.meter

    def call(self, number, *parameters):
        """(result, response data)."""
        response = bytearray(12)
        run = run_clock if number == EP16 else demand.run
        result, n = run(number, bytes(parameters), response, self, self.now)
        return result, bytes(response[:n])

    def demands(self):
        """(cumulative, continuous, maximum) of the first demand in total."""
        return struct.unpack_from("<3i", self.read(23), 1 + 60 + 5)


def test_demand_reset():
    device = Device()
    before = device.read(23)
    _, _, maximum = device.demands()
    assert maximum == 30 * 4 * 7
    assert device.call(EP34) == (DONE, b"")
    assert device.demands() == (maximum, maximum, 0)
    log = device.read(2089)
    assert struct.unpack_from("<BBBHBHBH", log, 0) == (4, 1, 0, 0, 1, 992, 1, 0)
    assert bytes(log[11:17]) == bytes((26, 11, 21, 13, 30, 0))
    assert log[17 : 17 + 981] == before
    assert device.read(25) == log[11 : 11 + 987]
    assert device.read(23)[0] == 1
    assert device.events.posted[-1] == (RESET, 1)
    device.start()
    assert device.demands() == (maximum, maximum, 0)
    assert device.read(2089) == log


def test_many_resets():
    device = Device()
    for _ in range(8):
        assert device.call(EP34) == (DONE, b"")
        device.pass_seconds(900, 60)
    log = device.read(2089)
    assert struct.unpack_from("<BBBHB", log, 0) == (6, 6, 1, 7, 6)
    counts = [log[6 + 992 * (n % 6) + 11] for n in range(2, 8)]
    assert counts == [2, 3, 4, 5, 6, 7]
    assert device.read(25)[6] == 7
    assert device.read(23)[0] == 8


def test_lockout():
    device = Device()
    device.write(2088, 2, (30, 0))
    assert device.call(EP34) == (DONE, b"")
    for _ in range(3):
        assert device.call(EP34) == (TIMING, b"")
        assert device.call(BP09, 3) == (TIMING, b"\0")
        assert device.call(EP33, *(b"\0\0" + HERE[2:])) == (TIMING, b"")
        device.pass_seconds(590, 10)
    assert device.call(BP09, 2) == (DONE, b"\2")
    device.pass_seconds(60, 10)
    assert device.call(EP34) == (DONE, b"")
    assert device.read(23)[0] == 2


def test_remote_reset():
    device = Device()
    for bad in (0, 4, 0x83, 255):
        assert device.call(BP09, bad) == (BAD_PARAMETER, b"\0")
    assert device.call(BP09, 2) == (DONE, b"\2")
    assert device.read(26)[1] == 1 and device.read(2089)[1] == 0
    assert device.call(BP09, 1) == (DONE, b"\1")
    assert device.read(26)[1] == 1 and device.read(2089)[1] == 1
    assert device.call(BP09, 3) == (DONE, b"\3")
    assert device.events.numbers()[-4:] == [SELF_READ, RESET, SELF_READ, RESET]
    reads = device.read(26)
    assert reads[1] == 2
    assert reads[6 + 989 + 8] == 1  # taken before the second reset
    copy = reads[6 + 989 + 8 : 6 + 2 * 989]
    assert struct.unpack_from("<i", copy, 1)[0] == device.registers()[0]


def test_a_self_read_before_there_is_a_clock():
    device = Device(clock=False)
    assert device.call(BP09, 3) == (DONE, b"\3")
    assert bytes(device.read(26)[8:14]) == bytes(6)
    assert device.read(23)[0] == 1
    device.start()
    assert device.read(26)[1] == 1


def test_configuration():
    device = Device()
    version = device.read(2052)[116]
    assert device.call(EP32, *HERE) == (DONE, b"")
    assert bytes(device.read(2090)[8:10]) == b"\x34\x12"
    assert device.read(2052)[116] == version + 1 & 0xFF
    assert device.events.posted[-1] == (DIMENSIONS, EP32)
    posted = len(device.events.posted)
    assert device.call(EP32, *HERE) == (DONE, b"")  # as it is: nothing changes
    assert len(device.events.posted) == posted
    for k in range(2, 12):
        other = bytearray(HERE)
        other[k] ^= 1
        assert device.call(EP32, *other) == (CONFLICT, b"")
        assert device.call(EP33, *other) == (CONFLICT, b"")
    assert device.read(23)[0] == 0
    assert device.call(EP33, *(b"\x02\x00" + HERE[2:])) == (DONE, b"")
    assert device.read(23)[0] == 1
    log = device.read(2089)
    assert bytes(log[9:11]) == b"\x34\x12"  # the entry belongs to the configuration before
    assert device.call(BP09, 2)[0] == DONE
    assert bytes(device.read(26)[6:8]) == b"\x02\x00"


def test_bt24_is_reset():
    device = Device()
    device.model.patch(24, 3, b"\x55\x66")
    assert device.call(EP64) == (DONE, b"")
    assert device.read(24) == bytes(986)


def cut_settings(device, left):
    """The power goes at the `left`-th replacement from here on, before or after it is done."""
    plain = device.settings.replace

    def replace(name, buf, n):
        nonlocal left
        left -= 1
        if left == 0:
            raise PowerCut
        plain(name, buf, n)
        left -= 1
        if left == 0:
            raise PowerCut

    device.settings.replace = replace
    return plain


def test_power_cut_in_a_reset_by_procedure():
    """It happened or it did not, in all tables alike."""
    outcomes = set()
    for cut in range(1, 20):
        device = Device()
        before = device.read(23)
        maximum = device.demands()[2]
        plain = cut_settings(device, cut)
        try:
            device.call(BP09, 3)
            device.settings.replace = plain
            outcomes.add("whole")
            break
        except PowerCut:
            device.settings.replace = plain
        device.start()
        reads = device.read(26)
        log = device.read(2089)
        resets = device.read(23)[0]
        assert reads[1] in (0, 1)
        if reads[1]:
            assert reads[14 : 14 + 981] == before
        assert log[1] == resets
        if resets:
            assert reads[1] == 1
            assert log[17 : 17 + 981] == before
            assert device.demands() == (maximum, maximum, 0)
        else:
            assert device.demands() == (0, maximum, maximum)
            assert device.read(25) == bytes(987)
        outcomes.add((reads[1], resets))
        assert device.call(BP09, 3) == (DONE, b"\3")
    assert outcomes == {(0, 0), (1, 0), (1, 1), "whole"}


def drift(device, seconds):
    """How many seconds the clock gains while so many pass."""
    clock = device.meter.clock
    before = clock.day * DAY + clock.second
    device.pass_seconds(seconds, 1)
    return clock.day * DAY + clock.second - before - seconds


def test_the_clock_goes_faster_and_slower():
    device = Device()
    assert device.model.load(2103)[4] == 1  # ET55.4, s a minute
    assert device.call(EP16, 3, 0) == (DONE, b"")
    assert [drift(device, 60) for _ in range(5)] == [1, 1, 1, 0, 0]
    device.write(2103, 4, (16,))
    assert device.call(EP16, *struct.pack("<h", -40)) == (DONE, b"")
    assert [drift(device, 60) for _ in range(4)] == [-16, -16, -8, 0]
    device.pass_seconds(900, 60)
    assert device.interval(TODAY, 50)[0] == 0  # no interval is marked
    assert device.call(EP16, 100, 0) == (DONE, b"")
    device.set_clock()
    assert drift(device, 120) == 0  # BP10 ends it


def test_the_clock_over_midnight_and_back():
    device = Device()
    device.write(2103, 4, (16,))
    device.second = DAY - 90
    device.set_clock()
    device.catch_up()
    assert device.call(EP16, *struct.pack("<h", -16)) == (DONE, b"")
    device.pass_seconds(100, 1)
    clock = device.meter.clock
    assert (clock.day, clock.second) == (TODAY, DAY - 6)
    device.pass_seconds(10, 1)
    assert (clock.day, clock.second) == (TODAY + 1, 4)


def test_no_clock_or_no_rate():
    device = Device()
    device.write(2103, 4, (0,))
    assert device.call(EP16, 1, 0) == (CONFLICT, b"")
    device.write(2103, 4, (1,))
    device.start()
    assert device.call(EP16, 1, 0) == (CONFLICT, b"")
