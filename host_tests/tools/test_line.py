"""`osgp line`: transceivers on real descriptors, a process that starts, obeys and ends."""

import asyncio
import json
import os
import select
import signal
import socket
import subprocess
import sys
import termios
import time

import pytest

from osgp_tools import mip_framing as framing
from osgp_tools import pcap
from osgp_tools.airtime import limit_seconds
from osgp_tools.line import Line, LineError
from osgp_tools.line_server import Clock, LineServer, Options
from osgp_tools.lpdu import Frame, decode
from osgp_tools.mip_framing import Packet, Parser

ACK = framing.code_packet(framing.NULL, ack=True)
PATIENCE = 5  # seconds until a test gives up


class Host:
    """The other end of a transceiver's UART, as simple as can be."""

    def __init__(self, name):
        kind, _, where = name.partition(":")
        if kind == "pty":
            self.file = os.open(where, os.O_RDWR | os.O_NOCTTY)
            self.read, self.write = lambda: os.read(self.file, 4096), self._write
            self.close = lambda: os.close(self.file)
        else:
            self.file = socket.create_connection(("127.0.0.1", int(where)))
            self.read, self.write = lambda: self.file.recv(4096), self.file.sendall
            self.close = self.file.close
        self.parser = Parser()
        self.came = []

    def _write(self, octets):
        os.write(self.file, octets)

    def next(self):
        """The next packet but acknowledgements; transfers are acknowledged."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            while self.came:
                packet = self.came.pop(0)
                if packet.kind in (framing.MSG, framing.NI_SHORT):
                    self.write(ACK)
                if packet.kind != framing.NULL or not packet.ack:
                    return packet
            if select.select([self.file], [], [], 0.1)[0]:
                self.came += self.parser.feed(self.read())
        raise TimeoutError

    def send(self, frame, seq=0):
        body = b"\x12" + frame.encode()[:-2]
        self.write(framing.encode(Packet(framing.MSG, 1, seq, body=body)))


FRAME = Frame(body=b"\x51", source=(1, 5), destination=(5, 9), tid=3)


@pytest.fixture(params=["pty", "tcp"])
def offered(request, tmp_path):
    """Two transceivers of that kind on a line at full speed, and the line."""
    where = {"pty": [f"pty:{tmp_path}/a", f"pty:{tmp_path}/b"], "tcp": ["tcp:0", "tcp:0"]}
    with Line(where[request.param], speed=0, seed=1) as line:
        yield line


def test_a_frame_goes_from_one_descriptor_to_the_other(offered):
    one, other = (Host(name) for name in offered.names)
    other.write(framing.code_packet(framing.NI_SHORT, 0x42))
    assert other.next().body == bytes((0x40, 50))
    one.send(FRAME)
    body = other.next().body
    assert body[0] == 0x1C
    assert decode(body[2:-2]) == FRAME
    assert body[-2:] == b"\x04\xdc"
    one.close()
    other.close()


def test_users_come_and_go(offered):
    for _ in range(3):
        host = Host(offered.names[0])
        host.write(framing.code_packet(framing.RESYNC))
        assert host.next() == Packet(framing.NULL)
        host.close()
    figures = offered.ask("statistics")["transceivers"][0]
    assert figures["checksum_errors"] == figures["noise"] == 0


def test_ids_are_given_or_by_number(tmp_path):
    wanted = [f"pty:{tmp_path}/a", f"pty:{tmp_path}/b,id=040000112233"]
    with Line(wanted, speed=0) as line:
        ids = [one["id"] for one in line.ask("statistics")["transceivers"]]
        host = Host(line.names[1])
        read = b"\x22\x70\x00\x05" + bytes(11) + b"\x6d\x01\x00\x00\x06"
        host.write(framing.encode(Packet(framing.MSG, 1, body=read)))
        assert host.next().body[-6:].hex() == "040000112233"
        host.close()
    assert ids == ["040000001000", "040000112233"]


def test_faults_on_command(offered):
    host = Host(offered.names[0])
    assert offered.ask("reset", transceiver=0) == {"done": "reset"}
    assert host.next().parameter == 0x50
    offered.ask("reject", transceiver=0, count=1)
    host.send(FRAME, seq=1)
    assert host.next().kind == framing.MSG_REJECT
    for wrong in ({"do": "dance", "transceiver": 0}, {"do": "reset", "transceiver": 7}):
        with pytest.raises(LineError):
            offered.ask(**wrong)
    host.close()


def test_octets_for_nobody_are_lost_and_the_line_lives(offered):
    """The other transceiver's user never reads."""
    one = Host(offered.names[0])
    for seq in range(60):
        one.send(FRAME.with_(body=bytes(200)), seq % 7 + 1)
        one.write(framing.code_packet(framing.RESYNC))
        while one.next().kind != framing.NULL:
            pass
    assert offered.ask("statistics")["line"]["frames"] > 10
    one.close()


def test_real_time_is_real(tmp_path):
    """Three frames each way of 60 octets take what they must, and not much more."""
    frame = FRAME.with_(body=bytes(51))
    with Line([f"pty:{tmp_path}/a", f"pty:{tmp_path}/b"], seed=3) as line:
        one, other = (Host(name) for name in line.names)
        began = time.monotonic()
        for seq in range(1, 4):
            one.send(frame, seq)
            other.next()
            other.send(frame, seq)
            one.next()
        took = time.monotonic() - began
        one.close()
        other.close()
    figures = line.final["line"]
    least = figures["air_s"] + figures["access_s"]
    assert figures["frames"] == 6
    assert figures["air_s"] == pytest.approx(6 * (35 + 11 * 60) / 3240)
    assert least < took < least + 0.5
    assert least == pytest.approx(6 * limit_seconds(60), rel=0.2)


def test_capture_of_a_run(tmp_path):
    path = tmp_path / "line.pcap"
    with Line(["tcp:0", "tcp:0"], speed=0, pcap=path) as line:
        one, other = (Host(name) for name in line.names)
        for seq in range(1, 4):
            one.send(FRAME.with_(tid=seq), seq)
            other.next()
        one.close()
        other.close()
    assert [decode(captured.lpdu).tid for captured in pcap.read(path)] == [1, 2, 3]
    assert {captured.transceiver for captured in pcap.read(path)} == {0}


def test_loss_counts(tmp_path):
    with Line([f"pty:{tmp_path}/a", "tcp:0"], speed=0, loss=1.0, seed=1) as line:
        one, other = (Host(name) for name in line.names)
        one.send(FRAME)
        assert other.next().parameter == 0x31
        one.close()
        other.close()
    assert line.final["line"]["losses"] == 1
    assert line.final["transceivers"][1]["crc_errors"] == 1


# -- how it ends


def process(*arguments, **options):
    return subprocess.Popen(
        [sys.executable, "-m", "osgp_tools.line", *arguments],
        stdout=subprocess.PIPE,
        text=True,
        **options,
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_in_order(tmp_path, number):
    link = tmp_path / "a"
    line = process(f"pty:{link}", stdin=subprocess.DEVNULL)
    assert json.loads(line.stdout.readline())["transceivers"] == [f"pty:{link}"]
    assert link.is_symlink()
    line.send_signal(number)
    rest, _ = line.communicate(timeout=PATIENCE)
    assert json.loads(rest)["line"]["frames"] == 0
    assert line.returncode == 0
    assert not link.is_symlink()


def test_it_ends_with_the_process_that_started_it(tmp_path):
    link = tmp_path / "a"
    parent = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys, os; from osgp_tools.line import Line\n"
            f"line = Line(['pty:{link}']); print(line._process.pid, flush=True); os._exit(1)",
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    pid = int(parent.communicate(timeout=PATIENCE)[0])
    deadline = time.monotonic() + PATIENCE
    while link.is_symlink() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not link.is_symlink()
    while time.monotonic() < deadline and os.path.exists(f"/proc/{pid}/exe"):
        time.sleep(0.02)
    assert not os.path.exists(f"/proc/{pid}/exe")


def test_an_old_link_is_replaced_and_anything_else_is_kept(tmp_path):
    (tmp_path / "old").symlink_to("/nowhere")
    (tmp_path / "file").write_text("mine")
    with Line([f"pty:{tmp_path}/old"], speed=0) as line:
        assert os.path.exists(tmp_path / "old")
    assert line.stop() == line.final != {}
    refused = process(f"pty:{tmp_path}/old", f"pty:{tmp_path}/file", stderr=subprocess.PIPE)
    _, why = refused.communicate(timeout=PATIENCE)
    assert refused.returncode == 2
    assert "file" in why
    assert (tmp_path / "file").read_text() == "mine"
    assert not (tmp_path / "old").is_symlink()


@pytest.mark.parametrize("where", ["serial:1", "tcp:70000", "tcp:x", "pty:", "tcp:0,id=04"])
def test_what_cannot_be_offered_is_said(where, capfd):
    with pytest.raises(LineError):
        Line([where])
    assert "osgp line:" in capfd.readouterr().err


# -- in an event loop


def test_the_slave_is_raw_and_stays_so(tmp_path):
    async def run():
        async with LineServer(Options([f"pty:{tmp_path}/a"])):
            for _ in range(2):
                file = os.open(tmp_path / "a", os.O_RDWR | os.O_NOCTTY)
                mode = termios.tcgetattr(file)
                os.close(file)
                assert not mode[3] & (termios.ECHO | termios.ICANON | termios.ISIG)
                assert not mode[1] & termios.OPOST

    asyncio.run(run())


def test_clock_at_speed_0_skips_what_lies_ahead():
    clock = Clock(0)
    ahead = clock.now() + 10**9
    assert clock.seconds_until(ahead) == 0
    assert clock.now() >= ahead
    fast = Clock(10)
    assert 0 < fast.seconds_until(fast.now() + 10**9) <= 0.1
