"""Code downloads on an emulated Pico: over the line from one version to the next and back, while
power goes and the watchdog bites at random moments.

OSGP_KILLS: how many kills (make test-board-long: 200). OSGP_SEED: of the moments.
"""

import asyncio
import os
import shutil
import time
from pathlib import Path
from random import Random

import device_time
import pytest
from board_rig import BOOTROM, REASON, Board, content
from update_rig import Images, Life, Stage

from banks import TRIES
from osgp_tools.emulator import EmulatedPico

KILLS = int(os.environ.get("OSGP_KILLS", "6"))
SEED = os.environ.get("OSGP_SEED", "1")
SPEED = 4.0  # of the emulator, when the device waits
LONG = 20  # kills from which on it is a long run
FEW = 40  # packets that come over the line where the others are put into the flash file

pytestmark = [
    pytest.mark.skipif(bool(REASON), reason=REASON),
    pytest.mark.timeout(2000 + 60 * KILLS),
]


@pytest.fixture(scope="module")
def images(tmp_path_factory) -> Images:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        return Images.make(tmp_path_factory.mktemp("images"))


def lived(images: Images, folder: Path, flash: Path, test, data: bytes = b""):
    """Runs `test(life)` on the board with this flash."""

    async def body(clock):
        async with Board(flash, clock, tear=SEED, speed=SPEED) as board:
            life = Life(board, images, folder, Random(SEED), data)
            started = time.monotonic()
            try:
                return await test(life)
            finally:
                life.close()
                wall = time.monotonic() - started
                print(f"seed {SEED}, {life.kills.total()} kills in {wall:.0f} s:")
                for (when, how), number in sorted(life.kills.items()):
                    print(f"{number:4} {when}, {how}")

    return device_time.run(body)


@pytest.fixture(scope="module")
def downloaded(images, tmp_path_factory) -> Path:
    """A whole download over the line, by broadcast, with kills: the flash of a device that runs
    version 2 on trial, and the database of its concentrator."""
    folder = tmp_path_factory.mktemp("download")

    async def download(life):
        await life.begin()
        await life.write(1)
        started = time.monotonic()
        await life.download(2, span=60)
        part = await life.update(images.two)
        assert part.stage == Stage.TRIAL, part.text
        status = await life.stand()
        assert (status.version, status.on_trial) == (2, True)
        print(f"{images.two.packets} packets in {time.monotonic() - started:.0f} s")

    lived(images, folder, images.flash(folder / "flash"), download)
    return folder


@pytest.fixture
def on_trial(downloaded, tmp_path) -> Path:
    """A copy of its own."""
    return shutil.copytree(downloaded, tmp_path / "on_trial")


def test_an_update_over_the_line_and_back(images, on_trial):
    async def test(life):
        await life.up()
        await life.trial(images.two, kills=1, confirming=1)
        await life.switch(images.one, kills=2)
        await life.trial(images.one, kills=0, confirming=1)

    lived(images, on_trial, on_trial / "flash", test, content(1))


def test_ten_connections_of_mpremote_change_nothing(images, on_trial):
    """Each interrupts what runs, or what is about to run, and leaves the board at its REPL, where
    the watchdog resets it."""

    async def connect():
        async with EmulatedPico(BOOTROM, on_trial / "flash", speed=SPEED) as pico:
            await pico.start()
            for k in range(10):
                await asyncio.sleep(k / 2)  # in the start, or later
                assert await pico.mpremote("exec", "print(6 * 7)") == "42\r\n"
                assert (await pico.event("reset", 60))["reason"] == "watchdog"

    asyncio.run(connect())

    async def test(life):
        status = await life.up()
        assert (status.version, status.on_trial) == (2, True)
        assert life.selector().tries == TRIES

    lived(images, on_trial, on_trial / "flash", test, content(1))


@pytest.mark.skipif(KILLS < LONG, reason=f"OSGP_KILLS is below {LONG} (make test-board-long)")
def test_kills_at_random_moments(images, tmp_path):
    """From one version to the next and back, again and again. Most packets are put into the flash
    file: the others come over the line."""

    async def cycle(life, number):
        await life.write(number)
        await life.erase(2)
        await life.fill(images.two, FEW)
        await life.download(3, span=6)
        await life.switch(images.two, 4)
        await life.trial(images.two, 2, 2)
        await life.switch(images.one, 4)
        await life.trial(images.one, 1, 2)

    async def test(life):
        await life.begin()
        number = 0
        while life.kills.total() < KILLS:
            number += 1
            await cycle(life, number)
            print(f"{number} cycles, {life.kills.total()} kills")

    lived(images, tmp_path, images.flash(tmp_path / "flash"), test)
