"""One real device process at one simulated transceiver, without a line: frames in, frames out, and
the chip's faults at hand.

The device is MicroPython running boards/unix/vm.py on a flash file, as in `make run`; its console
may be spoken to as in `make repl`.
"""

import os
import select
import socket
import subprocess
import sys
import time
from pathlib import Path

from osgp_tools.flash import create
from osgp_tools.image import build_bank, vm_rom
from osgp_tools.link_budget import Signal
from osgp_tools.lpdu import SPDU, UNIQUE_ID, Frame, decode
from osgp_tools.membership import Place, aes, commissioning_key, desk_key
from osgp_tools.mip_chip import Chip
from osgp_tools.suites import Sealed

REPOSITORY = Path(__file__).parents[1]
MICROPYTHON = os.environ.get("MICROPYTHON") or str(Path(sys.executable).with_name("micropython"))
MP32 = Path(os.environ.get("MP32") or REPOSITORY / "build/mp32/mp32").absolute()
UID = bytes.fromhex("040000112233")
DOMAIN = bytes.fromhex("c0ffee")
SUBNET, NODE = 5, 9
KEY = bytes(range(1, 17))
PATIENCE = 60.0  # s; the machine is shared


class Desk:
    """`with Desk(folder) as desk:` the process lives within."""

    def __init__(
        self,
        folder: Path,
        micropython: str = MICROPYTHON,
        heap: str = "1M",
        source: Path | None = None,
        path: str = "",
    ):
        self.flash = Path(folder) / "flash.bin"
        if not self.flash.exists():
            create(self.flash, {0: build_bank(1)})
        rom = self.flash.with_suffix(".vm")
        rom.write_bytes(vm_rom(REPOSITORY / "boards/unix"))
        self._command = [
            micropython,
            "-X",
            "heapsize=" + heap,
            str(REPOSITORY / "boards/unix/vm.py"),
        ]
        self._environment = os.environ | {
            "OSGP_FLASH": str(self.flash),
            "OSGP_SOURCE": str(source or ""),
            "OSGP_VM_ROM": str(rom),
            "OSGP_CONSOLE": "1",
        }
        self._environment["MICROPYPATH"] = path
        self.heard: list[Frame] = []
        self.tid = 0
        self.sequence = 1
        self._printed = b""
        self.start()

    # ---- the process

    def start(self):
        ours, theirs = socket.socketpair()
        theirs.setblocking(False)
        self.uart = ours
        self.process = subprocess.Popen(
            self._command,
            env=self._environment | {"OSGP_PLC": f"fd:{theirs.fileno()}"},
            pass_fds=(theirs.fileno(),),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            bufsize=0,
        )
        theirs.close()
        self.chip = Chip(UID, self._to_device, self._transmit)
        self.heard.clear()
        self.until(lambda: bool(self.heard))  # the service pin message: the device has come up

    def stop(self, signal_kill: bool = True):
        if signal_kill:
            self.process.kill()
        self.uart.close()
        self.process.communicate(timeout=PATIENCE)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    # ---- octets

    @staticmethod
    def now() -> int:
        return time.monotonic_ns() // 1_000_000

    def _to_device(self, octets: bytes):
        self.uart.sendall(octets)

    def _transmit(self, transmission):
        self.heard.append(decode(transmission.lpdu))
        self.chip.sent()

    def turn(self, wait: float = 0.02):
        """Pass octets on for a moment."""
        stdout = self.process.stdout
        assert stdout is not None
        ready, _, _ = select.select([self.uart, stdout], [], [], wait)
        if self.uart in ready:
            self.chip.feed(self.uart.recv(4096), self.now())
        if stdout in ready:
            self._printed += os.read(stdout.fileno(), 4096)
        self.chip.poll(self.now())
        if self.process.poll() is not None:
            raise AssertionError("the device ended: " + self._printed.decode(errors="replace"))

    def until(self, condition, patience: float = PATIENCE):
        end = time.monotonic() + patience
        while not condition():
            if time.monotonic() > end:
                raise TimeoutError(self._printed.decode(errors="replace"))
            self.turn()

    # ---- the console

    def console(self, line: str) -> str:
        """What the console prints for a line."""
        self.until(lambda: self._printed.endswith(b">>> "))
        self._printed = b""
        assert self.process.stdin is not None
        self.process.stdin.write(line.encode() + b"\n")
        self.until(lambda: self._printed.endswith(b">>> "))
        return self._printed[:-4].decode().strip()

    # ---- frames

    def frame(self, apdu: bytes, **changes) -> Frame:
        self.tid = self.tid % 15 + 1
        frame = Frame(
            pdu=SPDU,
            source=(SUBNET, 1),
            destination=(SUBNET, NODE),
            domain=DOMAIN,
            body=apdu,
            tid=self.tid,
        )
        return frame.with_(**changes)

    def send(self, frame: Frame | bytes):
        lpdu = frame if isinstance(frame, bytes) else frame.encode()
        self.chip.receive(lpdu, self.now(), Signal(30, 40))

    def exchange(self, frame: Frame, patience: float = PATIENCE) -> Frame:
        """Send a request once; the answer with its transaction number."""
        self.heard.clear()
        self.send(frame)
        self.until(
            lambda: any(answer.tid == frame.tid and answer.pdu == SPDU for answer in self.heard),
            patience,
        )
        return next(
            answer for answer in self.heard if answer.tid == frame.tid and answer.pdu == SPDU
        )

    def by_id(self, apdu: bytes) -> Frame:
        return self.frame(apdu, address=UNIQUE_ID, destination=(0, 0), unique_id=UID)

    def commission(self, key: bytes = KEY):
        """Make the device a member, as the concentrator does it."""
        from osgp.security.ccm import open_, seal

        ours = os.urandom(8)
        challenge = self.exchange(self.by_id(b"\x47\x01" + ours)).body
        kf = commissioning_key(desk_key(UID), UID, ours, challenge[2:])
        bound = b"\x46\x01" + UID + ours
        sealed = seal(
            aes(kf),
            bytes(13),
            bound,
            Place(DOMAIN, SUBNET, NODE, key, key[::-1], sequence=self.sequence).encode(),
            8,
        )
        answer = self.exchange(self.by_id(b"\x46\x01" + ours + sealed)).body
        assert open_(aes(kf), b"\x01" + bytes(12), bound, answer[2:], 8) == b"\x00"
        self.key = key[:12]

    def command(self, text: str | bytes):
        """A secured command; the answer, opened."""
        command = bytes.fromhex(text) if isinstance(text, str) else text
        sealed = Sealed(self.key, SUBNET, NODE, self.sequence, command)
        self.sequence += 1
        answer = sealed.open(self.exchange(self.frame(sealed.apdu)).body)
        assert answer is not None, "the answer's digest does not hold"
        return answer
