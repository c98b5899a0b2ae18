"""The command line: what it prints, and that every error is one line and an exit code."""

import sys

import pytest
from fake_line import PROGRAM, FakeDevice, FakeLine

from osgp_tools import access, cli, model, pcap
from osgp_tools.lpdu import APDU, BROADCAST, Frame
from osgp_tools.store import Vault

ET03 = 2048 + 3


class FakePort(FakeLine):
    """A port in memory: a line with one device, whose frames can be recorded."""

    def __init__(self, device):
        super().__init__()
        self.devices.append(device)
        self.said = []
        self.closed = False

    async def send(self, octets):
        for listener in self.said:
            listener(octets)
        await super().send(octets)

    def close(self):
        self.closed = True


async def at_once(client):
    """In the place of the silence after a start."""


@pytest.fixture
def device():
    bodies = {n: model.default(n) for n in (5, 53, ET03)}
    return FakeDevice(1, bodies | {79: b"an unknown table"})


@pytest.fixture
def osgp(device, tmp_path, monkeypatch, capsys):
    """Run a command as from a shell: (exit code, standard output, standard error)."""
    port = FakePort(device)

    async def open_port(where):
        if where == "nowhere":
            raise access_error(where)
        port.heard.clear()
        port.said.clear()
        port.closed = False
        return port

    def access_error(where):
        return cli.LinkError(f"cannot open {where}")

    monkeypatch.setattr(access.Port, "open", open_port)
    monkeypatch.setattr("osgp_tools.client.Client._be_quiet", at_once)
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["osgp", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        assert port.closed or not port.heard
        out, err = capsys.readouterr()
        return ended.value.code or 0, out, err

    run.port = port
    return run


LINE = ("--line", "tcp:1")
ONE = "1/1"  # the member's subnet and node


@pytest.fixture
def member(osgp, device):
    """The device, commissioned by the command."""
    code, out, _ = osgp("commission", device.unique_id.hex(), *LINE)
    assert (code, out) == (0, "040000000001 is 1/1\n")
    return device


def test_read_prints_values_with_names_and_units(osgp, member):
    code, out, err = osgp("read", ONE, "BT53", *LINE)
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "dst_time = 02:00:00",
        "dst_amount = 60 min",
        "zone_offset = 60 min",
    ]


def test_read_by_unique_id_and_part_of_a_table(osgp, member):
    by_id = ("read", "040000000001")
    assert osgp(*by_id, "53", *LINE, "--offset", "4")[1] == "zone_offset = 60 min\n"
    part = ("--offset", "3", "--count", "1", "--raw")
    assert osgp(*by_id, "bt53", *LINE, *part)[1] == "3c\n"


def test_read_of_a_table_without_definition_is_octets(osgp, member):
    assert osgp("read", ONE, "BT79", *LINE)[1] == b"an unknown table".hex() + "\n"
    code, _, err = osgp("read", ONE, "BT79", *LINE, "--offset", "3")
    assert code == cli.USAGE and "give --count" in err
    assert (
        osgp("read", ONE, "BT79", *LINE, "--offset", "3", "--count", "7")[1]
        == b"unknown".hex() + "\n"
    )


def test_write(osgp, member):
    code, out, _ = osgp("write", ONE, "BT53", "--hex", "78 00", *LINE, "--offset", "4")
    assert (code, out) == (0, "2 octets written\n")
    assert model.decode(53, bytes(member.tables[53]))["zone_offset"] == 120


def test_a_refusal_is_one_line(osgp, member):
    member.codes[53] = 3
    code, out, err = osgp("read", ONE, "BT53", *LINE)
    assert (code, out) == (cli.DEVICE, "")
    assert err == "osgp: 1/1: read 53 from 0: 03 insufficient clearance\n"


DEVICE = ("device", "--plc", "tcp:0", "--flash", "/nowhere/flash")


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (("read", ONE, "BT53", *LINE), cli.DEVICE, "no store build/concentrator.db"),
        (("read", ONE, "XT53", *LINE), cli.USAGE, "no table"),
        (("write", ONE, "BT53", "--hex", "1", *LINE), cli.USAGE, "hexadecimal"),
        (("commission", "0400", *LINE), cli.USAGE, "12 hexadecimal digits"),
        (("discover", "--line", "nowhere"), cli.SYSTEM, "cannot open nowhere"),
        (("watch", "BT53", *LINE), cli.USAGE, "name the --device"),
        (("decode", "not hex"), cli.USAGE, "hexadecimal"),
        (("image", "show", "/dev/null"), cli.SYSTEM, "no bank"),
        (("device", "--plc", "gpio:4", "--flash", "/nowhere/flash"), cli.SYSTEM, "nowhere"),
        ((*DEVICE, "--update-key", "/dev/null"), cli.USAGE, "no public key for images"),
        ((*DEVICE, "--update-key", "/nowhere/key"), cli.SYSTEM, "/nowhere/key"),
        (("deploy", "--update-key", "/dev/null"), cli.USAGE, "no public key for images"),
    ],
)
def test_errors(osgp, arguments, code, text):
    ended, out, err = osgp(*arguments)
    assert (ended, out) == (code, "")
    assert err.startswith("osgp: ") and err.count("\n") == 1 and text in err


def test_no_answer_has_a_code_of_its_own(osgp, member, monkeypatch):
    osgp.port.faults = lambda frame, down: []
    monkeypatch.setattr("osgp_tools.client.Client._try", no_answer)
    code, _, err = osgp("read", ONE, "BT53", *LINE)
    assert code == cli.SILENCE and "no answer" in err


async def no_answer(self, waiting, frame, effort):
    return 1, b"", None


def test_discover_prints_unique_ids(osgp, device, monkeypatch):
    monkeypatch.setattr("osgp_tools.discovery.Discovery.__init__.__defaults__", (0.03,))
    assert osgp("discover", "--near", *LINE)[:2] == (0, "040000000001\n1 devices\n")


def test_capture_of_what_passed(osgp, member, tmp_path):
    osgp("read", ONE, "BT05", *LINE, "--pcap", "read.pcap")
    frames = list(pcap.read(tmp_path / "read.pcap"))
    assert [frame.transceiver for frame in frames] == [access.OURS, access.THEIRS]
    code, out, _ = osgp("decode", "read.pcap", "--device", "1/1")
    assert code == 0 and "BT05" in out and "digest" in out
    assert member.key.hex() not in out.lower()


def test_decode_of_one_frame(osgp):
    code, out, _ = osgp("decode", "0110018500036100 9B05")
    assert code == 0 and "query id" in out.lower()


def test_keys_are_not_printed(osgp, member):
    vault = Vault(access.Path("build/concentrator.db"))
    key = vault.find("1/1").key.hex()
    vault.close()
    commands = (("read", ONE, "BT53"), ("read", ONE, "ET03", "--raw"))
    for command in (*commands, ("write", ONE, "BT05", "--hex", "00")):
        _, out, err = osgp(*command, *LINE)
        assert key not in (out + err).lower()


def test_watch_shows_frames_and_what_changes(osgp, member, monkeypatch):
    looks = []

    async def pause(seconds):
        looks.append(seconds)
        if len(looks) == 2:
            raise KeyboardInterrupt
        member.tables[53][3] = 0
        pin = b"\x7f" + member.unique_id + PROGRAM
        osgp.port.say(Frame(pdu=APDU, address=BROADCAST, body=pin))

    monkeypatch.setattr(access.asyncio, "sleep", pause)
    code, out, _ = osgp("watch", "BT53", "--device", ONE, *LINE, "--every", "7")
    assert code == cli.INTERRUPTED
    assert looks == [7.0, 7.0]
    assert out.count("zone_offset = 60") == 1
    assert out.count("dst_amount = 60") == 1 and out.count("dst_amount = 0") == 1
    assert "service pin" in out.lower()
