"""A transceiver's UART on the desk and the MIP link on it: how frames get to the power line.

The link is the firmware's (`osgp.lon.mip`); this gives it octets, time, and who takes its frames.
"""

import asyncio
import os
import socket
import tty
from typing import TYPE_CHECKING

from osgp.lon.mip import Mip

if TYPE_CHECKING:
    from collections.abc import Callable

_TICKS = 0x3FFFFFFF
_SOONEST = 0.001  # s: a part that is due at once is not polled in a tight loop


class LinkError(Exception):
    """The transceiver's UART cannot be opened, was closed, or nobody answers on it."""


def open_uart(where: str) -> socket.socket | int:
    """Open `tcp:[HOST:]PORT`, `pty:PATH` or `PATH` (a serial adapter), raw and non-blocking."""
    kind, _, rest = where.partition(":")
    try:
        if kind == "tcp":
            host, _, port = rest.rpartition(":")
            peer = socket.create_connection((host or "127.0.0.1", int(port)), timeout=5)
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            peer.setblocking(False)
            return peer
        fd = os.open(rest if kind == "pty" else where, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    except (OSError, ValueError) as error:
        raise LinkError(f"cannot open {where}: {_reason(error)}") from error
    if os.isatty(fd):
        tty.setraw(fd)
        _set_speed(fd)
    return fd


def _reason(error: OSError | ValueError) -> str:
    return (isinstance(error, OSError) and error.strerror) or str(error)


def _set_speed(fd: int) -> None:
    """115,200 bit/s, the speed of the prebuilt MIP image; a pseudo terminal has none."""
    import termios

    attributes = termios.tcgetattr(fd)
    attributes[4] = attributes[5] = termios.B115200
    termios.tcsetattr(fd, termios.TCSANOW, attributes)


class Port:
    """One transceiver.

    `heard` are called with each LPDU (CRC included) that comes up, `said` with each going down.
    """

    def __init__(self, uart: socket.socket | int):
        self._uart = uart
        self._fd = uart if isinstance(uart, int) else uart.fileno()
        self._loop = asyncio.get_running_loop()
        self._out = bytearray()
        self._ready = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._failure: LinkError | None = None
        self.heard: list[Callable[[bytes], None]] = []
        self.said: list[Callable[[bytes], None]] = []
        self.mip = Mip(self._write)
        self.mip.start(self._now())
        self._loop.add_reader(self._fd, self._read)
        self._poll()

    @classmethod
    async def open(cls, where: str, patience: float = 5.0) -> "Port":
        """Open the UART and wait until the transceiver is up. Raises LinkError."""
        port = cls(open_uart(where))
        try:
            async with asyncio.timeout(patience):
                await port._until_ready()
        except TimeoutError:
            port.close()
            raise LinkError(f"no transceiver answers on {where}") from None
        except LinkError:
            port.close()
            raise
        return port

    @property
    def unique_id(self) -> bytes:
        """The transceiver's own id."""
        return bytes(self.mip.uid)

    async def send(self, lpdu: bytes) -> None:
        """Hand one LPDU (CRC included; the chip makes its own) to the transceiver.

        Returns when it is on its way down the UART.
        """
        await self._until_ready()
        end = len(lpdu)  # two octets of LEN and command in front, two of CRC less
        self.mip.tx[2:end] = lpdu[:-2]
        self.mip.send(end, self._now())
        self._poll()
        for listener in self.said:
            listener(lpdu)

    def close(self) -> None:
        self._fail(LinkError("the port is closed"))
        if self._uart != -1:
            if isinstance(self._uart, int):
                os.close(self._uart)
            else:
                self._uart.close()
            self._uart = -1

    async def _until_ready(self) -> None:
        while not self.mip.ready:
            if self._failure:
                raise self._failure
            self._ready.clear()
            await self._ready.wait()
        if self._failure:
            raise self._failure

    def _now(self) -> int:
        return int(self._loop.time() * 1000) & _TICKS

    def _read(self) -> None:
        try:
            piece = os.read(self._fd, 4096)
        except BlockingIOError:
            return
        except OSError as error:  # a pseudo terminal whose other end went
            self._fail(LinkError(f"the transceiver is gone: {error.strerror}"))
            return
        if not piece:
            self._fail(LinkError("the transceiver is gone"))
            return
        a = 0
        while a < len(piece):
            a = self.mip.feed(piece, a, len(piece), self._now())
            if self.mip.frame:
                lpdu = bytes(self.mip.rx[self.mip.frame : self.mip.end])
                for listener in self.heard:
                    listener(lpdu)
        self._poll()

    def _write(self, buffer, count: int) -> None:
        self._out += buffer[:count]
        self._flush()

    def _flush(self) -> None:
        if self._failure:
            return
        try:
            del self._out[: os.write(self._fd, self._out)]
        except BlockingIOError:
            pass  # the rest goes when the UART takes it
        except OSError as error:
            self._fail(LinkError(f"the transceiver is gone: {error.strerror}"))
            return
        if self._out:
            self._loop.add_writer(self._fd, self._flush)
        else:
            self._loop.remove_writer(self._fd)

    def _poll(self) -> None:
        """Let the link do what is due, wake who waits to send, and come back when it wants to."""
        if self._timer:
            self._timer.cancel()
        if self._failure:
            return
        now = self._now()
        due = self.mip.poll(now)
        if self.mip.ready:
            self._ready.set()
        wait = ((due - now + 0x20000000) & _TICKS) - 0x20000000
        self._timer = self._loop.call_later(max(wait / 1000, _SOONEST), self._poll)

    def _fail(self, failure: LinkError) -> None:
        if self._failure:
            return
        self._failure = failure
        self._loop.remove_reader(self._fd)
        self._loop.remove_writer(self._fd)
        if self._timer:
            self._timer.cancel()
        self._ready.set()
