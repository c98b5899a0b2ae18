"""A whole device is brought from one bank to the other by procedures, with a start in between;
what its event log, BT03 and ET17 tell of that."""

import struct
import sys
from pathlib import Path

import pytest
from whole_device import House

import banks
import ticks
from download_support import EP08, EP09, EP10, KEY, NEW, OLD, Nor, identity, packet, packets
from osgp_tools import model
from rig import MemoryBoard, StillElement

FIRMWARE = str(Path(ticks.__file__).parent)
BT08, BT74, ET17 = 8, 74, 2048 + 17
DONE, ACCEPTED, TIMING = 0, 1, 4
SYSTEM_RESET, BANK_CHANGED = 38, 78
NEW_BANK = 5  # cause in event 38


class Board(MemoryBoard):
    NAME = "unit"

    def __init__(self) -> None:
        super().__init__(StillElement())
        self.contents = [Nor(50), Nor(50)]
        self.contents[0].data[: len(OLD)] = OLD
        state = banks.load(self.flash)
        state.ids[0] = identity(OLD)
        state.why = banks.BY_CABLE
        state.keep()

    def bank_flash(self, k: int) -> Nor:
        return self.contents[k]

    def update_key(self) -> bytes:
        return KEY


class Started(House):
    """A start of a bank. `board` keeps what flash has."""

    def __init__(self, board: Board, active: int, monkeypatch):
        others = [path for path in sys.path if not path.startswith("/bank")]
        monkeypatch.setattr(sys, "path", [("/bankA", "/bankB")[active], *others])
        super().__init__(board)
        self.device.start()

    def until_done(self) -> int:
        """The download's work is done. Returns BT08's result."""
        board = self.rig.board
        while self.device.download and self.device.download._work:
            self.rig.advance(50)
            self.device.download.poll(board.now)
        return self.look(model.TABLES[BT08], 0, 16)[3]

    def status(self) -> dict:
        return model.decode(ET17, self.look(model.TABLES[ET17], 0, 446))

    def events(self) -> list[tuple[int, int]]:
        log = model.decode(BT74, self.look(model.TABLES[BT74], 0, model.TABLES[BT74].size))
        entries = log["entries"][: log["valid_entries"]]
        return [(entry["event"], entry["argument"]) for entry in entries]


@pytest.fixture
def start(monkeypatch):
    board = Board()
    return lambda active: Started(board, active, monkeypatch)


def test_from_one_bank_to_the_other(start):
    old = start(0)
    assert old.status() | {"received": ()} == dict.fromkeys(old.status(), 0) | {
        "version": 1,
        "security_counter": 1,
        "received": (),
    }
    assert old.call(EP08, struct.pack("<I", len(NEW))) == ACCEPTED
    assert old.until_done() == DONE
    for k in range(packets(NEW)):
        assert old.call(EP09, packet(NEW, k)) == DONE
    assert old.until_done() == DONE
    assert old.status()["received"] == tuple(range(packets(NEW)))
    assert old.call(EP10, b"\1" + identity(NEW)) == ACCEPTED
    assert old.until_done() == DONE
    assert old.status()["state"] == 5

    old.rig.board.reset_cause = "reset"
    new = start(1)
    found = new.events()
    assert (BANK_CHANGED, 1) in found and (SYSTEM_RESET, NEW_BANK) in found
    assert (new.status()["state"], new.status()["version"]) == (6, 2)
    assert new.call(EP10, b"\1" + identity(NEW)) == TIMING
    for _ in range(601):
        new.rig.advance(1000)
        for slot in new.device.scheduler.slots:
            slot.beat = new.rig.board.now
        new.device.trial.poll(new.rig.board.now)
    assert new.call(EP10, b"\1" + identity(NEW)) == DONE
    assert new.device.trial is None and new.status()["state"] == 0
    assert banks.load(new.device.flash).confirmed == 1


def test_calls_are_not_too_deep(start):
    """See test_broadcast_device.py, whose message comes in four calls above the first of these.
    The deepest: a trial is confirmed inside a transaction."""
    house = start(0)
    banks.load(house.device.flash).begin_trial(1, identity(NEW))
    house.rig.board.contents[1].data[: len(NEW)] = NEW
    house = start(1)
    house.device.trial._good_since = ticks.add(house.rig.board.now, -600001)
    bt07 = struct.pack("<HB", EP10, 99) + b"\1" + identity(NEW)
    record = b"\x40\0\x07" + struct.pack(">H", len(bt07)) + bt07
    request = b"\0\1\0" + struct.pack("<H", len(record)) + record + b"\1\0"
    request = struct.pack("<H", len(request) + 2) + request
    depth = deepest = 0

    def watch(frame, event, argument):
        nonlocal depth, deepest
        if frame.f_code.co_filename.startswith(FIRMWARE):
            depth += {"call": 1, "return": -1}.get(event, 0)
            deepest = max(deepest, depth)

    sys.setprofile(watch)
    try:
        house.run(b"\x40\x08\x1b" + struct.pack(">H", len(request)) + request)
    finally:
        sys.setprofile(None)
    assert house.device.trial is None
    assert deepest + 4 <= 21


def test_the_alarm(start):
    board = start(0)
    state = banks.load(board.device.flash)
    state.begin_trial(1, identity(NEW))
    board.rig.board.contents[1].data[: len(NEW)] = NEW
    house = start(1)
    alarms = house.look(model.TABLES[3], 0, model.TABLES[3].size)
    place = 1 + (BANK_CHANGED - 40 >> 3)
    assert alarms[place] >> (BANK_CHANGED - 40 & 7) & 1
