"""Where a simulated transceiver's UART is offered: a pseudo terminal under a name, or a TCP port
of this machine.

Both are a UART: they have no flow control, octets for which nobody is there are lost, and users
may come and go.
"""

import asyncio
import os
import tty
from collections.abc import Callable
from pathlib import Path

_CHUNK = 4096
_MOST_UNREAD = 65_536  # octets a TCP user may leave unread


class Pty:
    """A raw pseudo terminal; `path` is a symbolic link to its slave.

    The slave is kept open here, too: otherwise the last user to leave would take the raw mode away
    and hang the line up.
    """

    def __init__(self, path: str) -> None:
        self.lost = 0
        self._path = Path(path)
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self._target = os.ttyname(self._slave)

    @property
    def name(self) -> str:
        return f"pty:{self._path}"

    async def open(self, on_octets: Callable[[bytes], None]) -> None:
        """Raises FileExistsError when something else than an old link stands at the path."""
        if self._path.is_symlink():
            self._path.unlink()
        self._path.symlink_to(self._target)
        asyncio.get_running_loop().add_reader(self._master, self._read, on_octets)

    def _read(self, on_octets: Callable[[bytes], None]) -> None:
        try:
            octets = os.read(self._master, _CHUNK)
        except BlockingIOError:
            return
        on_octets(octets)

    def write(self, octets: bytes) -> None:
        try:
            written = os.write(self._master, octets)
        except BlockingIOError:
            written = 0
        self.lost += len(octets) - written

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self._master)
        if self._path.is_symlink() and str(self._path.readlink()) == self._target:
            self._path.unlink()
        os.close(self._slave)
        os.close(self._master)


class Tcp:
    """A port of 127.0.0.1 with one user at a time: who comes later takes over. Port 0 takes a free
    one.
    """

    def __init__(self, port: int) -> None:
        self.lost = 0
        self._port = port
        self._server: asyncio.Server | None = None
        self._user: asyncio.Transport | None = None
        self._on_octets: Callable[[bytes], None]

    @property
    def name(self) -> str:
        return f"tcp:{self._port}"

    async def open(self, on_octets: Callable[[bytes], None]) -> None:
        self._on_octets = on_octets
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _User(self), "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    def came(self, user: asyncio.Transport) -> None:
        if self._user:
            self._user.abort()
        self._user = user

    def went(self, user: asyncio.Transport) -> None:
        if self._user is user:
            self._user = None

    def received(self, user: asyncio.Transport, octets: bytes) -> None:
        if self._user is user:
            self._on_octets(octets)

    def write(self, octets: bytes) -> None:
        if self._user and self._user.get_write_buffer_size() < _MOST_UNREAD:
            self._user.write(octets)
        else:
            self.lost += len(octets)

    def close(self) -> None:
        if self._server:
            self._server.close()
        if self._user:
            self._user.abort()


class _User(asyncio.Protocol):
    """One connection to a Tcp."""

    def __init__(self, owner: Tcp) -> None:
        self._owner = owner
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._owner.came(transport)

    def data_received(self, data: bytes) -> None:
        self._owner.received(self._transport, data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._owner.went(self._transport)


Endpoint = Pty | Tcp


def endpoint(where: str) -> Endpoint:
    """`pty:PATH` or `tcp:PORT`. Raises ValueError."""
    kind, _, rest = where.partition(":")
    if kind == "pty" and rest:
        return Pty(rest)
    if kind == "tcp" and rest.isdecimal() and int(rest) < 0x10000:
        return Tcp(int(rest))
    raise ValueError(f"{where!r}: neither pty:PATH nor tcp:PORT")
