"""The desk device as a process: MicroPython on a flash file, started again whenever it resets.

For programs: the device's UART is a socket here. `osgp device` is in device_serving.py.
"""

import asyncio
import contextlib
import fcntl
import functools
import os
import shutil
import signal
import socket
import sys
import tempfile
from pathlib import Path

from osgp_tools import image, udp
from osgp_tools.device_watchdog import Watchdog

BOARD = Path(__file__).resolve().parents[2] / "boards" / "unix"
VM = BOARD / "vm.py"
RESET = 75  # exit status of a device that wants to be started again
_START_TIME = 0.1  # s, so that a device which resets at once does not take the whole machine
_RESTARTS = 20  # resets in a row, each within _SOON of its start, after which we give up
_SOON = 2.0  # s
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
        update_key: Path | None = None,
    ):
        """source: what it measures (osgp_tools.source). log: a file for what it prints, else ours.

        console: whether it reads lines from our standard input (firmware/console.py).

        ip: the CN/IP channel that it is a member of (udp.py). ValueError, OSError: it is none.

        update_key: the file of the key under which its images are signed; None: no downloads.
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
        self._update_key = update_key
        self._vm = tempfile.TemporaryFile()  # noqa: SIM115  what a chip's VM has frozen in
        self._watchdog: Watchdog | None = None
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
        self._vm.close()

    @property
    def pid(self) -> int:
        """The process as it is now; a reset changes it. DeviceError: there is none."""
        if self._process is None:
            raise DeviceError("the device was not started")
        return self._process.pid

    async def start(self) -> None:
        """Power on. DeviceError: its flash file is in use, or there is no MicroPython."""
        self._lock = _lock(self.flash_file)
        self._vm.seek(0)
        self._vm.write(await asyncio.to_thread(_vm_rom))
        self._vm.flush()
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
        self._close_watchdog()
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
            bitten = self._watchdog is not None and self._watchdog.bitten
            if status != RESET and not bitten:
                return status
            self.resets += 1
            in_a_row = in_a_row + 1 if loop.time() - started < _SOON else 0
            if in_a_row > _RESTARTS:
                raise DeviceError(f"{self.flash_file}: the device resets again and again")
            await asyncio.sleep(_START_TIME)
            await self._spawn("watchdog" if bitten else "reset")
        return 0

    def _bite(self) -> None:
        if self._process and self._process.returncode is None:
            self._process.kill()

    def _close_watchdog(self) -> None:
        if self._watchdog:
            self._watchdog.close()
            self._watchdog = None

    async def _spawn(self, cause: str) -> None:
        self._close_watchdog()
        self._watchdog = watchdog = Watchdog(self._bite)
        descriptor = self._device_end.fileno()
        environment = {
            **os.environ,
            "OSGP_FLASH": str(self.flash_file),
            "OSGP_PLC": f"ip:{self._channel}" if self._channel else f"fd:{descriptor}",
            "OSGP_LIFE": str(descriptor) if self._channel else "",
            "OSGP_SOURCE": str(self._source or ""),
            "OSGP_CONSOLE": "1" if self._console else "",
            "OSGP_RESET_CAUSE": cause,
            "OSGP_WATCHDOG": str(watchdog.feeder),
            "OSGP_UPDATE_KEY": str(self._update_key or ""),
            "OSGP_VM_ROM": f"/dev/fd/{self._vm.fileno()}",
        }
        with contextlib.ExitStack() as stack:
            stack.callback(watchdog.started)
            log = stack.enter_context(self._log.open("ab")) if self._log else None
            try:
                self._process = await asyncio.create_subprocess_exec(
                    micropython(), "-X", f"heapsize={self._heap}", str(VM),
                    env=environment, pass_fds=(descriptor, watchdog.feeder, self._vm.fileno()),
                    stdout=log, stderr=log,
                    stdin=None if self._console else asyncio.subprocess.DEVNULL,
                )  # fmt: skip
            except OSError as error:
                raise DeviceError(f"cannot run {micropython()}: {error.strerror}") from error


@functools.cache
def _vm_rom() -> bytes:
    return image.vm_rom(BOARD)


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
