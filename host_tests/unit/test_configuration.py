"""EP00, EP01, EP06, EP27, EP28, EP37 and the interface definition, on the compiled model."""

from fakes import Settings
from meter.clock import Clock
from osgp import groups, interface
from osgp.procedures import configuration
from osgp.procedures.results import BAD_PARAMETER, CONFLICT, DONE, NO_AUTHORIZATION
from support import unhex
from tables.compiled import ARENA, MODEL
from tables.model import Model

ET04, ET36, ET38, ET42, ET97 = 2052, 2084, 2086, 2090, 2145
NUMBERS = (0, 1, 6, 27, 28, 37)
SHORTEST = {0: 0, 1: 0, 6: 4, 27: 3, 28: 1, 37: 6}  # what the initiator lets through


class Registers:
    saved = 0

    def save(self):
        self.saved += 1


class Application:
    def __init__(self):
        self.clock = Clock()
        self.registers = Registers()


class Events:
    def __init__(self):
        self.posted = []

    def post(self, event, argument=0):
        self.posted.append((event, argument))


def zeros(offset, n, buf, o):
    buf[o : o + n] = bytes(n)


class Device:
    def __init__(self):
        self.settings = Settings()
        self.model = Model(MODEL, ARENA, self.settings)
        self.application = Application()
        self.events = Events()
        for number in (62, 2069, 2114):  # where they are served: what Profiles would answer
            self.model.reader(number, zeros)
        interface.run(self)
        self.events.posted = []

    def call(self, number, text=""):
        result, length = configuration.run(2048 + number, unhex(text), bytearray(12), self, 0)
        assert length == 0
        return result


def test_groups_fill_both_relays_and_leave_the_rest():
    device = Device()
    before = device.model.load(ET97)
    for group in range(10):
        assert device.call(27, "01 %02X05" % (group + 1)) == DONE
    assert device.call(27, "01 0B05") == CONFLICT
    assert groups.run(device.model) == tuple(range(0x0501, 0x050B))
    assert device.call(27, "00 0305") == DONE
    assert device.call(27, "01 0B05") == DONE  # into the place that became free
    assert groups.run(device.model)[2] == 0x050B
    assert device.call(27, "02 0000") == DONE
    assert device.model.load(ET97) == before


def test_a_group_is_an_id_of_one_group():
    device = Device()
    for text in ("01 0000", "01 FF05", "01 05FF", "01 FFFF", "03 0105", "FF 0105", "00 0105"):
        assert device.call(27, text) == BAD_PARAMETER
    assert groups.run(device.model) == ()


def test_a_log_is_resized_and_told_of():
    device = Device()
    version = device.model.load(ET04)[116]
    assert device.call(6, "2608 0500") == DONE
    assert device.model.load(ET36)[41] == 5
    assert device.model.load(ET42)[47] == 5
    assert device.model.load(ET04)[116] == version + 1
    assert device.events.posted == [(87, 0), (88, 2054)]
    log = device.model.load(ET38)
    assert log[:3] == unhex("04 01 00")
    assert log[12:15] == unhex("0608") + bytes((version + 1,))


def test_nothing_changes_when_one_of_several_logs_cannot():
    device = Device()
    before = dict(device.settings.kept)
    assert device.call(6, "2608 0500 4908 0100") == BAD_PARAMETER
    assert device.call(6, "2608 0500 1F08 0100") == CONFLICT
    assert device.call(6, "2608 0500 1F08 01") == BAD_PARAMETER
    assert device.settings.kept == before


def test_the_others():
    device = Device()
    assert device.call(0) == NO_AUTHORIZATION
    assert device.call(1) == DONE
    assert device.application.registers.saved == 1
    assert device.call(28, "00") == DONE
    assert device.call(28, "01") == CONFLICT
    assert device.call(28, "07") == BAD_PARAMETER


def test_any_parameters_have_a_result():
    device = Device()
    for number in NUMBERS:
        for n in range(SHORTEST[number], 24):
            for octet in (0, 1, 8, 0x26, 0xFF):
                result, _ = configuration.run(
                    2048 + number, bytes((octet,)) * n, bytearray(12), device, 0
                )
                assert result in (DONE, BAD_PARAMETER, CONFLICT, NO_AUTHORIZATION)


def test_the_entry_has_the_time():
    device = Device()
    device.application.clock.set(9000, 3661, 0)
    assert interface.run(device, 2048 + 32, 0x1234, True)
    body = device.model.load(ET42)
    assert body[8:10] == unhex("3412")
    assert body[10] & 0x08
    log = device.model.load(ET38)
    at = 6 + 35 * log[2]
    assert log[at : at + 6] == unhex("18 08 16 01 01 01")
    assert not interface.run(device, 2048 + 32, 0x1234)
    assert body[10] & 0x08  # once configured is configured


def test_what_fails_to_be_kept_changes_nothing_here():
    device = Device()
    device.settings.fails = True
    before = device.model.load(ET36)
    try:
        device.call(6, "2608 0500")
        raise AssertionError
    except OSError:
        pass
    assert device.model.load(ET36) == before


def test_the_log_of_changes_goes_round():
    device = Device()
    for bidn in range(1, 13):
        interface.run(device, 0, bidn)
    log = device.model.load(ET38)
    assert log[:6] == unhex("06 0A 02 0D00 0A")  # overflow, ten of them, the last is number 13
    assert log[6 + 2 * 35 + 9] == 12  # its BIDN
    assert device.model.load(ET36)[120] == 4
