"""A whole device lives in the heap of a microcontroller: commissioned, on time, its past filled in
from a household, and all of its load profile read.

On the 32-bit port with the bank mounted in place. A microcontroller's VM has the names of all
modules in flash (osgp_tools/vm_names.py), some 25 kB that are in the heap here. What is not enough
raises MemoryError, which ends the device and the test with it.
"""

import time
from datetime import UTC, datetime, timedelta

import pytest

from desk import MP32, REPOSITORY, Desk
from osgp_tools import model
from osgp_tools.source import FORWARD, REVERSE, Source

HEAP = "128k"
MOST = 108 * 1024  # octets in use, so that there is room for what comes and goes
BT08, BT63, BT64 = 8, 63, 64
READ_LIMIT = 84
SET_ALL = 7
DONE = 0
PAST_DAYS, DAYS = 2, 4
QUARTER = timedelta(minutes=15)


@pytest.fixture(scope="module")
def source() -> Source:
    first = (datetime.now(UTC) - timedelta(days=PAST_DAYS)).date()
    return Source.household(first, DAYS, 3500, 600)


@pytest.fixture(scope="module")
def desk(tmp_path_factory, source):
    if not MP32.exists():
        pytest.skip(f"no 32-bit MicroPython at {MP32}: `make tools` brings it, or MP32 names one")
    folder = tmp_path_factory.mktemp("memory")
    source.write(folder / "house.source")
    boards = str(REPOSITORY / "boards")
    with Desk(folder, str(MP32), HEAP, folder / "house.source", boards) as desk:
        desk.console("import gc")
        desk.commission()
        yield desk


def read(desk, table: int, offset: int = 0, count: int | None = None) -> bytes:
    end = offset + (model.table(table).size if count is None else count)
    body = b""
    while offset + len(body) < end:
        at = offset + len(body)
        size = min(READ_LIMIT, end - at)
        answer = desk.command(f"3F {table:04X} {at:06X} {size:04X}")
        assert answer.code == 0
        body += answer.data
    return body


def set_clock(desk) -> None:
    now = datetime.now(UTC)
    moment = bytes((now.year - 2000, now.month, now.day, now.hour, now.minute, now.second))
    parameters = bytes((SET_ALL,)) + moment + bytes((now.isoweekday() % 7,))
    data = b"\x0a\0\x0a" + parameters
    assert desk.command(b"\x40\0\x07" + len(data).to_bytes(2, "big") + data).code == 0
    assert read(desk, BT08, 0, 4) == b"\x0a\0\x0a" + bytes((DONE,))


def newest_end(desk) -> datetime | None:
    """The end of the newest interval, as BT63 and BT64 tell it."""
    status = model.decode(BT63, read(desk, BT63))["sets"][0]
    if not status["valid_blocks"]:
        return None
    path = f"blocks.{status['last_block']}.end_time"
    offset, size = model.field(BT64, path)
    body = model.decode(BT64, read(desk, BT64, offset, size), offset)
    year, *rest = body["blocks"][status["last_block"]]["end_time"]
    return datetime(2000 + year, *rest, tzinfo=UTC)


def test_its_life_fits(desk, source):
    """All of it in one test: what is left over of each step is there at the next."""
    set_clock(desk)
    patience = time.monotonic() + 60
    while not (newest := newest_end(desk)) or datetime.now(UTC) - newest >= QUARTER:
        assert time.monotonic() < patience, f"the past is not filled in, up to {newest}"
        desk.turn()
    blocks = model.decode(BT64, read(desk, BT64))["blocks"]
    check_days(blocks, source)
    assert desk.process.poll() is None
    desk.console("gc.collect()")
    used = int(desk.console("gc.mem_alloc()"))
    assert used < MOST, f"{used} octets of heap in use"


def check_days(blocks, source: Source) -> None:
    """Every interval of the days that are whole holds the source's registers."""
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    ends = [
        datetime(2000 + b["end_time"][0], *b["end_time"][1:], tzinfo=UTC)
        if b["end_time"][1]
        else None
        for b in blocks
    ]
    for age in range(PAST_DAYS):
        block = blocks[ends.index(midnight - timedelta(days=age))]
        begin = midnight - timedelta(days=age + 1)
        for k, interval in enumerate(block["intervals"], start=1):
            registers = tuple(
                source.cumulative(begin + k * QUARTER, direction) // 1000
                for direction in (FORWARD, REVERSE)
            )
            assert tuple(interval["values"]) == registers, f"interval {k}, {age} days ago"
