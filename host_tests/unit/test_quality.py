"""Power quality: conditions on the line against thresholds, ET09 and the events."""

from quality_support import ET04, ET09, A, B, Line, Rig, ltime, u16, u32, write
from support import allocated, noise


def test_quiet():
    rig = Rig()
    replaced = rig.settings.replaced
    rig.pass_seconds(3000)
    assert not rig.events.posted and rig.settings.replaced == replaced


def test_a_sag_counts_at_once_and_tells_its_voltage_at_its_end():
    rig = Rig()
    assert rig.voltage(1, 207.0, 5) == []  # not under 90 %
    assert rig.voltage(1, 205.5, 3) == [(91, 1 << 1)]
    assert rig.voltage(1, 201.9, 1) == []
    rig.pass_seconds(1)
    assert rig.events.take() == [(98, 1 | 201 << 2), (91, 0)]
    body = rig.et09()
    assert [u16(body, B + o) for o in (12, 20, 28)] == [0, 1, 0]
    assert body[B + 14 : B + 20] == ltime(3 + 5 + 1)
    assert u32(body, B + 115) == 201900


def test_a_surge_beside_a_sag():
    rig = Rig()
    rig.line.values[8] = 200000
    assert rig.voltage(2, 253.5, 2) == [(91, 2), (91, 2 | 1 << 5)]
    rig.pass_seconds(1)
    assert rig.events.take() == [(99, 2 | 253 << 2), (91, 2)]
    body = rig.et09()
    assert u16(body, B + 52) == 1 and u32(body, B + 131) == 253500
    assert body[B + 46 : B + 52] == ltime(4)


def test_time_threshold():
    for minutes, seconds in ((0, 7), (1, 0), (1, 30)):
        needed = 60 * minutes + seconds
        rig = Rig(minutes=minutes, seconds=seconds)
        assert rig.voltage(0, 200, needed) == []
        rig.pass_seconds(5)
        assert rig.events.take() == []
        assert rig.voltage(0, 200, needed + 1) == [(91, 1)]
        rig.pass_seconds(1)
        assert rig.events.take() == [(98, 0 | 200 << 2), (91, 0)]
        assert u16(rig.et09(), B + 12) == 1


def test_early_events():
    rig = Rig(early=1)
    assert rig.voltage(0, 200, 3) == [(98, 200 << 2), (91, 1)]
    rig.pass_seconds(1)
    assert rig.events.take() == [(98, 200 << 2), (91, 0)]


def test_sag2():
    rig = Rig(sag2=30)
    assert rig.voltage(0, 150, 1) == [(91, 1), (91, 1 | 1 << 6)]
    rig.pass_seconds(1)
    assert [event for event, _ in rig.events.take()] == [98, 91, 98, 91]
    body = rig.et09()
    assert u16(body, A + 129) == 1 and u32(body, A + 147) == 150000
    assert body[A + 123 : A + 129] == ltime(4)


def test_a_lost_phase_is_no_sag():
    rig = Rig()
    rig.line.values[6] = 0
    assert rig.voltage(2, 20, 10) == []
    rig.pass_seconds(1)
    assert rig.voltage(2, 20, 11) == [(68, 4)]
    assert rig.et09()[B + 86] == 4
    rig.pass_seconds(1)
    assert rig.events.take() == [(68, 0)]
    body = rig.et09()
    assert body[B + 86] == 0
    assert u16(body, B + 109) == 1 and u16(body, B + 28) == 0
    assert body[B + 103 : B + 109] == ltime(3 + 10 + 1 + 1)


def test_an_alarm_that_stays_as_long_as_the_phase_is_lost():
    rig = Rig()
    rig.voltage(0, 20, 20)
    rig.pass_seconds(1)
    assert not rig.events.alarms
    write(rig.model, ET04, 121, (1,))
    rig.voltage(0, 20, 20)
    assert rig.events.alarms == [28] * 10
    rig.pass_seconds(5)
    assert len(rig.events.alarms) == 10


def test_current_on_a_missing_phase():
    rig = Rig()
    rig.line.values[4] = 12  # mA: what starts the meter is 10 + 1.7
    assert (74, 1) in rig.voltage(0, 0, 11)
    rig.line.values[4] = 11
    assert rig.events.take() == []
    rig.pass_seconds(2)
    rig.events.take()
    assert (74, 1) not in rig.voltage(0, 0, 30)


def test_current_on_an_unused_phase():
    rig = Rig()
    write(rig.model, ET04, 62, (4,))  # L3 is not used
    assert rig.voltage(2, 0, 9) == []
    assert rig.voltage(2, 0, 9) == [(74, 4)]
    assert rig.et09()[B + 86] == 0


def test_over_current():
    rig = Rig(over=20)
    write(rig.model, ET09, B + 145, (10, 0))
    rig.line.values[5] = 120000
    rig.pass_seconds(30)
    rig.line.values[5] = 120001
    rig.pass_seconds(10)
    assert rig.events.take() == []
    rig.pass_seconds(1)
    assert rig.events.take() == [(91, 1 << 10)]
    rig.line.values[5] = 1
    rig.pass_seconds(1)
    assert rig.events.take() == [(91, 0)]
    assert [u32(rig.et09(), B + o) for o in (74, 78, 82)] == [0, 1, 0]


def test_extremes_of_the_frequency():
    rig = Rig()
    for second, frequency in enumerate((50010, 49990, 50000, 0, 50400, 50020)):
        rig.line.values[11] = frequency
        rig.pass_seconds(1)
        assert second < 6
    body = rig.et09()
    assert (u32(body, B + 54), u32(body, B + 64)) == (49990, 50400)
    assert (body[B + 58 : B + 64], body[B + 68 : B + 74]) == (ltime(5), ltime(8))
    rig.start()
    rig.pass_seconds(4000)
    body = rig.et09()
    assert (u32(body, B + 54), u32(body, B + 64)) == (49990, 50400)
    assert body[B + 58 : B + 64] == ltime(5)


def test_extremes_are_saved_each_hour():
    rig = Rig()
    replaced = rig.settings.replaced
    for k in range(7200):
        rig.line.values[11] = 50000 + k
        rig.pass_seconds(1)
    assert 2 <= rig.settings.replaced - replaced <= 3


def test_a_flicker_is_saved_once_a_minute():
    rig = Rig()
    replaced = rig.settings.replaced
    for _ in range(300):
        rig.voltage(0, 200, 1)
        rig.pass_seconds(1)
    assert 10 <= rig.settings.replaced - replaced <= 12
    assert u16(rig.et09(), B + 12) == 300


def test_counters_go_on_after_a_restart_and_stop_at_their_end():
    rig = Rig()
    rig.voltage(0, 200, 1)
    rig.pass_seconds(70)
    rig.start()
    rig.voltage(0, 200, 1)
    assert u16(rig.et09(), B + 12) == 2
    rig.model.patch(ET09, B + 12, b"\xff\xff")
    rig.voltage(0, 200, 1)
    rig.pass_seconds(2)
    assert u16(rig.et09(), B + 12) == 0xFFFF


def test_power_goes_while_et09_is_saved():
    rig = Rig()
    rig.voltage(0, 200, 1)
    rig.pass_seconds(70)
    rig.voltage(0, 201, 1)
    rig.settings.fails = True
    try:
        rig.pass_seconds(60)
    except OSError:
        rig.settings.fails = False
    assert not rig.settings.fails
    rig.start()
    body = rig.et09()
    assert u16(body, B + 12) == 1 and u32(body, B + 111) == 200000


def test_nothing_in_the_hold_time_and_while_the_past_is_made_up():
    rig = Rig()
    write(rig.model, ET09, B + 144, (30,))
    rig.start()
    assert rig.voltage(0, 200, 26) == []
    assert rig.voltage(0, 200, 2) == [(91, 1)]
    rig.pass_seconds(1)
    rig.events.take()
    rig.application.behind = True
    assert rig.voltage(0, 200, 10) == []


def test_without_a_clock_there_is_no_time():
    rig = Rig()
    rig.application.clock.valid = False
    rig.voltage(0, 200, 2)
    body = rig.et09()
    assert u16(body, B + 12) == 1 and not any(body[B + 6 : B + 12])


def test_thresholds_change_while_a_sag_lasts():
    rig = Rig()
    rig.line.values[7] = 200000
    rig.pass_seconds(2)
    write(rig.model, ET04, 62, (1,))  # L1 is not used any more
    rig.pass_seconds(2)
    assert rig.events.take() == [(91, 1)]
    write(rig.model, ET04, 62, (0,))
    rig.pass_seconds(1)
    assert rig.events.take() == [(91, 1)]
    assert u16(rig.et09(), B + 12) == 2
    assert rig.quality.running == bytes((1, 0, 0))


def test_an_element_that_tells_nothing():
    line = Line(0)
    rig = Rig(line)
    rig.pass_seconds(10)
    assert not rig.application.on_second and not rig.events.posted


def worst_case(trace, limit, needed):
    """Sags of a trace of volts, independently: [(first second, lowest)] of those that count."""
    found = []
    k = 0
    while k < len(trace):
        end = k
        while end < len(trace) and trace[end] < limit:
            end += 1
        if end - k > needed:
            found.append((k, min(trace[k:end])))
        k = end + 1
    return found


def test_any_trace():
    for seed in range(12):
        trace = [200 + octet % 12 for octet in noise(150, seed + 1)] + [230]
        needed = seed % 4
        rig = Rig(seconds=needed)
        for volts in trace:
            rig.line.values[7] = volts * 1000
            rig.pass_seconds(1)
        expected = worst_case(trace, 207, needed)
        told = [argument >> 2 for event, argument in rig.events.take() if event == 98]
        assert told == [lowest for _, lowest in expected]
        body = rig.et09()
        assert u16(body, B + 12) == len(expected) > 0
        assert body[B + 6 : B + 12] == ltime(4 + expected[-1][0])


def test_a_quiet_second_takes_no_memory():
    rig = Rig()
    rig.pass_seconds(10)
    quality = rig.quality
    now = rig.now
    assert allocated(lambda: quality.second(now)) in (None, 0)
