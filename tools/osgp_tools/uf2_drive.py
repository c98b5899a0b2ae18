"""`osgp flash`: the VM onto a board that is a USB drive in its boot loader (RP2040, RP2350).

Banks, counters, logs and files that the UF2 does not hold stay as they are.
"""

import contextlib
import os
import time
from pathlib import Path

from osgp_tools.repl import BoardError, Repl, port

BUILD = Path("build")
# What INFO_UF2.TXT on the drive says of the chip, by board
CHIPS = {"rpi_pico": "RPI-RP2", "rpi_pico2": "RP2350"}
INFO = "INFO_UF2.TXT"
PLACES = (
    "/media/*",
    "/media/*/*",
    "/run/media/*/*",
    "/mnt/*",
    "/Volumes/*",
)  # where drives appear
_APPEARS = 30.0  # s
_LOOK = 0.5  # s


def flash(where: str, family: str, drive: Path | None = None, build: Path = BUILD) -> Path:
    """Restart the board at `where` into its boot loader and copy its VM there. Returns the drive.

    drive: where the board is mounted already, BOOTSEL having been held; then `where` is not used.
    Raises BoardError, OSError.
    """
    if family not in CHIPS:
        raise BoardError(f"{family} is not flashed as a drive; {', '.join(CHIPS)} are")
    image = build / family / "firmware.uf2"
    if not image.is_file():
        raise BoardError(f"there is no {image}: make firmware BOARD={family}")
    if drive is None:
        with Repl(port(where)) as repl:
            repl.leave("import machine\nmachine.bootloader()\n")
        drive = _appeared(CHIPS[family])
    elif chip(drive) != CHIPS[family]:
        raise BoardError(f"{drive} is not the drive of a {family}: {chip(drive) or f'no {INFO}'}")
    _copy(image, drive)
    return drive


def chip(drive: Path) -> str:
    """Board-ID on a drive; empty: it is not a board's."""
    try:
        lines = (drive / INFO).read_text().splitlines()
    except OSError:
        return ""
    found = [line.partition(":")[2].strip() for line in lines if line.startswith("Board-ID:")]
    return found[0] if found else ""


def _appeared(wanted: str) -> Path:
    end = time.monotonic() + _APPEARS
    while time.monotonic() < end:
        for place in PLACES:
            for drive in Path("/").glob(place[1:]):
                if chip(drive) == wanted:
                    return drive
        time.sleep(_LOOK)
    raise BoardError(f"no drive {wanted} appeared: mount it, and name it with --drive")


def _copy(image: Path, drive: Path) -> None:
    """The board starts when it has the last block, and the drive is gone."""
    descriptor = os.open(drive / image.name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    content = memoryview(image.read_bytes())
    while content:
        content = content[os.write(descriptor, content) :]
    with contextlib.suppress(OSError):
        os.fsync(descriptor)
    with contextlib.suppress(OSError):
        os.close(descriptor)
