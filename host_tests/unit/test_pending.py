"""Pending tables: descriptions, the second of activation, power cuts, a clock that is set."""

from fakes import Blob, Settings
from meter.clock import DAY, day_number
from osgp.pending import HEADER, Pending
from osgp.procedures import pending as procedures
from osgp.procedures.results import DONE
from support import unhex
from tables.model import MASTER, NO_RIGHT, NO_TABLE, NOT_POSSIBLE, OK, READ, Model

CALENDAR = 54
OVERRIDE = 2048 + 47
PLAIN = 15  # a table without a pending one
PENDING = 4096
TODAY = day_number(26, 11, 22)
NOON = DAY // 2
BY_HAND = unhex("02 0000000000")


class Cut(Exception):  # noqa: N818  not an error of the code under test
    """Power went."""


class Place:
    """A moment: what a clock and the registers have."""

    def __init__(self):
        self.day = TODAY
        self.second = NOON
        self.valid = True


class Bench:
    """A model with two tables that may be pending, and an application that counts on."""

    def __init__(self):
        self.settings = Settings()
        self.clock = Place()
        self.registers = Place()
        self.before = []
        self.events = []
        self.resets = 0
        self.restart()

    def restart(self):
        made = Blob()
        made.add(4, 2, 36 + 2 * 8, read=READ)
        made.add(PLAIN, 4, 3, read=READ, write=READ, runs=((0, 3),))
        made.add(23, 2, 1)
        made.add(CALENDAR, 1, 8, 1, 2, b"old12345", runs=((0, 0xFFFF),), pending=True)
        made.add(OVERRIDE, 4, 4, 1, 3, b"none", runs=((0, 3),), pending=True)
        self.model = Model(made.build(), made.arena, self.settings)
        self.model.body(23)[0] = self.resets
        self.pending = Pending(
            self.model.pendable(), self.model, self.settings, self, self.prepare
        )
        self.pending.on_event = lambda *what: self.events.append(what)

    def prepare(self, self_read, demand_reset):
        self.before.append((self_read, demand_reset))
        if demand_reset:
            self.resets += 1
            self.model.body(23)[0] = self.resets

    def write(self, number, octets, offset=0, level=MASTER):
        return self.model.write(PENDING + number, offset, octets, 0, len(octets), level, 0)

    def read(self, number, offset=0, n=14):
        out = bytearray(n)
        code = self.model.read(number, offset, n, out, 0, MASTER)
        return bytes(out) if code == OK else code

    def go_to(self, day, second):
        self.clock.day = self.registers.day = day
        self.clock.second = self.registers.second = second
        self.pending.step(1)

    def call(self, number, parameters=b""):
        return procedures.run(number, parameters, bytearray(12), self, 0)

    @property
    def application(self):
        return self


def at(hour, minute, day=22):
    """A description with a moment of November 2026."""
    return bytes((0, 26, 11, day, hour, minute))


def after(weeks=0, days=0, hours=0, minutes=0, seconds=0):
    return bytes((1, weeks, days, hours, minutes, seconds))


def test_what_has_a_pending_table():
    bench = Bench()
    assert bench.model.pendable() == (CALENDAR, OVERRIDE)
    assert bench.model.size(PENDING + CALENDAR) == 14
    assert bench.model.size(PENDING + OVERRIDE) == 10
    for number in (0, PLAIN, 23, CALENDAR + 1, 2048, 4096 + CALENDAR):
        assert bench.model.size(PENDING + number) == -1
        assert bench.read(PENDING + number) == NO_TABLE
        assert bench.write(number, BY_HAND) == NO_TABLE


def test_rights_are_those_of_the_table():
    bench = Bench()
    assert bench.write(CALENDAR, BY_HAND, level=1) == NO_RIGHT
    assert bench.write(CALENDAR, BY_HAND, level=2) == OK
    out = bytearray(6)
    assert bench.model.read(PENDING + CALENDAR, 0, 6, out, 0, 0) == NO_RIGHT


def test_a_count_includes_the_description_and_an_offset_does_not():
    bench = Bench()
    assert bench.write(CALENDAR, at(13, 5) + b"new", 0) == OK
    assert bench.write(CALENDAR, at(13, 6) + b"XY", 5) == OK
    assert bench.read(PENDING + CALENDAR) == at(13, 6) + b"new12XY5"
    assert bench.read(PENDING + CALENDAR, 3, 10) == at(13, 6) + b"12XY"  # the guide's own case
    assert bench.read(PENDING + CALENDAR, 6, 12) == at(13, 6) + b"Y5\0\0\0\0"
    assert bench.read(PENDING + CALENDAR, 0, 5) == NOT_POSSIBLE
    assert bench.read(CALENDAR, 0, 8) == b"old12345"


def test_what_was_never_written_reads_as_nothing():
    assert Bench().read(PENDING + OVERRIDE, 0, 10) == bytes(10)


def test_surplus_is_ignored():
    bench = Bench()
    assert bench.write(CALENDAR, BY_HAND + b"0123456789", 4) == OK
    assert bench.read(PENDING + CALENDAR) == BY_HAND + b"old10123"
    assert bench.write(CALENDAR, BY_HAND + b"0123456789", 800) == OK
    assert bench.read(PENDING + CALENDAR) == BY_HAND + b"old10123"


def test_descriptions_that_say_no_moment_are_refused():
    bench = Bench()
    bench.write(CALENDAR, BY_HAND + b"kept")
    for ped in (
        "00 1A0D010000",
        "00 1A0B1F0000",
        "00 1A0B16183C",
        "03 1A0B160000",
        "0F 0000000000",
    ):
        assert bench.write(CALENDAR, unhex(ped) + b"bad") == NOT_POSSIBLE
    for short in (b"", b"\x02", BY_HAND[:5]):
        assert bench.write(CALENDAR, short) == NOT_POSSIBLE
    bench.clock.valid = False
    assert bench.write(CALENDAR, after(days=1)) == NOT_POSSIBLE
    assert bench.read(PENDING + CALENDAR) == BY_HAND + b"kept2345"


def test_activation_at_the_second():
    bench = Bench()
    bench.write(CALENDAR, at(12, 5) + b"new")
    bench.go_to(TODAY, NOON + 299)
    assert bench.read(CALENDAR, 0, 8) == b"old12345"
    bench.go_to(TODAY, NOON + 300)
    assert bench.read(CALENDAR, 0, 8) == b"new12345"
    assert bench.settings.kept["BT54"] == b"new12345"
    assert bench.events == [(CALENDAR, True)]
    bench.go_to(TODAY, NOON + 301)
    assert bench.events == [(CALENDAR, True)]


def test_after_a_time():
    bench = Bench()
    bench.write(OVERRIDE, after(1, 2, 13, 1, 5) + b"TWO")
    due = TODAY + 10, DAY // 24 + 65
    bench.go_to(due[0], due[1] - 1)
    assert not bench.events
    bench.go_to(*due)
    assert bench.read(OVERRIDE, 0, 4) == b"TWOe"  # the last octet is no host's


def test_a_clock_that_is_set_takes_a_time_along_but_no_moment():
    bench = Bench()
    bench.write(OVERRIDE, after(hours=1) + b"TWO")
    bench.write(CALENDAR, at(13, 0) + b"new")
    # half an hour on, the clock is set back by two hours
    bench.clock.second = bench.registers.second = NOON + 1800 - 7200
    bench.pending.clock_changed(TODAY, NOON + 1800)
    bench.restart()  # what was moved is kept
    bench.go_to(TODAY, NOON - 3600 - 1)
    assert not bench.events
    bench.go_to(TODAY, NOON - 3600)
    assert bench.events == [(OVERRIDE, True)]
    bench.go_to(TODAY, NOON + 3600)
    assert bench.events == [(OVERRIDE, True), (CALENDAR, True)]
    # set back over the moment of what was done: it is not done again
    bench.pending.clock_changed(TODAY + 1, 0)
    bench.go_to(TODAY, NOON)
    bench.go_to(TODAY, NOON + 3600)
    assert len(bench.events) == 2


def test_the_first_time_after_a_start_moves_nothing():
    bench = Bench()
    bench.write(OVERRIDE, after(hours=1) + b"TWO")
    bench.restart()
    bench.clock.second = bench.registers.second = NOON + 1800
    bench.pending.clock_changed(-1, 0)
    bench.go_to(TODAY, NOON + 3599)
    assert not bench.events
    bench.go_to(TODAY, NOON + 3600)
    assert bench.events == [(OVERRIDE, True)]


def test_a_clock_set_forward_over_both_moments():
    bench = Bench()
    bench.write(CALENDAR, at(13, 0, 23) + b"new")
    bench.write(OVERRIDE, at(12, 59, 23) + b"TWO")
    bench.go_to(TODAY + 100, 0)
    assert bench.events == [(OVERRIDE, True), (CALENDAR, True)]  # in their order


def test_over_midnight_and_the_year():
    bench = Bench()
    bench.go_to(day_number(26, 12, 31), DAY - 10)
    bench.write(CALENDAR, after(seconds=20) + b"new")
    bench.write(OVERRIDE, unhex("00 1B01010000") + b"TWO")
    bench.go_to(day_number(27, 1, 1), 0)
    assert bench.events == [(OVERRIDE, True)]
    bench.go_to(day_number(27, 1, 1), 10)
    assert len(bench.events) == 2


def test_no_description_is_not_pending():
    bench = Bench()
    bench.write(CALENDAR, bytes(6) + b"new")
    assert bench.read(4, 35, 1) == b"\0"
    bench.go_to(TODAY + 1000, 0)
    assert bench.call(12) == (DONE, 0)
    assert not bench.events
    # the rest of it comes, and the last write says when
    bench.write(CALENDAR, BY_HAND + b"9", 7)
    assert bench.call(12) == (DONE, 0)
    assert bench.read(CALENDAR, 0, 8) == b"new12349"


def test_by_hand():
    bench = Bench()
    ped = unhex("02 0102030405")
    bench.write(CALENDAR, ped + b"new")
    bench.write(OVERRIDE, at(13, 0) + b"TWO")
    bench.go_to(TODAY, NOON + 10)
    assert bench.call(13, BY_HAND) == (1, 0)
    assert bench.call(15, BY_HAND) == (1, 0)
    assert not bench.events
    assert bench.call(13, ped) == (DONE, 0)
    assert bench.events == [(CALENDAR, True)]
    assert bench.call(13, ped) == (1, 0)
    assert bench.call(15, at(13, 0)) == (DONE, 0)
    assert bench.events[1:] == [(OVERRIDE, False)]
    assert bench.read(PENDING + OVERRIDE, 0, 10) == at(13, 0) + b"TWOe"  # its data stay
    bench.go_to(TODAY, NOON + 3600)
    assert len(bench.events) == 2


def test_all_at_once():
    bench = Bench()
    for number in (12, 14):
        bench.write(CALENDAR, BY_HAND + b"new")
        bench.write(OVERRIDE, at(13, 0) + b"TWO")
        assert bench.call(number) == (DONE, 0)
        assert bench.events == [(CALENDAR, number == 12), (OVERRIDE, number == 12)]
        assert bench.call(number) == (DONE, 0)
        assert len(bench.events) == 2
        bench.events.clear()


def test_status():
    bench = Bench()
    empty = bytes(36) + unhex("0000000000003600 0000000000002F08")
    assert bench.read(4, 0, 52) == empty
    bench.write(OVERRIDE, at(13, 5) + b"TWO")
    bench.write(CALENDAR, unhex("32 0102030405"))
    told = bytes(35) + unhex("02 320102030405 3610 001A0B160D05 2F18")
    assert bench.read(4, 0, 52) == told
    bench.restart()
    assert bench.read(4, 0, 52) == told
    bench.go_to(TODAY, NOON + 65 * 60 + 1)
    assert bench.read(4, 30, 22) == unhex("1A0B160D05 01 320102030405 3610 001A0B160D05 2F08")


def test_self_read_and_demand_reset_come_first():
    for flags, expected in ((0x10, (True, False)), (0x20, (False, True)), (0x30, (True, True))):
        bench = Bench()
        ped = bytes((flags,)) + at(13, 0)[1:]
        bench.write(CALENDAR, ped + b"new")
        bench.go_to(TODAY, NOON + 3600)
        assert bench.before == [expected]
        assert bench.events == [(CALENDAR, True)]


def test_a_table_that_refuses_stays_as_it_is():
    bench = Bench()
    bench.model.checker(CALENDAR, lambda image: NOT_POSSIBLE)
    bench.write(CALENDAR, at(13, 0) + b"new")
    bench.go_to(TODAY, NOON + 3600)
    assert bench.read(CALENDAR, 0, 8) == b"old12345"
    assert bench.pending.refused == 1
    assert bench.read(4, 35, 1) == b"\0"  # and it is not tried again


def cut_at(bench, operation):
    """Power goes at this write of flash: before anything of it is kept."""
    left = [operation]

    def spend(name):
        if left[0] == 0:
            raise Cut
        left[0] -= 1

    bench.settings.on_replace = spend


def test_power_cuts_at_every_write_of_an_activation():
    for flags in (0x00, 0x10, 0x20, 0x30):
        operation = 0
        while True:
            bench = Bench()
            bench.write(CALENDAR, bytes((flags,)) + at(13, 0)[1:] + b"new")
            cut_at(bench, operation)
            try:
                bench.go_to(TODAY, NOON + 3600)
                break
            except Cut:
                pass
            bench.settings.on_replace = None
            assert bench.read(PENDING + CALENDAR)[6:] == b"new12345"
            bench.restart()
            bench.go_to(TODAY, NOON + 3700)
            assert bench.read(CALENDAR, 0, 8) == b"new12345"
            assert bench.resets == (1 if flags & 0x20 else 0)  # never twice
            assert bench.read(4, 35, 1) == b"\0"
            operation += 1
        assert operation == (3 if flags else 2)


def test_a_power_cut_in_a_write_leaves_the_old_one():
    bench = Bench()
    bench.write(CALENDAR, at(13, 0) + b"new")
    cut_at(bench, 0)
    try:
        bench.write(CALENDAR, at(14, 0) + b"xyz")
        raise AssertionError("no cut")
    except Cut:
        pass
    bench.settings.on_replace = None
    bench.restart()
    assert bench.read(PENDING + CALENDAR) == at(13, 0) + b"new12345"
    assert len(bench.settings.kept["PBT54"]) == HEADER + 8
