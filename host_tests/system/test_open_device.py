"""A device whose UART is open to whoever comes, and one whose console is."""

import os
import select
import time

import pytest
from processes import InTerminal, Running, connected, free_port, wait_for

from osgp_tools.link_budget import Signal
from osgp_tools.lpdu import SPDU, UNIQUE_ID, Frame, decode
from osgp_tools.mip_chip import Chip
from osgp_tools.port import open_uart

UID = bytes.fromhex("04000000aa01")
INTERRUPTED = 130


class Stack:
    """Somebody's transceiver at a device's UART, and who sends through it."""

    def __init__(self, where: str):
        self._uart = open_uart(where)
        self._fd = self._uart if isinstance(self._uart, int) else self._uart.fileno()
        self._heard: list[Frame] = []
        self._chip = Chip(UID, self._write, self._sent)
        self._chip.reset(self._now())

    @staticmethod
    def _now() -> int:
        return time.monotonic_ns() // 1_000_000

    def _write(self, octets: bytes):
        assert os.write(self._fd, octets) == len(octets)

    def _sent(self, transmission):
        self._heard.append(decode(transmission.lpdu))
        self._chip.sent()

    def status(self) -> bytes:
        """The answer to query status, asked for until it comes: the device may still be silent."""
        query = Frame(
            pdu=SPDU, address=UNIQUE_ID, unique_id=UID, source=(1, 1), tid=3,
            domain=b"OSGP\0\0", body=b"\x51",
        )  # fmt: skip
        end = self._now() + 60_000
        ask_at = 0
        while not [one for one in self._heard if one.pdu == SPDU]:
            assert self._now() < end, "no answer"
            if self._now() >= ask_at:
                self._chip.receive(query.encode(), self._now(), Signal(30, 40))
                ask_at = self._now() + 500
            if select.select([self._fd], [], [], 0.02)[0]:
                self._chip.feed(os.read(self._fd, 4096), self._now())
            self._chip.poll(self._now())
        return self._heard[-1].body

    def close(self):
        if isinstance(self._uart, int):
            os.close(self._uart)
        else:
            self._uart.close()


@pytest.mark.parametrize("kind", ["pty", "tcp"])
def test_two_users_one_after_another(kind, tmp_path):
    """The second finds the device up, with a transceiver that has just been reset."""
    port = free_port()
    where = f"pty:{tmp_path}/plc" if kind == "pty" else f"tcp:{port}"
    with Running("device", "--plc", where, "--flash", tmp_path / "flash") as device:
        if kind == "pty":
            wait_for((tmp_path / "plc").exists, "the terminal")
        else:
            connected(port).close()
        for _ in range(2):
            stack = Stack(where)
            answer = stack.status()
            assert answer[0] == 0x31 and len(answer) == 16  # code, five counters and states
            stack.close()
        device.interrupt()
        assert device.end() == INTERRUPTED, device.tail
        assert device.output == ""
    assert not os.path.lexists(tmp_path / "plc")


def test_a_repl_with_a_live_device_in_it(tmp_path):
    with InTerminal("repl", "--folder", tmp_path) as repl:
        repl.until(">>> ")
        for line, shown in (
            ("device.member.state\n", "2\r\n>>> "),
            ("read(1)[:6]\n", "'4f4544'\r\n>>> "),  # OED
            ("1/0\n", "ZeroDivisionError"),
        ):
            repl.output = ""
            repl.type(line)
            repl.until(shown)
        while "True\r\n" not in repl.output:  # it lives on meanwhile, and finds its transceiver
            repl.output = ""
            repl.type("device.node.link.up\n")
            repl.until("e\r\n>>> ")
        repl.interrupt()
        assert repl.end() == INTERRUPTED, repl.tail
        assert "Traceback" not in repl.output
    assert not os.path.lexists(tmp_path / "repl.tty")
