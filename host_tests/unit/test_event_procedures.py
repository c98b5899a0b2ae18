"""BP04, BP05, EP03, EP25, EP26: what a host does to lists and alarms; and what a start tells."""

from events_support import ALTERNATE, PENDING, World, alarms, entries, header, select, told
from meter.clock import Clock
from osgp import start
from osgp.events import ET22
from osgp.procedures import alarms as alarm_procedures
from osgp.procedures import lists
from osgp.procedures.results import BAD_PARAMETER, DONE
from support import unhex

BP04 = 4
BP05 = 5
EP03 = 2048 + 3
EP25 = 2048 + 25
EP26 = 2048 + 26
ET31 = 2048 + 31
ET36 = 2048 + 36
ET38 = 2048 + 38

SAG = 98
MAGNET = 24 + 25
CLOCK_ERROR = 6
LOG_ENTRY = 24 + 23
LOG_UNREAD = 24 + 28
OVERFLOW_PENDING = 24 + 22
ALL = b"\xff" * 12


class List:
    """A list of another part."""

    def __init__(self, unread=5):
        self.unread = unread

    def read_entries(self, n):
        assert n <= self.unread
        self.unread -= n

    def reset_list(self):
        self.unread = -1


class Thing:
    """Has whatever is put into it."""


class Device:
    """As much of a device as these procedures want."""

    def __init__(self):
        self.world = world = World()
        self.events = world.events
        self.model = world.model
        self.self_reads = List()
        self.profiles = [List(), None, List(), None]
        self.waiting = Thing()
        self.waiting.log = List()
        self.application = Thing()
        self.application.clock = Clock()
        self.application.registers = Clock()
        self.application.resets = List(0)
        self.application.behind = False
        self.events.application = self.application
        self.node = Thing()
        self.node.management = Thing()
        self.board = Thing()
        self.board.reset_cause = "power on"
        self.settings = world.settings
        self.settings.bad = 0
        self.rings = (self.events.log.ring,)

    def lists(self, number, parameters):
        return lists.run(number, unhex(parameters), bytearray(12), self, 0)[0]

    def alarms(self, number, parameters):
        return alarm_procedures.run(number, parameters, bytearray(12), self, 0)[0]

    def happen(self, count, event=SAG):
        for k in range(count):
            if k % 16 == 0:
                self.events._spent = bytearray(len(self.events._spent))
            self.events.post(event, k)


# ---------------------------------------------------------------------------------- BP04 and BP05


def test_entries_are_read():
    device = Device()
    device.happen(5)
    assert device.lists(BP05, "07 0300") == DONE
    assert header(device.events.log) == (0x04, 5, 4, 5, 2)
    assert LOG_UNREAD in alarms(device.world)
    assert device.lists(BP05, "07 0200") == DONE
    assert header(device.events.log) == (0x04, 5, 4, 5, 0)
    assert LOG_UNREAD not in alarms(device.world)
    device.world.start()
    assert header(device.world.events.log) == (0x04, 5, 4, 5, 0)


def test_more_than_is_unread_cannot_be_read():
    device = Device()
    device.happen(5)
    assert device.lists(BP05, "07 0600") == BAD_PARAMETER
    assert header(device.events.log)[4] == 5


def test_reading_ends_an_overflow():
    device = Device()
    device.happen(150)
    assert header(device.events.log)[0] == 0x06
    assert OVERFLOW_PENDING in alarms(device.world)
    assert device.lists(BP05, "07 0000") == DONE
    assert header(device.events.log)[0] == 0x04
    assert header(device.events.log)[4] == 100
    assert device.lists(BP05, "07 1400") == DONE
    assert header(device.events.log)[4] == 80
    assert OVERFLOW_PENDING in alarms(device.world)
    assert device.alarms(EP03, ALL + bytes(2)) == DONE
    assert OVERFLOW_PENDING in alarms(device.world)
    assert device.lists(BP05, "07 0100") == DONE
    assert OVERFLOW_PENDING not in alarms(device.world)


def test_the_event_log_is_reset_and_says_so():
    device = Device()
    device.happen(5)
    assert device.lists(BP04, "07") == DONE
    assert told(device.events.log) == [(16, 0)]
    assert header(device.events.log) == (0x04, 1, 0, 6, 1)
    device.happen(120)
    sequences = [entry[1] for entry in entries(device.events.log)]
    assert sequences == list(range(sequences[0], sequences[0] + 100))


def test_the_alternate_log_has_pointers_of_its_own():
    device = Device()
    select(device.world, ALTERNATE, SAG)
    device.happen(3)
    assert device.lists(BP05, "01 0200") == DONE
    assert header(device.events.alternate)[4] == 2  # and the event of the update itself
    assert header(device.events.log)[4] == 3
    assert device.lists(BP04, "01") == DONE
    assert told(device.events.alternate) == [(18, 0)]


def test_lists_of_other_parts():
    device = Device()
    assert device.lists(BP05, "02 0200") == DONE
    assert device.lists(BP05, "03 0500") == DONE
    assert device.lists(BP04, "05") == DONE
    assert (device.self_reads.unread, device.profiles[0].unread, device.profiles[2].unread) == (
        3,
        0,
        -1,
    )
    assert device.lists(BP05, "03 0100") == BAD_PARAMETER
    for code in (0, 4, 6, 8, 254):
        assert device.lists(BP04, "%02x" % code) == BAD_PARAMETER
    assert told(device.events.log) == [(14, 5)]


def test_all_lists_at_once():
    device = Device()
    device.happen(3)
    assert device.lists(BP05, "ff 0400") == DONE
    assert (device.self_reads.unread, device.profiles[0].unread) == (1, 1)
    assert header(device.events.log)[4] == 0
    assert device.lists(BP04, "ff") == DONE
    assert device.self_reads.unread == -1
    assert told(device.events.log) == [(16, 0), (14, 255)]


# ------------------------------------------------------------------------------------------- EP03


def test_alarms_are_cleared_as_named():
    device = Device()
    device.application.clock.set(9770, 0, 0)
    device.events.post(89)
    device.events.post(40)
    mask = bytearray(12)
    mask[MAGNET >> 3] = 1 << (MAGNET & 7)
    assert device.alarms(EP03, bytes(mask) + bytes(2)) == DONE
    assert alarms(device.world) == [4, LOG_UNREAD]
    device.world.start()
    assert alarms(device.world) == [4, LOG_UNREAD]
    device.events = device.world.events
    device.events.application = device.application
    device.model = device.world.model
    device.world.read(2)
    device.waiting.log.unread = 0
    assert device.alarms(EP03, ALL + bytes(2)) == DONE
    assert alarms(device.world) == []


def test_what_lasts_is_not_cleared():
    device = Device()
    device.waiting.log.unread = 0
    for place in (CLOCK_ERROR, LOG_ENTRY, MAGNET):
        device.events.alarm(place)
    device.happen(80)
    assert device.alarms(EP03, ALL + bytes(2)) == DONE
    assert alarms(device.world) == [CLOCK_ERROR, OVERFLOW_PENDING, LOG_UNREAD]
    device.application.clock.set(9770, 0, 0)
    device.lists(BP05, "07 5000")
    device.lists(BP05, "07 0100")
    device.waiting.log.unread = 1
    device.events.alarm(LOG_ENTRY)
    assert device.alarms(EP03, ALL + bytes(2)) == DONE
    assert alarms(device.world) == [LOG_ENTRY]


def test_critical_events_are_cleared():
    device = Device()
    for bitmap in (2, 9):
        select(device.world, 120 + 27 * bitmap, SAG)
    device.happen(1)
    assert device.model.load(ET22)[PENDING:] == unhex("04 02")
    assert device.alarms(EP03, bytes(12) + unhex("04 00")) == DONE
    assert device.model.load(ET22)[PENDING:] == unhex("00 02")


# ---------------------------------------------------------------------------------- EP25 and EP26


def test_the_alarm_goes_with_the_last_unread_entry():
    device = Device()
    device.model.patch(ET38, 0, unhex("06 03 02 0300 03"))
    device.events.alarm(LOG_ENTRY)
    assert device.alarms(EP26, unhex("1F08 0500")) == DONE
    assert device.model.load(ET36)[120] == 4
    assert LOG_ENTRY in alarms(device.world)
    assert device.alarms(EP26, unhex("2608 0300")) == DONE
    assert device.model.load(ET38)[:6] == unhex("04 03 02 0300 00")
    assert device.model.load(ET36)[120] == 0
    assert LOG_ENTRY not in alarms(device.world)


def test_logs_are_reset():
    device = Device()
    device.model.patch(ET38, 0, unhex("06 03 02 0300 03"))
    assert device.alarms(EP25, unhex("2608")) == DONE
    assert device.model.load(ET38)[:6] == unhex("04 00 00 0300 00")
    assert device.waiting.log.unread == 5
    assert device.alarms(EP25, unhex("FFFF")) == DONE
    assert device.waiting.log.unread == -1


def test_what_is_no_log_is_refused():
    device = Device()
    for number, parameters in (
        (EP25, "1608"),
        (EP25, "1F00"),
        (EP26, "FFFF 0000"),
        (EP26, "1F08 0600"),
        (EP26, "4B08 0100"),
    ):
        assert device.alarms(number, unhex(parameters)) == BAD_PARAMETER, parameters
    assert device.waiting.log.unread == 5


# ------------------------------------------------------------------------------------------ starts


def test_a_start_tells_when_power_went():
    device = Device()
    device.application.registers.set(9770, 3600, 0)
    start.run(device)
    assert told(device.events.log) == [(1, 0), (2, 3), (38, 3), (42, 0)]
    times = [entry[0] for entry in entries(device.events.log)]
    assert times == [bytes((26, 10, 1, 1, 0, 0)), bytes(6), bytes(6), bytes(6)]
    assert alarms(device.world) == [2, CLOCK_ERROR, 11, LOG_UNREAD]


def test_a_start_tells_why_and_what_was_damaged():
    device = Device()
    device.board.reset_cause = "watchdog"
    device.settings.bad = 2
    device.events.log.ring.repaired = 1
    start.run(device)
    assert told(device.events.log) == [(38, 4), (42, 0), (41, 2), (49, 1)]
    assert device.node.management.reset_cause == 0x0C


def test_starts_do_not_fill_the_log():
    device = Device()
    device.happen(3)
    for _ in range(40):
        start.run(device)
    assert len(entries(device.events.log)) == 3 + 12
    device.happen(1)
    start.run(device)
    assert len(entries(device.events.log)) == 3 + 12 + 1 + 4


def test_alarms_of_starts_that_are_not_logged():
    device = Device()
    for _ in range(4):
        start.run(device)
    for reason, expected, status in (
        ("watchdog", False, 0x0C),
        ("power on", True, 0x01),
        ("reset", False, 0x14),
    ):
        for place in (2, 11):
            device.events.alarm(place, False)
        device.board.reset_cause = reason
        start.run(device)
        assert 2 in alarms(device.world)
        assert (11 in alarms(device.world)) == expected
        assert device.node.management.reset_cause == status


def test_another_firmware_is_told_once():
    device = Device()
    start.run(device)
    version = device.settings.kept["firmware"]
    device.settings.kept["firmware"] = b"\x30\x18"
    for _ in range(2):
        start.run(device)
    assert [one for one in told(device.events.log) if one[0] == 36] == [(36, 0x3018)]
    assert device.settings.kept["firmware"] == version


def test_flash_that_fails_does_not_stop_a_start():
    device = Device()
    device.settings.fails = True
    start.run(device)
    assert device.events.lost > 0
    assert told(device.events.log) == [(1, 0), (2, 3), (38, 3), (42, 0)]
