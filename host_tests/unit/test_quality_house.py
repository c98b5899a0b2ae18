"""Power quality of the house: tampers, reverse energy, order of the phases, distortion."""

from meter.clock import to_ltime
from quality_support import ET04, ET09, TODAY, B, Line, Rig, ltime, read, u16, write
from support import noise

ET55 = 2048 + 55


def test_cover_and_magnet_have_to_last():
    rig = Rig()
    for bit, event in ((1, 47), (2, 89)):
        rig.line.tampers = bit
        rig.pass_seconds(10)
        assert rig.events.take() == []
        rig.pass_seconds(100)
        assert rig.events.take() == [(event, 0)]
        rig.line.tampers = 0
        rig.pass_seconds(1)
        assert rig.events.take() == []


def test_cover_and_magnet_switched_off():
    rig = Rig()
    write(rig.model, ET55, 104, (0, 0))
    write(rig.model, ET55, 215, (0, 0))
    rig.line.tampers = 3
    rig.pass_seconds(1000)
    assert rig.events.take() == []


def test_reverse_energy():
    rig = Rig()
    rig.line.values[1] = 500  # W
    rig.line.values[5] = 1000
    rig.pass_seconds(100)
    assert rig.events.take() == []
    rig.line.values[5] = 1001  # mA: above ET04.88
    rig.pass_seconds(10)
    assert rig.events.take() == []
    rig.pass_seconds(50)
    assert rig.events.take() == [(48, 0)]
    rig.line.values[1] = 0
    rig.pass_seconds(5)
    write(rig.model, ET04, 109, (1,))  # the premise generates
    rig.line.values[1] = 500
    rig.pass_seconds(50)
    assert rig.events.take() == []


def test_inversion_and_rotation():
    rig = Rig()
    assert read(rig.model, ET04)[73] == 0
    rig.line.inverted = 5
    rig.pass_seconds(3)
    rig.line.inverted = 0
    rig.pass_seconds(3)
    assert rig.events.take() == [(69, 5), (69, 0)]
    rig.line.rotation = 1
    rig.pass_seconds(3)
    assert rig.events.take() == [(83, 1)]
    assert read(rig.model, ET04)[73] == 1
    rig.line.rotation = 2  # not known any more, and known again
    rig.pass_seconds(3)
    rig.line.rotation = 1
    rig.pass_seconds(3)
    assert rig.events.take() == []


def test_one_phase_has_no_order():
    rig = Rig(Line(1))
    rig.pass_seconds(5)
    assert read(rig.model, ET04)[73] == 2 and rig.events.take() == []


def distorted(k, threshold, time=0):
    """A meter that looks at THD of type k."""
    rig = Rig()
    write(
        rig.model,
        ET09,
        B + 147 + 70 * k,
        (time & 0xFF, time >> 8, threshold & 0xFF, threshold >> 8),
    )
    rig.pass_seconds(1)
    return rig


def test_distortion():
    for k in range(3):
        rig = distorted(k, 80)
        rig.line.distortion[3 * k + 1] = 80
        rig.pass_seconds(20)
        assert rig.events.take() == []
        for value in (90, 120, 95):
            rig.line.distortion[3 * k + 1] = value
            rig.pass_seconds(10)
        assert rig.events.take() == [(93, 1 << (3 * k + 1))]
        rig.line.distortion[3 * k + 1] = 0
        rig.pass_seconds(10)
        average = (90 + 120 + 95) // 3
        assert rig.events.take() == [
            (100 + k, 1 | 120 << 2),
            (103 + k, 1 | average << 2),
            (93, 0),
        ]
        body = read(rig.model, ET09)
        o = B + 151 + 70 * k + 22
        assert u16(body, o) == 1
        assert (u16(body, o + 8), u16(body, o + 16)) == (120, average)
        begin = ltime_value(body[o + 2 : o + 8])
        assert ltime_value(body[o + 10 : o + 16]) == begin + 10


def ltime_value(octets):
    assert octets[:3] == ltime(0)[:3]
    return octets[3] * 3600 + octets[4] * 60 + octets[5]


def test_distortion_has_to_last():
    rig = distorted(0, 80, time=30)
    rig.line.distortion[0] = 100
    rig.pass_seconds(30)
    rig.line.distortion[0] = 0
    rig.pass_seconds(10)
    assert rig.events.take() == []
    rig.line.distortion[0] = 100
    rig.pass_seconds(40)
    assert rig.events.take() == [(93, 1)]


def test_distortion_without_a_limit_is_not_looked_at():
    rig = Rig()
    rig.line.distortion = [999] * 9
    rig.pass_seconds(50)
    assert rig.events.take() == []
    assert rig.quality.sums is None


def test_a_limit_taken_away_while_it_holds():
    rig = distorted(2, 80)
    rig.line.distortion = [999] * 9
    rig.pass_seconds(20)
    write(rig.model, ET09, B + 147 + 140, bytes(4))
    rig.pass_seconds(20)
    assert rig.quality.running == bytes(3)
    assert rig.quality.sums is None


def test_any_thresholds_are_taken():
    """Whatever a host writes into ET04, ET09 and ET55: no second raises."""
    for seed in range(20):
        rig = Rig()
        octets = noise(700, seed)
        for number, writable in ((ET09, 0), (ET09, B + 139), (ET04, 56), (ET55, 0)):
            size = min(200, len(read(rig.model, number)) - writable)
            write(rig.model, number, writable, octets[:size])
        for k, octet in enumerate(noise(40, seed + 99)):
            rig.line.values[7 + k % 3] = octet * 1500
            rig.line.values[4 + k % 3] = octet * octet * 5
            rig.line.distortion[k % 9] = octet * 10
            rig.line.tampers = octet & 3
            rig.line.inverted = octet & 7
            rig.pass_seconds(7)


def test_midnight_between_begin_and_count():
    rig = Rig(minutes=5)
    rig.application.set_clock(TODAY, 86400 - 60, rig.now)
    rig.line.values[7] = 200000
    rig.pass_seconds(400)
    body = read(rig.model, ET09)
    expected = bytearray(6)
    to_ltime(TODAY, 86400 - 59, expected, 0)
    assert body[B + 6 : B + 12] == expected
