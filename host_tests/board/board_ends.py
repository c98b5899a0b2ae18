"""The ends of an emulated board that are ours: a transceiver at its UART, a console at its REPL.

The transceiver is alone: what the device sends is heard at once and takes no time on the air; what
it gets takes none but for `air`.
"""

import asyncio
import contextlib
import re
from typing import TYPE_CHECKING

from osgp_tools.emulator import HOST
from osgp_tools.link_budget import Signal
from osgp_tools.mip_chip import Chip, Transmission

if TYPE_CHECKING:
    from collections.abc import Callable

    from device_time import DeviceTime

UID = bytes.fromhex("040000112233")
PROMPT = ">>> "
SIGNAL = Signal(30, 40)
PATIENCE = 30.0  # s of the device


class Transceiver:
    """A chip at a TCP port; to a `Client` it is a link."""

    def __init__(self, clock: "DeviceTime"):
        self.heard: list[Callable[[bytes], None]] = []
        self.down: Callable[[bytes], bytes] = lambda octets: octets  # on the way to the device
        self.air = 0.0  # s that a frame to the device takes
        self._clock = clock
        self._board: asyncio.StreamWriter | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._server: asyncio.Server | None = None
        self.chip = Chip(UID, self._write, self._transmit)

    async def open(self) -> int:
        """Returns the port."""
        self._server = await asyncio.start_server(self._serve, HOST, 0)
        return self._server.sockets[0].getsockname()[1]

    def close(self) -> None:
        if self._timer:
            self._timer.cancel()
        if self._board:
            self._board.close()
        if self._server:
            self._server.close()

    async def send(self, lpdu: bytes) -> None:
        """A frame comes in from the line."""
        self.chip.receive(lpdu, self._now(), SIGNAL)
        self._arm()
        if self.air:
            await asyncio.sleep(self.air)

    def _now(self) -> int:
        return int(self._clock.monotonic() * 1000)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._board = writer
        with contextlib.suppress(ConnectionResetError):  # its power went
            while octets := await reader.read(4096):
                self.chip.feed(octets, self._now())
                self._arm()
        writer.close()

    def _write(self, octets: bytes) -> None:
        octets = self.down(octets)
        if self._board and octets:
            self._board.write(octets)

    def _transmit(self, transmission: Transmission) -> None:
        def gone() -> None:
            self.chip.sent()
            for listener in self.heard:
                listener(transmission.lpdu)

        asyncio.get_running_loop().call_soon(gone)

    def _arm(self) -> None:
        if self._timer:
            self._timer.cancel()
        due = self.chip.poll(self._now())
        if due is not None:
            wait = due / 1000 - self._clock.monotonic()
            self._timer = asyncio.get_running_loop().call_later(wait, self._arm)


class Console:
    """The REPL's port as a person has it: what the device prints, and lines typed."""

    def __init__(self) -> None:
        self.printed = ""
        self._writer: asyncio.StreamWriter | None = None
        self._reading: asyncio.Task | None = None
        self._more = asyncio.Event()

    async def open(self, port: int) -> None:
        reader, self._writer = await asyncio.open_connection(HOST, port)
        self._reading = asyncio.create_task(self._read(reader))

    async def close(self) -> None:
        if self._writer:
            self._writer.close()
        if self._reading:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)
        self._writer = self._reading = None

    async def until(self, pattern: str, patience: float = PATIENCE) -> str:
        """Wait until what was printed has the pattern. Takes all up to there and returns it."""
        try:
            async with asyncio.timeout(patience):
                while not (found := re.search(pattern, self.printed)):
                    self._more.clear()
                    await self._more.wait()
        except TimeoutError:
            raise TimeoutError(f"no {pattern!r} at the end of {self.printed[-500:]!r}") from None
        taken = self.printed[: found.end()]
        self.printed = self.printed[found.end() :]
        return taken

    def type(self, text: str) -> None:
        assert self._writer
        self._writer.write(text.encode())

    async def line(self, text: str) -> str:
        """What the device's own console prints for a line."""
        self.printed = ""
        self.type(text + "\r")
        return (await self.until(PROMPT + "$"))[: -len(PROMPT)].strip()

    async def _read(self, reader: asyncio.StreamReader) -> None:
        while octets := await reader.read(4096):
            self.printed += octets.decode(errors="replace").replace("\r\n", "\n")
            self._more.set()
