"""A transceiver's UART on the desk and the MIP link on it, or a UDP socket and the CN/IP link: how
frames get to the line.

The links are the firmware's (`osgp.lon.mip`, `osgp.lon.cnip`); this gives them octets, time, and
who takes their frames.
"""

import asyncio
import os
import socket
import tty
from typing import TYPE_CHECKING

from osgp.lon.mip import Mip
from osgp_tools.link_budget import Signal
from osgp_tools.udp import Udp

if TYPE_CHECKING:
    from collections.abc import Callable

_TICKS = 0x3FFFFFFF
_OCTETS = 4096  # that may be there: the descriptor knows better
_SOONEST = 0.001  # s: a part that is due at once is not polled in a tight loop


class LinkError(Exception):
    """What leads to the line cannot be opened, was closed, or nobody answers on it."""


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


class Uart:
    """A descriptor as the link wants a UART. `failed` is called with a LinkError when it goes."""

    def __init__(self, end: socket.socket | int):
        self._end = end
        self._fd = end if isinstance(end, int) else end.fileno()
        self._loop = asyncio.get_running_loop()
        self._out = bytearray()
        self.failed: Callable[[LinkError], None] = lambda failure: None

    def fileno(self) -> int:
        return self._fd

    def link(self) -> Mip:
        return Mip(self)

    def any(self) -> int:
        """How many octets may be read."""
        return _OCTETS

    def readinto(self, buffer, count: int) -> int | None:
        """Put at most `count` octets into the buffer; how many, None if there are none."""
        try:
            piece = os.read(self._fd, count)
        except BlockingIOError:
            return None
        except OSError as error:  # a pseudo terminal whose other end went
            self.failed(LinkError(f"the transceiver is gone: {error.strerror}"))
            return None
        if not piece:
            self.failed(LinkError("the transceiver is gone"))
        buffer[: len(piece)] = piece
        return len(piece)

    def write(self, buffer, count: int) -> None:
        """Send buffer[:count]."""
        self._out += buffer[:count]
        self._flush()

    def _flush(self) -> None:
        if self._fd == -1:
            return
        try:
            del self._out[: os.write(self._fd, self._out)]
        except BlockingIOError:
            pass  # the rest goes when the UART takes it
        except OSError as error:
            self.failed(LinkError(f"the transceiver is gone: {error.strerror}"))
            return
        if self._out:
            self._loop.add_writer(self._fd, self._flush)
        else:
            self._loop.remove_writer(self._fd)

    def stop(self) -> None:
        """Nothing is sent any more."""
        if self._fd != -1:
            self._loop.remove_writer(self._fd)
            self._fd = -1

    def close(self) -> None:
        self.stop()
        if isinstance(self._end, int):
            os.close(self._end)
        else:
            self._end.close()


class Port:
    """One transceiver, or one member of a CN/IP channel.

    `heard` are called with each LPDU (CRC included) that comes up, `said` with each going down.
    """

    def __init__(self, medium: Uart | Udp):
        self._medium: Uart | Udp | None = medium
        self._loop = asyncio.get_running_loop()
        self._ready = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._failure: LinkError | None = None
        self.heard: list[Callable[[bytes], None]] = []
        self.said: list[Callable[[bytes], None]] = []
        medium.failed = self._fail
        self._fd = medium.fileno()
        self.link = medium.link()
        self.link.start(self._now())
        self._loop.add_reader(self._fd, self._read)
        self._poll()

    @classmethod
    async def open(cls, where: str, patience: float = 5.0) -> "Port":
        """Open `ip:HERE,MEMBER,...` (see udp.py) or a UART (see `open_uart`) and wait until the
        link is up. Raises LinkError."""
        kind, _, rest = where.partition(":")
        try:
            medium = Udp(rest) if kind == "ip" else Uart(open_uart(where))
        except (OSError, ValueError) as error:
            raise LinkError(f"cannot open {where}: {_reason(error)}") from error
        port = cls(medium)
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
        """The link's own id."""
        return bytes(self.link.uid)

    @property
    def signal(self) -> Signal:
        """How the frame that is being told to `heard` was received."""
        return Signal(self.link.phase, self.link.ssi1, self.link.ssi2)

    @property
    def damaged(self) -> int:
        """Frames that came with a wrong CRC."""
        return self.link.crc_errors

    async def send(self, lpdu: bytes) -> None:
        """Hand one LPDU (CRC included; the link makes its own) to the link.

        Returns when it is on its way.
        """
        await self._until_ready()
        end = len(lpdu)  # it begins at 2, and there are two octets of CRC less
        self.link.tx[2:end] = lpdu[:-2]
        self.link.send(end, self._now())
        self._poll()
        for listener in self.said:
            listener(lpdu)

    def close(self) -> None:
        self._fail(LinkError("the port is closed"))
        if self._medium:
            self._medium.close()
            self._medium = None

    async def _until_ready(self) -> None:
        while not self.link.ready:
            if self._failure:
                raise self._failure
            self._ready.clear()
            await self._ready.wait()
        if self._failure:
            raise self._failure

    def _now(self) -> int:
        return int(self._loop.time() * 1000) & _TICKS

    def _read(self) -> None:
        while not self._failure and self.link.take(self._now()):
            lpdu = bytes(self.link.rx[self.link.frame : self.link.end])
            for listener in self.heard:
                listener(lpdu)
        self._poll()

    def _poll(self) -> None:
        """Let the link do what is due, wake who waits to send, and come back when it wants to."""
        if self._timer:
            self._timer.cancel()
        if self._failure:
            return
        now = self._now()
        due = self.link.poll(now)
        if self.link.ready:
            self._ready.set()
        wait = ((due - now + 0x20000000) & _TICKS) - 0x20000000
        self._timer = self._loop.call_later(max(wait / 1000, _SOONEST), self._poll)

    def _fail(self, failure: LinkError) -> None:
        if self._failure:
            return
        self._failure = failure
        self._loop.remove_reader(self._fd)
        if self._medium:
            self._medium.stop()
        if self._timer:
            self._timer.cancel()
        self._ready.set()
