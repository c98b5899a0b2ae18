"""The commands that know the meter by name, against a real device in this process (`rig`)."""

import asyncio
import sys

import pytest
from rig_line import RigLine, session, set_clock

from osgp_tools import access, cli, model
from osgp_tools.membership import Place
from osgp_tools.procedures import PROCEDURES
from osgp_tools.store import Vault
from rig import UID, Member

WHERE = "5/9"
LINE = ("--line", "tcp:1")


async def at_once(client):
    """In the place of the silence after a start."""


@pytest.fixture(scope="module")
def member():
    """A device with its clock set; what a test leaves in it is not undone."""
    one = Member()
    asyncio.run(set_clock(session(one)))
    return one


@pytest.fixture
def osgp(member, tmp_path, monkeypatch, capsys):
    """Run a command as from a shell: (exit code, standard output, standard error)."""

    async def open_port(where):
        return RigLine(member)

    monkeypatch.setattr(access.Port, "open", open_port)
    monkeypatch.setattr("osgp_tools.client.Client._be_quiet", at_once)
    monkeypatch.chdir(tmp_path)
    vault = Vault(tmp_path / "build" / "concentrator.db")
    place = Place(
        member.DOMAIN,
        member.SUBNET,
        member.NODE,
        member.KEY,
        member.KEY[::-1],
        sequence=member.expected,
        broadcast_base=0,
    )
    vault.admit(UID, place)
    vault.close()

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["osgp", *arguments, *LINE])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = capsys.readouterr()
        return ended.value.code or 0, out, err

    return run


@pytest.fixture(autouse=True)
def numbers_of_procedures(member):
    """Each test has a store of its own, which begins with procedure number 10: so that the device
    has not had this one last."""
    host = session(member)
    host._numbers.psn = 200
    asyncio.run(host.procedure(99))


def test_read_and_write_fields(osgp):
    assert osgp("write", WHERE, "BT53", "zone_offset=120", "dst_amount=30") == (
        0,
        "3 octets written\n",
        "",
    )
    code, out, _ = osgp("read", WHERE, "BT53", "--decode")
    assert (code, out.splitlines()) == (
        0,
        ["dst_time = 02:00:00", "dst_amount = 30 min", "zone_offset = 120 min"],
    )
    assert osgp("read", UID.hex(), "BT53", "--raw")[1] == "0200001e7800\n"


def test_write_of_fields_far_from_each_other(osgp):
    """What lies between them stays; as many writes as it takes."""
    words = ("recurring_dates.0.action=9", "calendar_id=7")
    code, out, err = osgp("write", WHERE, "BT54", *words)
    assert (code, err) == (0, "")
    changed = bytearray(model.default(54))
    body = bytes.fromhex(osgp("read", WHERE, "BT54", "--raw")[1])
    assert sum(a != b for a, b in zip(changed, body)) == 2, out


def test_write_of_octets(osgp, tmp_path):
    assert osgp("write", WHERE, "BT06", "--hex", "41 42", "--offset", "3")[0] == 0
    (tmp_path / "octets").write_bytes(b"CD")
    assert osgp("write", WHERE, "BT06", "--file", "octets", "--offset", "5")[0] == 0
    assert osgp("read", WHERE, "BT06", "--count", "8", "--raw")[1] == "0000004142434400\n"


def test_write_into_the_pending_table(osgp):
    trigger = ("--pending", "--at", "2031-03-30T01:00", "--self-read")
    assert osgp("write", WHERE, "BT53", "zone_offset=0", *trigger) == (
        0,
        "6 octets pending, at 2031-03-30T01:00 UTC, after a self read\n",
        "",
    )
    code, out, _ = osgp("read", WHERE, "BT53", "--pending")
    assert code == 0
    lines = out.splitlines()
    assert lines[0] == "pending: at 2031-03-30T01:00 UTC, after a self read"
    assert lines[-1] == "zone_offset = 0 min"
    assert "zone_offset = 0 " not in osgp("read", WHERE, "BT53")[1]
    status = osgp("read", WHERE, "BT04")[1]
    assert "pending_activations = 1" in status
    ped = "101f031e0100"
    assert osgp("call", WHERE, "BP15", f"ped={ped}")[0] == 0
    code, out, err = osgp("call", WHERE, "BP15", f"ped={ped}")
    assert (code, out) == (cli.DEVICE, "")
    assert err == (
        "osgp: 5/9: BP15 Clear specific pending tables: 1 no pending table has this description\n"
    )


def test_call_prints_the_response_by_name(osgp):
    words = ("mask.time=1", "mask.date=1", "clock=2026-02-01T06:00:00", "qualifier=0")
    code, out, err = osgp("call", WHERE, "BP10", *words)
    assert (code, err) == (0, "")
    heading, before, after = out.splitlines()
    assert heading == "BP10 Set date and time: 0 done"
    assert before.startswith("before = 2026-0") and after == "after = 2026-02-01T06:00:00"


def test_call_that_is_not_done(osgp):
    words = ("mask.time=1", "mask.date=1", "clock=2026-02-31T06:00:00", "qualifier=0")
    code, out, err = osgp("call", WHERE, "BP10", *words)
    assert (code, out) == (cli.DEVICE, "")
    assert err == "osgp: 5/9: BP10 Set date and time: 2 bad parameter\n"
    code, _, err = osgp("call", WHERE, "EP99")
    assert (code, err) == (cli.DEVICE, "osgp: 5/9: EP99: 6 unknown procedure\n")
    assert osgp("call", WHERE, "BP10", "--hex", "00")[0] == cli.DEVICE


def test_events_and_what_was_read(osgp):
    """The clock was set: events 3 and 4, by the power line."""
    code, out, err = osgp("events", WHERE)
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert any("Time changed" in one or "Clock set" in one for one in lines), out
    assert not lines[-1].endswith(" 0 unread") and lines[-1].endswith(" unread")
    assert "2026-0" in out
    assert osgp("events", WHERE, "--clear")[0] == 0
    # BP05 itself may be an event; nothing else is unread.
    assert int(osgp("events", WHERE)[1].split()[-2]) <= 1


def test_transact(osgp, tmp_path):
    file = tmp_path / "transaction"
    file.write_text("write BT53 4 3C00   # zone\nread BT53\nread BT99\n")
    code, out, err = osgp("transact", WHERE, "transaction")
    assert code == cli.DEVICE
    assert out.splitlines() == [
        "write BT53 4 3C00: 00 ok",
        "read BT53: 00 ok, 6 octets",
        "    dst_time = 02:00:00",
        "    dst_amount = 30 min",
        "    zone_offset = 60 min",
        "read BT99: 05 inappropriate action",
    ]
    assert err == "osgp: 5/9: 1 of 3 were refused\n"
    file.write_text("read BT01\n")
    assert osgp("transact", WHERE, "transaction")[0] == 0


def test_a_data_set_of_another_shape_is_read_as_it_is(osgp):
    """EP11: set 2 gets 3 blocks of 24 hours, current L1 and voltage L1."""
    shape = "0300 1800 3c 00 00 0c 0f"
    code, out, err = osgp("call", WHERE, "EP11", "set=1", "action=1", f"shape={shape}")
    assert (code, err) == (0, ""), err
    assert "sets.1.channels.1.source = 15" in osgp("read", WHERE, "BT62")[1].splitlines()
    code, out, _ = osgp("read", WHERE, "BT65")
    assert code == 0
    assert out.splitlines()[-1] == "blocks.2.intervals.23.values.1 = 0"
    assert osgp("profile", WHERE, "--set", "2")[1].startswith("end (UTC)\tcurrent L1 / mA\t")
    code, _, err = osgp("profile", WHERE, "--set", "3")
    assert (code, err) == (cli.DEVICE, "osgp: 5/9: data set 3 is not configured\n")


def test_profile_without_intervals(osgp):
    assert osgp("profile", WHERE)[0] == 0
    code, _, err = osgp("profile", WHERE, "--plot", "curve.svg")
    assert (code, err) == (cli.DEVICE, "osgp: nothing to draw: no intervals yet\n")


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("write", WHERE, "BT53"), "give FIELD=VALUE, --hex or --file"),
        (("write", WHERE, "BT53", "zone_offset=60", "--hex", "00"), "one of them"),
        (("write", WHERE, "BT53", "zone=60"), "there is no zone: dst_time"),
        (("write", WHERE, "BT53", "zone_offset=99999"), "zone_offset=99999: "),
        (("write", WHERE, "BT53", "zone_offset=1", "--offset", "4"), "--offset goes with"),
        (("write", WHERE, "BT53", "zone_offset=1", "--in", "1h"), "need --pending"),
        (("write", WHERE, "BT53", "zone_offset=1", "--pending"), "--at, --in or --manual"),
        (("write", WHERE, "BT23", "x=1"), "there is no x"),
        (("write", WHERE, "BT01", "model=x"), "BT01: a host cannot set model"),
        (("write", WHERE, "BT79", "x=1"), "BT79 has no names"),
        (("call", WHERE, "BP10"), "BP10 lacks mask, clock, qualifier; it takes "),
        (("call", WHERE, "BP10", "colour=1"), "there is no colour: "),
        (("call", WHERE, "EP99", "x=1"), "EP99 has no names"),
        (("call", WHERE, "XP10"), "is no procedure: BP10, EP11"),
        (("call", WHERE, "BP10", "mask=7", "--hex", "00"), "not both"),
        (("profile", WHERE, "--plot", "curve.jpg"), "no .png and no .svg"),
        (("transact", WHERE, "/dev/null"), "there is no line"),
    ],
)
def test_what_is_not_understood_is_not_sent(osgp, member, arguments, text):
    before = member.expected
    code, out, err = osgp(*arguments)
    assert (code, out) == (cli.USAGE, "")
    assert err.startswith("osgp: ") and err.count("\n") == 1 and text in err
    assert member.expected == before


def test_every_procedure_says_what_it_takes(osgp):
    """A parameter that does not exist: the answer names those that do."""
    for number, one in PROCEDURES.items():
        code, _, err = osgp("call", WHERE, str(number), "no_such_parameter=1")
        assert code == cli.USAGE and err.count("\n") == 1, one.name
        for field in one.parameters.fields:
            assert field.name in err, one.name
