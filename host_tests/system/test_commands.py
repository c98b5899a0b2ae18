"""The commands as a stranger uses them: a line, two devices on it, and `osgp` at other ends of it.

One device sits on a terminal of the line (as on a serial adapter). The other offers its UART at a
TCP port, and a cable goes from there to a TCP port of the line.
"""

import json
import os
import re
import select
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from types import SimpleNamespace

import pytest
from processes import InTerminal, Running, connected, free_port, osgp

from osgp_tools import pcap
from osgp_tools.store import Vault

IDS = ("04000000aa01", "04000000aa02")
REFUSED, USAGE, SILENCE, SYSTEM, INTERRUPTED = 1, 2, 3, 4, 130
GONE = bytes.fromhex("04000000aa03")
TEXT = "4142434445464748"


class Cable:
    """Octets both ways between two sockets, until it is cut."""

    def __init__(self, *ports: int):
        self._ends = [connected(port) for port in ports]
        self._stop, self._stopped = socket.socketpair()
        self._thread = threading.Thread(target=self._carry)
        self._thread.start()

    def _carry(self):
        one, other = self._ends
        while True:
            ready, _, _ = select.select([one, other, self._stopped], [], [])
            if self._stopped in ready:
                return
            for end in ready:
                octets = end.recv(4096)
                if not octets:
                    return
                (other if end is one else one).sendall(octets)

    def cut(self):
        self._stop.send(b"x")
        self._thread.join()
        for end in (*self._ends, self._stop, self._stopped):
            end.close()


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """The line with both devices; the ends for `osgp` are `tcp` and `pty`."""
    folder = tmp_path_factory.mktemp("desk")
    ends = (
        f"tcp:0,id={IDS[1]}",
        f"pty:{folder}/device,id={IDS[0]}",
        "tcp:0",
        f"pty:{folder}/end",
        "tcp:0",
        "tcp:0",
    )
    arguments = [word for end in ends for word in ("--transceiver", end)]
    with Running("line", *arguments, "--speed", 0, "--pcap", folder / "line.pcap") as line:
        line.until("\n")
        names = json.loads(line.output)["transceivers"]
        port = free_port()
        with (
            Running("device", "--plc", names[1], "--flash", folder / "1.flash") as first,
            Running("device", "--plc", f"tcp:{port}", "--flash", folder / "2.flash") as second,
        ):
            cable = Cable(port, int(names[0].removeprefix("tcp:")))
            yield SimpleNamespace(
                folder=folder,
                tcp=names[2],
                pty=names[3],
                other_tcp=names[4],
                free_tcp=names[5],
                store=("--store", folder / "store.db"),
                first=first,
                second=second,
            )
            cable.cut()
            for device in (first, second):
                device.interrupt()
                assert device.end() == INTERRUPTED, device.tail
        line.interrupt()
        assert line.end() == 0, line.tail
        # What the line has counted is the last that it prints.
        assert json.loads(line.output.splitlines()[-1])["line"]["frames"] > 0
    assert "Traceback" not in line.output + first.output + second.output
    assert not os.path.lexists(folder / "device")


@pytest.fixture(scope="module")
def members(desk):
    """Both devices found over one end and made members over the other, with captures."""
    found = osgp(
        *("discover", "--fast", "--line", desk.tcp, *desk.store),
        *("--pcap", desk.folder / "discover.pcap"),
    )
    *lines, last = found.stdout.splitlines()
    assert sorted(line.split("  ")[:2] for line in lines) == [[one, "1 hop"] for one in IDS]
    assert last == "2 devices", found.stderr
    assert found.returncode == 0
    for number, unique_id in enumerate(IDS, start=1):
        capture = ("--pcap", desk.folder / f"commission{number}.pcap")
        made = osgp("commission", unique_id, "--line", desk.pty, *desk.store, *capture)
        assert (made.returncode, made.stdout) == (0, f"{unique_id} is 1/{number}\n"), made.stderr
    return desk


@pytest.fixture(scope="module", autouse=True)
def asked_in_vain(members):
    """A read of a member whose power is off. It takes 15 s, so it goes on beside the others."""
    with closing(Vault(members.store[1])) as vault:
        vault.admit(GONE, vault.new_place(GONE))
    here = ("--line", members.free_tcp, *members.store)
    with Running("read", "1/3", "BT06", *here) as reading:
        yield reading


def together(function, *cases: tuple):
    """function(*case) of each case, at the same time; what they return, in order."""
    with ThreadPoolExecutor() as pool:
        return list(pool.map(lambda case: function(*case), cases))


def test_write_and_read_back(members):
    """Each device over another kind of end, both at once."""
    together(write_and_read_back, (members, "1/1", members.tcp), (members, "1/2", members.pty))


def write_and_read_back(members, device: str, end: str):
    here = ("--line", end, *members.store)
    number = device[-1]
    capture = members.folder / f"write{number}.pcap"
    octets = ("--hex", TEXT + number * 2, "--offset", 10)
    written = osgp("write", device, "BT06", *octets, *here, "--pcap", capture)
    assert (written.returncode, written.stdout) == (0, "9 octets written\n"), written.stderr
    back = osgp("read", device, "BT06", *here, "--offset", 9, "--count", 11, "--raw")
    assert back.returncode == 0, back.stderr
    assert back.stdout == f"00{TEXT}{number * 2}00\n"
    # An observer of one end has the exchange, and the member's key opens it.
    assert {one.transceiver for one in pcap.read(capture)} == {0, 1}
    shown = osgp("decode", capture, "--device", device, *members.store).stdout
    assert "BT06" in shown and TEXT in shown.lower()


def test_read_names_values(members):
    shown = osgp("read", IDS[0], "BT01", "--line", members.tcp, *members.store)
    assert shown.returncode == 0, shown.stderr
    assert "manufacturer = OED" in shown.stdout


def test_watch_shows_frames_and_changes(members):
    """Somebody else's write is seen by who looks at the table, until Ctrl-C."""
    here = ("--device", "1/2", *members.store)
    capture = members.folder / "watch.pcap"
    watching = ("watch", "BT06", "--every", 0.5, "--line", members.pty, *here, "--pcap", capture)
    with InTerminal(*watching) as watch:
        watch.until("= ")
        watch.interrupt()
        assert watch.end() == INTERRUPTED, watch.tail
    frames = re.findall(r"^\d\d:\d\d:\d\d .*", watch.output, re.MULTILINE)
    assert any("1/127 > 1/2" in one for one in frames), watch.tail
    assert any("1/2 > 1/127" in one for one in frames), watch.tail
    assert "Traceback" not in watch.output
    assert len(list(pcap.read(capture))) >= len(frames)


def test_the_capture_of_the_line_has_it_all(members):
    """What passed at any end is in the line's own capture, opened while the line runs on."""
    ours = {one.lpdu for one in pcap.read(members.folder / "discover.pcap")}
    assert ours <= {one.lpdu for one in pcap.read(members.folder / "line.pcap")}


def test_errors_are_one_line_and_a_code(members, tmp_path):
    """Those of a device, of the line, of the shell's user."""
    here = ("--line", members.tcp, *members.store)
    there = ("--line", members.pty, *members.store)
    nowhere = free_port()
    (tmp_path / "store").write_text("this is no database")
    cases = {
        ("write", "1/1", "BT00", "--hex", "00", *here): (REFUSED, "1/1: write 0: "),
        ("read", "1/2", "BT99", *there): (REFUSED, "1/2: read 99: "),
        (
            "write",
            "1/1",
            "BT06",
            "--hex",
            "00" * 76,
            "--line",
            members.other_tcp,
            *members.store,
        ): (
            USAGE,
            "76 octets are too many",
        ),
        ("read", "1/9", "BT06", *here): (REFUSED, "1/9 is not a member"),
        ("read", "1/1", "BT06", "--line", f"tcp:{nowhere}", *members.store): (
            SYSTEM,
            f"tcp:{nowhere}",
        ),
        ("read", "1/1", "BT06", "--line", f"pty:{tmp_path}/none", *members.store): (
            SYSTEM,
            "No such file",
        ),
        ("read", "1/1", "BT06", *here, "--store", tmp_path / "store"): (
            SYSTEM,
            "store: file is not a database",
        ),
        ("decode", tmp_path / "store"): (REFUSED, "store"),
        ("device", "--plc", f"pty:{tmp_path}/x", "--flash", members.folder / "1.flash"): (
            SYSTEM,
            "is the flash of a running device",
        ),
        ("device", "--plc", "gpio:4", "--flash", tmp_path / "flash"): (SYSTEM, "gpio:4"),
    }
    results = together(osgp, *cases)
    wrong = []
    for (arguments, (code, text)), ended in zip(cases.items(), results):
        line = ended.stderr
        if (ended.returncode, ended.stdout) != (code, "") or text not in line:
            wrong.append((arguments, ended.returncode, ended.stdout, line))
        elif not line.startswith("osgp: ") or line.count("\n") != 1:
            wrong.append((arguments, "not one line", line))
    assert not wrong


def test_errors_of_a_line(tmp_path):
    taken = socket.create_server(("127.0.0.1", 0))
    port = taken.getsockname()[1]
    (tmp_path / "file").write_text("something")
    for transceiver, text in (
        (f"tcp:{port}", "in use"),
        (f"pty:{tmp_path}/file", "exists"),
        ("usb:1", "usb:1"),
        ("tcp:0,id=zz", "hex"),
    ):
        ended = osgp("line", "--transceiver", transceiver)
        assert ended.returncode in (USAGE, SYSTEM), transceiver
        assert ended.stderr.startswith("osgp") and ended.stderr.count("\n") == 1, ended.stderr
        assert text in ended.stderr, transceiver
    taken.close()
    assert (tmp_path / "file").read_text() == "something"


def test_silence_has_a_code_of_its_own(asked_in_vain):
    assert asked_in_vain.end() == SILENCE
    assert asked_in_vain.output == "osgp: 1/3: no answer to 5 tries\n"
