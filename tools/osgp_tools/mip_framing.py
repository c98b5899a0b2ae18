"""MIP/U50 framing: the octets on the UART between a host and its transceiver, either way (`lon.md`
5).

    code packet  7E | seq<<5 ack<<4 type | parameter | checksum
    message      LEN | NI command | data | checksum               after a code packet MSG, 01
                 FF lenHi lenLo | NI command | data | checksum    when it is longer than 254

A checksum makes the sum of its packet or message 0 modulo 256.
LEN counts NI command and data. In a message every 7E is doubled, so 7E and anything else is where
a new code packet begins.
"""

from collections.abc import Iterator
from dataclasses import dataclass

FLAG = 0x7E
LONGEST = 1280  # octets of NI command and data in an extended message

# code packet types
NULL, FAIL, MSG, MSG_REQ, MSG_ACK, MSG_REJECT, NI_SHORT, RESYNC = range(8)
TYPE_NAMES = (
    "CpNull",
    "CpFail",
    "CpMsg",
    "CpMsgReq",
    "CpMsgAck",
    "CpMsgReject",
    "CpNiCmdShort",
    "CpResync",
)


@dataclass(frozen=True)
class Packet:
    """A code packet; a MSG with the message that followed it, or None when that was broken."""

    kind: int
    parameter: int = 0
    seq: int = 0
    ack: bool = False
    body: bytes | None = None  # NI command and data


def code_packet(kind: int, parameter: int = 0, seq: int = 0, ack: bool = False) -> bytes:
    code = seq << 5 | ack << 4 | kind
    return bytes((FLAG, code, parameter, -(FLAG + code + parameter) & 0xFF))


def message(body: bytes) -> bytes:
    """What follows the code packet MSG: length, body, checksum, each 7E doubled."""
    length = len(body)
    head = bytes((length,)) if length < 0xFF else b"\xff" + length.to_bytes(2, "big")
    plain = head + body
    plain += bytes((-sum(plain) & 0xFF,))
    return plain.replace(b"\x7e", b"\x7e\x7e")


def encode(packet: Packet) -> bytes:
    octets = code_packet(packet.kind, packet.parameter, packet.seq, packet.ack)
    return octets if packet.body is None else octets + message(packet.body)


class Parser:
    """Octets in, packets out. Any octets may come: noise is skipped, a broken code packet says
    nothing.

    `checksum_errors` counts both kinds of checksum, `noise` the octets that belonged to no packet.
    """

    def __init__(self) -> None:
        self.checksum_errors = 0
        self.noise = 0
        self._head = bytearray()  # of a code packet: nothing, or its octets from 7E on
        self._opened: Packet | None = None  # the MSG whose message is being received
        self._plain = bytearray()  # that message without doubling
        self._flag_seen = False

    @property
    def busy(self) -> bool:
        """In the middle of a packet: the gap to the next octet may be 40 ms."""
        return bool(self._head) or self._opened is not None

    def feed(self, data: bytes) -> Iterator[Packet]:
        for octet in data:
            packet = self._step(octet)
            if packet is not None:
                yield packet

    def abandon(self) -> Packet | None:
        """The octets stopped coming. Returns the MSG whose message stays incomplete, if there is
        one.
        """
        broken = self._opened
        self._head.clear()
        self._opened = None
        return broken

    def _step(self, octet: int) -> Packet | None:
        if self._opened is not None:
            return self._message_octet(octet)
        if not self._head and octet != FLAG:
            self.noise += 1
            return None
        self._head.append(octet)
        if len(self._head) == 2 and octet == FLAG:
            self._restart()
        return self._code_packet() if len(self._head) == 4 else None

    def _restart(self) -> None:
        """What was taken for a packet is none: go on from the next 7E in it."""
        start = self._head.find(FLAG, 1)
        skipped = start if start > 0 else len(self._head)
        self.noise += skipped
        del self._head[:skipped]

    def _code_packet(self) -> Packet | None:
        code, parameter = self._head[1], self._head[2]
        if sum(self._head) & 0xFF:
            self.checksum_errors += 1
            self._restart()
            return None
        self._head.clear()
        packet = Packet(code & 0x0F, parameter, code >> 5, bool(code & 0x10))
        if packet.kind != MSG or parameter != 1:
            return packet
        self._opened = packet
        self._plain.clear()
        self._flag_seen = False
        return None

    def _message_octet(self, octet: int) -> Packet | None:
        if self._flag_seen and octet != FLAG:
            self._opened = None
            self._head += bytes((FLAG, octet))
            return None
        if octet == FLAG and not self._flag_seen:
            self._flag_seen = True
            return None
        self._flag_seen = False
        self._plain.append(octet)
        start, length = self._extent()
        if length > LONGEST or len(self._plain) > start + length:
            return self._complete(start, length)
        return None

    def _extent(self) -> tuple[int, int]:
        """Where the NI command stands and how much there is from it on, without the checksum."""
        if self._plain[0] != 0xFF:
            return 1, self._plain[0]
        if len(self._plain) < 3:
            return 3, 0
        return 3, int.from_bytes(self._plain[1:3], "big")

    def _complete(self, start: int, length: int) -> Packet:
        opened = self._opened
        assert opened is not None
        self._opened = None
        if sum(self._plain) & 0xFF or not 0 < length <= LONGEST:
            self.checksum_errors += 1
            return opened
        body = bytes(self._plain[start : start + length])
        return Packet(opened.kind, opened.parameter, opened.seq, opened.ack, body)
