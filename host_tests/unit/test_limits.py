"""When the load disconnect opens by itself: a lock that was scheduled, limits, averages."""

import struct

from control_support import NOON, TODAY, Rig, changed, ltime, rested, settings_body
from meter.average import Average
from meter.clock import DAY

CLOSED, OPENED, LOCKED = 1, 2, 3
OPEN = b"\x00\x00"  # EP02
CLOSE = b"\x00\x01"


def test_lock_at_its_time():
    rig = rested()
    rig.call(36, ltime(TODAY, NOON + 100) + struct.pack("<H", 5))
    rig.run(89)
    assert rig.state == CLOSED
    rig.run(1)
    assert rig.state == LOCKED and rig.switch.opened
    assert rig.events.take() == [(106, 1), changed(LOCKED, 7)]
    assert rig.call(2, CLOSE)[0] == 3 and rig.call(23, b"\x01")[0] == 3
    rig.run(299)
    rig.call(2, b"\x01\x01")  # of a relay: what is scheduled is looked at a second early
    assert rig.state == LOCKED
    rig.run(1)
    assert rig.state == OPENED and rig.switch.opened, "the button closes it"
    assert rig.events.take() == [changed(OPENED, 7)]
    assert rig.read(2078, 13, 12) == bytes(12)
    rig.switch.pressed = True
    rig.run()
    assert rig.state == CLOSED


def test_lock_closes_again_if_configured():
    rig = rested()
    rig.write(2053, 0, settings_body(delay=30))
    rig.call(36, ltime(TODAY, NOON) + struct.pack("<H", 2))
    assert rig.state == LOCKED
    rig.run(109)
    assert rig.state == LOCKED
    rig.run(2)
    assert rig.state == CLOSED and rig.switch.opened is False
    # what the consumer had opened before stays open
    rig.run(20)
    rig.switch.pressed = True
    rig.run(1)
    assert rig.state == OPENED
    rig.call(36, ltime(rig.day, rig.second) + struct.pack("<H", 2))
    assert rig.state == LOCKED
    rig.run(600)
    assert rig.state == OPENED


def test_lock_without_end_and_its_cancellation():
    rig = rested()
    assert rig.call(36, ltime(TODAY, NOON) + bytes(2)) == (0, bytes([LOCKED]))
    rig.run(3)
    rig.pass_time(40 * DAY)
    rig.start()
    rig.run()
    assert rig.state == LOCKED
    assert rig.call(36, bytes(8)) == (0, bytes([OPENED]))
    assert rig.call(36, ltime(TODAY, 0) + struct.pack("<H", 60))[0] == 4, "it would be over"
    assert rig.call(36, b"\x1a\x0d\x01\0\0\0\0\0") == (2, b"")
    bare = Rig(clock=False)
    assert bare.call(36, ltime(TODAY, 0) + bytes(2)) == (4, bytes([CLOSED]))


def test_lock_that_power_slept_through():
    rig = rested()
    rig.call(36, ltime(TODAY, NOON + 60) + struct.pack("<H", 10))
    rig.pass_time(120)
    rig.start()
    rig.run(10)
    assert rig.state == LOCKED, "late, but it is in force"
    rig.pass_time(3600)
    rig.start()
    assert rig.state == LOCKED and rig.switch.opened, "before the clock is looked at"
    rig.run()
    assert rig.state == OPENED
    rig.pass_time(20)
    rig.call(36, ltime(rig.day, rig.second + 60) + struct.pack("<H", 10))
    rig.pass_time(3600)
    rig.start()
    rig.run(15)
    assert rig.state == OPENED and rig.read(2078, 13, 12) == bytes(12), "it never came"


def limited(**more):
    rig = rested()
    rig.write(2053, 0, settings_body(control=1, primary=3000, primary_time=60, **more))
    return rig


def test_limit_opens_when_it_is_exceeded_long_enough():
    rig = limited()
    assert rig.read(2078, 36, 4) == struct.pack("<I", 3000)
    rig.element.values[0] = 3001
    rig.run(59)
    rig.element.values[0] = 3000
    rig.run(1)
    rig.element.values[0] = 3001
    rig.run(59)
    assert rig.state == CLOSED
    rig.run(1)
    assert rig.state == OPENED
    assert rig.events.take() == [(106, 1), changed(OPENED, 2)]
    assert rig.read(2094, 17, 6) == ltime(rig.day, rig.second)
    rig.run(600)
    assert rig.state == OPENED, "the consumer closes it"
    rig.switch.pressed = True
    rig.run(59)
    assert rig.state == CLOSED
    rig.run(1)
    assert rig.state == OPENED, "and it opens again"


def test_limit_closes_again_if_configured():
    rig = limited(delay=300)
    rig.element.values[0] = 9000
    rig.run(60)
    assert rig.state == OPENED
    rig.run(299)
    assert rig.state == OPENED
    rig.element.values[0] = 100
    rig.run(1)
    assert rig.state == CLOSED
    assert rig.events.take()[-1] == changed(CLOSED, 2)
    rig.run(10)
    rig.call(2, OPEN)
    rig.run(1000)
    assert rig.state == OPENED, "not what a command has opened"


def test_limit_by_source():
    for source, forward, reverse, opens in (
        (0, 2000, 1001, True),
        (1, 2000, 1001, False),
        (1, 3001, 0, True),
        (2, 3500, 1000, False),
        (2, 4002, 1001, True),
    ):
        rig = limited(source=source)
        rig.element.values = {0: forward, 1: reverse}
        rig.run(60)
        assert (rig.state == OPENED) == opens, (source, forward, reverse)


def test_limit_of_current():
    rig = rested()
    rig.write(2053, 0, settings_body(control=5, primary=16000, primary_time=5))
    assert rig.read(2094, 11, 1) == b"\x01"
    rig.element.values = {0: 99999, 4: 15999, 5: 16000}
    rig.run(60)
    assert rig.state == CLOSED
    rig.element.values[6] = 16001
    rig.run(5)
    assert rig.state == OPENED


def test_limit_is_not_for_the_past():
    rig = limited()
    rig.application.behind = True
    rig.element.values[0] = 9000
    rig.run(600)
    assert rig.state == CLOSED
    rig.write(2053, 25, b"\x00")
    rig.application.behind = False
    rig.run(600)
    assert rig.state == CLOSED, "no limit"


def test_secondary_level():
    rig = limited(secondary=1000, secondary_time=10)
    when = ltime(TODAY, NOON + 600) + struct.pack("<H", 10)
    assert rig.call(22, b"\x01" + when) == (0, b"")
    rig.element.values[0] = 2000
    rig.run(589)
    assert (rig.state, rig.read(2078, 0, 1)) == (CLOSED, b"\x00")
    rig.run(1)
    assert rig.read(2078, 0, 1) == b"\x01" and rig.events.take() == [(97, 1)]
    rig.element.values[0] = 0
    rig.run(600)
    assert rig.read(2078, 0, 13) == bytes(13) and rig.events.take() == [(97, 0)]
    rig.element.values[0] = 2000
    # the start has passed: from now on, and not shortened
    rig.call(22, b"\x01" + ltime(TODAY, 0) + struct.pack("<H", 1))
    assert rig.events.take() == [(97, 1)]
    rig.run(9)
    assert rig.state == CLOSED
    rig.run(3)
    assert rig.state == OPENED
    rig.run(60)
    assert rig.read(2078, 0, 1) == b"\x00"
    rig.call(22, b"\x01" + bytes(8))
    rig.pass_time(100 * DAY)
    rig.start()
    rig.run()
    assert rig.read(2078, 0, 1) == b"\x01", "for good"
    rig.call(22, b"\x00" + ltime(rig.day, rig.second + 60) + bytes(2))
    assert rig.read(2078, 0, 1) == b"\x01"
    rig.run(60)
    assert rig.read(2078, 0, 1) == b"\x00"
    rig.call(22, b"\x01" + bytes(8))
    rig.call(22, b"\x00" + bytes(8))
    assert rig.read(2078, 0, 1) == b"\x00"
    assert rig.call(22, b"\x02" + bytes(8)) == (2, b"")
    assert rig.call(22, b"\x01" + b"\xff" * 8) == (2, b"")
    assert Rig(clock=False).call(22, b"\x01" + bytes(8)) == (4, b"")


def test_secondary_level_over_power_cuts():
    rig = limited(secondary=1000)
    rig.call(22, b"\x01" + ltime(TODAY, NOON + 3600) + struct.pack("<H", 240))
    rig.pass_time(5400)
    rig.start()
    rig.run()
    assert rig.read(2078, 0, 1) == b"\x01"
    rig.pass_time(3 * 3600 + 1800 - 20)
    rig.start()
    rig.run()
    assert rig.read(2078, 0, 1) == b"\x01"
    rig.run(20)
    assert rig.read(2078, 0, 1) == b"\x00", "at the time that was asked for"


def test_average_power():
    rig = rested()
    rig.write(2128, 0, struct.pack("<BHBI", 1, 10, 3, 1000))
    rig.element.values[0] = 3000
    rig.run(10)
    rig.element.values[0] = 0
    rig.run(20)
    assert rig.state == CLOSED, "an average of 1000 is not above it"
    rig.element.values[0] = 1502
    rig.run(20)
    assert rig.state == OPENED and rig.events.take() == [(106, 1), changed(OPENED, 2)]
    rig.run(10)
    rig.switch.pressed = True
    rig.run(29)
    assert rig.state == CLOSED, "the average begins anew"
    rig.run(1)
    assert rig.state == OPENED


def test_average_power_above_the_primary_limit():
    """Without a threshold of its own (MEP p.183)."""
    rig = rested()
    rig.write(2053, 0, settings_body(control=1, primary=2000, primary_time=9999))
    rig.write(2128, 0, struct.pack("<BHBI", 1, 20, 1, 0))
    rig.element.values[0] = 2000
    rig.run(100)
    assert rig.state == CLOSED
    rig.element.values[0] = 2001
    rig.run(20)
    assert rig.state == OPENED


def test_averages():
    block = Average(60, 1)
    assert [block.add(k, 20) for k in (30, 60, 90, 1, 2, 3)] == [-1, -1, 60, -1, -1, 2]
    rolling = Average(2, 3)
    told = [rolling.add(k, 1) for k in (6, 6, 12, 12, 18, 18, 0, 0)]
    assert told == [-1, -1, -1, -1, -1, 12, -1, 10]
    assert Average(1, 2).add(7, 5) == 7
