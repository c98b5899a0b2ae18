"""While flash is erased or programmed the UART is deaf and mute. No request is lost by it.

What the firmware's gate does not keep apart, MIP and the transport repeat.
"""

import asyncio
from datetime import UTC, datetime, timedelta

import device_time
import pytest
from board_rig import BT06, REASON, Board, content, flash_file

from osgp_tools.concentrator import BP10, SET_ALL, _ltime
from osgp_tools.source import Source

pytestmark = [pytest.mark.skipif(bool(REASON), reason=REASON), pytest.mark.timeout(400)]

NOW = datetime.fromtimestamp(device_time.START, UTC)
RINGS = "[slot.part for slot in device.scheduler.slots if hasattr(slot.part, '_rings')][0]._rings"


@pytest.mark.parametrize("times", ["typical", "worst"])
@pytest.mark.parametrize("moment", ["coming", "leaving"])
def test_an_erase_at_the_worst_moment_loses_no_request(new_flash, times, moment):
    """An erase begins with the first octets of a frame, or right behind the last one written."""

    async def test(clock):
        async with Board(new_flash, clock, flash_times=times) as board:
            session, _ = await board.join()
            where = f"coming={moment == 'coming'}, leaving={moment == 'leaving'}"
            await board.console(f"import hostile; strike = hostile.deaf(device, 700, {where})")
            writes = await board.number("device.services.writes")
            for k in range(6):
                await session.write(BT06, content(k), 0)
                await asyncio.sleep(0.4)
                assert await session.read(BT06, 0, 75) == content(k)
                await asyncio.sleep(0.4)
            done = await board.number("device.services.writes") - writes
            struck = await board.number("strike.struck")
            resent = board.transceiver.chip.statistics()["resent"]
            return session.client.statistics, done, struck, resent, await board.pico.stats()

    statistics, writes, struck, resent, stats = device_time.run(test)
    print(statistics, struck, resent, stats)
    assert struck >= 4
    assert statistics.failed == 0
    assert writes == 6  # each happened once
    if moment == "coming":
        assert stats["uart1"]["lost"] > 0  # it was as bad as it was meant to be
        assert resent > 0
    assert stats["longest_masked_ms"] < (46 if times == "typical" else 401)


@pytest.mark.parametrize("times", ["typical", "worst"])
def test_the_devices_own_writes_lose_no_request(tmp_path, times):
    """It fills in two days of past, two records for each quarter hour, and is asked meanwhile."""
    source = Source.household((NOW - timedelta(days=2)).date(), 4, 3500)

    async def test(clock):
        flash = flash_file(tmp_path / "flash", files={"/source": source.encode()})
        async with Board(flash, clock, flash_times=times) as board:
            session, _ = await board.join()
            moment = _ltime(int(clock.time()))
            weekday = bytes((NOW.isoweekday() % 7,))
            before = await board.pico.stats(clear=True)
            outcome = await session.procedure(BP10, bytes((SET_ALL,)) + moment + weekday)
            assert outcome.result == 0
            asked = 0
            while asked < 10 or await board.number("int(device.application.behind)"):
                await session.read(23, 0, 84)
                asked += 1
            starved = await board.console(f"[ring.starved for ring in {RINGS}]")
            after = await board.pico.stats()
            return session.client.statistics, asked, starved, before, after

    statistics, asked, starved, before, after = device_time.run(test)
    print(statistics, asked, starved, before, after)
    assert statistics.failed == 0
    assert statistics.retries == 0  # MIP repaired it all
    programs = after["flash"]["programs"] - before["flash"]["programs"]
    assert programs > 300
