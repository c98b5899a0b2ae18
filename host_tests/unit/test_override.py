"""ET47: a tariff over the calendar's, to its end, over midnight, power cuts and set clocks."""

import struct

from control_support import TODAY, Rig, ltime, rested
from meter.clock import DAY

# The default calendar, in winter: tier 0 from 06:00 to 22:00 local, 05:00 to 21:00 UTC, else 1
MORNING = 5 * 3600
EVENING = 21 * 3600
NEXT_SWITCH, NEVER, DURATION, AT_TIME = range(4)


def request(rig, tier, cancellation=0, duration=0, until=None, calendar_id=77):
    head = struct.pack("<BBI", tier, cancellation, duration)
    until = ltime(*until) if until else bytes(6)
    rig.write(2095, 0, head + until + struct.pack("<I", calendar_id))


def tier(rig, day=None, second=None):
    """(tier, drive) at a moment, else now."""
    calendar = rig.application.calendar
    calendar.at(rig.day if day is None else day, rig.second if second is None else second)
    return calendar.tier, calendar.drive


def at(second=12 * 3600):
    rig = rested(day=TODAY, second=second - 10)
    assert rig.second == second
    return rig


def test_for_a_duration():
    rig = at()
    changes = rig.application.tariff.changes
    request(rig, 3, DURATION, 600)
    assert rig.application.tariff.changes == changes + 1
    assert tier(rig) == (3, 3)
    assert rig.application.calendar.left == 600
    assert tier(rig, second=rig.second - 1) == (0, 0), "not before it was asked for"
    assert rig.application.calendar.left == 1
    assert rig.read(2071, 95, 4) == struct.pack("<I", 77)
    rig.run(599)
    assert tier(rig) == (3, 3)
    rig.run(1)
    assert tier(rig) == (0, 0)
    assert rig.application.calendar.override is None
    assert rig.read(2071, 95, 4) == rig.read(54, 804, 4)


def test_again_for_a_duration():
    rig = at()
    request(rig, 3, DURATION, 600)
    rig.run(300)
    request(rig, 3, DURATION, 600)
    rig.run(599)
    assert tier(rig) == (3, 3)
    rig.run(1)
    assert tier(rig) == (0, 0)
    request(rig, 3, NEVER)
    request(rig, 2, DURATION, 0)
    assert tier(rig) == (3, 2), "no switch"


def test_over_midnight_to_a_time():
    rig = at(EVENING + 3 * 3600 - 60)
    request(rig, 7, AT_TIME, until=(TODAY + 1, 120))
    assert tier(rig) == (7, 3)
    rig.run(60)
    assert (rig.day, rig.second) == (TODAY + 1, 0)
    assert tier(rig) == (7, 3)
    rig.run(119)
    assert tier(rig) == (7, 3)
    rig.run(1)
    assert tier(rig) == (1, 0)


def test_to_the_next_switch():
    rig = at(EVENING - 300)
    request(rig, 2, NEXT_SWITCH)
    assert tier(rig) == (2, 1)
    rig.run(299)
    assert tier(rig) == (2, 1)
    rig.run(1)
    assert tier(rig) == (1, 0)
    rig.run(2)
    assert tier(rig, TODAY + 1, MORNING + 9) == (0, 0), "it does not come back"
    rig.start()
    assert tier(rig, TODAY + 1, MORNING + 9) == (0, 0)


def test_to_the_next_switch_beyond_a_night():
    """Local midnight is no switch if the tier stays."""
    rig = at(EVENING + 60)
    request(rig, 2, NEXT_SWITCH)
    assert tier(rig, TODAY + 1, MORNING - 1) == (2, 1)
    assert tier(rig, TODAY + 1, MORNING) == (0, 0)
    assert tier(rig, TODAY + 1, MORNING - 1) == (2, 1), "the past, filled in later, is as it was"


def test_for_good_and_its_end():
    rig = at()
    request(rig, 1, NEVER)
    assert tier(rig, TODAY + 30000, 0) == (1, 2)
    rig.start()
    assert tier(rig) == (1, 2)
    request(rig, 255)
    assert tier(rig) == (0, 0)
    rig.start()
    assert tier(rig) == (0, 0)


def test_what_makes_no_sense_changes_nothing():
    rig = at()
    request(rig, 2, NEVER)
    for wrong in ((8, NEVER), (3, 4), (254, DURATION, 9)):
        request(rig, *wrong)
        assert tier(rig) == (2, 2), wrong
    request(rig, 3, AT_TIME)  # at no time
    assert tier(rig) == (2, 2)
    request(rig, 3, AT_TIME, until=(TODAY - 1, 0))  # over already
    assert tier(rig) == (0, 0)


def test_power_cuts():
    rig = at()
    request(rig, 3, DURATION, 600)
    rig.pass_time(300)
    rig.start()
    assert tier(rig) == (3, 3) and rig.application.calendar.left == 300, "time goes on"
    rig.pass_time(400)
    rig.start()
    assert tier(rig) == (0, 0)
    request(rig, 3, NEXT_SWITCH)
    rig.pass_time(3600)
    rig.start()
    assert tier(rig) == (3, 1), "the calendar's tier is the same as before"
    rig.pass_time(12 * 3600)
    rig.start()
    rig.run()
    assert tier(rig) == (1, 0), "it is another one"
    rig.pass_time(12 * 3600)
    rig.start()
    rig.run()
    assert tier(rig) == (0, 0)


def test_power_cut_while_it_is_written():
    for kept in (1, 2):
        rig = at()
        count = [0]

        def on_replace(name, count=count, kept=kept):
            count[0] += 1
            if count[0] == kept:
                raise OSError(5)

        rig.settings.on_replace = on_replace
        try:
            request(rig, 3, NEVER)
            raise AssertionError("power was to go")
        except OSError:
            pass
        rig.settings.on_replace = None
        rig.start()
        assert tier(rig) == ((0, 0)), "not answered, and not done"
        request(rig, 3, NEVER)
        assert tier(rig) == (3, 2)


def test_clock_set_forward_and_back():
    for shift in (-3000, -40, 40, 3000):
        rig = at()
        request(rig, 3, DURATION, 600)
        rig.run(100)
        rig.set_clock(TODAY, rig.second + shift)
        assert tier(rig) == (3, 3), shift
        rig.run(499)
        assert tier(rig) == (3, 3), "a duration is a duration"
        rig.run(1)
        assert tier(rig) == (0, 0), shift
        request(rig, 2, AT_TIME, until=(TODAY, rig.second + 600))
        end = rig.second + 600
        rig.set_clock(TODAY, rig.second + shift)
        assert tier(rig) == ((0, 0) if shift >= 600 else (2, 3)), "a time is a time"
        assert tier(rig, second=end) == (0, 0)
        request(rig, 1, NEVER)
        rig.set_clock(TODAY - 400, 0)
        assert tier(rig) == (1, 2), "a clock that was wrong"


def test_before_the_clock_is_set():
    rig = Rig(clock=False)
    request(rig, 3, DURATION, 600)
    rig.run(60)
    assert rig.application.calendar.override is None
    rig.set_clock(TODAY, 12 * 3600)
    assert tier(rig) == (3, 3) and rig.application.calendar.left == 600
    other = Rig(clock=False)
    request(other, 3, NEVER)
    other.start(clock=False)
    other.set_clock(TODAY, 100)
    assert tier(other) == (3, 2)
    bare = Rig(clock=False)
    bare.write(2103, 95, struct.pack("<I", 4711))
    assert bare.read(2071, 95, 4) == struct.pack("<I", 4711), "the clock error's calendar"


def test_consumption_based_tariff():
    rig = at()
    rig.write(2103, 3, b"\x02")
    rig.write(2103, 82, struct.pack("<IHBB", 5000, 30, 2, 0))
    rig.write(2103, 99, struct.pack("<I", 98))
    rig.element.values = {0: 4000, 1: 1001}
    rig.run(29)
    assert tier(rig) == (0, 0)
    rig.run(1)
    assert tier(rig) == (2, 3)
    assert rig.read(2071, 95, 4) == struct.pack("<I", 98)
    request(rig, 3, NEVER)
    assert tier(rig) == (3, 2), "what is set by hand goes before it"
    request(rig, 255)
    rig.element.values[0] = 3000
    rig.run(1)
    assert tier(rig) == (0, 0)
    rig.element.values[0] = 9000
    rig.run(40)
    rig.write(2103, 81, b"\x02")
    assert tier(rig) == (0, 0), "it is off"


def test_day_is_a_day():
    rig = at()
    request(rig, 3, DURATION, 2 * DAY)
    assert tier(rig, TODAY + 2, 12 * 3600 - 1) == (3, 3)
    assert tier(rig, TODAY + 2, 12 * 3600) == (0, 0)
    request(rig, 3, DURATION, 2**32 - 1)
    assert tier(rig, TODAY + 20000, 0) == (3, 3)
