"""Two desk devices on a CN/IP channel, and `osgp` at a third place of it: no line, no UART, the
same commands."""

import os
import signal
import socket
from contextlib import ExitStack
from types import SimpleNamespace

import pytest
from processes import Running, osgp, wait_for

from osgp_tools import pcap, tshark

IDS = ("04000000bb01", "04000000bb02")
INTERRUPTED = 130


def free_ports(count: int) -> list[str]:
    """UDP ports of 127.0.0.1 that nobody has."""
    with ExitStack() as stack:
        sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(count)]
        for one in sockets:
            stack.enter_context(one)
            one.bind(("127.0.0.1", 0))
        return [str(one.getsockname()[1]) for one in sockets]


@pytest.fixture(scope="module")
def channel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ip")
    ours, *ports = free_ports(3)
    with ExitStack() as stack:
        devices = []
        for k, here in enumerate(ports):
            others = [port for port in (ours, *ports) if port != here]
            where = ",".join((here, *others, f"id={IDS[k]}"))
            flash = folder / f"{k}.flash"
            devices.append(stack.enter_context(Running("device", "--ip", where, "--flash", flash)))
        yield SimpleNamespace(
            line=("--line", "ip:" + ",".join((ours, *ports))),
            store=("--store", folder / "store.db"),
            folder=folder,
            devices=devices,
        )
        for device in devices:
            device.interrupt()
            assert device.end() == INTERRUPTED, device.tail
            assert device.output == ""


@pytest.fixture(scope="module")
def members(channel):
    """Both found, each in the other's reach, then made members."""
    capture = channel.folder / "discover.pcap"

    def both():
        found = osgp("discover", *channel.line, *channel.store, "--pcap", capture)
        *lines, last = found.stdout.splitlines()
        seen = sorted(line.split("  ")[:2] for line in lines)
        return seen == [[one, "1 hop"] for one in IDS] and last == "2 devices"

    wait_for(both, "both devices")  # they may still be starting
    for number, unique_id in enumerate(IDS, start=1):
        made = osgp("commission", unique_id, *channel.line, *channel.store)
        assert made.stdout == f"{unique_id} is 1/{number}\n", made.stderr
    if tshark.installed():
        assert tshark.disagreements(capture) == []
    assert len(list(pcap.read(capture))) >= 8
    return channel


def test_write_and_read(members):
    here = (*members.line, *members.store)
    capture = members.folder / "write.pcap"
    assert osgp("write", "1/1", "BT53", "zone_offset=120", *here).returncode == 0
    told = osgp("read", "1/1", "BT53", *here, "--pcap", capture)
    assert "zone_offset = 120 min" in told.stdout, told.stderr
    told = osgp("read", IDS[1], "BT53", *here)
    assert "zone_offset = 60 min" in told.stdout, told.stderr
    if tshark.installed():
        assert tshark.disagreements(capture) == []


def test_what_is_no_channel():
    told = osgp("discover", "--line", "ip:192.0.2.1:1628,1629")
    said = "osgp: cannot open ip:192.0.2.1:1628,1629: Cannot assign requested address\n"
    assert (told.returncode, told.stderr) == (4, said)


def test_a_device_has_one_line(tmp_path):
    flash = ("--flash", tmp_path / "flash")
    told = osgp("device", "--ip", "1628,1629", "--plc", "tcp:0", *flash)
    assert (told.returncode, told.stderr) == (2, "osgp: a device has --plc or --ip\n")
    assert not (tmp_path / "flash").exists()


def test_a_device_ends_with_whoever_started_it(tmp_path):
    """It has no UART whose other end could close; the fixture of all modules counts processes."""
    ours, here = free_ports(2)
    with Running("device", "--ip", f"{here},{ours}", "--flash", tmp_path / "flash") as device:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
            listener.bind(("127.0.0.1", int(ours)))
            listener.settimeout(60)
            packet = listener.recv(2048)  # its service pin message: it has come up
        assert packet[20:27] == bytes.fromhex("003000 8000 7f 7f")  # and its id is its address
        os.kill(device.process.pid, signal.SIGKILL)
