"""Power outages: ET09, ET10, ET81 and the registers after a start, whatever clock and power do."""

import ticks
from fakes import Settings
from meter.clock import DAY, to_ltime
from meter.outages import Outages
from quality_support import (
    ET09,
    ET10,
    ET81,
    NOON,
    TODAY,
    Application,
    B,
    Registers,
    model,
    read,
    u16,
    u32,
    write,
)

START = 2**30 - 5000  # the ticks wrap soon
HOUR = 3600


class PowerCut(Exception):  # noqa: N818  not an error of the code under test
    """Power went before a value was kept."""


class Rig:
    """A meter that power leaves and returns to; `sums` is what its registers counted for good."""

    def __init__(self):
        self.settings = Settings()
        self.sums = []
        self.kept = (-1, 0)

    def start(self, power_failed=True):
        """Power is there again. The registers begin with what they kept last."""
        self.now = START
        self.model = model(self.settings)
        self.application = Application(Registers(*self.kept))
        self.application.registers.outages = list(self.sums)
        self.outages = Outages(self.model, self.application, self.now, power_failed)

    def wait(self, seconds):
        for _ in range(seconds):
            self.now = ticks.add(self.now, 1000)
            self.application.poll(self.now)

    def set_clock(self, day, second):
        self.application.set_clock(day, second, self.now)

    def keep(self, day, second):
        """The registers keep what they count at this moment."""
        self.kept = (day, second)
        self.sums = list(self.application.registers.outages)

    def outage(self, begin, end, waited=0, power_failed=True):
        """Power went at a kept moment of today, returned, and then the clock was set."""
        self.kept = (TODAY, begin)
        self.start(power_failed)
        self.wait(waited)
        self.set_clock(TODAY + (end + waited) // DAY, (end + waited) % DAY)
        self.keep(TODAY + (end + waited) // DAY, (end + waited) % DAY)

    def log(self):
        """(valid, last, sequence, unread, overflow, [(start, end)]) of ET81."""
        body = read(self.model, ET81)
        entries = [
            (bytes(body[o : o + 6]), bytes(body[o + 6 : o + 12])) for o in range(6, 966, 12)
        ]
        return body[1], body[2], u16(body, 3), body[5], body[0] >> 1 & 1, entries


def ltime(second, zone=0):
    second += zone
    buf = bytearray(6)
    to_ltime(TODAY + second // DAY, second % DAY, buf, 0)
    return bytes(buf)


def test_the_first_start_is_no_outage():
    rig = Rig()
    rig.start()
    rig.wait(5)
    rig.set_clock(TODAY, NOON)
    assert not rig.application.registers.outages and not any(read(rig.model, ET10))


def test_an_outage():
    rig = Rig()
    rig.outage(NOON, NOON + 500, waited=70)
    body = read(rig.model, ET09)
    assert body[6:12] == ltime(NOON + 500) and body[12] == 3 and body[13] == 0
    assert body[14:20] == ltime(NOON) and u32(body, 20) == 500
    assert u32(body, B + 135) == 0
    body = read(rig.model, ET10)
    assert (u32(body, 0), u32(body, 4)) == (1, 0)
    assert body[8:14] == ltime(NOON) and u32(body, 14) == 500
    valid, last, sequence, unread, overflow, entries = rig.log()
    assert (valid, last, sequence, unread, overflow) == (1, 0, 1, 1, 0)
    assert entries[0] == (ltime(NOON, HOUR), ltime(NOON + 500, HOUR))
    assert rig.sums == [500]
    assert read(rig.model, 2048 + 36)[120] == 0x40
    assert rig.application.events.take() == [(87, 0)]


def test_no_outage_without_a_power_failure():
    rig = Rig()
    rig.outage(NOON, NOON + 500, power_failed=False)
    assert rig.sums == [] and not any(read(rig.model, ET10))


def test_the_clock_is_set_once():
    rig = Rig()
    rig.outage(NOON, NOON + 500)
    rig.set_clock(TODAY, NOON + 900)
    rig.wait(3)
    assert rig.application.registers.outages == [500]
    assert rig.application.on_second == []


def test_over_midnight():
    rig = Rig()
    rig.outage(DAY - 100, DAY + 50, waited=200)
    body = read(rig.model, ET09)
    assert body[14:20] == ltime(DAY - 100) and body[6:12] == ltime(DAY + 50)
    assert u32(body, 20) == 150


def test_a_clock_that_was_wrong():
    rig = Rig()
    rig.outage(NOON, NOON - 5000)
    assert rig.sums == [0] and u32(read(rig.model, ET09), 20) == 0


def test_short_ones_are_counted_and_long_ones_recorded():
    rig = Rig()
    rig.outage(NOON, NOON + 10)
    write(rig.model, ET09, 0, (60, 0))
    at = NOON + 100
    for duration in (59, 60, 5, 3600):
        rig.outage(at, at + duration)
        at += duration + 100
    body = read(rig.model, ET09)
    assert [u32(body, 20 + 18 * k) for k in range(4)] == [3600, 60, 10, 0]
    assert u32(body, B + 135) == 2
    body = read(rig.model, ET10)
    assert (u32(body, 0), u32(body, 4)) == (5, 2)
    assert [u32(body, 14 + 10 * k) for k in range(6)] == [3600, 5, 60, 59, 10, 0]
    assert rig.log()[0] == 5 and rig.sums == [10, 59, 60, 5, 3600]


def test_more_than_there_is_room_for():
    rig = Rig()
    for k in range(83):
        rig.outage(100 * k, 100 * k + k)
        assert rig.log()[4] == (k >= 80)
    valid, last, sequence, unread, overflow, entries = rig.log()
    assert (valid, last, sequence, unread, overflow) == (80, 2, 83, 80, 1)
    assert entries[2] == (ltime(8200, HOUR), ltime(8282, HOUR))
    assert entries[3] == (ltime(300, HOUR), ltime(303, HOUR))
    body = read(rig.model, ET09)
    assert [u32(body, 20 + 18 * k) for k in range(10)] == list(range(82, 72, -1))
    assert body[6 + 180 : B + 135] == bytes(B + 135 - 186)  # nothing ran over


def test_a_list_that_was_reset():
    rig = Rig()
    for k in range(3):
        rig.outage(100 * k, 100 * k + 50)
    rig.model.patch(ET81, 1, b"\x00\x00\x03\x00\x00")
    rig.outage(1000, 1050)
    assert rig.log()[:4] == (1, 3, 4, 1)


def settings_that_fail(rig, after):
    """Power goes when one more value is to be kept than `after`."""
    left = [after]

    def cut(name):
        if not left[0]:
            raise PowerCut
        left[0] -= 1

    rig.settings.on_replace = cut


def test_power_goes_at_each_write():
    """The outage is there once, in each table and in the registers, after the next start."""
    for cut in range(5):
        for kept in (False, True):
            rig = Rig()
            rig.outage(NOON, NOON + 100)
            rig.kept = (TODAY, NOON + 1000)
            rig.start()
            settings_that_fail(rig, cut)
            went = False
            try:
                rig.set_clock(TODAY, NOON + 1300)
            except PowerCut:
                went = True
            assert went == (cut < 3)  # ET10, ET81, ET09; ET36 has its bit already
            if kept and not went:
                rig.keep(TODAY, NOON + 1310)
            # the next outage ends at 2000; the one before is told apart where it was known
            rig.settings.on_replace = None
            rig.start()
            rig.set_clock(TODAY, NOON + 2000)
            found = rig.application.registers.outages
            records = read(rig.model, ET10)
            durations = [u32(records, 14 + 10 * k) for k in range(u32(records, 0))]
            if cut == 0:
                assert durations == [1000, 100]
            elif kept and not went:
                assert durations == [690, 300, 100]
            else:
                assert durations == [700, 300, 100]
            assert sorted(found) == sorted(durations)
            body = read(rig.model, ET09)
            assert [u32(body, 20 + 18 * k) for k in range(len(durations))] == durations
            log = rig.log()
            assert log[:4] == (len(durations), len(durations) - 1, len(durations), len(durations))
            assert log[5][log[1]][1] == ltime(NOON + 2000, HOUR)
