"""Events of a whole device: raised by what comes over the power line, read back as BT74."""

import struct

import pytest

import rare
import ticks
from osgp_tools import model
from rig import Member
from tables.events import EXTENDED, STANDARD

NAMES = {event[0]: event[1] for event in STANDARD + EXTENDED}
POWER_LINE = 0xFFFE
NOBODY = 0xFFFF


@pytest.fixture
def member():
    return Member()


def entries(member):
    """(event name, argument, user, time) of the event log, oldest first."""
    values = model.decode(74, member.body(74, model.table(74).size))
    there = values["entries"][: values["valid_entries"]]
    return [
        (NAMES[one["event"]], one["argument"], one["user"], tuple(one["time"])) for one in there
    ]


def initiate(member, number, psn, parameters):
    body = struct.pack("<HB", number, psn) + bytes.fromhex(parameters)
    assert member.command(b"\x40\x00\x07" + len(body).to_bytes(2, "big") + body).code == 0
    return member.body(8, 4)[3]


def test_a_table_is_written(member):
    assert member.command("4f 0035 000003 0001 3c").code == 0
    assert entries(member)[-1] == ("table_written", 53, POWER_LINE, (0,) * 6)
    member.rig.device.events.post(98)
    assert entries(member)[-1][2] == NOBODY


def test_a_clock_is_set(member):
    assert initiate(member, 10, 20, "07 1A0A01 0C0000 04") == 0
    assert entries(member)[-1] == ("time_changed_new", 0, POWER_LINE, (26, 10, 1, 12, 0, 0))
    assert initiate(member, 10, 21, "07 1A0A01 0D0000 04") == 0
    old, new = entries(member)[-2:]
    assert old[:2] == ("time_changed_old", 0)
    assert old[3][:4] == (26, 10, 1, 12)
    assert new == ("time_changed_new", 0, POWER_LINE, (26, 10, 1, 13, 0, 0))


def test_a_procedure_is_initiated(member):
    assert initiate(member, 2048 + 3, 20, "00" * 14) == 0
    assert entries(member)[-1][:3] == ("procedure_invoked", 2048 + 3, POWER_LINE)


def test_wrong_keys_are_told_within_a_minute(member):
    good = member.sealed(bytes.fromhex("30 0003"))
    for _ in range(3):
        bad = good.apdu[:-1] + bytes((good.apdu[-1] ^ 1,))
        member.rig.exchange(member.frame(bad).encode())
    member.rig.device.events.poll(member.rig.board.now)
    member.rig.device.events.poll(ticks.add(member.rig.board.now, 60_000))
    assert entries(member)[-1] == ("invalid_password", 3, 0xFFFF, (0,) * 6)
    assert model.decode(3, member.body(3, 13))["manufacturer_status_2"]["invalid_password"] == 1


def test_the_log_is_read_and_said_to_be(member):
    member.rig.device.events.post(98, 1)
    unread = model.decode(74, member.body(74, 11))["unread_entries"]
    assert unread > 0
    assert initiate(member, 5, 20, "07" + unread.to_bytes(2, "little").hex()) == 0
    assert model.decode(74, member.body(74, 11))["unread_entries"] == 0
    alarms = model.decode(3, member.body(3, 13))
    assert alarms["manufacturer_status_4"]["event_log_unread"] == 0


@pytest.mark.parametrize("number", [4, 5, 2048 + 3, 2048 + 25, 2048 + 26])
def test_parameters_of_any_length_are_survived(member, number):
    for psn, length in enumerate((0, 1, 2, 3, 4, 13, 14, 15, 60), start=20):
        initiate(member, number, psn, "fe" * length)
        assert member.body(8, 4)[2] == psn


def test_a_start_is_told(member):
    rare.run("osgp.start", member.rig.device)
    names = [entry[0] for entry in entries(member)]
    assert names[-4:] == ["power_down", "power_up", "system_reset", "clock_error"]
    assert entries(member)[-2][1] == 3
