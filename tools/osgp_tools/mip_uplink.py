"""The way up of a transceiver: one transfer at a time, kept and re-sent until the host
acknowledges it.

It also owes the host's acknowledgements: a packet that goes up takes the one that is due with it.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from osgp_tools import mip_framing as framing
from osgp_tools.mip_framing import Packet

ACK_TIMEOUT_MS = 250
MOST_SENDS = 40  # of one transfer: 10 s, then the host is taken for gone
BUFFERS = 7


@dataclass
class Faults:
    """How many of the next ones go wrong. Tests set these; nothing else does."""

    reject: int = 0  # messages answered with CpMsgReject
    fail: int = 0  # messages answered with CpFail, as if broken on the way
    drop_ack: int = 0  # acknowledgements that are not given
    garble: int = 0  # packets to the host with a wrong checksum

    def strike(self, name: str) -> bool:
        left = getattr(self, name)
        setattr(self, name, max(left - 1, 0))
        return left > 0


class Uplink:
    """`write(octets)` goes to the host. Times are milliseconds."""

    def __init__(self, write: Callable[[bytes], None], faults: Faults) -> None:
        self.resent = 0
        self.given_up = 0
        self._write, self._faults = write, faults
        self.start_over()

    def start_over(self) -> None:
        self.ack_due = False
        self._queue: deque[bytes] = deque()  # the first one is unacknowledged when _sends > 0
        self._sends = 0
        self._send_at = 0
        self._seq = 0

    def resync(self) -> None:
        """The next transfer has sequence number 1; one that waits for its acknowledgement keeps
        its own.
        """
        self._seq = 0

    @property
    def due(self) -> int | None:
        """When the transfer in hand is to be sent again."""
        return self._send_at if self._sends else None

    def queue(self, body: bytes) -> bool:
        """An NI command with its data. False when there is no buffer."""
        if len(self._queue) >= BUFFERS:
            return False
        self._queue.append(body)
        return True

    def pump(self, now: int) -> None:
        """Sends what may go, and an acknowledgement of its own when nothing took it along."""
        if self._queue and not self._sends:
            self._seq = self._seq % 7 + 1
            self._send(now)
        if self.ack_due and self._take_ack():
            self.put(Packet(framing.NULL, ack=True))

    def acknowledged(self) -> None:
        if self._sends:
            self._queue.popleft()
            self._sends = 0

    def send_again(self, now: int) -> None:
        """The host asks for it, or has been silent."""
        if not self._sends:
            return
        if self._sends < MOST_SENDS:
            self.resent += 1
            self._send(now)
        else:
            self.given_up += 1
            self.acknowledged()
            self.pump(now)

    def put(self, packet: Packet) -> None:
        octets = framing.encode(packet)
        if self._faults.strike("garble"):
            octets = octets[:-1] + bytes((octets[-1] ^ 0x01,))
        self._write(octets)

    def _send(self, now: int) -> None:
        body = self._queue[0]
        self._sends += 1
        self._send_at = now + ACK_TIMEOUT_MS
        if len(body) == 1:
            self.put(Packet(framing.NI_SHORT, body[0], self._seq, self._take_ack()))
        else:
            self.put(Packet(framing.MSG, 1, self._seq, self._take_ack(), body))

    def _take_ack(self) -> bool:
        """True once for each transfer of the host: this packet acknowledges it."""
        due, self.ack_due = self.ack_due, False
        return due and not self._faults.strike("drop_ack")
