"""What disturbs a simulated house: from text to the device's file to the element that plays it."""

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from meter.element import SimulatedElement
from osgp_tools import cli
from osgp_tools.disturbances import KINDS, Disturbance
from osgp_tools.source import Source, SourceError

DAYS = 2
FIRST = date(2026, 11, 21)
FORWARD = tuple(range(1000, 1000 + 96 * DAYS))
# what each kind shows, by phase (0 to 2): (how to read it, what it is undisturbed)
SHOWN = {
    "voltage": lambda element, phase: element.present(7 + phase) / 1000,
    "current": lambda element, phase: element.present(4 + phase) / 1000,
    "frequency": lambda element, phase: element.present(11) / 1000,
    "thd-voltage": lambda element, phase: element.distortion[phase] / 10,
    "thd-current": lambda element, phase: element.distortion[3 + phase] / 10,
    "thd-va": lambda element, phase: element.distortion[6 + phase] / 10,
    "rotation": lambda element, phase: element.rotation,
    "inversion": lambda element, phase: element.inverted >> phase & 1,
    "cover": lambda element, phase: element.tampers & 1,
    "magnet": lambda element, phase: element.tampers >> 1 & 1,
}


def element_of(*disturbances, phases=3):
    data = Source(FIRST, FORWARD, (), phases, disturbances).encode()

    def read(offset, buf):
        assert offset + len(buf) <= len(data)
        buf[:] = data[offset : offset + len(buf)]

    return SimulatedElement(read)


def at(element, second):
    element.take(element.since + second // 86400, second % 86400)


def test_text():
    found = Disturbance.parse("26:00:00+5:00 voltage L2 190.5")
    assert found == Disturbance(timedelta(hours=26), timedelta(minutes=5), "voltage", 190.5, 2)
    assert Disturbance.parse("0+1 cover") == Disturbance(
        timedelta(0), timedelta(seconds=1), "cover"
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "voltage L1 200",
        "5+0 voltage L1 200",
        "5+9 wind L1 200",
        "5+9 voltage L4 200",
        "5+9 voltage L1 6554",
        "5+9 cover L2",
        "999999:00:00+5 cover",
    ],
)
def test_what_cannot_be(text):
    with pytest.raises(ValueError, match=r"."):
        Disturbance.parse(text)


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_begins_and_ends(kind):
    show = SHOWN[kind]
    phases = (1, 2, 3) if KINDS[kind][3] else (1,)
    value = 1 if kind in ("rotation", "inversion", "cover", "magnet") else 42
    for phase in phases:
        one = Disturbance(timedelta(seconds=5000), timedelta(seconds=20), kind, value, phase)
        element = element_of(one)
        for second, there in ((4999, False), (5000, True), (5019, True), (5020, False)):
            at(element, second)
            assert (show(element, phase - 1) == value) == there
            for other in phases:
                if other != phase:
                    assert show(element, other - 1) != value


def test_it_goes_on_after_a_restart_and_after_the_clock_was_set_back():
    one = Disturbance(timedelta(seconds=100), timedelta(seconds=1000), "voltage", 50)
    two = Disturbance(timedelta(seconds=200), timedelta(seconds=10), "frequency", 49)
    element = element_of(two, one)
    at(element, 500)
    assert element.present(7) == 50000 and element.present(11) != 49000
    at(element, 205)
    assert element.present(7) == 50000 and element.present(11) == 49000
    at(element, 50)
    assert element.present(7) > 200000
    at(element, DAYS * 86400 + 5)
    assert element.present(7) > 200000


def test_a_lost_phase_has_no_current_and_the_energy_stays():
    one = Disturbance(timedelta(0), timedelta(days=DAYS), "voltage", 0, 2)
    element = element_of(one)
    plain = element_of(phases=1)
    for element_ in (element, plain):
        at(element_, 86400)
    assert (element.present(5), element.present(8)) == (0, 0)
    assert element.present(4) > 0 and element.present(6) > 0
    assert (element.forward, element.quadrants) == (plain.forward, plain.quadrants)
    assert element.forward == sum(FORWARD[:96])


def test_three_phases_share_the_current():
    element = element_of()
    plain = element_of(phases=1)
    for one in (element, plain):
        at(one, 4000)
    together = sum(element.present(k) for k in (4, 5, 6))
    assert abs(together - plain.present(4)) < 15
    assert plain.present(5) == plain.present(8) == 0
    assert [element.present(k) for k in (10, 13, 14)] == [970] * 3
    assert element.rotation == 0 and plain.rotation == 2


RECORDS = st.builds(
    Disturbance,
    st.integers(0, 3000).map(lambda s: timedelta(seconds=s)),
    st.integers(1, 500).map(lambda s: timedelta(seconds=s)),
    st.sampled_from(["voltage", "frequency", "thd-va"]),
    st.integers(0, 300),
)


@given(st.lists(RECORDS, max_size=20), st.lists(st.integers(0, 4000), min_size=1, max_size=20))
@settings(max_examples=60, deadline=None)
def test_any_list_as_computed_independently(disturbances, moments):
    element = element_of(*disturbances)
    plain = element_of()
    ordered = sorted(disturbances, key=lambda one: one.start)
    for second in moments:
        at(element, second)
        at(plain, second)
        now = timedelta(seconds=second)
        for kind in ("voltage", "frequency", "thd-va"):
            value = None
            for one in ordered:  # the later one of two holds, to its own end
                if one.kind == kind and one.start <= now:
                    value = one.value if now < one.start + one.duration else None
            if value is not None:
                assert SHOWN[kind](element, 0) == value
            else:
                assert SHOWN[kind](element, 0) == SHOWN[kind](plain, 0)


def test_the_file_and_back():
    disturbances = tuple(
        Disturbance(timedelta(seconds=k), timedelta(seconds=9), kind, 1.0)
        for k, kind in enumerate(KINDS)
    )
    source = Source(FIRST, FORWARD, (), 3, disturbances)
    assert Source.decode(source.encode()) == source
    plain = Source(FIRST, FORWARD)
    assert plain.encode()[8] == 1 and Source.decode(plain.encode()) == plain
    data = source.encode()
    for bad in (data[:-1], data + b"\0", data[: 14 + 3 * 96 * DAYS]):
        with pytest.raises(SourceError):
            Source.decode(bad)
    broken = bytearray(data)
    broken[14 + 3 * 96 * DAYS] = 2  # phases
    with pytest.raises(SourceError):
        Source.decode(bytes(broken))
    with pytest.raises(ValueError, match="phase"):
        SimulatedElement(lambda o, buf: buf.__setitem__(slice(None), broken[o : o + len(buf)]))


def test_the_command(tmp_path):
    path = tmp_path / "house.source"
    arguments = ["source", str(path), "--first", "2026-11-21", "--days", "2", "--phases", "3"]
    disturb = ["--disturb", "5+9 cover", "--disturb", "26:00:00+5:00 voltage L2 190"]
    assert CliRunner().invoke(cli.app, arguments + disturb).exit_code == 0
    source = Source.decode(path.read_bytes())
    assert (source.first, source.phases, len(source.forward)) == (FIRST, 3, 192)
    assert [one.kind for one in source.disturbances] == ["cover", "voltage"]
    wrong = CliRunner().invoke(cli.app, [*arguments, "--disturb", "5+9 rain"])
    assert isinstance(wrong.exception, ValueError)
