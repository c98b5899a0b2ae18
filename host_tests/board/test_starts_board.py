"""Starts with banks and files that are not as they should be: told, and reachable."""

import asyncio
import dataclasses

import device_time
import pytest
from board_rig import REASON, Board, bank, flash_file

from osgp_tools import flash as flash_map
from osgp_tools.image import Header, build_bank

pytestmark = [pytest.mark.skipif(bool(REASON), reason=REASON), pytest.mark.timeout(400)]


def damaged(content: bytes) -> bytes:
    return content[:-9] + bytes((content[-9] ^ 1,)) + content[-8:]


def other_header(**changes) -> bytes:
    """Our bank, whose header says something else."""
    header = dataclasses.replace(Header.decode(bank()), **changes)
    return header.encode().ljust(flash_map.SECTOR, b"\xff") + bank()[flash_map.SECTOR :]


BAD_STARTS = {
    "no bank": ({}, {}, "no code bank to run"),
    "damaged": ({0: damaged(bank())}, {}, "SHA-256 differs"),
    "cut short": ({0: bank()[:-8192]}, {}, "SHA-256 differs"),
    "other board": ({1: build_bank(family="esp32")}, {}, "family b'esp32'"),
    "other .mpy": ({0: other_header(mpy=5)}, {}, "version 5 for small ints"),
    "wide ints": ({0: other_header(small_int_bits=63)}, {}, "small ints of 63 bits"),
    "foreign board.py": (None, {"/board.py": b"NAME = 'other'\n"}, "lacks"),
    "broken board.py": (None, {"/board.py": b"import nothing_of_ours\n"}, "board.py"),
    "stale kernels.py": (None, {"/kernels.py": b"def crc16(): pass\n"}, "board.py does not fit"),
}


@pytest.mark.parametrize("name", BAD_STARTS)
def test_a_bad_start_is_told_and_reachable(tmp_path, name):
    """Nothing of ours runs; the REPL does, and says why when asked again. No octet is changed."""
    banks, files, told = BAD_STARTS[name]
    path = flash_file(tmp_path / "flash", banks, files)
    before = path.read_bytes()

    async def test(clock):
        async with Board(path, clock) as board:
            await asyncio.sleep(1)
            board.prompt.type("\r\x04")  # Ctrl-D: the start once more, and its messages
            printed = await board.prompt.until(r"soft reboot[^$]*>>> $")
            board.prompt.type("print(40 + 2)\r")
            await board.prompt.until("\n42")
            return printed

    assert told in device_time.run(test)
    assert path.read_bytes() == before


def test_a_damaged_bank_gives_way_to_the_other(tmp_path):
    banks = {0: bank(1), 1: damaged(bank(2))}
    path = flash_file(tmp_path / "flash", banks)

    async def test(clock):
        async with Board(path, clock) as board:
            await board.join()

    device_time.run(test)


def test_stale_files_do_not_come_before_the_bank(tmp_path):
    """Left behind by whoever played with the board: none of them is what runs."""
    wrong = b"raise ValueError('stale')\n"
    names = ("main", "boot", "device", "scheduler", "tables/store", "osgp/services")
    files = {f"/{name}.py": wrong for name in names}
    files["/scheduler.mpy"] = b"M\x06\x3c\x1f" + bytes(20)  # of another processor

    async def test(clock):
        async with Board(flash_file(tmp_path / "flash", files=files), clock) as board:
            await board.join()

    device_time.run(test)


def test_a_file_system_that_does_not_mount_stays_as_it_is(member_flash):
    content = bytearray(member_flash.read_bytes())
    for sector in range(2):
        at = flash_map.FILES + sector * flash_map.SECTOR
        content[at : at + 64] = bytes(64)
    member_flash.write_bytes(content)

    async def test(clock):
        async with Board(member_flash, clock) as board:
            await asyncio.sleep(3)
            board.prompt.type("\r\x04")
            printed = await board.prompt.until(r"soft reboot[^$]*>>> $")
            board.prompt.type("print(40 + 2)\r")
            await board.prompt.until("\n42")
            return printed

    printed = device_time.run(test)
    assert "file system" in printed
    assert member_flash.read_bytes() == content
