"""`osgp deploy`, `reset`, `logs` on an emulated Pico: banks in flash, a watchdog that bites."""

import asyncio
import shutil
from collections.abc import Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from board_rig import BOOTROM, REASON, VM

from osgp_tools import deploy, flash
from osgp_tools.emulator import HOST, EmulatedPico, EmulatorError
from osgp_tools.image import FIRMWARE, build_bank
from osgp_tools.line_server import LineServer, Options
from osgp_tools.membership import InstallationKeys
from osgp_tools.pico_image import flash_image
from osgp_tools.repl import BoardError, Prompt, Repl

pytestmark = [pytest.mark.skipif(bool(REASON), reason=REASON), pytest.mark.timeout(300)]

UID = "04000000aa01"
SEEN = slice(4064, 4080)  # of a bank: firmware/bank_choice.py
PAGE = 256
WATCHDOG_S = 8


class Bench:
    """A Pico at a transceiver, whose REPL's port we have. What blocks is done in a thread."""

    def __init__(self, pico: EmulatedPico, folder: Path):
        self.pico = pico
        self.keys = folder / "keys.csv"

    @property
    def where(self) -> str:
        return f"socket://{HOST}:{self.pico.ports['repl']}"

    async def deploy(self, firmware: Path = FIRMWARE):
        arguments = self.where, "rpi_pico", self.keys, firmware
        return await asyncio.to_thread(deploy.deploy, *arguments)

    async def ask(self, line: str) -> str:
        """What the running device's console says."""

        def ask() -> str:
            with Prompt(self.where) as prompt:
                return prompt.ask(line)

        return await asyncio.to_thread(ask)

    async def until_it_runs(self) -> None:
        assert await asyncio.to_thread(deploy.transceiver, self.where) == UID


@asynccontextmanager
async def bench(folder: Path, banks: dict[int, bytes]):
    path = folder / "flash"
    path.write_bytes(flash_image(VM.read_bytes(), banks))
    async with LineServer(Options([f"tcp:0,id={UID}"], seed=1)) as line:
        uart1 = line.transceivers[0].endpoint.name.replace("tcp:", "connect:")
        async with EmulatedPico(BOOTROM, path, uart1=uart1, tear="3") as pico:
            await pico.start()
            yield Bench(pico, folder)


def on_a_board(folder: Path, test: Callable, banks: dict[int, bytes] | None = None) -> None:
    """Run `test(bench)` on a board of its own, which has this tree's firmware in bank A."""

    async def body() -> None:
        chosen = {0: build_bank(1)} if banks is None else banks
        async with bench(folder, chosen) as made:
            await test(made)

    asyncio.run(body())


@pytest.fixture
def other(tmp_path) -> Path:
    """This tree's firmware with a difference."""
    folder = tmp_path / "firmware"
    shutil.copytree(FIRMWARE, folder)
    with (folder / "device.py").open("a") as file:
        file.write("\n\nOTHER = 1\n")
    return folder


RUNS_OTHER = "hasattr(__import__('device'),'OTHER')"


def test_to_a_new_board_then_again_then_another(tmp_path, other):
    async def test(bench):
        done = await bench.deploy()
        assert (done.where, done.version, done.sent) == ("bank A", 1, ["bank A"])
        assert await bench.ask(RUNS_OTHER) == "False"
        keys = InstallationKeys(bench.keys)
        installed = await bench.ask("device.board.installation_key(0).hex()")
        assert keys.of(bytes.fromhex(UID)).hex() == installed.strip("'")
        done = await bench.deploy()
        assert (done.where, done.version, done.sent) == ("bank A", 1, [])
        done = await bench.deploy(other)
        assert (done.where, done.version, done.sent) == ("bank B", 2, ["bank B"])
        assert await bench.ask(RUNS_OTHER) == "True"
        await bench.pico.stop()
        content = (tmp_path / "flash").read_bytes()[flash.BANKS[1] :][: flash.BANK_SIZE]
        written = bytearray(flash.whole_bank(build_bank(2, firmware=other)))
        written[SEEN] = bytes(16)  # it was started
        assert content == written

    on_a_board(tmp_path, test, {})


def test_no_watchdog_in_service_mode(tmp_path):
    """The device ran, and so did its watchdog. Ten seconds of a deploy are no matter."""

    async def test(bench):
        await bench.until_it_runs()

        def work() -> str:
            with Repl(bench.where) as link:
                agent = deploy.Agent(link)
                agent.into_service()
                link.run(f"import time; time.sleep({WATCHDOG_S + 2})", patience=200)
                service = agent.board.service
                agent.restart()
                return service

        assert "asked for" in await asyncio.to_thread(work)
        await bench.until_it_runs()
        assert (await bench.pico.stats())["boots"] == 3  # on, into service mode, out of it

    on_a_board(tmp_path, test)


@pytest.mark.parametrize(
    ("operation", "runs"), [(1, "False"), (200, "False"), (-1, "False"), (0, "True False")]
)
def test_the_power_goes_during_a_deploy(tmp_path, other, operation, runs):
    """In an erase or a program, which is left torn: the old bank starts, at the end the new.

    operation: of the deploy, from 1; those up to 0 from the last one of its bank, the mark.
    """

    async def test(bench):
        await bench.until_it_runs()
        octets = len(build_bank(2, firmware=other))
        of_the_bank = 1 + -(-octets // flash.SECTOR) + -(-octets // PAGE)
        await bench.pico.cut_in_operation(operation + of_the_bank * (operation <= 0))
        with pytest.raises((BoardError, EmulatorError)):
            await bench.deploy(other)
        await bench.pico.until_cut()
        await bench.pico.start()
        await bench.until_it_runs()
        assert await bench.ask(RUNS_OTHER) in runs.split()
        done = await bench.deploy(other)
        assert done.where == "bank B"
        assert await bench.ask(RUNS_OTHER) == "True"

    on_a_board(tmp_path, test)


def test_the_journal_knows_exceptions_and_the_watchdog(tmp_path):
    async def test(bench):
        await bench.until_it_runs()
        await bench.ask("device.application.poll = None")
        await bench.pico.event("reset")
        await bench.until_it_runs()
        hang = "import machine; machine.disable_irq()\nwhile True: pass"

        def hang_it() -> None:
            with Repl(bench.where) as link:
                link.leave(hang)

        await asyncio.to_thread(hang_it)
        assert (await bench.pico.event("reset", 60))["reason"] == "watchdog"
        await bench.until_it_runs()
        raised, bitten = await asyncio.to_thread(deploy.logs, bench.where)
        assert raised.startswith("up ")
        assert "since power on" in raised
        assert "TypeError" in raised.splitlines()[-1]
        assert 'File "scheduler", line' in raised
        assert bitten == "the watchdog ended the run before"
        await asyncio.to_thread(deploy.reset, bench.where)
        assert (await bench.pico.event("reset"))["reason"] == "forced"
        await bench.until_it_runs()

    on_a_board(tmp_path, test)
