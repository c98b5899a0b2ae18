"""Board tests may share what stands beside them, and leave no process behind."""

import os
import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "system"))

import device_time
import processes
from board_rig import HOSTILE, Board, flash_file


@pytest.fixture(scope="module", autouse=True)
def nothing_left(request):
    """Every process that a module starts bears its mark; at its end there must be none."""
    os.environ[processes.MARK] = f"{os.getpid()}:{request.module.__name__}"
    yield
    try:
        processes.assert_none_left()
    finally:
        processes.end_those_left()
        del os.environ[processes.MARK]


@pytest.fixture
def new_flash(tmp_path) -> Path:
    """The flash of a new device, with hostile.py on it."""
    return flash_file(tmp_path / "flash", files=HOSTILE)


@pytest.fixture(scope="session")
def joined(tmp_path_factory) -> Path:
    path = flash_file(tmp_path_factory.mktemp("member") / "flash", files=HOSTILE)

    async def life(clock):
        async with Board(path, clock) as board:
            await board.join()

    device_time.run(life)
    return path


@pytest.fixture
def member_flash(joined, tmp_path) -> Path:
    """The flash of a board that is a member and has one write behind it (`Board.join`)."""
    return shutil.copy(joined, tmp_path / "flash")
