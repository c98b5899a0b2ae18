"""The Pico's own `_boot.py` and `board.py` under MicroPython, on a chip made of memory."""

import os
import subprocess
from pathlib import Path

import pytest
from test_image import board_names

from test_on_micropython import REPOSITORY, RUNS, interpreter

CHIP = Path(__file__).with_name("pico_chip.py")
BOARD = REPOSITORY / "boards" / "rpi_pico"
PATH = ":".join(str(REPOSITORY / folder) for folder in ("boards/rpi_pico", "boards", "firmware"))


@pytest.fixture(params=["64-bit", "32-bit"])
def chip(request):
    """Runs lines of Python on the chip. Returns what they print."""
    micropython = interpreter(RUNS[request.param][0])
    if micropython is None:
        pytest.skip(f"no {request.param} MicroPython")

    def run(lines: str) -> list[str]:
        program = f"{CHIP.read_text()}\nBOOT = open({str(BOARD / '_boot.py')!r}).read()\n{lines}"
        result = subprocess.run(
            [micropython, "-X", "heapsize=16m", "-c", program],
            env={**os.environ, "MICROPYPATH": PATH},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=20,
            check=False,
        )
        assert result.returncode == 0, result.stdout
        return result.stdout.splitlines()

    return run


# ---- _boot.py

FORMATTING = "_boot: the file system's region is blank, formatting it"
BOOT = """
import os, vfs
import common.mount  # frozen on the chip, so there before any file system
vfs.umount("/")  # the unix port has its own there
def boot():
    exec(BOOT, {})
def write(name, text):
    with open(name, "w") as file:
        file.write(text)
"""


def test_blank_region_becomes_a_file_system_once(chip):
    lines = chip(
        BOOT
        + """
boot()
write("/kept", "as it was")
vfs.umount("/")
erases = CHIP.erases
boot()
print(open("/kept").read(), CHIP.erases == erases)
print(bytes(CHIP.storage[:RAW_SIZE]) == b"\\xff" * RAW_SIZE)
"""
    )
    assert lines == [FORMATTING, "as it was True", "True"]


def test_what_does_not_mount_is_not_formatted(chip):
    """Both superblocks are gone. One octet anywhere is enough for a region not to be blank."""
    lines = chip(
        BOOT
        + """
boot()
write("/kept", "still there " * 400)
vfs.umount("/")
for address in range(RAW_SIZE, RAW_SIZE + 2 * 4096):
    CHIP.storage[address] = 0
before = bytes(CHIP.storage)
boot()
print(bytes(CHIP.storage) == before)
CHIP.storage[:] = b"\\xff" * len(CHIP.storage)
CHIP.storage[-1] = 0xFE
before = bytes(CHIP.storage)
boot()
print(bytes(CHIP.storage) == before)
"""
    )
    assert lines[0] == FORMATTING
    damaged = "_boot: the file system is damaged and stays as it is: OSError"
    assert [line.startswith(damaged) for line in lines[1:]] == [True, False, True, False]
    assert lines[2] == lines[4] == "True"


# ---- board.py


def test_board_is_complete(chip):
    lines = chip(f"import board; print([n for n in {board_names()!r} if not hasattr(board, n)])")
    assert lines == ["[]"]


def test_records_are_programmed_across_pages_and_sectors(chip):
    """Whole pages go to the chip, out of RAM; what lies around a record stays as it was."""
    lines = chip(
        """
import board
flash = board.flash
record = bytearray(range(1, 251))
for address in (0, 250, 4096 - 3, 8192 + 6):
    flash.program(address, record)
    back = bytearray(250)
    flash.read(address, back)
    assert back == record, address
assert CHIP.shortest == CHIP.longest == 256
flash.program(16384, b"first---")
flash.program(16384 + 16, b"second--")
back = bytearray(24)
flash.read(16384, back)
print(back)
flash.erase(4096)
flash.read(4096, back)
print(back == b"\\xff" * 24)
flash.read(4096 - 3, back)
print(back[:4])
"""
    )
    assert lines == [
        r"bytearray(b'first---\xff\xff\xff\xff\xff\xff\xff\xffsecond--')",
        "True",
        r"bytearray(b'\x01\x02\x03\xff')",
    ]


def test_flash_allocates_nothing(chip):
    lines = chip(
        """
import board, gc
flash, buf = board.flash, bytearray(40)
def work():
    flash.read(4090, buf)
    flash.program(4090, buf)
work()
gc.collect()
before = gc.mem_alloc()
work()
print(gc.mem_alloc() - before)
"""
    )
    assert lines == ["0"]


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        ("", ""),
        ("CHIP.pins[22] = 0", "the service jumper is fitted"),
        ("CHIP.memory[0x4005800C] = 0x2E5E71CE", "asked for; board.reset() leaves it"),
        ("CHIP.block_size = 0", "there is no file system"),
    ],
)
def test_service_mode_has_a_reason_and_no_watchdog(chip, state, reason):
    lines = chip(
        f"{state}\nimport board\nprint(repr(board.service))\n"
        "for _ in range(3): board.watchdog.feed()\nprint(CHIP.watchdog)"
    )
    assert lines == [repr(reason), "None" if reason else "[8000, 3]"]


def test_reset_to_service_and_back(chip):
    lines = chip(
        """
import board, sys
def again(reset):
    global board
    try:
        reset()
    except SystemExit:
        del sys.modules["board"]
        import board
        print(repr(board.service))
again(board.reset_to_service)
again(board.reset_to_service)
again(board.reset)
"""
    )
    asked = "'asked for; board.reset() leaves it'"
    assert lines == [asked, asked, "''"]


@pytest.mark.parametrize(
    ("state", "cause"),
    [
        ("CHIP.cause = 1", "power on"),
        ("CHIP.cause = 3", "reset"),
        ("CHIP.cause = 3; CHIP.memory[0x4005801C] = 0x6AB73121", "watchdog"),
    ],
)
def test_reset_cause(chip, state, cause):
    assert chip(f"{state}\nimport board; print(board.reset_cause)") == [cause]


def test_a_standing_oscillator_gives_the_same_draw_twice(chip):
    """The port's mixer (ports/rp2/main.c, rosc_random_u8) with either bit, from every state."""
    lines = chip(
        """
import board
seen = set()
for bit in (0, 1):
    for state in range(256):
        CHIP.stop(bit, state)
        seen.add(board.random(8) == board.random(8))
print(seen)
CHIP.work()
print(board.random(8) == board.random(8), len(board.random(32)))
"""
    )
    assert lines == ["{True}", "False 32"]


def test_the_house_is_a_source(chip):
    """8 kWh a day; energies are within what a source may hold."""
    lines = chip(
        """
import board
element = board.element()
day = 9800
element.start(day, 0)
total = 0
for quarter in range(96):
    element.take(day, 900 * (quarter + 1))
    total += element.forward
element.take(day + 1, 900)
print(total, element.forward, element.reverse)
"""
    )
    assert lines == ["7990000 45000 0"]


def test_without_a_key_nobody_commissions(chip):
    assert chip("import board; print(board.installation_key(bytes(6)))") == ["None"]
