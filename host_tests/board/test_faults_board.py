"""What may happen to a board: resets, hangs, power cuts, a full file system.

What was answered is there afterwards, numbers do not go back, and the device lives on.
"""

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import device_time
import pytest
from board_rig import (
    BT06,
    HOSTILE,
    INSTALLATION_KEY,
    REASON,
    UID,
    Board,
    Numbers,
    content,
    flash_file,
)

from osgp_tools import flash as flash_map
from osgp_tools.checks import check_day
from osgp_tools.concentrator import Concentrator, midnight
from osgp_tools.membership import InstallationKeys
from osgp_tools.readings import Readings
from osgp_tools.session import Code, RefusedError
from osgp_tools.source import Source
from osgp_tools.store import Vault

pytestmark = [pytest.mark.skipif(bool(REASON), reason=REASON), pytest.mark.timeout(400)]

NOW = datetime.fromtimestamp(device_time.START, UTC)
BT54 = 54  # too long for a file that littlefs keeps inline: needs a block of its own
EXPECTED = "device.counter.hi << 16 | device.counter.lo"


# ---- resets and hangs


def test_resets_amid_writes(member_flash):
    """machine.reset() falls between two flash operations of a write, at moments of its own."""

    async def test(clock):
        async with Board(member_flash, clock) as board:
            await board.up()
            numbers = Numbers(2)
            session = board.session(board.client(), numbers)
            kept = 0
            for k, delay in enumerate((2, 7, 12, 19)):
                least = numbers.next
                await board.console("import hostile")
                writing = asyncio.create_task(session.write(BT06, content(k + 1), 0))
                await board.console(f"hostile.reset_in({delay})")
                assert (await board.pico.event("reset", 60))["reason"] == "forced"
                await board.prompt.until("the device runs", 60)
                await asyncio.gather(writing, return_exceptions=True)
                there = await board.found(session)
                assert there in (content(kept), content(k + 1)), f"torn by reset {k}"
                answered = not writing.exception()
                assert not answered or there == content(k + 1)
                kept = k + 1 if there == content(k + 1) else kept
                assert await board.number(EXPECTED) > least
                assert await board.number("device.settings._settings.bad") == 0
            return await board.console("device.board.reset_cause")

    assert device_time.run(test) == "'reset'"


def test_a_part_that_hangs_is_noticed(member_flash):
    """The watchdog resets the chip, cause 3; what was written is there, numbers go on."""

    async def test(clock):
        async with Board(member_flash, clock) as board:
            await board.up()
            session = board.session(board.client(), Numbers(2))
            await session.write(BT06, content(7), 0)
            number = await board.number(EXPECTED)
            await board.console("import hostile")
            hung = await board.pico.time()
            board.prompt.type("hostile.hang(device)\r")
            reset = await board.pico.event("reset", 60)
            assert reset["reason"] == "watchdog"
            assert await board.found(session) == content(7)
            assert await board.number(EXPECTED) > number
            cause = await board.console("device.board.reset_cause")
            chip = await board.console("import machine; print(machine.reset_cause())")
            return reset["ms"] - hung, cause, chip, await board.pico.stats()

    took, cause, chip, stats = device_time.run(test)
    assert 7000 < took < 9500
    assert (cause, chip) == ("'watchdog'", "3")
    assert stats["boots"] == 2


# ---- power cuts


@pytest.mark.parametrize("tear", ["1", "2"])
def test_power_cuts_amid_writes(member_flash, tear):
    """The power goes in each flash operation of a write in turn, which is left half done."""

    async def test(clock):
        async with Board(member_flash, clock, tear=tear) as board:
            await board.up()
            numbers = Numbers(2)
            session = board.session(board.client(), numbers)
            kept = 0
            for k in range(1, 4):
                await session.read(BT06, 0, 1)  # takes up the device's number
                least = numbers.next
                await board.pico.cut_in_operation(k)
                writing = asyncio.create_task(session.write(BT06, content(k), 0))
                await asyncio.wait([writing], timeout=1.5)
                answered = writing.done() and not writing.exception()
                await board.kill()
                await board.start()
                await asyncio.gather(writing, return_exceptions=True)
                now = await board.found(session)
                assert now in (content(kept), content(k)), f"torn by cut {k}"
                assert not answered or now == content(k)
                kept = k if now == content(k) else kept
                assert numbers.next > least  # and the device took it
                assert await board.number("device.settings._settings.bad") == 0

    device_time.run(test)


def test_power_cuts_amid_the_log(tmp_path):
    """Twice while the past is filled in. Then no interval is lost, and none counted twice."""
    source = Source.household((NOW - timedelta(days=2)).date(), 4, 3500)
    path = flash_file(tmp_path / "flash", files={"/source": source.encode()})
    keys = tmp_path / "keys.csv"
    keys.write_text(f"{UID.hex()},{INSTALLATION_KEY.hex()}\n")

    async def test(clock):
        vault = Vault(tmp_path / "vault.db")
        readings = Readings(tmp_path / "readings.db")
        async with Board(path, clock, tear="3", flash_times="5") as board:
            concentrator = Concentrator(board.client(), vault, readings, InstallationKeys(keys))
            await board.up()
            device = await concentrator.commission(UID)
            for operations in (60, 101):
                await board.pico.cut_in_operation(operations)
                setting = asyncio.create_task(concentrator.set_clock(device))
                await board.pico.until_cut()
                setting.cancel()
                await asyncio.gather(setting, return_exceptions=True)
                await board.kill()
                await board.start()
                await board.up()
            await concentrator.set_clock(device)
            await concentrator.wait_for_past(device)
            day = await concentrator.read_day(device, midnight(NOW))
        vault.close()
        readings.close()
        return day

    day = device_time.run(test)
    assert len(day.intervals) == 96
    verdict = check_day(day, source)
    assert verdict.wrong == ()


def test_many_power_cuts_use_up_no_more_than_their_share(member_flash):
    """A start costs at most one block of 256 numbers."""

    async def test(clock):
        seen = []
        async with Board(member_flash, clock) as board:
            for _ in range(3):
                await board.prompt.until(">>> ")
                seen.append(await board.number(EXPECTED))
                await board.kill()
                await board.start()
        return seen

    seen = device_time.run(test)
    assert all(a <= b <= a + 256 for a, b in pairwise(seen))


# ---- a full file system


def test_a_full_file_system(tmp_path):
    """What cannot be kept is answered 01 and changes nothing; the device lives and restarts."""
    room = flash_map.SIZE - flash_map.FILES
    fill = {"/ballast": bytes(room - 17 * flash_map.SECTOR)}
    path = flash_file(tmp_path / "flash", files=HOSTILE | fill)

    async def test(clock):
        async with Board(path, clock) as board:
            session, numbers = await board.join()
            before = await session.read(BT54, 0, 84)
            assert await board.number("__import__('hostile').fill()") > 0  # had no room
            with pytest.raises(RefusedError) as refused:
                await session.write(BT54, content(1), 0)
            assert refused.value.code == Code.ERROR
            assert await session.read(BT54, 0, 84) == before
            assert await session.read(BT06, 0, 75) == content(0)
            number = numbers.next
            await board.kill()
            await board.start()
            assert await board.found(session) == content(0)
            assert await session.read(BT54, 0, 84) == before
            assert numbers.next > number
            with pytest.raises(RefusedError):
                await session.write(BT54, content(1), 0)
            await board.console("import os; os.remove('/large')")
            await session.write(BT54, content(1), 0)
            assert await session.read(BT54, 0, 75) == content(1)

    device_time.run(test)
