"""Groups, sizes of logs and the interface definition, on a whole device over the real envelope."""

import itertools

import pytest

import rare
from osgp import status
from osgp.security.digest import oma_digest
from osgp_tools import model
from osgp_tools.session import Code
from rig import Member, Rig, StillElement

ET36, ET38, ET42, ET57, ET97 = 2084, 2086, 2090, 2105, 2145
DONE, ACCEPTED, BAD_PARAMETER, CONFLICT, NO_AUTHORIZATION = 0, 1, 2, 3, 5


class Meter(Member):
    """A member that can be asked for procedures, and restarted on what it kept."""

    def __init__(self):
        super().__init__()
        self.psn = itertools.cycle(range(10, 255))
        rare.run("osgp.interface", self.device)

    @property
    def device(self):
        return self.rig.device

    def restart(self):
        self.rig = Rig(StillElement(), self.rig.board)
        rare.run("osgp.interface", self.device)

    def call(self, number, parameters="") -> int:
        psn = next(self.psn)
        octets = bytes((number & 0xFF, 8, psn)) + bytes.fromhex(parameters)
        answer = self.command(b"\x40\x00\x07" + len(octets).to_bytes(2, "big") + octets)
        assert answer.code == Code.OK
        response = self.command("30 0008").data
        assert response[:3] == octets[:3]
        return response[3]

    def values(self, number):
        return model.decode(number, self.body(number, model.TABLES[number].size))

    def version(self):
        return self.values(2052)["idt_version"]


@pytest.fixture
def meter():
    return Meter()


def test_a_new_meter_tells_of_itself_as_its_definition_does(meter):
    body = meter.body(ET42, model.TABLES[ET42].size)
    assert body == model.default(ET42)
    assert not rare.run("osgp.interface", meter.device)


def test_groups(meter):
    assert meter.device.groups() == ()
    assert meter.call(27, "01 0102") == DONE
    assert meter.call(27, "01 0302") == DONE
    assert meter.call(27, "01 0102") == DONE
    assert meter.device.groups() == (0x0201, 0x0203)
    assert meter.call(27, "00 0102") == DONE
    assert meter.call(27, "00 0102") == BAD_PARAMETER
    assert meter.device.groups() == (0x0203,)
    assert meter.call(27, "02 0000") == DONE
    assert meter.device.groups() == ()


@pytest.mark.parametrize("parameters", ["01 0000", "01 FF01", "01 01FF", "03 0102", "01 01", ""])
def test_no_group(meter, parameters):
    assert meter.call(27, parameters) == BAD_PARAMETER
    assert meter.device.groups() == ()


def test_ten_groups_and_no_more(meter):
    for group in range(1, 11):
        assert meter.call(27, f"01 {group:02X}01") == DONE
    before = meter.body(ET97, 125)
    assert meter.call(27, "01 0B01") == CONFLICT
    assert meter.body(ET97, 125) == before
    relays = model.decode(ET97, before)["relays"]
    assert relays[0]["groups"] == [0x0101, 0x0102, 0x0103, 0x0104, 0x0105]
    assert relays[1]["groups"] == [0x0106, 0x0107, 0x0108, 0x0109, 0x010A]
    meter.restart()
    assert len(meter.device.groups()) == 10


def test_a_host_cannot_write_groups(meter):
    before = meter.body(ET97, 125)
    assert meter.command(b"\x4f\x08\x61\x00\x00\x57\x00\x02\x01\x02").code == Code.OK
    assert meter.body(ET97, 125) == before


def test_a_log_is_resized(meter):
    version = meter.version()
    posted = meter.device.events.sequence
    assert meter.call(6, "2608 0400") == DONE
    assert meter.values(ET36)["et38"]["entries"] == 4
    interface = meter.values(ET42)
    assert interface["et38"]["entries"] == 4
    assert meter.version() == version + 1
    assert meter.device.events.sequence > posted
    log = meter.values(ET38)
    assert (log["valid_entries"], log["unread_entries"], log["last_entry"]) == (1, 1, 0)
    entry = log["entries"][0]
    assert entry["procedure"] == 2048 + 6
    assert entry["idt_version"] == version + 1
    assert entry["length"] == interface["length"]


def test_the_log_goes_round_in_its_new_size(meter):
    meter.call(6, "2608 0300")
    for size in (4, 3, 4, 3):
        assert meter.call(37, f"2608 {size:02X}00 0000") == DONE
        log = meter.values(ET38)
        assert log["valid_entries"] == 1  # emptied, then the entry of this change
    sequence = log["last_sequence"]
    for minute in range(5):
        rare.run("osgp.interface", meter.device, 2048 + 11, minute + 1)
    log = meter.values(ET38)
    assert (log["valid_entries"], log["unread_entries"], log["last_entry"]) == (3, 3, 2)
    assert log["last_sequence"] == sequence + 5
    assert log["flags"]["overflow"] == 1
    assert [one["bidn"] for one in log["entries"][:3]] == [3, 4, 5]
    assert meter.values(ET42)["bidn"] == 5


@pytest.mark.parametrize(
    ("number", "parameters", "result"),
    [
        (6, "2608 0A00", DONE),  # as it is
        (6, "2608 0B00", BAD_PARAMETER),
        (6, "2608 0000", CONFLICT),
        (6, "1F08 0100", CONFLICT),  # ET31 has two
        (6, "0908 0100", BAD_PARAMETER),  # ET09 is no log
        (6, "2608 0400 1F08 0100", CONFLICT),
        (6, "2608 0400 1F", BAD_PARAMETER),
        (6, "2608", BAD_PARAMETER),
        (37, "2608 0400 2400", CONFLICT),
        (37, "2608 0400 2300", DONE),
        (37, "0908 0400 0000", BAD_PARAMETER),
        (37, "2608 0400", BAD_PARAMETER),
        (0, "", NO_AUTHORIZATION),
        (1, "", DONE),
        (28, "00", DONE),
        (28, "01", CONFLICT),
        (28, "02", BAD_PARAMETER),
    ],
)
def test_results(meter, number, parameters, result):
    before = meter.body(ET36, 121)
    assert meter.call(number, parameters) == result
    if result != DONE:
        assert meter.body(ET36, 121) == before


def test_data_types_and_what_follows_them(meter):
    before = meter.values(ET42)
    assert meter.command("4F 0839 000004 0008 09 010203 07 040506").code == Code.OK
    assert rare.run("osgp.interface", meter.device, 0)
    body = meter.body(ET42, 330)
    at = model.field(ET42, "mbus_types")[0]
    assert body[at : at + 9].hex() == "02" + "09010203" + "07040506"
    assert int.from_bytes(body[:2], "little") == before["length"] + 8
    assert body[at + 9 : at + 18] == model.default(ET42)[at + 1 : at + 10]


def test_a_second_data_set_is_told_of(meter):
    """EP11 for set 2: 3 blocks of 4 intervals of 60 minutes, sources 0, 29 and 112."""
    version = meter.version()
    before = meter.values(ET42)["length"]
    assert meter.call(52, "70 3412") == DONE  # source 112 stands for 1234 hex
    assert meter.version() == version  # which no channel has yet
    assert meter.call(11, "01 01 0300 0400 3C 0000 00 1D 70") == DONE
    assert meter.version() == version + 1
    body = meter.body(ET42, 330)
    assert int.from_bytes(body[:2], "little") == before + 14 + 6
    at = model.field(ET42, "active_profiles")[0]
    assert body[at] == 1
    second = body[at + 1 : at + 21]
    assert second[4:8].hex() == "0300" + "03" + "3c"
    assert second[10:14].hex() == "0400" + "0000"
    assert second[14:].hex() == "0000" + "1d00" + "3412"
    assert body[at + 21] == 8
    assert meter.values(ET38)["entries"][0]["procedure"] == 2048 + 11
    assert meter.call(11, "01 01 0000 0000 00 0000") == DONE  # and it is gone
    assert meter.body(ET42, 330) == model.default(ET42)


def test_places_of_the_status():
    assert model.field(2102, "tier_drive")[0] == status._TIER_DRIVE
    assert model.field(2102, "unicast_key_uses")[0] == status._UNICAST_KEY_USES


def test_status(meter):
    values = meter.values(2102)
    assert values["security_modes"] == {"rc4": 1, "aes": 1}
    assert values["tier_drive"]["over_power"] == 0
    used = values["unicast_key_uses"]
    assert meter.command("30 0001").code == Code.OK
    meter.device.application.calendar.over_power = 3
    values = meter.values(2102)
    assert values["unicast_key_uses"] == used + 3  # BT01, and two reads for 150 octets
    assert values["tier_drive"]["over_power"] == 1


def test_a_new_key(meter):
    """EP20 by the real initiator; the rest of it in unit/test_next_key.py."""
    new = bytes(range(100, 112))
    check = oma_digest(new, bytes(16))[:4]
    assert meter.call(20, (b"\x00" + new + check[::-1]).hex()) == BAD_PARAMETER
    assert meter.call(20, (b"\x02" + new + check).hex()) == BAD_PARAMETER
    assert meter.call(20, (b"\x00" + new + check).hex()) == DONE
    assert meter.command("30 0001").code == Code.OK
    meter.restart()
    meter.KEY = new
    assert meter.command("30 0001").code == Code.OK
    meter.restart()
    assert meter.command("30 0001").code == Code.OK


class Cut(Exception):  # noqa: N818  not an error of the code under test
    """Power went."""


def test_power_may_go_at_every_write_of_a_resize():
    """After each cut the log, its size and what is told of it fit, and the call can come again."""
    for left in itertools.count():
        meter = Meter()
        kept = meter.rig.board._settings
        replace = kept.replace
        writes = itertools.count()

        def failing(name, buf, n, replace=replace, writes=writes, left=left):
            if next(writes) == left:
                raise Cut
            replace(name, buf, n)

        kept.replace = failing
        try:
            meter.device.model.user = 0xFFFF
            rare.run(
                "osgp.procedures.configuration",
                2048 + 6,
                bytes.fromhex("26080400"),
                bytearray(12),
                meter.device,
                0,
            )
            done = True
        except Cut:
            done = False
        kept.replace = replace
        meter.restart()
        sizes = meter.values(ET36)["et38"]["entries"]
        log = meter.values(ET38)
        assert meter.values(ET42)["et38"]["entries"] == sizes
        assert log["valid_entries"] <= sizes
        assert log["last_entry"] < sizes
        if sizes == 4:
            assert log["valid_entries"] >= 1
            assert meter.version() >= 1
        if done:
            break
        assert meter.call(6, "2608 0400") == DONE
        assert meter.values(ET42)["et38"]["entries"] == 4
    assert left >= 4  # ET38, ET36, ET38 again, ET04, ET42
