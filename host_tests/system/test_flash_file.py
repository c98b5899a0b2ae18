"""`osgp device` on a flash file that is not as it must be: one clear line, an exit code, and the
file as it was."""

import re
import shutil
from pathlib import Path

import pytest
from processes import osgp

from osgp_tools import flash, image

SYSTEM = 4  # exit code: a port, a file or a process failed
SAFE_MODE = "boot: no code bank to run, safe mode"


@pytest.fixture(scope="module")
def bank() -> bytes:
    return image.build_bank(1)


@pytest.fixture
def device(tmp_path):
    """Run a device on a flash file's content: exit code, its lines, the content afterwards."""

    def run(content: bytes):
        path = tmp_path / "flash.bin"
        path.write_bytes(content)
        ended = osgp("device", "--plc", f"pty:{tmp_path / 'plc'}", "--flash", path)
        assert not (tmp_path / "plc").is_symlink()
        return ended.returncode, (ended.stdout + ended.stderr).splitlines(), path.read_bytes()

    return run


def content_with(tmp_path: Path, **banks: bytes) -> bytearray:
    path = tmp_path / "made.bin"
    flash.create(path, {"AB".index(k): bank for k, bank in banks.items()})
    return bytearray(path.read_bytes())


def test_no_bank(device, tmp_path):
    content = content_with(tmp_path)
    code, lines, _ = device(content)
    assert code == SYSTEM
    assert lines == [SAFE_MODE, "osgp: the device ended with status 3"]


def test_a_bank_for_another_board(device, tmp_path):
    foreign = image.build_bank(family="rpi_pico")
    code, lines, _ = device(content_with(tmp_path, A=foreign))
    assert code == SYSTEM
    assert lines[0] == "boot: bank A is for a board of the family b'rpi_pico'"
    assert lines[1:] == [SAFE_MODE, "osgp: the device ended with status 3"]


def test_two_damaged_banks(device, tmp_path, bank):
    content = content_with(tmp_path, A=bank, B=bank)
    content[flash.BANKS[0] + flash.SECTOR + 1000] ^= 1
    content[flash.BANKS[1]] ^= 1
    code, lines, _ = device(content)
    assert code == SYSTEM
    assert lines[0] == "boot: bank A is damaged: its SHA-256 differs"
    assert lines[1] == "boot: bank B has no header that is known here"
    assert lines[2:] == [SAFE_MODE, "osgp: the device ended with status 3"]


@pytest.mark.parametrize("size", [0, flash.SIZE - 1, flash.SIZE + flash.SECTOR])
def test_a_file_that_is_no_flash(device, size):
    code, lines, after = device(bytes(size))
    assert code == SYSTEM
    assert re.match("vm: OSGP_FLASH names no flash of 2097152 octets: .*flash.bin", lines[0])
    assert lines[1:] == ["osgp: the device ended with status 2"]
    assert after == bytes(size)


def test_a_damaged_file_system(device, tmp_path, bank):
    """Its settings may be had yet by other means: it is not formatted, and nothing runs."""
    content = content_with(tmp_path, A=bank)
    for k in range(4):
        at = flash.FILES + k * flash.SECTOR
        content[at : at + flash.SECTOR] = bytes((k,)) * flash.SECTOR
    code, lines, after = device(content)
    assert code == SYSTEM
    assert lines[0].startswith("vm: the file system is damaged and stays as it is")
    assert after[flash.FILES :] == content[flash.FILES :]
    assert lines[1:] == ["osgp: the device ended with status 4"]


def test_a_flash_file_that_cannot_be_written(device, tmp_path):
    """A folder in its place."""
    (tmp_path / "flash.bin").mkdir()
    ended = osgp("device", "--plc", f"pty:{tmp_path / 'plc'}", "--flash", tmp_path / "flash.bin")
    assert ended.returncode == SYSTEM
    assert ended.stderr.startswith("osgp: ") and ended.stderr.count("\n") == 1
    shutil.rmtree(tmp_path / "flash.bin")
