"""The chip's side of a PL Smart Transceiver with MIP/U50 in layer-2 mode, sans I/O (`lon.md` 5).

It gets the octets of the host with `feed`, frames of the line with `receive`, and time with each
call; it writes octets to the host and hands LPDUs to the line through the two functions that it is
given. Times are milliseconds of any clock.

    host --feed--> Parser --> code packets --> NI commands --> transmit(LPDU with CRC) --> line
    host <--write-- Uplink, which re-sends what is not acknowledged <--receive, crc_error-- line
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass

from osgp_tools import mip_framing as framing
from osgp_tools.link_budget import Signal
from osgp_tools.lpdu import SHORTEST, crc16
from osgp_tools.mip_framing import Packet, Parser
from osgp_tools.mip_local import LocalNode
from osgp_tools.mip_uplink import Faults, Uplink

# NI commands
LOCAL_NM, RESPONSE, INCOMING, INCOMING_PHASE, INCOMING_SSI = 0x22, 0x16, 0x1A, 0x1B, 0x1C
RECEIVE_CRC_ERROR, PHASE_MODE, RESET = 0x31, 0x40, 0x50
FLUSH_CANCEL, ONLINE, OFFLINE, FLUSH, FLUSH_IGNORE = 0x60, 0x70, 0x80, 0x90, 0xA0
LAYER_5, LAYER_2, STATUS = 0xD0, 0xD1, 0xE0
COMM, COMM_MASK = 0x12, 0xF2  # niCOMM TQ, to which these may be added:
COMM_PRIORITY, COMM_ATTENUATE, COMM_ZERO_CROSS = 0x01, 0x04, 0x08

TRANSCEIVER_ID = 0x1E  # of the answer to STATUS: custom
INTER_OCTET_MS = 40
MESSAGE_AFTER_ACK_MS = 250
DOWNLINK_BUFFERS = 3


@dataclass(frozen=True)
class Transmission:
    """What the host wants on the line."""

    lpdu: bytes  # with its CRC
    priority: bool = False
    attenuate: bool = False
    zero_cross: bool = False


@dataclass
class Counters:
    transmitted: int = 0
    received: int = 0
    crc_errors: int = 0
    duplicates: int = 0  # downlink transfers discarded for their sequence number
    broken: int = 0  # messages answered with CpFail
    rejected: int = 0
    missed: int = 0  # frames of the line without a buffer, or without a host that wants them
    refused: int = 0  # NI commands unknown or too short
    resets: int = 0


class Chip:
    """`write(octets)` goes to the host; `transmit(Transmission)` to the line, which says `sent()`
    when it has gone out.

    `fixed_layer_2` is the image that knows no other layer: it acknowledges D0 and D1 and does
    nothing else.
    """

    def __init__(
        self,
        node_id: bytes,
        write: Callable[[bytes], None],
        transmit: Callable[[Transmission], None],
        *,
        cancel: Callable[[], None] = lambda: None,
        version: int = 0xA1,
        fixed_layer_2: bool = False,
        mains_hz: int = 50,
    ) -> None:
        self.node = LocalNode(node_id)
        self.faults = Faults()
        self.counters = Counters()
        self.layer = 2
        self._up = Uplink(write, self.faults)
        self._transmit, self._cancel = transmit, cancel
        self._version, self._fixed, self._mains_hz = version, fixed_layer_2, mains_hz
        self._parser = Parser()
        self._last_octet = 0
        self._start_over()

    def _start_over(self) -> None:
        self._parser.abandon()
        self._up.start_over()
        self._down_seq = 0
        self._waiting = 0  # LPDUs that the line has not sent yet
        self._reserved_until: int | None = None
        self._phase_mode = 0
        self._online = True
        self._flushing = False

    # -- time

    def poll(self, now: int) -> int | None:
        """Does what is due. Returns when to come again, None: not before something comes in."""
        self._check_gap(now)
        if self._reserved_until is not None and now >= self._reserved_until:
            self._reserved_until = None
        if self._up.due is not None and now >= self._up.due:
            self._up.send_again(now)
        gap = self._last_octet + INTER_OCTET_MS if self._parser.busy else None
        due = [at for at in (gap, self._reserved_until, self._up.due) if at is not None]
        return min(due, default=None)

    def _check_gap(self, now: int) -> None:
        if self._parser.busy and now - self._last_octet >= INTER_OCTET_MS:
            broken = self._parser.abandon()
            if broken is not None:
                self._fail()

    # -- from the line

    def receive(self, lpdu: bytes, now: int, signal: Signal) -> None:
        """A frame with a good CRC, which goes up with it."""
        if self.layer != 2 or self._flushing or not self._online:
            self.counters.missed += 1
            return
        self.counters.received += 1
        self.node.heard(signal.status, signal.levels)
        phase = bytes((signal.phase,))
        levels = bytes((signal.status, signal.levels))
        uplink = (
            bytes((INCOMING,)) + lpdu,
            bytes((INCOMING_PHASE,)) + phase + lpdu,
            bytes((INCOMING_SSI,)) + phase + lpdu + levels,
        )
        self._uplink(uplink[self._phase_mode], now)

    def crc_error(self, now: int) -> None:
        self.counters.crc_errors += 1
        self.node.transmission_errors += 1
        if self.layer == 2 and self._online and not self._flushing:
            self._uplink(bytes((RECEIVE_CRC_ERROR,)), now)

    def sent(self) -> None:
        """The line has sent an LPDU: its buffer is free."""
        self._waiting = max(self._waiting - 1, 0)

    def reset(self, now: int) -> None:
        """Commanded or of itself: everything volatile is gone, and the host is told."""
        self.counters.resets += 1
        self._start_over()
        self._cancel()
        self.node.was_reset()
        self._uplink(bytes((RESET,)), now)

    def _uplink(self, body: bytes, now: int) -> None:
        if self._up.queue(body):
            self._up.pump(now)
        else:
            self.counters.missed += 1
            self.node.missed += 1

    # -- downlink: code packets

    def feed(self, octets: bytes, now: int) -> None:
        """Octets of the host, cut anywhere."""
        self._check_gap(now)
        self._last_octet = now
        for packet in self._parser.feed(octets):
            if packet.ack:
                self._up.acknowledged()
            self._code_packet(packet, now)
            self._up.pump(now)

    def _code_packet(self, packet: Packet, now: int) -> None:
        if packet.kind == framing.NULL:
            self._up.ack_due |= not packet.ack  # a ping
        elif packet.kind == framing.FAIL:
            self._up.send_again(now)
        elif packet.kind == framing.MSG:
            self._message(packet, now)
        elif packet.kind == framing.MSG_REQ:
            self._message_request(now)
        elif packet.kind == framing.NI_SHORT:
            self._transfer(packet.seq, bytes((packet.parameter,)), now)
        elif packet.kind == framing.RESYNC:
            self._down_seq = 0
            self._up.resync()
            self._up.put(Packet(framing.NULL))

    def _message_request(self, now: int) -> None:
        if self.faults.strike("reject") or not self._has_buffer():
            self._reject()
        else:
            self._reserved_until = now + MESSAGE_AFTER_ACK_MS
            self._up.put(Packet(framing.MSG_ACK))

    def _message(self, packet: Packet, now: int) -> None:
        self._reserved_until = None
        if packet.body is None or self.faults.strike("fail"):
            self._fail()
        elif self.faults.strike("reject") or (
            _is_comm(packet.body[0])
            and not self._is_duplicate(packet.seq)
            and not self._has_buffer()
        ):
            self._reject()
        else:
            self._transfer(packet.seq, packet.body, now)

    def _has_buffer(self) -> bool:
        return self._waiting + (self._reserved_until is not None) < DOWNLINK_BUFFERS

    def _fail(self) -> None:
        self.counters.broken += 1
        self._up.put(Packet(framing.FAIL))

    def _reject(self) -> None:
        self.counters.rejected += 1
        self._up.put(Packet(framing.MSG_REJECT))

    def _is_duplicate(self, seq: int) -> bool:
        return seq != 0 and seq == self._down_seq

    def _transfer(self, seq: int, body: bytes, now: int) -> None:
        """A command that came whole: acknowledged always, done unless it was done before."""
        self._up.ack_due = True
        if self._is_duplicate(seq):
            self.counters.duplicates += 1
            return
        if seq:
            self._down_seq = seq
        self._command(body, now)

    # -- downlink: NI commands

    def _command(self, body: bytes, now: int) -> None:
        command = body[0]
        if _is_comm(command):
            self._comm(command, body[1:])
        elif command == LOCAL_NM:
            self._local(body[1:], now)
        elif command == STATUS:
            errors = self._parser.checksum_errors & 0xFF
            layer = int(self.layer == 2)
            self._uplink(bytes((STATUS, TRANSCEIVER_ID, self._version, layer, errors)), now)
        elif command in (PHASE_MODE, PHASE_MODE | 1, PHASE_MODE | 2):
            self._phase_mode = command & 3
            self._uplink(bytes((PHASE_MODE, self._mains_hz)), now)
        elif command in (LAYER_5, LAYER_2):
            self._layer_mode(command, now)
        elif command == RESET:
            self.reset(now)
        elif command in (ONLINE, OFFLINE):
            self._online = command == ONLINE
        elif command in (FLUSH, FLUSH_IGNORE):
            self._flushing = True
            self._waiting = 0
            self._cancel()
        elif command == FLUSH_CANCEL:
            self._flushing = False
        else:
            self.counters.refused += 1

    def _layer_mode(self, command: int, now: int) -> None:
        if self._fixed:
            return
        layer = 2 if command == LAYER_2 else 5
        if layer == self.layer:
            self._uplink(bytes((command,)), now)
        else:
            self.layer = layer
            self.reset(now)

    def _comm(self, command: int, lpdu: bytes) -> None:
        if self.layer != 2 or self._flushing or not self._online or len(lpdu) + 2 < SHORTEST:
            self.counters.refused += 1
            return
        self.counters.transmitted += 1
        self._waiting += 1
        self._transmit(
            Transmission(
                lpdu + crc16(lpdu).to_bytes(2, "big"),
                bool(command & COMM_PRIORITY),
                bool(command & COMM_ATTENUATE),
                bool(command & COMM_ZERO_CROSS),
            )
        )

    def _local(self, message: bytes, now: int) -> None:
        answer = self.node.answer(message)
        if answer is None:
            self.counters.refused += 1
        else:
            self._uplink(bytes((RESPONSE,)) + answer, now)

    def statistics(self) -> dict[str, int]:
        return asdict(self.counters) | {
            "resent": self._up.resent,
            "given_up": self._up.given_up,
            "checksum_errors": self._parser.checksum_errors,
            "noise": self._parser.noise,
        }


def _is_comm(command: int) -> bool:
    """niCOMM TQ or TQ_P, with or without the two power line options."""
    return command & COMM_MASK == COMM
