"""The link over IP: each LPDU in a CN/IP data packet in UDP (EN 14908-4, ANSI/CEA-852).

    length(2) version type extension flags vendor(2) | session(4) sequence(4) time stamp(4) |
    extension | LPDU with its CRC

Length counts the header, the extension is counted in words of four octets, flags are the protocol
(0: 14908-1) and 20 for packets with an MD5 digest, which are not taken. A datagram may carry
several packets. Source: `lon.md` 6 (Wireshark's dissector), lon-stack-ex.

The channel is a list of members that somebody configured: the board's UDP object sends each packet
to all of them. Of 14908-4 there are data packets only, no configuration server.

A session is four random octets of a sender's start, so it tells senders apart, too. Within one, a
packet whose number is the last one's or up to 99 less is a duplicate or late, and dropped; what
is lost by that is repeated by layer 4. A gap, a number further back and a new session are taken;
so is number 0, which says that the sender counts nothing. None of this is security: that is above.

There are no time stamps in what we send (0) and none is looked at: they would need one clock.
There is no mains here: phase, signal strength and mains frequency are 0, and options are ignored.
"""

from micropython import const

import ticks
from osgp.kernels import copy, crc16, equal

_HEADER = const(20)
_VERSION = const(1)
_DATA = const(1)
_SESSION = const(8)  # offset of session and sequence
_SEQUENCE_END = const(16)
_LATE = const(100)  # as lon-stack-ex has it
_PEERS = const(32)  # senders remembered; one more replaces the one that came first
_PEER = const(8)  # octets: session, sequence last taken
_LONGEST = const(250)  # octets of an LPDU; MIP can carry no more, and buffers are made for that
_DATAGRAM = const(1472)  # octets that fit one Ethernet frame
_TX = const(2)


class CnIp:
    """The link; see mip.py for what a link is."""

    up = ready = True  # UDP takes a packet or loses it
    receiving = verified = drained = False
    phase = ssi1 = ssi2 = mains_hz = 0

    def __init__(self, udp, uid, session):
        """`udp`: readinto(buf) -> octets of the next datagram (what does not fit is lost), or
        None; write(buf, n) -> n, or fewer when a member could not be sent it. `uid`: 6 octets.
        `session`: 4 octets, random at each start."""
        self.udp = udp
        self.uid = bytearray(uid)
        self.rx = bytearray(_DATAGRAM)
        self.tx = bytearray(256)
        self.frame = self.end = 0
        self._at = self._n = 0  # rx[_at:_n] is what was not looked at yet
        self._out = bytearray(_HEADER + _LONGEST)  # its sequence number counts up
        self._out[2] = _VERSION
        self._out[3] = _DATA
        copy(self._out, _SESSION, session, 0, 4)
        self._peers = bytearray(_PEERS * _PEER)
        self._next_peer = 0
        self.crc_errors = self.checksum_errors = self.overruns = 0
        self.foreign = self.late = 0  # packets that are not ours to take, that came too late

    # ---- in

    def take(self, now: int) -> bool:
        """Take the next packet: True, rx[frame:end] is its LPDU. To be called until it says
        False; another datagram may be waiting then."""
        if self._at >= self._n:
            self._at = 0
            self._n = self.udp.readinto(self.rx) or 0
        while self._at < self._n:
            a = self._at
            if self._packet(a) and self._is_new(a + _SESSION):
                return True
        return False

    def _packet(self, a: int) -> bool:
        """Is the packet at rx[a:] one with a frame? `_at` is the next one's place after that."""
        rx = self.rx
        left = self._n - a
        length = rx[a] << 8 | rx[a + 1] if left >= _HEADER else 0
        if length < _HEADER or length > left:  # then nobody knows where the next one begins
            self._at = self._n
            self.checksum_errors += 1
            return False
        self._at = self.end = a + length
        self.frame = a + _HEADER + 4 * rx[a + 4]
        if rx[a + 2] != _VERSION or rx[a + 3] != _DATA or rx[a + 5]:
            self.foreign += 1
            return False
        if not 0 < self.end - self.frame <= _LONGEST:
            self.checksum_errors += 1
            return False
        return True

    def _is_new(self, at: int) -> bool:
        """Session and sequence number are rx[at:]. Is this neither our own nor an old one?"""
        rx = self.rx
        peers = self._peers
        if equal(rx, at, self._out, _SESSION, 4):
            return False
        k = 0
        while k < _PEERS * _PEER and not equal(peers, k, rx, at, 4):
            k += _PEER
        if k == _PEERS * _PEER:
            k = self._next_peer
            self._next_peer = (k + _PEER) % (_PEERS * _PEER)
        elif self._is_late(k + 4, at + 4):
            self.late += 1
            return False
        copy(peers, k, rx, at, at + _PEER)
        return True

    def _is_late(self, k: int, at: int) -> bool:
        """How far is the number rx[at:] behind peers[k:]? In halves: 32 bits are an object."""
        rx = self.rx
        peers = self._peers
        low = rx[at + 2] << 8 | rx[at + 3]
        high = rx[at] << 8 | rx[at + 1]
        if not low and not high:
            return False
        low = (peers[k + 2] << 8 | peers[k + 3]) - low
        high = (peers[k] << 8 | peers[k + 1]) - high - (low < 0)
        return not high & 0xFFFF and low & 0xFFFF < _LATE

    # ---- out

    def send(self, end: int, now: int, option: int = 0):
        """Send the LPDU (no CRC) that the caller built at tx[2:end]; end at most 250."""
        out = self._out
        copy(out, _HEADER, self.tx, _TX, end)
        crc = crc16(self.tx, _TX, end)
        end += _HEADER - _TX
        out[end] = crc >> 8
        out[end + 1] = crc & 0xFF
        end += 2
        out[0] = end >> 8
        out[1] = end & 0xFF
        k = _SEQUENCE_END - 1
        while k > _SESSION + 3:  # a number of four octets, one more
            out[k] = (out[k] + 1) & 0xFF
            k = k - 1 if not out[k] else 0
        if self.udp.write(out, end) != end:
            self.overruns += 1

    # ---- what a transceiver would need

    def start(self, now: int):
        """Nothing has to be started."""

    def poll(self, now: int) -> int:
        """Nothing is ever due."""
        return ticks.add(now, ticks.FAR)

    def reset(self, now: int):
        """There is no chip."""
