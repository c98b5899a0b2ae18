"""What stands behind `osgp device`: a desk device whose UART is offered to whoever comes, or put
on a serial adapter; or one that is a member of a CN/IP channel and has no UART."""

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import Callable
from pathlib import Path

from osgp_tools import flash, image, udp
from osgp_tools.device import Device, DeviceError
from osgp_tools.endpoints import Endpoint, endpoint
from osgp_tools.port import LinkError, open_uart

_CLEAN = (0, -signal.SIGINT, 128 + signal.SIGINT)  # its UART closed, or somebody pressed Ctrl-C
_CHUNK = 4096


async def serve(
    plc: str,
    flash_file: Path,
    source: Path | None = None,
    *,
    console: bool = False,
    update_key: Path | None = None,
) -> None:
    """Run one device with its UART at `plc` until somebody ends it.

    plc: `pty:PATH`, where PATH is a terminal that exists (a serial adapter, or what `osgp line`
    offers) or the name for a new one; or `tcp:PORT` of 127.0.0.1. Users of a new terminal or of a
    port come and go, the device lives on. A flash file is made if there is none.
    DeviceError: the device ended or cannot start, or the terminal cannot be opened or went.
    """
    _provide(flash_file)
    device = Device(flash_file, source=source, console=console, update_key=update_key)
    async with device:
        ended = asyncio.create_task(device.wait())
        gone = asyncio.Event()
        offered = _offer(plc, gone)
        loop = asyncio.get_running_loop()
        loop.add_reader(device.uart, lambda: offered.write(device.uart.recv(_CHUNK)))
        try:
            await offered.open(lambda octets: _hand_over(device.uart, octets))
            left = asyncio.create_task(gone.wait())
            await asyncio.wait({ended, left}, return_when=asyncio.FIRST_COMPLETED)
            left.cancel()
        except OSError as error:
            raise DeviceError(f"cannot open {plc}: {error}") from error
        finally:
            loop.remove_reader(device.uart)
            offered.close()
        if gone.is_set():
            raise DeviceError(f"{plc} is gone")
        _judge(ended.result())


async def serve_ip(
    channel: str, flash_file: Path, source: Path | None = None, update_key: Path | None = None
) -> None:
    """Run one device as a member of a CN/IP channel (udp.py) until somebody ends it.

    A flash file is made if there is none. DeviceError: the device ended or cannot start.
    ValueError, OSError: that is no channel.
    """
    udp.parse(channel)
    _provide(flash_file)
    async with Device(flash_file, source=source, ip=channel, update_key=update_key) as device:
        _judge(await device.wait())


def _judge(status: int) -> None:
    if status not in _CLEAN:
        raise DeviceError(f"the device ended with status {status}")


def _provide(flash_file: Path) -> None:
    """A flash file with the firmware of this tree, unless there is one."""
    if not flash_file.exists():
        flash.create(flash_file, {0: image.build_bank()})


def _offer(plc: str, gone: asyncio.Event) -> "Endpoint | _Terminal":
    kind, _, path = plc.partition(":")
    try:
        if kind == "pty" and Path(path).is_char_device():
            return _Terminal(plc, gone)
        return endpoint(plc)
    except (ValueError, LinkError) as error:
        raise DeviceError(str(error)) from error


def _hand_over(uart: socket.socket, octets: bytes) -> None:
    """To the device. What it does not take at once is lost, as on a UART."""
    with contextlib.suppress(BlockingIOError):
        uart.send(octets)


class _Terminal:
    """A terminal that somebody else keeps: an `Endpoint` that sets `gone` when it goes."""

    def __init__(self, where: str, gone: asyncio.Event):
        end = open_uart(where)
        assert isinstance(end, int)  # a terminal is no socket
        self._end = end
        self._gone = gone

    async def open(self, on_octets: Callable[[bytes], None]) -> None:
        asyncio.get_running_loop().add_reader(self._end, self._read, on_octets)

    def _read(self, on_octets: Callable[[bytes], None]) -> None:
        try:
            octets = os.read(self._end, _CHUNK)
        except BlockingIOError:
            return
        except OSError:  # unplugged
            octets = b""
        if octets:
            on_octets(octets)
        else:
            asyncio.get_running_loop().remove_reader(self._end)
            self._gone.set()

    def write(self, octets: bytes) -> None:
        with contextlib.suppress(OSError):  # no room: lost; unplugged: the read tells
            os.write(self._end, octets)

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self._end)
        os.close(self._end)
