"""An emulated Pico with our firmware, a simulated transceiver at its UART1, and its console.

flash_file(path)                              # a new device's flash
async with Board(path, clock) as board:
    client = board.client()                   # requests, straight into its transceiver
    await board.console("gc.mem_alloc()")
"""

import asyncio
import os
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from board_ends import PROMPT, UID, Console, Transceiver

from osgp_tools.client import Client, Effort, Target
from osgp_tools.emulator import EmulatedPico, missing
from osgp_tools.image import build_bank
from osgp_tools.membership import Place, commission
from osgp_tools.pico_image import flash_image
from osgp_tools.session import Session
from osgp_tools.suites import suite

if TYPE_CHECKING:
    from device_time import DeviceTime

REPOSITORY = Path(__file__).resolve().parents[2]
BUILD = REPOSITORY / "build/rpi_pico"
VM = Path(os.environ.get("OSGP_PICO_VM", BUILD / "firmware.bin"))
BOOTROM = Path(os.environ.get("OSGP_BOOTROM", BUILD / "bootrom.bin"))
REASON = missing() or next(
    (f"there is no {file} (make firmware)" for file in (VM, BOOTROM) if not file.is_file()), ""
)

INSTALLATION_KEY = bytes(range(0x40, 0x50))
PLACE = Place(bytes.fromhex("c0ffee"), 5, 9, bytes(range(1, 17)), bytes(range(16, 0, -1)))
HOSTILE = {"/hostile.py": (Path(__file__).parent / "hostile.py").read_bytes()}
BT06 = 6  # of what a host may write, the one with most octets in one write
TARGET = Target(PLACE.domain, PLACE.subnet, PLACE.node)


@cache
def bank(version: int = 1) -> bytes:
    return build_bank(version)


def flash_file(
    path: Path, banks: dict[int, bytes] | None = None, files: dict[str, bytes] | None = None
) -> Path:
    """A new device's flash: VM, bank A, installation key, and more files if wanted."""
    kept = {"/installation.key": INSTALLATION_KEY} | (files or {})
    content = flash_image(VM.read_bytes(), {0: bank()} if banks is None else banks, kept)
    path.write_bytes(content)
    return path


def content(number: int) -> bytes:
    """75 octets, as many as one write takes, that tell which write they are of."""
    return bytes((number * 31 + k) & 0xFF for k in range(75))


class Numbers:
    """Sequence numbers of one device (`osgp_tools.session.Numbers`)."""

    def __init__(self, first: int = PLACE.sequence):
        self.next = first
        self.psn = 9

    def take(self) -> int:
        self.next += 1
        return self.next - 1

    def raise_to(self, number: int) -> bool:
        if number < self.next - 1:  # the number that the device just refused
            return False
        self.next = number
        return True

    def next_procedure(self) -> int:
        self.psn = self.psn % 200 + 10
        return self.psn


class Board:
    """One board on its flash file; `start` and `kill` are its power."""

    def __init__(
        self,
        flash: Path,
        clock: "DeviceTime",
        *,
        uart1: str = "",
        flash_times: str = "typical",
        random: str = "os",
        tear: str | None = None,
        speed: float = 1.0,
    ):
        """uart1: where another transceiver is; none: this board's own."""
        self.flash = flash
        self.clock = clock
        self.transceiver = Transceiver(clock)
        self.prompt = Console()
        self._uart1 = uart1
        self._options = {
            "flash_times": flash_times,
            "random": random,
            "tear": tear,
            "speed": speed,
        }
        self._following: asyncio.Task | None = None

    async def __aenter__(self) -> "Board":
        uart1 = self._uart1 or f"connect:{await self.transceiver.open()}"
        self.pico = EmulatedPico(BOOTROM, self.flash, uart1=uart1, **self._options)
        try:
            await self.start()
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.kill()
        self.transceiver.close()

    async def start(self) -> None:
        """Power on."""
        await self.pico.start()
        port = self.pico.ports["repl"]
        assert port
        await self.prompt.open(port)
        self._following = asyncio.create_task(self.clock.follow(self.pico))

    async def kill(self) -> None:
        """Power off."""
        await self.pico.kill()
        await self.prompt.close()
        if self._following:
            await self._following
            self._following = None

    async def up(self) -> None:
        """Wait until the device runs and its 2 s of silence are over."""
        await self.prompt.until(PROMPT)
        await asyncio.sleep(2.2)

    async def console(self, line: str) -> str:
        return await self.prompt.line(line)

    async def number(self, expression: str) -> int:
        return int(await self.console(expression))

    # ---- over its transceiver

    def client(self, **efforts: Effort) -> Client:
        return Client(self.transceiver, silence=0.0, **efforts)

    async def commission(self, client: Client, place: Place = PLACE) -> None:
        """Make the device a member."""
        target = Target(b"OSGP\0\0", unique_id=UID)
        await commission(client, target, INSTALLATION_KEY, place)

    def session(self, client: Client, numbers: Numbers, place: Place = PLACE) -> Session:
        """With a member at PLACE's address."""
        at = suite(place.mode, place.unicast_key, UID, place.subnet, place.node)
        return Session(client, TARGET, at, numbers)

    async def join(self) -> tuple[Session, Numbers]:
        """A new device becomes a member; content(0) is in its BT06."""
        await self.up()
        client = self.client()
        await self.commission(client)
        numbers = Numbers()
        session = self.session(client, numbers)
        await session.write(BT06, content(0), 0)
        return session, numbers

    async def found(self, session: Session) -> bytes:
        """BT06 after a restart, as who knows the key reads it."""
        await self.up()
        return await session.read(BT06, 0, 75)
