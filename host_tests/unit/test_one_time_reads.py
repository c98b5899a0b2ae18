"""EP24 and ET19, ET20, ET31: a one-time read is done at its time, once, whenever power goes."""

import struct

from fakes import retained
from mep_support import DAY, ET19, ET20, ET31, ET36, MBUS, Bench
from meter.clock import to_ltime
from meter_support import PowerCut
from osgp.procedures.results import BAD_PARAMETER, CONFLICT, DONE
from support import allocated

FULL = 7
NOW = "000000000000"
NOON = 12 * 3600
ENTRY = 17
UNREAD = 120  # ET36


def due(day, second):
    octets = bytearray(6)
    to_ltime(day, second, octets, 0)
    return octets.hex()


def made():
    bench = Bench()
    bench.clock_is(DAY, NOON)
    bench.attach()
    return bench


def registers(bench, mark):
    """BT23 becomes this octet."""
    body = bench.model.body(23)
    for k in range(len(body)):
        body[k] = mark


def marks(bench):
    """Of the entries of ET31: the octet that their registers are."""
    size = (bench.model.size(ET31) - 6) // 2
    return [bench.read(ET31, 6 + size * k + size - 1, 1)[0] for k in range(2)]


def results(bench, table=ET19):
    body = bench.read(table)
    return [body[k + 5] for k in range(0, len(body), ENTRY) if body[k + 4]]


def test_a_read_at_once():
    bench = made()
    registers(bench, 0x11)
    assert bench.log() == (0, 0, 0, 0)
    assert bench.call("reads", 24, "0700 0000" + NOW) == (DONE, 0)
    assert results(bench) == [0]
    bench.pass_seconds(1)
    assert results(bench) == [1]
    assert bench.log() == (1, 0, 0, 1)
    size = (bench.model.size(ET31) - 6) // 2
    entry = bench.read(ET31, 6, size)
    head = size - bench.model.size(23)
    assert entry[head:] == bytes([0x11]) * bench.model.size(23)
    # local time is an hour ahead of UTC here, to the minute, in season 3
    assert entry[head - 6 : head] == bytes((26, 11, 22, 13, 0, 3))
    assert bench.events.posted == [(87, 0)]
    assert bench.read(ET36, UNREAD, 1)[0] & 1
    queue = bench.read(ET19, 0, ENTRY)
    assert struct.unpack("<HHBB6sH3s", queue) == (7, 0, 2, 1, bytes(6), 0, bytes(3))


def test_a_read_at_its_second():
    bench = made()
    assert bench.call("reads", 24, "0100 0000" + due(DAY, NOON + 90)) == (DONE, 0)
    bench.pass_seconds(89)
    assert results(bench) == [0]
    bench.pass_seconds(1)
    assert results(bench) == [1]
    assert bench.log()[0] == 1


def test_a_read_on_another_day_and_in_the_past():
    bench = made()
    bench.call("reads", 24, "0100 0000" + due(DAY + 40, 5))
    bench.call("reads", 24, "0200 0000" + due(DAY - 1, NOON + 5))
    bench.pass_seconds(3)
    assert results(bench) == [0, 1]
    bench.clock_is(DAY + 40, 4)
    bench.pass_seconds(1)
    assert results(bench) == [1, 1]


def test_a_clock_set_over_the_moment():
    bench = made()
    bench.call("reads", 24, "0100 0000" + due(DAY, NOON + 3600))
    bench.pass_seconds(2)
    bench.clock_is(DAY + 1, 0)
    bench.pass_seconds(1)
    assert results(bench) == [1]


def test_without_a_clock_only_what_is_at_once():
    bench = Bench()
    bench.call("reads", 24, "0100 0000" + due(DAY, 0))
    bench.call("reads", 24, "0200 0000" + NOW)
    bench.pass_seconds(3)
    assert results(bench) == [0, 1]
    head = (bench.model.size(ET31) - 6) // 2 - bench.model.size(23)
    assert bench.read(ET31, 6 + head - 6, 6) == bytes(6)
    bench.clock_is(DAY, 0)
    bench.pass_seconds(1)
    assert results(bench) == [1, 1]


def test_the_log_is_a_ring():
    bench = made()
    for k in range(5):
        registers(bench, k + 1)
        assert bench.call("reads", 24, "0100 0000" + NOW) == (DONE, 0)
        bench.pass_seconds(1)
    assert bench.log() == (2, 0, 4, 2)
    assert marks(bench) == [5, 4]
    assert bench.read(ET31, 0, 1)[0] & 0x06 == 0x06  # circular, and has overflowed
    bench.start()
    assert bench.log() == (2, 0, 4, 2)
    assert marks(bench) == [5, 4]


def test_the_queue_is_full():
    bench = made()
    for k in range(3):
        assert bench.call("reads", 24, "0100 0000" + due(DAY, NOON + 50)) == (DONE, k)
    assert bench.call("reads", 24, "0100 0000" + NOW) == FULL
    bench.pass_seconds(51)
    assert bench.call("reads", 24, "0100 0000" + NOW) == (DONE, 0)


def test_what_is_refused():
    bench = made()
    assert bench.call("reads", 24, "0100 0000 1A0D16000000") == BAD_PARAMETER  # month 13
    assert bench.call("reads", 24, "0100 0000 1A0B16180000") == BAD_PARAMETER  # 24 h
    assert bench.call("reads", 24, "0100 0900" + NOW) == CONFLICT
    assert bench.call("reads", 24, "0100 E803" + NOW) == CONFLICT  # the MEP client is none
    assert results(bench) == results(bench, ET20) == []


def test_an_mbus_device_does_not_answer():
    bench = made()
    for k in range(4):
        assert bench.call("reads", 24, f"0{k}00 0{MBUS}00" + NOW) == (DONE, k)
    assert bench.call("reads", 24, "0500 0700" + NOW) == FULL
    bench.pass_seconds(30)
    assert results(bench, ET20) == [0, 0, 0, 0]
    bench.pass_seconds(1)
    assert results(bench, ET20) == [2, 0, 0, 0]
    bench.pass_seconds(90)
    assert results(bench, ET20) == [2, 2, 2, 2]
    assert bench.log()[0] == 0
    assert bench.events.posted == 4 * [(81, 2 << 13 | 4)]


def test_power_may_go_at_any_moment():
    """After each start the read is done, and stands in the log once; nothing else is touched."""
    cut = 0
    while True:
        bench = made()
        for mark in (1, 2, 3):
            registers(bench, mark)
            bench.call("reads", 24, "0100 0000" + NOW)
            bench.pass_seconds(1)
        registers(bench, 4)
        bench.left = cut
        try:
            bench.call("reads", 24, "0900 0000" + NOW)
            posted = True
            bench.pass_seconds(1)
            bench.left = -1
            break
        except PowerCut:
            posted = cut > 0
            bench.left = -1
        bench.start()
        registers(bench, 4)
        assert marks(bench) in ([3, 2], [3, 4])  # an entry is never half of one and of another
        bench.pass_seconds(2)
        assert results(bench) == [1]
        assert bench.log()[2] == (3 if posted else 2)
        assert marks(bench) == ([3, 4] if posted else [3, 2])
        cut += 1
    assert cut == 4  # the queue, the entry, the log, the queue
    assert bench.log() == (2, 1, 3, 2)


def test_waiting_takes_no_memory():
    bench = made()
    bench.call("reads", 24, "0100 0000" + due(DAY + 1, 0))
    bench.pass_seconds(2)
    poll = bench.waiting.poll
    now = bench.now_ms
    assert not retained(lambda: poll(now))
    out = bytearray(40)
    read = bench.model.read
    read(ET31, 0, 40, out, 0, 3)
    assert not retained(lambda: read(ET31, 3, 30, out, 0, 3))


def test_a_second_without_work_takes_no_memory():
    bench = made()
    bench.call("reads", 24, "0100 0000" + due(DAY + 1, 0))
    bench.pass_seconds(2)
    poll = bench.waiting.poll
    now = bench.now_ms
    assert not allocated(lambda: poll(now))
