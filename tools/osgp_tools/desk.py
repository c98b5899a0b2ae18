"""The desk: a power line, and devices on it. All of it processes that end with this one."""

import asyncio
import os
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from osgp_tools import flash, image
from osgp_tools.device import Device
from osgp_tools.line import Line
from osgp_tools.port import open_uart

_CHUNK = 4096


@dataclass(frozen=True)
class House:
    """One device to be: files in the desk's folder are named after it."""

    name: str
    source: Path | None = None  # what it measures


class Cable:
    """Octets both ways between a device's UART and its transceiver's."""

    def __init__(self, device: Device, where: str):
        uart = open_uart(where)
        assert isinstance(uart, int)
        self._chip = uart
        self._device = device.uart.fileno()
        loop = asyncio.get_running_loop()
        loop.add_reader(self._chip, self._carry, self._chip, self._device)
        loop.add_reader(self._device, self._carry, self._device, self._chip)

    def _carry(self, source: int, sink: int) -> None:
        try:
            octets = os.read(source, _CHUNK)
        except BlockingIOError:
            return
        except OSError:  # the line has ended
            octets = b""
        if not octets:
            asyncio.get_running_loop().remove_reader(source)
            return
        with suppress(OSError):  # what is not taken at once is lost, as on a UART
            os.write(sink, octets)

    def close(self) -> None:
        for end in (self._chip, self._device):
            asyncio.get_running_loop().remove_reader(end)
        os.close(self._chip)


class Desk:
    """`async with Desk(folder, houses) as desk`: a free transceiver is at `desk.port`."""

    def __init__(
        self,
        folder: Path,
        houses: Sequence[House],
        *,
        speed: float = 1.0,
        pcap: Path | None = None,
    ):
        """folder: for flash files, terminals and the devices' consoles; it is made.

        A flash file that is there is used as it is: a device has a life.
        """
        self.folder = folder
        self.houses = houses
        self.devices: list[Device] = []
        self.line: Line | None = None
        self._speed = speed
        self._pcap = pcap
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> "Desk":
        try:
            await self._start()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def _start(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        ends = [f"pty:{self.folder / house.name}.tty" for house in self.houses]
        self.line = Line(["tcp:0", *ends], speed=self._speed, pcap=self._pcap)
        self._stack.callback(self.line.stop)
        bank = await asyncio.to_thread(image.build_bank)
        for house, end in zip(self.houses, ends):
            flash_file = self.folder / f"{house.name}.flash"
            if not flash_file.exists():
                flash.create(flash_file, {0: bank})
            log = self.folder / f"{house.name}.log"
            device = Device(flash_file, source=house.source, log=log)
            self.devices.append(await self._stack.enter_async_context(device))
            self._stack.callback(Cable(device, end).close)

    @property
    def port(self) -> str:
        """Where the concentrator's transceiver is."""
        assert self.line
        return self.line.names[0]

    def statistics(self) -> dict[str, Any]:
        """What the line has counted so far."""
        assert self.line
        return self.line.ask("statistics")
