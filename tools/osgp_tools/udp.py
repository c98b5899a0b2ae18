"""A member of a CN/IP channel on the desk: a UDP socket, and where the others are.

A channel is written as `HERE,MEMBER,...[,id=HEX]`, each address as `[HOST:]PORT`: first this
member's own, then all others. HOST is 127.0.0.1 unless it is given. Whose id is not given has its
own IPv4 address and port for one. Ports 1628 and 1629 are those of EN 14908-4 (`lon.md` 6); tshark
decodes what goes to or from them as it stands. L2HDR tells priority, so one port does for both.
"""

import os
import socket
from collections.abc import Callable
from typing import Any

from osgp.lon.cnip import CnIp

_ID = "id="
Address = tuple[str, int]


def parse(text: str) -> tuple[list[Address], bytes]:
    """The addresses, our own first, and our unique id. ValueError, OSError (no such host)."""
    *words, last = text.split(",")
    given = last.removeprefix(_ID) if last.startswith(_ID) else ""
    if not given:
        words.append(last)
    if len(words) < 2:
        raise ValueError("a channel is HERE,MEMBER,...")
    addresses = [_address(word) for word in words]
    host, port = addresses[0]
    unique_id = bytes.fromhex(given) or socket.inet_aton(host) + port.to_bytes(2, "big")
    if len(unique_id) != 6:
        raise ValueError(f"{given}: a unique id has 12 hexadecimal digits")
    return addresses, unique_id


def _address(word: str) -> Address:
    host, _, port = word.rpartition(":")
    if not port.isdecimal() or not 0 < int(port) < 0x10000:
        raise ValueError(f"{word!r} is not [HOST:]PORT")
    return socket.gethostbyname(host or "127.0.0.1"), int(port)


def written(text: str) -> str:
    """The same with every host and the id in it, as the desk board takes it."""
    addresses, unique_id = parse(text)
    places = ",".join(f"{host}:{port}" for host, port in addresses)
    return f"{places},{_ID}{unique_id.hex()}"


class Udp:
    """What `CnIp` stands on. A datagram that cannot be sent is lost, as on any line."""

    failed: Callable[[Any], None]  # never called: a UDP socket has no other end that could go

    def __init__(self, text: str):
        (here, *self._others), self._unique_id = parse(text)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        try:
            self._socket.bind(here)
        except OSError:
            self._socket.close()
            raise

    def fileno(self) -> int:
        return self._socket.fileno()

    def link(self) -> CnIp:
        return CnIp(self, self._unique_id, os.urandom(4))

    def readinto(self, buffer) -> int | None:
        """The next datagram, or as much of it as fits; None: there is none."""
        try:
            return self._socket.recv_into(buffer)
        except OSError:
            return None

    def write(self, buffer, count: int) -> int:
        """Send buffer[:count] to all others; `count`, 0 if one of them could not be sent it."""
        sent = count
        for address in self._others:
            try:
                self._socket.sendto(memoryview(buffer)[:count], address)
            except OSError:
                sent = 0
        return sent

    def stop(self) -> None:
        """Nothing is sent by itself."""

    def close(self) -> None:
        self._socket.close()
