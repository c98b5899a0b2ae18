"""Security modes and key changes from the command line, against a real device in memory."""

import sys

import pytest
from vault_rig import QUICK, Line

from osgp_tools import access, cli, client
from osgp_tools.store import Vault
from rig import UID, Rig, StillElement

NAME = UID.hex()
LINE = ("--line", "tcp:1")


@pytest.fixture
def osgp(tmp_path, monkeypatch, capsys):
    """Run a command as from a shell: (exit code, standard output, standard error)."""
    line = Line(Rig(StillElement()))

    async def open_port(where):
        line.heard.clear()
        line.said.clear()
        return line

    async def at_once(self):
        """In the place of the silence after a start."""

    monkeypatch.setattr(access.Port, "open", open_port)
    monkeypatch.setattr(client.Client, "_be_quiet", at_once)
    monkeypatch.setattr(client, "READING", QUICK)
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["osgp", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = capsys.readouterr()
        return ended.value.code or 0, out, err

    return run


def keys(folder):
    vault = Vault(folder / "build/concentrator.db")
    member = vault.find(NAME)
    vault.close()
    return member


@pytest.mark.parametrize("mode", [0, 2])
def test_commission_read_and_change_the_key(osgp, tmp_path, mode):
    assert osgp("commission", NAME, *LINE, "--mode", str(mode))[:2] == (0, f"{NAME} is 1/1\n")
    before = keys(tmp_path)
    assert before.mode == mode
    assert osgp("read", NAME, "BT01", *LINE)[0] == 0
    assert osgp("rekey", NAME, *LINE)[:2] == (0, f"{NAME} has a new key\n")
    after = keys(tmp_path)
    assert after.key != before.key and after.next_key is None
    code, out, err = osgp("read", NAME, "BT01", *LINE, "--pcap", "frames.pcap")
    assert (code, err) == (0, "") and "manufacturer" in out
    code, out, _ = osgp("decode", "frames.pcap", "--device", NAME)
    assert code == 0 and "digest holds, encrypted" in out and "does not hold" not in out
    assert after.key.hex() not in out.lower().replace(" ", "")


@pytest.mark.parametrize("mode", [0, 2])
def test_a_broadcast_key_for_everybody(osgp, mode):
    osgp("commission", NAME, *LINE, "--mode", str(mode))
    for _ in range(2):
        code, out, err = osgp("rekey", "--broadcast", *LINE)
        assert (code, err) == (0, "")
        assert out == f"{NAME} (1/1) has it\nbroadcasts go under the new key\n"


def test_a_device_changes_its_mode_by_commissioning(osgp, tmp_path):
    for mode in (0, 2, 0):
        assert osgp("commission", NAME, *LINE, "--mode", str(mode))[0] == 0
        assert keys(tmp_path).mode == mode
        assert osgp("read", NAME, "BT01", *LINE)[0] == 0


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("rekey", *LINE), "whose key?"),
        (("rekey", NAME, "--broadcast", *LINE), "whose key?"),
        (("commission", NAME, *LINE, "--mode", "1"), "there are 0 and 2"),
    ],
)
def test_what_is_not_understood(osgp, arguments, text):
    code, _, err = osgp(*arguments)
    assert code == cli.USAGE and text in err
