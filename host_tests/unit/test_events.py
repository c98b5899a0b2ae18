"""Events: entries, alarms, masks, the two logs and what they have of the newest hundred."""

import struct

from events_support import (
    ALTERNATE,
    HEADER,
    PENDING,
    TABLE,
    World,
    alarms,
    entries,
    header,
    select,
    told,
)
from meter.clock import Clock
from osgp.event_log import ENTRIES
from osgp.events import BT03, BT73, ET22, ET79, alarm_of
from support import allocated, skip, unhex

SAG = 98  # an event without an alarm
UNREAD = 92
CRITICAL = 120
NOT_LOGGED = 0xFFFC
DAY = 9770  # 2026-10-01


class Application:
    """Has the time, and may be behind it."""

    def __init__(self, day, second):
        self.clock = Clock()
        self.clock.set(day, second, 0)
        self.registers = Clock()
        self.behind = False


# ------------------------------------------------------------------------------ entries and alarms


def test_an_empty_log():
    log = World().events.log
    assert header(log) == (0x04, 0, 0, 0, 0)
    assert entries(log) == []


def test_an_entry_is_laid_out_as_in_the_guide():
    """MEP p.242: time, sequence, user, event, argument, least significant octet first."""
    world = World()
    world.events.application = Application(DAY, 3600 * 13 + 60 * 37 + 11)
    world.events.post(SAG, 0x1234)
    body = bytearray(TABLE)
    world.events.log.read(0, TABLE, body, 0)
    assert body[:HEADER] == unhex("04 0100 0000 01000000 0100")
    assert body[HEADER : HEADER + 14] == unhex("1A0A010D250B 0100 FFFF 6200 3412")
    assert not any(body[HEADER + 14 :])


def test_before_the_clock_is_set_the_time_is_zeros():
    world = World()
    world.events.post(SAG)
    assert entries(world.events.log) == [(bytes(6), 1, 0xFFFF, SAG, 0)]


def test_an_event_of_another_time():
    world = World()
    world.events.application = Application(DAY, 60)
    world.events.post(3, 0, DAY - 1, 3600)
    assert entries(world.events.log)[0][0] == bytes((26, 9, 30, 1, 0, 0))


def test_what_is_made_up_for_happened_then():
    """A tier switch of the past has its own time, a host's write during it the present one."""
    world = World()
    world.events.application = application = Application(DAY, 60)
    application.registers.set(DAY - 1, 86400, 0)
    application.behind = True
    world.events.post(27)
    application.registers.set(DAY - 2, 3600, 0)
    world.events.post(27)
    world.model.user = 0xFFFE
    world.events.post(SAG)
    assert [entry[0] for entry in entries(world.events.log)] == [
        bytes((26, 10, 1, 0, 0, 0)),
        bytes((26, 9, 29, 1, 0, 0)),
        bytes((26, 10, 1, 0, 1, 0)),
    ]


def test_a_clock_that_is_set():
    world = World()
    world.events.application = Application(DAY, 60)
    world.events.clock_set(-1, 0)
    world.events.clock_set(DAY, 30)
    assert told(world.events.log) == [(4, 0), (3, 0), (4, 0)]
    assert entries(world.events.log)[1][0] == bytes((26, 10, 1, 0, 0, 30))


def test_pending_tables():
    world = World()
    world.events.activated(54, True)
    world.events.activated(2048 + 47, False)
    assert told(world.events.log) == [(28, 54), (29, 2048 + 47)]


def test_who_asked_is_told():
    world = World()
    world.model.user = 0xFFFE
    world.events.post(SAG)
    assert entries(world.events.log)[0][2] == 0xFFFE


def test_alarms_follow_the_rule():
    """OPT p.45-47: standard status for 37 to 50, manufacturer status from 64 on."""
    world = World()
    for event in (38, 50, 64, 94):
        world.events.post(event)
    body = world.model.body(BT03)
    assert body[1] == 0x04
    assert body[2] == 0x80
    assert body[4] == 0x01
    assert body[7] == 0x50  # profile 1 unread, and the log has unread entries itself
    assert [alarm_of(event) for event in (2, 36, 95, 96, 98, 106, 108)] == [-1] * 7
    assert alarm_of(107) == 55
    assert [alarm_of(94, which) for which in (1, 2, 3, 4)] == [54, 16, 17, 18]
    assert [alarm_of(67, relay) for relay in (0, 1)] == [27, 64]


def test_alarms_are_kept():
    world = World()
    world.events.post(89)
    world.start()
    assert 24 + 25 in alarms(world)
    world.events.alarm(24 + 25, False)
    world.start()
    assert 24 + 25 not in alarms(world)


def test_an_alarm_that_is_set_costs_no_write():
    world = World()
    world.events.post(89)
    before = world.settings.replaced
    world.events.post(89)
    assert world.settings.replaced == before


def test_a_masked_alarm_is_not_set_but_logged():
    world = World()
    world.patch(ET22, (24 + 25) >> 3, bytes((1 << ((24 + 25) & 7),)))
    world.events.post(89, 7)
    assert 24 + 25 not in alarms(world)
    assert told(world.events.log) == [(89, 7)]


def test_what_is_not_monitored_sets_its_alarm_all_the_same():
    world = World()
    world.patch(BT73, 0, bytes(27))
    world.events.post(89)
    assert 24 + 25 in alarms(world)
    assert told(world.events.log) == []
    assert header(world.events.log)[3] == 0


def test_flash_that_fails_does_not_stop_the_meter():
    world = World()
    world.settings.fails = True
    world.events.post(89)
    assert world.events.lost > 0
    world.settings.fails = False
    world.events.post(SAG)
    assert told(world.events.log) == [(89, 0), (SAG, 0)]


# ------------------------------------------------------------------------------------ the two logs


def test_both_logs_share_the_sequence():
    world = World()
    select(world, ALTERNATE, SAG)
    world.events.post(99)
    world.events.post(19)  # by default for the alternate log alone
    world.events.post(SAG)
    assert [entry[1] for entry in entries(world.events.log)] == [1, 3]
    assert [entry[1] for entry in entries(world.events.alternate)] == [2, 3]
    body = bytearray(HEADER)
    assert world.model.read(ET79, 0, HEADER, body, 0, 1) == 0
    assert struct.unpack("<BHHIH", body) == (0x04, 2, 1, 3, 2)


def test_a_critical_event_marks_its_bitmaps():
    world = World()
    for bitmap in (0, 9):
        select(world, CRITICAL + 27 * bitmap, SAG)
    world.events.post(99)
    assert world.model.load(ET22)[PENDING:] == bytes(2)
    world.events.post(SAG)
    assert world.model.load(ET22)[PENDING:] == unhex("01 02")
    world.start()
    before = world.settings.replaced
    world.events.post(SAG)
    assert world.settings.replaced == before
    assert world.model.load(ET22)[PENDING:] == unhex("01 02")


# ----------------------------------------------------------------------------- a list of a hundred


def fill(world, count):
    """So many entries, of events that are not too many of one kind for the log."""
    kinds = (SAG, 99, 100, 101, 102, 103, 104, 105)
    for k in range(count):
        if k % 128 == 0:
            world.events._spent = bytearray(len(world.events._spent))
        world.events.post(kinds[k % 8], k)


def test_the_log_is_circular_and_says_what_was_lost():
    world = World()
    fill(world, ENTRIES)
    flags, valid, last, sequence, unread = header(world.events.log)
    # one of the hundred is the log's own: that it is filling up
    assert (flags, valid, last, sequence, unread) == (0x06, 100, 0, 101, 100)
    fill(world, 57)
    assert header(world.events.log) == (0x06, 100, 57, 158, 100)
    found = entries(world.events.log)
    assert [entry[1] for entry in found] == list(range(59, 159))


def test_eighty_unread_entries_raise_the_alarm_once():
    world = World()
    fill(world, 79)
    assert 24 + 22 not in alarms(world)
    fill(world, 20)
    assert 24 + 22 in alarms(world)
    assert [one for one in told(world.events.log) if one[0] == 86] == [(86, 80)]


def test_partial_reads_give_what_a_full_read_gives():
    world = World()
    fill(world, 130)
    whole = bytearray(TABLE)
    world.events.log.read(0, TABLE, whole, 0)
    for size in (1, 13, 14, 84):
        pieces = bytearray(TABLE)
        for at in range(0, TABLE, size):
            n = min(size, TABLE - at)
            world.events.log.read(at, n, pieces, at)
        assert pieces == whole


def test_a_read_takes_no_memory():
    if allocated(lambda: None) is None:
        skip("CPython")
    world = World()
    fill(world, 20)
    log = world.events.log
    buf = bytearray(84)
    assert allocated(lambda: log.read(0, 84, buf, 0)) == 0


def test_a_poll_in_which_nothing_happens_takes_no_memory():
    if allocated(lambda: None) is None:
        skip("CPython")
    events = World().events
    assert allocated(lambda: events.poll(5)) == 0


# --------------------------------------------------------------------------- tables and procedures


def test_writes_and_procedures_that_bt73_names_are_logged():
    world = World()
    for number in (54, 7, 2048 + 22, 2048 + 27):
        world.events.written(number)
    for number in (4, 2048 + 3):
        world.events.initiated(number)
    assert told(world.events.log) == [(10, 54), (10, 2048 + 22), (9, 2048 + 3)]


def test_a_written_password_table_is_an_alarm():
    """OPT p.47, BT03.8.1."""
    world = World()
    world.events.written(42)
    assert world.model.body(BT03)[8] == 0x02


def test_the_sequence_has_four_octets():
    world = World()
    world.events.sequence = 0x1FFFF
    world.events.post(SAG)
    assert entries(world.events.log)[0][1] == 0
    world.start()
    assert header(world.events.log)[3] == 0x20000
    world.events.post(SAG)
    assert header(world.events.log)[3] == 0x20001


def test_pointers_do_not_outlive_their_ring():
    world = World()
    fill(world, 20)
    world.reset()
    world.primary.octets[:] = b"\xff" * len(world.primary.octets)
    world.start()
    assert header(world.events.log) == (0x04, 0, 0, 0, 0)
    world.events.post(SAG)
    assert header(world.events.log) == (0x04, 1, 0, 1, 1)


def test_the_sequence_is_found_in_either_log():
    world = World()
    world.events.post(SAG)
    world.events.post(19)  # goes into the alternate log alone
    world.start()
    world.events.post(SAG)
    assert [entry[1] for entry in entries(world.events.log)] == [1, 3]


def test_what_a_reset_took_is_zeros():
    world = World()
    fill(world, 20)
    world.reset()
    body = bytearray(TABLE)
    world.events.log.read(0, TABLE, body, 0)
    assert not any(body[HEADER:])
