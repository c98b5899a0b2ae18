"""Images of code banks, as osgp_tools.image builds them; test_choosing.py starts them."""

import ast
import dataclasses
import hashlib
import os
import re
import shutil
from pathlib import Path

import pytest
import stub_firmware

from osgp_tools import cli_image, flash, image, image_check

REPOSITORY = Path(__file__).parents[2]
FIRMWARE = REPOSITORY / "firmware"
BANKS = FIRMWARE / "banks.py"
CHOICE = FIRMWARE / "bank_choice.py"
DESK = REPOSITORY / "boards" / "unix"

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
    return constants(CHOICE)["_BOARD"].split()


@pytest.fixture(scope="module")
def bank(tmp_path_factory) -> bytes:
    return image.build_bank(firmware=stub_firmware.write(tmp_path_factory.mktemp("fw") / "a"))


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


def test_boot_and_tools_mean_the_same_bank():
    banks = constants(BANKS)
    assert banks["_FIELDS"] == image.HEADER
    assert banks["_MAGIC"] == image.MAGIC
    assert banks["_IN_FLASH"] == image.FORMAT
    assert banks["HEADER"] == image.SIGNATURE
    assert banks["SECTOR"] == flash.SECTOR
    assert banks["SECTOR"] + banks["ROOM"] == image.LARGEST
    assert banks["MARK"] == flash.MARK
    assert banks["MARK_AT"] + len(flash.MARK) == flash.SECTOR


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


# ---- written by cable


def test_what_a_cable_writes_is_a_whole_marked_bank(bank, tmp_path):
    """Octet by octet: the image, the mark at the end of its first sector, FF to the bank's end."""
    (tmp_path / "bank.img").write_bytes(bank)
    cli_image.cable(tmp_path / "bank.img", tmp_path / "bank.bin")
    written = (tmp_path / "bank.bin").read_bytes()
    assert len(written) == 204_800
    assert written[:4064] == bank[:4064]
    assert written[4064:4096] == b"\xff" * 16 + b"OSGP by cable 1\0"
    assert written[4096 : len(bank)] == bank[4096:]
    assert written[len(bank) :].strip(b"\xff") == b""


def test_nothing_else_is_written_by_cable(bank, tmp_path):
    (tmp_path / "bank.img").write_bytes(flipped(bank, len(bank) - 1))
    with pytest.raises(image_check.CheckError, match="SHA-256"):
        cli_image.cable(tmp_path / "bank.img", tmp_path / "bank.bin")
    assert not (tmp_path / "bank.bin").exists()
    with pytest.raises(ValueError, match="do not fit"):
        flash.whole_bank(bytes(flash.BANK_SIZE + 1))
