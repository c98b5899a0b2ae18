"""`osgp group` and `osgp broadcast`, against a real device in this process (`rig`)."""

import sqlite3
import sys

import pytest
from rig_line import RigLine

from osgp_tools import access, broadcast, cli, groups
from osgp_tools.lpdu import BROADCAST, decode
from osgp_tools.membership import Place
from osgp_tools.store import Vault
from rig import UID, Member

WHERE = "5/9"
STORE = "build/concentrator.db"
TELL = ("broadcast", "0102", "EP02", "output=1", "action=0", "--repeats", "0")


class Living(RigLine):
    """A second passes after each frame. `deaf`: to what is broadcast."""

    deaf = False

    async def send(self, octets):
        frame = decode(octets)
        if not (self.deaf and frame.address == BROADCAST):
            await super().send(octets)
        rig = self.member.rig
        rig.advance(1000)
        rig.device.application.poll(rig.board.now)


async def at_once(client):
    """In the place of the silence after a start."""


@pytest.fixture
def line():
    return Living(Member())


@pytest.fixture
def osgp(line, tmp_path, monkeypatch, capsys):
    """Run a command as from a shell: (exit code, lines of standard output, standard error)."""
    member = line.member

    async def open_port(where):
        return line

    monkeypatch.setattr(access.Port, "open", open_port)
    monkeypatch.setattr("osgp_tools.client.Client._be_quiet", at_once)
    for name in ("SETTLED", "PAUSE"):
        monkeypatch.setattr(broadcast, name, 0)
    monkeypatch.chdir(tmp_path)
    vault = Vault(tmp_path / STORE)
    keys = member.KEY, member.KEY[::-1]
    place = Place(member.DOMAIN, member.SUBNET, member.NODE, *keys, sequence=member.expected)
    vault.admit(UID, place)
    vault.close()
    with sqlite3.connect(tmp_path / STORE) as base:
        base.execute("UPDATE network SET broadcast_key = ?, broadcast = ?", (keys[1], 0x01020304))

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["osgp", *arguments, "--line", "tcp:1"])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = capsys.readouterr()
        return ended.value.code or 0, out.splitlines(), err

    return run


def relay_is_open(line):
    return bool(line.member.rig.device.control.et30[28] & 1)


def test_groups_are_joined_and_left(osgp):
    assert osgp("group", "list", WHERE) == (0, ["no groups"], "")
    assert osgp("group", "add", WHERE, "0305") == (0, ["0305"], "")
    assert osgp("group", "add", WHERE, "0102") == (0, ["0102 0305"], "")
    assert osgp("group", "remove", WHERE, "0305") == (0, ["0102"], "")
    assert osgp("group", "list", UID.hex()) == (0, ["0102"], "")


def test_groups_that_cannot_be(osgp):
    code, _, err = osgp("group", "add", WHERE, "01FF")
    assert code == cli.DEVICE and "no such action or group" in err
    assert osgp("group", "remove", WHERE, "0102")[0] == cli.DEVICE
    for wrong in ("12", "01020", "group"):
        assert osgp("group", "add", WHERE, wrong)[0] == cli.USAGE
    for k in range(10):
        assert osgp("group", "add", WHERE, f"07{k:02X}")[0] == 0
    code, _, err = osgp("group", "add", WHERE, "0102")
    assert code == cli.DEVICE and "ten groups are there" in err


def test_a_group_is_told(osgp, line):
    osgp("group", "add", WHERE, "0102")
    code, out, err = osgp(*TELL)
    assert (code, err) == (0, "")
    assert out == [
        "number 16909060, EP02 Disconnect and control relay command",
        f"{UID.hex()} (5/9): done by broadcast",
        "1 done by broadcast",
    ]
    assert relay_is_open(line)
    code, out, err = osgp("broadcast", "FFFF", "EP02", "--hex", "0101", "--repeats", "0")
    assert code == 0 and out[0].startswith("number 16909061,") and not relay_is_open(line)


def test_who_is_in_none_of_the_groups(osgp, line):
    code, out, _ = osgp(*TELL)
    assert (code, out[-1]) == (0, "1 in none of the groups") and not relay_is_open(line)


def test_who_did_not_hear_it(osgp, line):
    osgp("group", "add", WHERE, "0102")
    line.deaf = True
    code, out, _ = osgp(*TELL)
    assert (code, out[-1]) == (0, "1 done, told by itself") and relay_is_open(line)
    assert int.from_bytes(line.member.rig.device.member.image[54:58], "big") == 16909061


def test_what_a_board_refuses(osgp):
    osgp("group", "add", WHERE, "0102")
    code, out, err = osgp("broadcast", "0102", "EP02", "output=0", "action=0", "--repeats", "0")
    assert code == cli.DEVICE and err == "osgp: not everybody has done it\n"
    assert out[1] == f"{UID.hex()} (5/9): refused, 03 insufficient clearance"


def test_what_a_procedure_refuses(osgp):
    osgp("group", "add", WHERE, "0102")
    code, out, _ = osgp("broadcast", "0102", "EP02", "output=2", "action=9", "--repeats", "0")
    assert code == cli.DEVICE and out[1].endswith("refused, 2 bad parameter")


def test_who_is_not_there(osgp, line, monkeypatch):
    async def silence(self, octets_or_seconds):
        """Nobody hears it, and nobody waits for an answer."""

    monkeypatch.setattr(Living, "send", silence)
    monkeypatch.setattr("osgp_tools.outstanding.Outstanding.answer", silence)
    code, out, err = osgp(*TELL, "--agent", "5/7")
    assert code == cli.SILENCE and err == "osgp: not everybody could be asked\n"
    assert out[1:] == [
        "5/7: the agent does not answer",
        f"{UID.hex()} (5/9): no answer",
        "1 no answer",
    ]


@pytest.mark.parametrize(
    "words",
    [
        ("0102", "EP02", "output=1"),
        ("0102", "EP02", "output=1", "action=0", "--hex", "0100"),
        ("0000", "EP02", "--hex", "0100"),
        ("01", "EP02", "--hex", "0100"),
        ("0102", "XY02"),
        ("0102", "EP02", "--hex", "0100", "--agent", "5"),
        ("0102", "EP02", "--hex", "00" * 70),
    ],
)
def test_what_is_not_understood(osgp, words):
    assert osgp("broadcast", *words)[0] == cli.USAGE


def test_numbers_are_used_before_the_first_octet(tmp_path):
    """A concentrator that dies with its message half said does not say another under its
    number."""
    vault = Vault(tmp_path / "vault.db")
    vault.admit(UID, vault.new_place(UID))
    first = vault.broadcast()
    again = Vault(tmp_path / "vault.db")  # without a close
    assert again.broadcast().number == first.number + 1


def test_group_ids_in_words():
    assert groups.parse_list("0102,ff05") == (0x0102, 0xFF05)
    assert groups.shown([0x0102, 0x0305]) == "0102 0305"
