"""Starts of a stub board: firmware/boot.py under the real MicroPython, on banks in files."""

import os
import shutil
import struct
import subprocess
from binascii import crc32

from test_image import EMPTY, FIRMWARE, board_names

from osgp_tools import flash, image

BOARD = """
import os

reset_cause = os.getenv("CAUSE")

class Flash:
    def __init__(self, path):
        self.path = path

    def read(self, address, buf):
        with open(self.path, "rb") as file:
            file.seek(address)
            file.readinto(buf)

    def program(self, address, buf):
        with open(self.path, "r+b") as file:
            file.seek(address)
            file.write(buf)

def bank(k):
    with open("bank%d" % k, "rb") as file:
        return bytearray(file.read())

def bank_flash(k):
    return Flash("bank%d" % k)

def update_key():
    try:
        with open("update.pub", "rb") as file:
            return file.read()
    except OSError:
        return None

class Watchdog:
    def feed(self):
        pass

flash = Flash("raw")
watchdog = Watchdog()
NAME = "stub"
"""
RAW = b"\xff" * (30 * flash.SECTOR)
LOGS = (28 * flash.SECTOR, 29 * flash.SECTOR)


class Start:
    """Runs boot.py on the banks in a folder, and then a line of Python."""

    def __init__(self, folder, micropython: str, bits: int):
        self.small_int_bits = bits
        self._folder = folder
        self._micropython = micropython
        vm = folder / "vm"
        vm.mkdir()
        for name in image.BEFORE_A_BANK:
            shutil.copy(FIRMWARE / name, vm)
        self.board()

    def board(self, source: str | None = None) -> None:
        """Puts another board.py there; empty: none."""
        if source is None:
            source = "".join(f"{name} = None\n" for name in board_names()) + BOARD
        path = self._folder / "board.py"
        if source:
            path.write_text(source)
        else:
            path.unlink()

    def put(self, **banks: bytes) -> None:
        """Banks `a` and `b` as a cable writes them."""
        marked = {n: b if b == EMPTY else flash.whole_bank(b) for n, b in banks.items()}
        self.put_raw(**marked)

    def put_raw(self, **banks: bytes) -> None:
        """Octet for octet."""
        for name, bank in banks.items():
            path = self._folder / f"bank{'ab'.index(name)}"
            path.write_bytes(bank.ljust(flash.BANK_SIZE, b"\xff"))

    def key(self, public: bytes) -> None:
        """The key under which images are signed."""
        (self._folder / "update.pub").write_bytes(public)

    def __call__(self, a=EMPTY, b=EMPTY, *, then: str = "pass") -> list[str]:
        """A first start with banks that a cable wrote. Returns the lines that it prints."""
        self.put(a=a, b=b)
        self.forget()
        return self.again(then)

    def forget(self) -> None:
        """The selector is gone."""
        (self._folder / "raw").write_bytes(RAW)

    def again(self, then: str = "pass", cause: str = "reset") -> list[str]:
        """A start of what is there."""
        boot = str(FIRMWARE / "boot.py")
        script = f"import sys; sys.path[:] = ['', 'vm']; scope = {{}}; execfile({boot!r}, scope)"
        result = subprocess.run(
            [self._micropython, "-X", "heapsize=2m", "-c", f"{script};{then}"],
            cwd=self._folder,
            env={**os.environ, "MICROPYPATH": "", "CAUSE": cause},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
            check=False,
        )
        assert result.returncode == 0, result.stdout
        return result.stdout.splitlines()

    def content(self) -> list[bytes]:
        return [(self._folder / name).read_bytes() for name in ("raw", "bank0", "bank1")]

    def select(self, k: int, ids: list[bytes], **fields: int) -> None:
        """Puts a record of the selector there; a trial, if it has tries."""
        flags = k | 2 * ("tries" in fields) | 4 * fields.pop("open", 0)
        record = struct.pack(
            "<IBBBBI8s8s", 9, flags, fields.get("tries", 0), fields.get("hours", 0),
            fields.get("why", 0), fields.get("floor", 0), *ids,
        )  # fmt: skip
        record += struct.pack("<I", crc32(record))
        raw = bytearray(RAW)
        for start in LOGS:
            raw[start : start + 32] = record
        (self._folder / "raw").write_bytes(raw)

    def selected(self) -> tuple[int, ...]:
        """(confirmed, trial, run open, tries, hours, why, floor) of the newest record."""
        raw = self.content()[0]
        records = [raw[at : at + 32] for at in range(LOGS[0], LOGS[0] + flash.SECTOR, 32)]
        newest = [record for record in records if record.strip(b"\xff")][-1]
        flags, tries, hours, why, floor = struct.unpack_from("<4xBBBBI", newest)
        return flags & 1, flags >> 1 & 1, flags >> 2, tries, hours, why, floor
