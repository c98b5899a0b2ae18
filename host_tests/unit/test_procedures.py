"""BT07 and BT08: once each, kept before and after; and BP10 over the application's clock."""

import sys

from fakes import Blob, Settings
from meter.clock import Clock
from osgp import procedures as package
from osgp.procedures import BT07, BT08, Procedures, clock
from osgp.procedures.results import ACCEPTED, BAD_PARAMETER, DONE, NO_AUTHORIZATION, UNKNOWN
from support import unhex
from tables.model import MASTER, NOT_POSSIBLE, OK, READ, Model

try:
    from hypothesis import given
    from hypothesis import strategies as st
except ImportError:
    given = None

ECHO = 2048 + 17  # answers its parameters, of any length
FIXED = 2048 + 18  # takes two octets
# number, family, level, octets of parameters, or more of them
COMPILED = unhex("1108 00 01 00 01  1208 00 03 02 00")
NOW = 5000


class Rare:
    """Stands where a rare module would be imported from."""

    def __init__(self, run):
        self.run = run
        package.echo = self
        sys.modules["osgp.procedures.echo"] = self


class Bench:
    """A device with procedures of its own, and restarted on what it kept."""

    def __init__(self):
        self.settings = Settings()
        self.calls = []
        self.run = self.echo
        self.restart()

    def restart(self):
        made = Blob()
        made.add(BT07, 2, 20, read=255, write=READ)
        made.add(BT08, 2, 16, read=READ)
        self.model = Model(made.build(), made.arena, self.settings)
        self.procedures = Procedures(COMPILED, ("echo",), self.model, self.settings, self)

    def echo(self, number, parameters, response, device, now):
        assert device is self
        assert number in (ECHO, FIXED)
        self.calls.append((parameters, now, self.settings.kept["procedure"]))
        response[: len(parameters)] = parameters
        return DONE, len(parameters)

    def initiate(self, text, offset=0, level=MASTER):
        Rare(self.run)
        buf = b"\xee" + unhex(text) + b"\xee"
        return self.model.write(BT07, offset, buf, 1, len(buf) - 2, level, NOW)

    def response(self):
        out = bytearray(16)
        assert self.model.read(BT08, 0, 16, out, 0, MASTER) == OK
        return bytes(out)


def padded(text):
    octets = unhex(text)
    return octets + bytes(16 - len(octets))


def test_before_any_procedure():
    assert Bench().response() == padded("0000 FF 00")


def test_a_procedure():
    bench = Bench()
    assert bench.initiate("1108 0A 00F803") == OK
    assert bench.response() == padded("1108 0A 00 00F803")
    assert bench.procedures.initiated == 1
    parameters, now, kept = bench.calls[0]
    assert parameters == unhex("00F803")
    assert now == NOW
    assert kept == padded("1108 0A 01")  # kept as accepted before its effects began
    assert kept[3] == ACCEPTED
    assert bench.settings.kept["procedure"] == bench.response()
    assert bench.initiate("1108 0B") == OK
    assert bench.response() == padded("1108 0B 00")  # nothing is left of the last one's data


def test_the_selector_is_no_part_of_the_number():
    bench = Bench()
    assert bench.initiate("1178 0A 05") == OK
    assert bench.response() == padded("1108 0A 00 05")


def test_a_number_again_is_refused():
    bench = Bench()
    assert bench.initiate("1108 14 01") == OK
    before = bench.response()
    for text in ("1108 14 01", "1108 14 02", "1108 14", "0A00 14", "FF0F 14"):
        assert bench.initiate(text) == NOT_POSSIBLE
        assert bench.response() == before
        bench.restart()  # and after a restart
        assert bench.response() == before
    assert len(bench.calls) == 1
    assert bench.initiate("1108 15 02") == OK
    assert bench.initiate("1108 14 03") == OK
    assert [call[0] for call in bench.calls] == [b"\x01", b"\x02", b"\x03"]


def test_unknown_procedures():
    bench = Bench()
    for number in range(4096):
        if number not in (ECHO, FIXED):
            text = "%02X%02X %02X 01" % (number & 0xFF, number >> 8, 10 + number % 200)
            assert bench.initiate(text) == OK
            assert bench.response()[2:5] == bytes((10 + number % 200, UNKNOWN, 0))
    assert not bench.calls


def test_parameters_have_their_length():
    bench = Bench()
    for psn, text in enumerate(("", "01", "010203", "01020304")):
        assert bench.initiate("1208 %02X %s" % (10 + psn, text)) == OK
        assert bench.response() == padded("1208 %02X 02" % (10 + psn))
    assert BAD_PARAMETER == 2
    assert not bench.calls
    assert bench.initiate("1208 20 0102") == OK
    assert bench.response() == padded("1208 20 00 0102")


def test_a_procedure_asks_for_its_level():
    bench = Bench()
    assert bench.initiate("1208 20 0102", 0, READ) == OK
    assert bench.response() == padded("1208 20 05")
    assert NO_AUTHORIZATION == 5
    assert not bench.calls
    assert bench.initiate("1108 21", 0, READ) == OK
    assert bench.response() == padded("1108 21 00")


def test_who_wants_to_know_is_told_before():
    bench = Bench()
    told = []
    bench.procedures.on_initiated = lambda number: told.append((number, len(bench.calls)))
    bench.initiate("1108 20")
    bench.initiate("1208 21")  # not run: the wrong length
    bench.initiate("1308 22")  # there is none
    assert told == [(ECHO, 0)]


def test_the_range_of_numbers_on_the_power_line():
    for psn in range(256):
        bench = Bench()
        code = bench.initiate("1108 %02X" % psn)
        assert code == (OK if 10 <= psn <= 254 else NOT_POSSIBLE)
        assert len(bench.calls) == (code == OK)


def test_what_is_no_procedure():
    bench = Bench()
    before = bench.response()
    for text, offset in (("", 0), ("11", 0), ("1108", 0), ("1108 0A", 1), ("1108 0A 01", 3)):
        assert bench.initiate(text, offset) == NOT_POSSIBLE
    assert bench.response() == before
    assert not bench.calls
    assert not bench.settings.kept


def test_a_cut_during_the_effects_does_not_repeat_them():
    bench = Bench()

    def fails(number, parameters, response, device, now):
        bench.calls.append(parameters)
        raise OSError(5)

    bench.run = fails
    try:
        bench.initiate("1108 0A 01")
        raise AssertionError("the cut was not noticed")
    except OSError:
        pass
    bench.restart()
    assert bench.response() == padded("1108 0A 01")
    assert bench.initiate("1108 0A 01") == NOT_POSSIBLE
    assert bench.calls == [b"\x01"]


def test_a_store_that_fails_lets_nothing_happen():
    bench = Bench()
    bench.settings.fails = True
    try:
        bench.initiate("1108 0A 01")
        raise AssertionError("a store that failed was not noticed")
    except OSError:
        pass
    assert not bench.calls
    bench.settings.fails = False
    bench.restart()
    assert bench.initiate("1108 0A 01") == OK


def test_a_kept_response_that_is_too_short_is_none():
    bench = Bench()
    for body in (b"", bytes(15)):
        bench.settings.kept["procedure"] = body
        bench.restart()
        assert bench.response() == padded("0000 FF 00")


def test_of_a_kept_response_of_a_later_firmware_the_beginning_is_taken():
    bench = Bench()
    bench.settings.kept["procedure"] = padded("0A00 17 00") + b"later"
    bench.restart()
    assert bench.response() == padded("0A00 17 00")


class Application:
    """What BP10 sees of the application."""

    def __init__(self):
        self.clock = Clock()
        self.sets = []

    def set_clock(self, day, second, qualifier, now):
        self.sets.append(now)
        self.clock.set(day, second, now)


def set_date_time(application, text, now=NOW):
    """(result, response data) of BP10 with these parameters."""
    response = bytearray(12)
    result, n = clock.set_date_time(unhex(text), response, application, now)
    return result, bytes(response[:n])


def test_bp10_sets_date_and_time():
    application = Application()
    # 2026-11-21 23:04:05, a Saturday
    result, data = set_date_time(application, "07 1A0B15170405 06")
    assert (result, data) == (DONE, unhex("000101000000 1A0B15170405"))
    assert (application.clock.day, application.clock.second) == (9821, 23 * 3600 + 4 * 60 + 5)
    # two seconds later, the time alone; then the date alone
    result, data = set_date_time(application, "01 630C1F000000 00", NOW + 2000)
    assert (result, data) == (DONE, unhex("1A0B15170407 1A0B15000000"))
    result, data = set_date_time(application, "02 1C021D111111 00", NOW + 2000)
    assert (result, data) == (DONE, unhex("1A0B15000000 1C021D000000"))
    assert application.sets == [NOW, NOW + 2000, NOW + 2000]


def test_bp10_looks_without_setting():
    application = Application()
    set_date_time(application, "03 1A0B15170405 00")
    for mask in ("00", "04", "F8"):
        result, data = set_date_time(application, mask + "000000000000 06", NOW + 1000)
        assert (result, data) == (DONE, unhex("1A0B15170406 1A0B15170406"))
    assert len(application.sets) == 1


def test_bp10_refuses():
    application = Application()
    for text in (
        "03 1A0D15000000 00",  # month 13
        "03 1A021D000000 00",  # 29 February of no leap year
        "03 1A0B00000000 00",
        "03 640101000000 00",  # year 100
        "03 1A0B15180000 00",  # hour 24
        "03 1A0B15003C00 00",
        "03 1A0B1500003C 00",
        "07 1A0B15170405 05",  # that day is a Saturday
        "01 1A0B15170405 00",  # half of a clock that is not set yet
        "02 1A0B15170405 00",
    ):
        assert set_date_time(application, text) == (BAD_PARAMETER, b""), text
    assert not application.sets
    assert not application.clock.valid


if given:

    @given(st.binary(max_size=20), st.integers(0, 4))
    def test_any_octets_in_bt07(octets, offset):
        bench = Bench()
        Rare(bench.run)
        code = bench.model.write(BT07, offset, octets, 0, len(octets), MASTER, NOW)
        assert code in (OK, NOT_POSSIBLE)

    @given(st.binary(min_size=8, max_size=8))
    def test_any_parameters_of_bp10(parameters):
        application = Application()
        result, n = clock.set_date_time(parameters, bytearray(12), application, NOW)
        assert (result, n) in ((DONE, 12), (BAD_PARAMETER, 0))
