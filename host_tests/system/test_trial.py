"""Code banks on trial, as real processes: what spends a try, what does not, and the way back.

The banks are stubs of a few lines; who begins and confirms a trial over the line is elsewhere.
"""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

import banks
from osgp_tools import flash, image
from osgp_tools.device import Device
from osgp_tools.device_watchdog import TIMEOUT

PATIENCE = 60.0  # s; the machine is shared

RUN = """
import select, sys

def run(board):
    print({name!r}, board.reset_cause)
    poll = select.poll()
    poll.register(board.plc, select.POLLIN)
    octet = bytearray(1)
    while True:
        board.watchdog.feed()
        for event in poll.ipoll(100):
            event[0].readinto(octet)
            {when_told}
"""
GOES_ON = "pass"
RAISES = "raise ValueError('told to')"
HANGS = "while True: pass"
FAULTY = {
    "raises at import": "print('new starts')\nraise ValueError('a bad bank')\n",
    "needs what there is not": "print('new starts')\nimport nothing_of_ours\n",
    "leaves": "print('new starts')\nimport sys\nsys.exit(5)\n",
    "returns": "def run(board):\n    print('new starts')\n",
    "hangs before the first feed": "print('new starts')\nwhile True: pass\n",
    "hangs later": "def run(board):\n    print('new starts')\n    board.watchdog.feed()\n"
    "    while True: pass\n",
}


def bank(folder: Path, version: int, device: str) -> bytes:
    folder.mkdir(parents=True)
    (folder / "device.py").write_text(device)
    return image.build_bank(version, firmware=folder)


class RawRegion:
    """That of a flash file, as `banks` wants it."""

    def __init__(self, path: Path):
        self._path = path

    def read(self, address, buf):
        content = self._path.read_bytes()
        buf[:] = content[flash.RAW + address : flash.RAW + address + len(buf)]

    def program(self, address, buf):
        with self._path.open("r+b") as file:
            file.seek(flash.RAW + address)
            file.write(buf)


class House:
    """A device whose bank A was confirmed, and B is on trial."""

    def __init__(self, folder: Path, device: str):
        """device: the source of B's device.py."""
        self.path = folder / "flash.bin"
        self.log = folder / "log"
        folder.mkdir()
        self._old = bank(folder / "old", 1, RUN.format(name="old", when_told=GOES_ON))
        self._new = bank(folder / "new", 2, device)
        flash.create(self.path, {0: self._old})
        self.device = Device(self.path, log=self.log)

    async def __aenter__(self) -> "House":
        await self.device.start()
        await self.printed("old", 1)
        await self.device.cut_power()
        with self.path.open("r+b") as file:
            file.seek(flash.BANKS[1])
            file.write(self._new)
        self.selector.begin_trial(1, image.identity(self._new))
        self.log.write_text("")
        return self

    async def __aexit__(self, *_) -> None:
        await self.device.__aexit__()

    @property
    def selector(self) -> banks.State:
        return banks.load(RawRegion(self.path))

    def lines(self, word: str) -> list[str]:
        return [line for line in self.log.read_text().splitlines() if line.startswith(word)]

    async def printed(self, word: str, count: int) -> None:
        """Wait until so many lines begin with a word."""
        async with asyncio.timeout(PATIENCE):
            while len(self.lines(word)) < count:  # noqa: ASYNC110  a file has no event
                await asyncio.sleep(0.02)

    def tell(self) -> None:
        """The bank that runs is to do what it was made for."""
        self.device.uart.send(b"x")


def in_a_house(tmp_path: Path, device: str, scenario: Callable[[House], Awaitable[None]]) -> None:
    async def main():
        async with House(tmp_path / "house", device) as house:
            await scenario(house)

    asyncio.run(main())


@pytest.fixture(autouse=True)
def soon(monkeypatch):
    """The watchdog's time, shorter."""
    monkeypatch.setattr("osgp_tools.device_watchdog.TIMEOUT", TIMEOUT / 4)


def test_faulty_banks_are_returned_from_after_three_tries(tmp_path):
    async def returns(folder: Path, device: str) -> None:
        async with House(folder, device) as house:
            await house.device.start()
            await house.printed("old", 1)
            assert len(house.lines("new starts")) == 3
            over = "boot: the trial of bank B is over: its tries are used up"
            assert house.lines("boot:") == [over]
            state = house.selector
            assert (state.confirmed, state.trial, state.why) == (0, False, banks.USED_UP)
            assert state.ids[1] != bytes(8), "it may be tried again"

    async def all_of_them():
        folders = [tmp_path / name.replace(" ", "_") for name in FAULTY]
        await asyncio.gather(*map(returns, folders, FAULTY.values()))

    asyncio.run(all_of_them())


@pytest.mark.parametrize(
    ("when_told", "cause"), [(RAISES, "reset"), (HANGS, "watchdog")], ids=["raises", "hangs"]
)
def test_a_bank_that_fails_while_it_runs(tmp_path, when_told, cause):
    async def scenario(house):
        await house.device.start()
        for run in range(1, 4):
            await house.printed("new", run)
            assert (house.selector.open, house.selector.tries) == (True, 4 - run)
            house.tell()
        await house.printed("old", 1)
        assert house.lines("new") == ["new power on", *[f"new {cause}"] * 2]
        assert house.selector.why == banks.USED_UP

    in_a_house(tmp_path, RUN.format(name="new", when_told=when_told), scenario)


GOOD = RUN.format(name="new", when_told="board.reset()")


def test_lost_power_spends_no_try(tmp_path):
    async def scenario(house):
        for run in range(1, 7):
            await house.device.start()
            await house.printed("new", run)
            assert (house.selector.open, house.selector.tries) == (True, 3)
            await house.device.cut_power()
        assert not house.lines("old")

    in_a_house(tmp_path, GOOD, scenario)


def test_somebody_at_the_prompt_spends_no_try(tmp_path):
    """Ctrl-C and a start from the prompt, ten times, as ten connections of mpremote make them."""

    async def scenario(house):
        for run in range(1, 11):
            await house.device.start()
            await house.printed("new", run)
            await house.device.stop()
            state = house.selector
            assert (state.trial, state.open, state.tries) == (True, False, 3)

    in_a_house(tmp_path, GOOD, scenario)


ORDERLY = (
    RUN.format(name="new", when_told="ends(board)")
    + """
def ends(board):
    import banks
    banks.close_run(board)
    board.reset()
"""
)


def test_a_restart_in_good_order_spends_no_try(tmp_path):
    async def scenario(house):
        await house.device.start()
        for run in range(1, 6):
            await house.printed("new", run)
            assert house.selector.tries == 3
            house.tell()
        await house.printed("new reset", 5)
        assert house.selector.tries == 3

    in_a_house(tmp_path, ORDERLY, scenario)


def test_a_confirmed_bank_stays_and_the_old_one_is_kept(tmp_path):
    async def scenario(house):
        await house.device.start()
        await house.printed("new", 1)
        await house.device.cut_power()
        house.selector.confirm(0)
        for run in (2, 3):
            await house.device.start()
            await house.printed("new", run)
            await house.device.cut_power()
        house.selector.begin_trial(0, house.selector.ids[0])
        await house.device.start()
        await house.printed("old", 1)

    in_a_house(tmp_path, GOOD, scenario)


def test_a_cable_ends_a_trial(tmp_path):
    async def scenario(house):
        await house.device.start()
        await house.printed("new", 1)
        await house.device.cut_power()
        content = bytearray(house.path.read_bytes())
        flash.put_bank(content, 0, house._old)
        house.path.write_bytes(content)
        await house.device.start()
        await house.printed("old", 1)
        assert (house.selector.confirmed, house.selector.trial) == (0, False)

    in_a_house(tmp_path, GOOD, scenario)
