"""Code banks, from the source to `import`: built by osgp_tools.image, chosen by firmware/boot.py.

boot.py runs under the real MicroPython, 64 and 32 bits, on a board.py of a few lines.
"""

import ast
import dataclasses
import hashlib
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import stub_firmware

from osgp_tools import flash, image
from test_on_micropython import RUNS, interpreter

REPOSITORY = Path(__file__).parents[2]
BOOT = REPOSITORY / "firmware" / "boot.py"
DESK = REPOSITORY / "boards" / "unix"

BOARD = """
def bank(k):
    with open("bank%d" % k, "rb") as file:
        return bytearray(file.read())
"""
SAFE_MODE = "boot: no code bank to run, safe mode"
EMPTY = b"\xff" * flash.BANK_SIZE


def constants(path: Path) -> dict[str, object]:
    """What a firmware file defines as `_NAME = const(...)`."""
    found = {}
    for node in ast.parse(path.read_text()).body:
        value = getattr(node, "value", None)
        if isinstance(value, ast.Call) and getattr(value.func, "id", "") == "const":
            found[node.targets[0].id] = ast.literal_eval(value.args[0])
    return found


def board_names() -> list[str]:
    return constants(BOOT)["_BOARD"].split()


@pytest.fixture(scope="module")
def bank(tmp_path_factory) -> bytes:
    return image.build_bank(firmware=stub_firmware.write(tmp_path_factory.mktemp("fw") / "a"))


@pytest.fixture(scope="module")
def newer(tmp_path_factory) -> bytes:
    folder = stub_firmware.write(tmp_path_factory.mktemp("fw") / "b", "newer")
    return image.build_bank(2, firmware=folder)


@pytest.fixture(params=["64-bit", "32-bit"])
def boot(request, tmp_path):
    """Runs boot.py on two banks, and then a line of Python. Returns the lines it prints."""
    micropython = interpreter(RUNS[request.param][0])
    if micropython is None:
        pytest.skip(f"no {request.param} MicroPython")

    def run(a: bytes = EMPTY, b: bytes = EMPTY, *, board: str | None = None, then: str = "pass"):
        for k, content in enumerate((a, b)):
            (tmp_path / f"bank{k}").write_bytes(content.ljust(flash.BANK_SIZE, b"\xff"))
        if board is None:
            names = "".join(f"{name} = None\n" for name in board_names())
            board = names + BOARD + 'NAME = "stub"\n'
        if board:
            (tmp_path / "board.py").write_text(board)
        else:
            (tmp_path / "board.py").unlink(missing_ok=True)
        script = f"import sys; sys.path[:] = [''];execfile({str(BOOT)!r}, {{}});{then}"
        result = subprocess.run(
            [micropython, "-X", "heapsize=1m", "-c", script],
            cwd=tmp_path,
            env={**os.environ, "MICROPYPATH": ""},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=20,
            check=False,
        )
        assert result.returncode == 0, result.stdout
        return result.stdout.splitlines()

    run.small_int_bits = int(request.param[:2]) - 1
    return run


STATE = "import application.state as s; print(s.STATE, s.__file__)"
RUNNING = "running /bank/application/state.mpy"


def changed(bank: bytes, **changes) -> bytes:
    """The bank with other values in its header."""
    header = dataclasses.replace(image.Header.decode(bank), **changes)
    return header.encode().ljust(flash.SECTOR, b"\xff") + bank[flash.SECTOR :]


def flipped(bank: bytes, place: int, bit: int = 0x20) -> bytes:
    damaged = bytearray(bank)
    damaged[place] ^= bit
    return bytes(damaged)


# --------------------------------------------------------------------------------------- building


def test_the_same_source_gives_the_same_octets(tmp_path):
    copy = tmp_path / "elsewhere" / "firmware"
    shutil.copytree(image.FIRMWARE, copy)
    for path in copy.rglob("*.py"):
        os.utime(path, (0, 0))
    assert image.build_bank(firmware=copy) == image.build_bank()


def test_header(bank):
    header = image.Header.decode(bank)
    assert header.encode() == bank[: len(header.encode())]
    assert bank[len(header.encode()) : flash.SECTOR].strip(b"\xff") == b""
    assert (header.version, header.security, header.family) == (1, 0, "any")
    assert header.length == len(bank) - flash.SECTOR
    assert header.digest == hashlib.sha256(bank[flash.SECTOR :]).digest()
    assert bank[flash.SECTOR :].startswith(b"\xd2\xcd\x31")  # ROMFS
    assert not bank.startswith(b"\xd2\xcd\x31")  # or a VM would mount the bank by itself


def test_header_layout():
    """Octet by octet, as design.md has it, without the format string that both sides share."""
    header = image.Header(0x01020304, bytes(range(32)), 0x05060708, 0x090A0B0C, "pico", 6, 31)
    assert header.encode() == (
        b"OSGPBANK" + b"\x01\x00" + b"\x4c\x00" + b"\x04\x03\x02\x01" + b"\x08\x07\x06\x05"
        + b"\x0c\x0b\x0a\x09" + b"pico" + bytes(12) + b"\x06\x1f\x00\x00" + bytes(range(32))
    )  # fmt: skip


def test_boot_and_tools_mean_the_same_header():
    boot = constants(BOOT)
    assert boot["_HEADER"] == image.HEADER
    assert boot["_MAGIC"] == image.MAGIC
    assert boot["_FORMAT"] == image.FORMAT
    assert boot["_SECTOR"] == flash.SECTOR


def test_desk_board_and_tools_mean_the_same_flash():
    board, vm = constants(DESK / "board.py"), constants(DESK / "vm.py")
    assert board["_BANKS"] == flash.BANKS
    assert board["_BANK_SIZE"] == flash.BANK_SIZE
    assert board["_RAW"] == flash.RAW == flash.BANKS[1] + flash.BANK_SIZE
    assert vm["_LITTLEFS"] == flash.FILES
    assert vm["_LITTLEFS"] + vm["_LITTLEFS_SECTORS"] * flash.SECTOR == flash.SIZE
    assert vm["_FLASH_SIZE"] == flash.SIZE


def test_board_document_names_all_that_boot_asks_for():
    described = set(re.findall(r"^\| `(\w+)", (DESK / "board.md").read_text(), re.MULTILINE))
    assert set(board_names()) <= described


def test_a_bank_holds_what_a_device_runs_and_no_more():
    names = image.sources(image.FIRMWARE)
    assert {"device.py", "settings.py", "tables/store.py", "tables/compiled.py"} <= set(names)
    assert not [name for name in names if name in ("boot.py", "main.py")]
    assert not [name for name in names if "schema" in name or "/basic/" in name]


def test_source_that_does_not_compile_is_refused(tmp_path):
    folder = stub_firmware.write(tmp_path / "fw")
    (folder / "application" / "wrong.py").write_text("def f(:\n")
    with pytest.raises(image.ImageError, match=r"application/wrong\.py"):
        image.build_bank(firmware=folder)


def test_native_code_is_refused(tmp_path):
    folder = stub_firmware.write(tmp_path / "fw")
    (folder / "fast.py").write_text("import micropython\n@micropython.native\ndef f(): pass\n")
    with pytest.raises(image.ImageError, match=r"fast\.py"):
        image.build_bank(firmware=folder)


def test_firmware_that_does_not_fit_is_refused(tmp_path):
    folder = stub_firmware.write(tmp_path / "fw")
    (folder / "large.py").write_text(f"X = {os.urandom(flash.BANK_SIZE)!r}\n")
    with pytest.raises(image.ImageError, match="octets"):
        image.build_bank(firmware=folder)


def test_what_is_no_bank_has_no_header(bank):
    for content in (b"", b"OSGPBANK", EMPTY, bank[1:], flipped(bank, 8)):
        with pytest.raises(image.ImageError):
            image.Header.decode(content)


# --------------------------------------------------------------------------------------- choosing


def test_a_bank_is_mounted_and_imported_from(boot, bank):
    assert boot(bank, then=STATE) == [RUNNING]
    assert boot(EMPTY, bank, then=STATE) == [RUNNING]


def test_the_firmware_imports_from_its_bank(boot):
    names = [name.removesuffix(".py").replace("/", ".") for name in image.sources(image.FIRMWARE)]
    modules = [name.removesuffix(".__init__") for name in names]
    then = f"[__import__(name) for name in {modules!r}]; import device; print(device.__file__)"
    assert boot(image.build_bank(), then=then) == ["/bank/device.mpy"]


def test_the_higher_version_wins(boot, bank, newer):
    assert boot(bank, newer, then=STATE)[0].startswith("newer")
    assert boot(newer, bank, then=STATE)[0].startswith("newer")


FAULTS = {
    "no magic": (lambda bank: b"X" + bank[1:], "has no header that is known here"),
    "rom first": (lambda bank: bank[flash.SECTOR :], "has no header that is known here"),
    "format 2": (lambda bank: flipped(bank, 8, 3), "has no header that is known here"),
    "longer than a bank": (lambda bank: changed(bank, length=0x31001), "is cut short"),
    "no length": (lambda bank: changed(bank, length=0), "is cut short"),
    "huge length": (lambda bank: changed(bank, length=0xFFFFFFFF), "is cut short"),
    "cut short": (lambda bank: bank[: flash.SECTOR + 100], "is damaged: its SHA-256 differs"),
    "first bit": (lambda bank: flipped(bank, flash.SECTOR), "is damaged: its SHA-256 differs"),
    "last bit": (lambda bank: flipped(bank, len(bank) - 1), "is damaged: its SHA-256 differs"),
    "digest bit": (lambda bank: flipped(bank, 44), "is damaged: its SHA-256 differs"),
    "foreign board": (
        lambda bank: changed(bank, family="other"),
        "is for a board of the family b'other'",
    ),
    "older .mpy": (lambda bank: changed(bank, mpy=5), "holds .mpy files of version 5, not 6"),
    "larger ints": (
        lambda bank: changed(bank, small_int_bits=64),
        "holds .mpy files for small ints of 64 bits",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_bad_bank_is_named_and_the_other_taken(boot, bank, newer, fault):
    spoil, message = FAULTS[fault]
    assert boot(spoil(newer), bank, then=STATE) == [f"boot: bank A {message}", RUNNING]
    assert boot(EMPTY, spoil(newer)) == [f"boot: bank B {message}", SAFE_MODE]


def test_small_ints_of_this_vm_are_taken(boot, bank):
    limit = boot.small_int_bits
    assert boot(changed(bank, small_int_bits=limit), then=STATE) == [RUNNING]
    assert SAFE_MODE in boot(changed(bank, small_int_bits=limit + 1))


def test_the_board_family_is_taken(boot, bank):
    assert boot(changed(bank, family="stub"), then=STATE) == [RUNNING]


def test_safe_mode_leaves_the_path_alone(boot):
    assert boot(then="print(sys.path)") == [SAFE_MODE, "['']"]


# ------------------------------------------------------------------------------------- the board


def test_no_board(boot, bank):
    assert boot(bank, board="") == ["boot: there is no board.py on this device", SAFE_MODE]


@pytest.mark.parametrize(
    ("source", "error"),
    [
        ("import rp2", "ImportError(\"no module named 'rp2'\",)"),
        ("1/0", "ZeroDivisionError('divide by zero',)"),
    ],
)
def test_a_board_of_other_hardware(boot, bank, source, error):
    first, *rest = boot(bank, board=source)
    assert first.startswith("boot: board.py does not fit this device: ")
    assert error.split("(")[0] in first
    assert rest == [SAFE_MODE]


def test_an_incomplete_board(boot, bank):
    names = [name for name in board_names() if name not in ("plc", "flash")]
    source = "".join(f"{name} = None\n" for name in names)
    message = "boot: board.py is not complete, it lacks flash, plc"
    assert boot(bank, board=source) == [message, SAFE_MODE]


def test_boot_imports_nothing_of_ours_but_board():
    tree = ast.parse(BOOT.read_text())
    names = {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
    }
    names |= {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert names == {"board", "hashlib", "micropython", "os", "struct", "sys", "vfs"}
