"""The desk device as a process: MicroPython on a flash file, started again whenever it resets.

`Device` is for programs: its UART is a socket here. `serve` is what stands behind `osgp device`:
the UART is offered to whoever comes, or put on a serial adapter. `serve_ip` is the same for a
device that is a member of a CN/IP channel and has no UART.
"""

import asyncio
import contextlib
import fcntl
import os
import shutil
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path

from osgp_tools import flash, image, udp
from osgp_tools.endpoints import Endpoint, endpoint
from osgp_tools.port import LinkError, open_uart

VM = Path(__file__).resolve().parents[2] / "boards" / "unix" / "vm.py"
RESET = 75  # exit status of a device that wants to be started again
CLEAN = (0, -signal.SIGINT, 128 + signal.SIGINT)  # its UART closed, or somebody pressed Ctrl-C
_START_TIME = 0.1  # s, so that a device which resets at once does not take the whole machine
_RESTARTS = 20  # resets in a row, each within _SOON of its start, after which we give up
_SOON = 2.0  # s
_CHUNK = 4096
_PATIENCE = 3.0  # s that a device has to end when it is asked to


class DeviceError(Exception):
    """The device cannot be started, or ended by itself."""


def micropython() -> str:
    """The MicroPython to run devices with: $MICROPYTHON, or the one beside this Python."""
    named = os.environ.get("MICROPYTHON")
    beside = Path(sys.executable).with_name("micropython")
    found = named or (str(beside) if beside.exists() else shutil.which("micropython"))
    if not found:
        raise DeviceError("no micropython: `make setup` installs one, or set MICROPYTHON")
    return found


class Device:
    """One device. `uart` is the transceiver's end of its UART: a non-blocking socket.

    The process cannot outlive this one: the device ends when the other end of its UART closes. One
    with a channel (`ip`) has that socket for nothing else.
    """

    def __init__(
        self,
        flash_file: Path,
        *,
        source: Path | None = None,
        log: Path | None = None,
        console: bool = False,
        heap: str = "1m",
        ip: str = "",
    ):
        """source: what it measures (osgp_tools.source). log: a file for what it prints, else ours.

        console: whether it reads lines from our standard input (firmware/console.py).

        ip: the CN/IP channel that it is a member of (udp.py). ValueError, OSError: it is none.
        """
        self.flash_file = flash_file
        self.uart, self._device_end = socket.socketpair()
        self.uart.setblocking(False)
        self._device_end.setblocking(False)
        self.resets = 0
        self._source = source
        self._log = log
        self._console = console
        self._heap = heap
        self._channel = udp.written(ip) if ip else ""
        self._lock: int | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._watch: asyncio.Task[int] | None = None

    async def __aenter__(self) -> "Device":
        try:
            await self.start()
        except DeviceError:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()
        self.uart.close()
        self._device_end.close()

    @property
    def pid(self) -> int:
        """The process as it is now; a reset changes it. DeviceError: there is none."""
        if self._process is None:
            raise DeviceError("the device was not started")
        return self._process.pid

    async def start(self) -> None:
        """Power on. DeviceError: its flash file is in use, or there is no MicroPython."""
        self._lock = _lock(self.flash_file)
        await self._spawn("power on")
        self._watch = asyncio.create_task(self._restart())

    async def wait(self) -> int:
        """Wait until the device has ended for good. Returns its exit status."""
        if self._watch is None:
            raise DeviceError("the device was not started")
        return await self._watch

    async def stop(self) -> None:
        """End the process: politely, then for sure."""
        await self._end(signal.SIGINT)

    async def cut_power(self) -> None:
        """End the process where it stands. `start` powers it on again."""
        await self._end(signal.SIGKILL)

    async def _end(self, number: signal.Signals) -> None:
        if self._watch:
            self._watch.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)
            self._watch = None
        process = self._process
        if process and process.returncode is None:
            process.send_signal(number)
            try:
                async with asyncio.timeout(_PATIENCE):
                    await process.wait()
            except TimeoutError:
                process.kill()
                await process.wait()
        self._process = None
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    async def _restart(self) -> int:
        """Keep the device running. Returns the exit status with which it ended for good."""
        loop = asyncio.get_running_loop()
        in_a_row = 0
        while self._process:
            started = loop.time()
            status = await self._process.wait()
            if status != RESET:
                return status
            self.resets += 1
            in_a_row = in_a_row + 1 if loop.time() - started < _SOON else 0
            if in_a_row > _RESTARTS:
                raise DeviceError(f"{self.flash_file}: the device resets again and again")
            await asyncio.sleep(_START_TIME)
            await self._spawn("reset")
        return 0

    async def _spawn(self, cause: str) -> None:
        descriptor = self._device_end.fileno()
        environment = {
            **os.environ,
            "OSGP_FLASH": str(self.flash_file),
            "OSGP_PLC": f"ip:{self._channel}" if self._channel else f"fd:{descriptor}",
            "OSGP_LIFE": str(descriptor) if self._channel else "",
            "OSGP_SOURCE": str(self._source or ""),
            "OSGP_CONSOLE": "1" if self._console else "",
            "OSGP_RESET_CAUSE": cause,
        }
        with contextlib.ExitStack() as stack:
            log = stack.enter_context(self._log.open("ab")) if self._log else None
            try:
                self._process = await asyncio.create_subprocess_exec(
                    micropython(), "-X", f"heapsize={self._heap}", str(VM),
                    env=environment, pass_fds=(descriptor,), stdout=log, stderr=log,
                    stdin=None if self._console else asyncio.subprocess.DEVNULL,
                )  # fmt: skip
            except OSError as error:
                raise DeviceError(f"cannot run {micropython()}: {error.strerror}") from error


def _lock(path: Path) -> int:
    """Take a flash file for ourselves. Two devices on one would tear it."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError as error:
        raise DeviceError(f"no flash file {path}: {error.strerror}") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise DeviceError(f"{path} is the flash of a running device") from error
    return descriptor


async def serve(
    plc: str, flash_file: Path, source: Path | None = None, *, console: bool = False
) -> None:
    """Run one device with its UART at `plc` until somebody ends it.

    plc: `pty:PATH`, where PATH is a terminal that exists (a serial adapter, or what `osgp line`
    offers) or the name for a new one; or `tcp:PORT` of 127.0.0.1. Users of a new terminal or of a
    port come and go, the device lives on. A flash file is made if there is none.
    DeviceError: the device ended or cannot start, or the terminal cannot be opened or went.
    """
    _provide(flash_file)
    async with Device(flash_file, source=source, console=console) as device:
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


async def serve_ip(channel: str, flash_file: Path, source: Path | None = None) -> None:
    """Run one device as a member of a CN/IP channel (udp.py) until somebody ends it.

    A flash file is made if there is none. DeviceError: the device ended or cannot start.
    ValueError, OSError: that is no channel.
    """
    udp.parse(channel)
    _provide(flash_file)
    async with Device(flash_file, source=source, ip=channel) as device:
        _judge(await device.wait())


def _judge(status: int) -> None:
    if status not in CLEAN:
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
