"""boards/files_flash.py: files that behave like the raw flash they stand for."""

import importlib.util

import pytest

from osgp import kernels
from osgp_tools.deploy_folders import BOARDS
from tables.store import Ring


@pytest.fixture
def flash(tmp_path):
    spec = importlib.util.spec_from_file_location("files_flash", BOARDS / "files_flash.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return lambda: module.FilesFlash(str(tmp_path / "raw"))


def read(flash, address: int, n: int) -> bytes:
    buf = bytearray(n)
    flash.read(address, buf)
    return bytes(buf)


def test_what_was_never_written_is_erased(flash):
    assert read(flash(), 4090, 12) == b"\xff" * 12


def test_programs_stay_where_they_are_and_across_a_start(flash):
    made = flash()
    made.program(8192 + 64, b"later")
    made.program(8192 + 16, b"before it")
    made.program(4096, b"x" * 16)
    again = flash()
    assert read(again, 8192, 80) == (
        b"\xff" * 16 + b"before it" + b"\xff" * 39 + b"later" + b"\xff" * 11
    )
    assert read(again, 4096 + 4090, 10) == b"\xff" * 10
    assert read(again, 4096, 20) == b"x" * 16 + b"\xff" * 4


def test_an_erase_is_of_one_sector(flash):
    made = flash()
    for sector in range(3):
        made.program(sector * 4096, b"written")
    made.erase(4096)
    made.erase(4096)
    assert [read(made, sector * 4096, 7) for sector in range(3)] == [
        b"written", b"\xff" * 7, b"written",
    ]  # fmt: skip


def test_a_ring_on_it(flash):
    ring = Ring(flash(), 0, 3, 20, kernels)
    for number in range(300):
        ring.append(bytes((number & 0xFF,)) * 20)
        ring.tend()
    again = Ring(flash(), 0, 3, 20, kernels)
    buf = bytearray(20)
    assert again.last == 299
    assert again.read(299, buf)
    assert buf == bytes((299 & 0xFF,)) * 20
    assert again.repaired == 0
