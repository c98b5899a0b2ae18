"""`osgp deploy` into banks in flash, its power cut at every operation.

What is executed on a board (boards/agent.py) runs here, on flash in RAM. On a Pico's VM:
host_tests/board/test_deploy_board.py.
"""

import functools
import random
import sys
import types
from pathlib import Path

import pytest
import stub_firmware

import bank_choice
import banks
from bank_support import WAYS, Nor, PowerCut
from osgp_tools import deploy_flash, flash, image
from osgp_tools.board_agent import Agent
from osgp_tools.repl import BoardError


class BankFlash(Nor):
    """A bank, in which a page may be programmed around what it holds."""

    def __init__(self, cuts, data=b"\xff" * flash.BANK_SIZE):
        super().__init__(data)
        self._cuts = cuts

    def _do(self, address, new):
        self._cuts.count += 1
        if self._cuts.count == self._cuts.at:
            self.way = self._cuts.way
            self._half(address, new)
            raise PowerCut
        self.data[address : address + len(new)] = new


class Cuts:
    def __init__(self):
        self.count = 0
        self.at = -1
        self.way = "none"


class Bank(bank_choice.Bank):
    """Without the file system that only MicroPython has."""

    def _files(self):
        return ""


class Board(types.ModuleType):
    """A board's module, and its flash."""

    NAME = "stub"
    service = "asked for"
    reset_cause = "power on"

    def __init__(self):
        super().__init__("board")
        self.cuts = Cuts()
        self.flash = Nor()
        self.banks = [BankFlash(self.cuts), BankFlash(self.cuts)]

    def bank(self, k):
        return self.banks[k].data

    def bank_flash(self, k):
        return self.banks[k]

    def update_key(self):
        return None

    def start(self) -> str:
        """Which bank runs at a start; empty: none."""
        state = banks.load(self.flash)
        found = [Bank(k, self.banks[k].data, b"stub") for k in (0, 1)]
        bank = bank_choice.choose(found, state, "power on", self.update_key)
        if bank is None:
            return ""
        state.keep()
        for one in found:
            if one.is_marked and one.is_whole():
                self.banks[one.k].data[4064:4080] = bytes(16)
        return bank.name


class Repl:
    """A board's REPL, as `Agent` wants it."""

    where = "here"

    def __init__(self):
        self._scope = {}

    def run(self, code, *_):
        exec(code, self._scope)

    def ask(self, expression, *_):
        return eval(expression, self._scope)


@pytest.fixture
def board(monkeypatch) -> Board:
    board = Board()
    monkeypatch.setitem(sys.modules, "board", board)
    monkeypatch.setattr(sys.implementation, "_mpy", 0x106, raising=False)
    return board


@pytest.fixture
def firmware(tmp_path) -> Path:
    return stub_firmware.write(tmp_path / "fw", "first")


def deploy(firmware: Path):
    return deploy_flash.deploy(Agent(Repl()), firmware, lambda _: None)


def change(firmware: Path, text: str) -> None:
    (firmware / "application" / "state.py").write_text(f"STATE = {text!r}\n")


def test_to_a_new_board_then_again_then_another(board, firmware):
    done = deploy(firmware)
    assert (done.where, done.version, done.sent) == ("bank A", 1, ["bank A"])
    assert board.banks[0].data == flash.whole_bank(image.build_bank(1, firmware=firmware))
    assert board.start() == "A"
    done = deploy(firmware)
    assert (done.where, done.version, done.sent) == ("bank A", 1, [])
    change(firmware, "second")
    done = deploy(firmware)
    assert (done.where, done.version, done.sent) == ("bank B", 2, ["bank B"])
    assert board.start() == "B"
    change(firmware, "third")
    assert (deploy(firmware).where, board.start()) == ("bank A", "A")


def test_a_trial_is_over(board, firmware):
    """Its bank is the one that is written, even to deploy what is confirmed."""
    deploy(firmware)
    board.start()
    new = image.build_bank(7, firmware=firmware)
    board.banks[1].data[: len(new)] = new
    banks.load(board.flash).begin_trial(1, image.identity(new))
    assert board.start() == "B"
    done = deploy(firmware)
    assert (done.where, done.version) == ("bank B", 8)
    assert board.start() == "B"
    state = banks.load(board.flash)
    assert (state.confirmed, state.trial, state.why) == (1, False, banks.BY_CABLE)


def test_what_a_download_left_is_gone(board, firmware):
    deploy(firmware)
    board.start()
    board.banks[1].data[flash.DOWNLOAD :] = bytes(flash.BANK_SIZE - flash.DOWNLOAD)
    change(firmware, "second")
    deploy(firmware)
    sector = board.banks[1].data[flash.DOWNLOAD : flash.DOWNLOAD + flash.SECTOR]
    assert sector == b"\xff" * flash.SECTOR


def test_the_power_goes_in_every_operation(board, firmware, monkeypatch):
    """The old bank starts, or the new one: after the last operation, and in it."""
    large = random.Random(6).randbytes(12_000)
    (firmware / "application" / "large.py").write_text(f"X = {large!r}\n")
    deploy(firmware)
    board.start()
    change(firmware, "second")
    built = functools.cache(image.build_bank)
    monkeypatch.setattr(deploy_flash, "build_bank", built)
    before = [bytes(bank.data) for bank in board.banks], bytes(board.flash.data)
    board.cuts.count = 0
    deploy(firmware)
    operations = board.cuts.count
    started = {}
    for operation in range(1, operations + 1):
        for way in WAYS:
            for bank, content in zip(board.banks, before[0]):
                bank.data[:] = content
            board.flash.data[:] = before[1]
            board.cuts.count, board.cuts.at, board.cuts.way = 0, operation, way
            with pytest.raises(PowerCut):
                deploy(firmware)
            board.cuts.at = -1
            started[operation, way] = board.start()
            assert deploy(firmware).where in ("bank A", "bank B")
            assert banks.load(board.flash).number
    assert {bank for (operation, _), bank in started.items() if operation < operations} == {"A"}
    assert set(started.values()) <= {"A", "B"}
    assert operations > 20
    print("deploy:", len(started), "cuts")


def test_a_vm_that_knows_no_selector(board, firmware, monkeypatch):
    monkeypatch.setitem(sys.modules, "banks", None)
    with pytest.raises(BoardError, match="its VM is older than this firmware: `osgp flash` first"):
        deploy(firmware)
