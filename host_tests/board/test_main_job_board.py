"""The main job against a real firmware image on an emulated Pico at a simulated power line.

A concentrator finds it, makes it a member, sets its clock and reads it. What it reads is what was
measured.
"""

import asyncio
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import device_time
import pytest
from board_rig import INSTALLATION_KEY, REASON, Board, flash_file

from osgp_tools.checks import check_day, check_power, check_registers
from osgp_tools.client import Client
from osgp_tools.concentrator import Concentrator, midnight
from osgp_tools.discovery import Discovery
from osgp_tools.line_server import LineServer, Options
from osgp_tools.membership import InstallationKeys
from osgp_tools.port import Port
from osgp_tools.readings import Readings
from osgp_tools.source import Source
from osgp_tools.store import Vault

pytestmark = [
    pytest.mark.skipif(bool(REASON), reason=REASON),
    pytest.mark.timeout(600),
]

UID = "04000000aa01"
NOW = datetime.fromtimestamp(device_time.START, UTC)
SOURCE = Source.household((NOW - timedelta(days=2)).date(), 4, 3500, 600)


async def concentrate(where: str, folder, clock) -> SimpleNamespace:
    """The whole job; what was read, and what it took."""
    port = await Port.open(where, 30)
    vault = Vault(folder / "concentrator.db")
    readings = Readings(folder / "readings.db")
    keys = folder / "install-keys.csv"
    keys.write_text(f"{UID},{INSTALLATION_KEY.hex()}\n")
    client = Client(port)
    concentrator = Concentrator(client, vault, readings, InstallationKeys(keys))
    done = SimpleNamespace(statistics=client.statistics)
    started = clock.monotonic()
    try:
        done.found = await Discovery(client).find()
        device = await concentrator.join(done.found[0])
        await concentrator.set_clock(device)
        done.identity = await concentrator.read_identity(device)
        await concentrator.wait_for_past(device)
        done.registers = await concentrator.read_registers(device)
        done.instantaneous = await concentrator.read_instantaneous(device)
        done.day = await concentrator.read_day(device, midnight(NOW))
        done.seconds = clock.monotonic() - started
    finally:
        vault.close()
        readings.close()
        port.close()
    return done


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """The job, done once with the flash's real times."""
    folder = tmp_path_factory.mktemp("job")
    flash = flash_file(folder / "flash", files={"/source": SOURCE.encode()})

    async def job(clock):
        async with LineServer(Options([f"tcp:0,id={UID}", "tcp:0"], seed=1)) as line:
            device, ours = (transceiver.endpoint.name for transceiver in line.transceivers)
            uart1 = device.replace("tcp:", "connect:")
            async with Board(flash, clock, uart1=uart1, flash_times="7") as board:
                done = await concentrate(ours, folder, clock)
                await asyncio.sleep(0.2)
                done.board = await board.pico.stats()
                done.line = line.statistics()["line"]
                return done

    return device_time.run(job)


def test_the_device_is_found_and_joins_under_its_installation_key(done):
    assert [unique_id.hex() for unique_id in done.found] == [UID]


def test_it_says_who_it_is(done):
    assert done.identity["utility"] == UID.upper()
    assert done.identity["manufacturer"] == "OED"


def test_registers_are_those_of_the_source(done):
    verdict = check_registers(done.registers, SOURCE)
    assert verdict.wrong == ()
    assert verdict.compared >= 10
    assert verdict.exact >= 2  # tiers that do not count at noon


def test_power_is_that_of_the_quarter_hour(done):
    verdict = check_power(done.instantaneous, SOURCE)
    assert verdict.wrong == ()
    assert verdict.compared == 2


def test_the_day_is_that_of_the_source(done):
    assert len(done.day.intervals) == 96
    assert done.day.intervals[-1].ends_at == midnight(NOW)
    verdict = check_day(done.day, SOURCE)
    assert verdict.wrong == ()
    assert verdict.exact == verdict.compared >= 2 * 96


def test_the_line_was_not_asked_twice_without_need(done):
    """Erases fall into the time in which an answer is on the air: MIP repairs what is left. On a
    busy machine the emulated chip hears of an octet late, and one or two are asked for again."""
    print(done.statistics, done.board, done.line, f"{done.seconds:.1f} s of the device")
    assert done.statistics.failed == 0
    assert done.statistics.retries <= done.statistics.exchanges // 20
    assert done.board["flash"]["erases"] >= 4
    assert done.board["boots"] == 1
