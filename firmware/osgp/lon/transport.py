"""ISO/IEC 14908-1 layers 4 and 5, the receiving side: receive records, duplicates, answers.
Source: `lon.md` 2.

A request is delivered once. Its record keeps it, to know its repetitions by comparing every octet,
and keeps the answer, which is sent again for each of them. All sending is from the records: an
answer that the transceiver cannot take yet, or that falls into the silence after start, waits in
its record.
"""

from micropython import const

import ticks
from osgp.kernels import copy, equal
from osgp.lon.npdu import APDU, BROADCAST, HEADER, SPDU, TPDU, UNIQUE_ID

RECORDS = const(8)  # senders at a time; one that begins anew takes its old record again
LARGEST = const(160)  # octets of an APDU, in and out (profile 20)
SILENCE_MS = const(
    2000
)  # after start nothing leaves (14908: the peers' records of our last life must end)
UID_RECEIVE_MS = const(8192)
RECEIVE_MS = const(8192)  # non-group receive timer, code 12 (profile 18a)

_ACKD = const(0)  # of a TPDU; of an SPDU: REQUEST
_REPEATED = const(1)
_ACK = const(2)  # of a TPDU; of an SPDU: RESPONSE
_KEY = const(6)

# what a record is doing
_FREE = const(0)
_HELD = const(1)  # delivered; nothing to send (yet, or ever)
_ANSWERED = const(2)  # the answer has been sent
_DUE = const(3)  # the answer waits for the transceiver


class Record:
    """One received message. The transport owns it; a handler may write `answer` while it is
    called."""

    def __init__(self):
        self.key = bytearray(_KEY)
        self.state = _FREE
        self.layer = self.tid = 0
        self.apdu = bytearray(LARGEST)
        self.apdu_n = 0
        self.header = bytearray(HEADER)
        self.header_n = 0
        self.answer = bytearray(LARGEST)
        self.answer_n = 0
        self.until = 0  # tick at which it is forgotten


class Transport:
    """Receive records over one Npdu."""

    def __init__(self, npdu, now: int):
        self.npdu = npdu
        self.records = [Record() for _ in range(RECORDS)]
        self.unacked = Record()  # holds a message that has no transaction
        self._key = bytearray(_KEY)
        self._due = 0  # records whose answer waits
        self._silent_until = ticks.add(now, SILENCE_MS)
        self._silent = True
        self.received = self.duplicates = self.lost = self.unsupported = 0

    def receive(self, buf, now: int):
        """The record of a new message, or None: a duplicate (answered again by itself), or nothing
        that is delivered. The APDU ends at buf[npdu.end] and has record.apdu_n octets."""
        npdu = self.npdu
        if npdu.pdu == APDU:
            return self._fill(self.unacked, buf, npdu.body)
        kind = buf[npdu.body] & 0xF0
        if npdu.pdu > SPDU or kind > _REPEATED << 4 or (npdu.pdu == SPDU and kind):
            self.unsupported += 1  # answers to nobody, groups, authentication
            return None
        record = self._find(now)
        if record is None:
            self.lost += 1
            return None
        if record.state != _FREE and self._is_duplicate(record, buf):
            self.duplicates += 1
            self._again(record)
            return None
        return self._renew(record, buf, now)

    def _find(self, now):
        """The record of this sender, or one that is free, or None."""
        npdu = self.npdu
        key = self._key
        key[0] = npdu.priority
        key[1] = npdu.domain
        key[2] = npdu.format
        key[3] = npdu.source_subnet
        key[4] = npdu.source_node
        key[5] = npdu.destination_subnet if npdu.format == BROADCAST else 0
        free = None
        for record in self.records:
            if record.state != _FREE and self._is_over(record, now):
                self._forget(record)
            if record.state == _FREE:
                free = record
            elif record.key == key:
                return record
        return free

    @staticmethod
    def _is_over(record, now) -> bool:
        """Has its time passed? Also when that was so long ago that the ticks have come round."""
        return not 0 < ticks.diff(record.until, now) <= UID_RECEIVE_MS

    def _forget(self, record):
        if record.state == _DUE:
            self._due -= 1
        record.state = _FREE

    def _is_duplicate(self, record, buf) -> bool:
        npdu = self.npdu
        if record.tid != buf[npdu.body] & 0x0F or record.layer != npdu.pdu:
            return False
        if record.apdu_n != npdu.end - npdu.body - 1:
            return False
        return equal(record.apdu, 0, buf, npdu.body + 1, record.apdu_n)

    def _again(self, record):
        record.header[0] |= self.npdu.alt_path
        if record.state == _ANSWERED:
            record.state = _DUE
            self._due += 1

    def _fill(self, record, buf, at):
        record.apdu_n = self.npdu.end - at
        if record.apdu_n <= 0 or record.apdu_n > LARGEST:
            self.unsupported += 1
            return None
        copy(record.apdu, 0, buf, at, self.npdu.end)
        record.answer_n = 0
        self.received += 1
        return record

    def _renew(self, record, buf, now):
        npdu = self.npdu
        at = npdu.body
        if record.state == _DUE:
            self._due -= 1
        record.state = _FREE
        if self._fill(record, buf, at + 1) is None:
            return None
        record.state = _HELD
        record.layer = npdu.pdu
        record.tid = buf[at] & 0x0F
        copy(record.key, 0, self._key, 0, _KEY)
        record.header_n = npdu.answer_header(buf, record.header)
        record.until = ticks.add(now, UID_RECEIVE_MS if npdu.format == UNIQUE_ID else RECEIVE_MS)
        if npdu.pdu == TPDU and buf[at] & 0xF0 == _ACKD << 4:
            self._make_due(record)
        return record

    def _make_due(self, record):
        if record.state != _DUE:
            record.state = _DUE
            self._due += 1

    def answer(self, record, n: int, anonymous: bool = False):
        """record.answer[:n] is the answer; n = 0: there is none, nothing is sent. `anonymous`:
        from 00/80."""
        if record is self.unacked or record.layer != SPDU or not n:
            return
        record.answer_n = n
        if anonymous:
            record.header[2] = 0
            record.header[3] = 0x80
        self._make_due(record)

    def outgoing(self, out, o: int, now: int) -> int:
        """Build the next LPDU that is due (without CRC) at out[o:]; return its end, 0 if none is
        due or silence holds."""
        if self.silent(now) or not self._due:  # in this order: the end of the silence must be seen
            return 0
        for record in self.records:
            if record.state == _DUE and self._is_over(record, now):
                self._forget(record)  # nobody waits for it any more
            elif record.state == _DUE:
                record.state = _ANSWERED
                self._due -= 1
                return self._build(record, out, o)
        return 0

    @staticmethod
    def _build(record, out, o):
        copy(out, o, record.header, 0, record.header_n)
        o += record.header_n
        out[o] = _ACK << 4 | record.tid
        copy(out, o + 1, record.answer, 0, record.answer_n)
        return o + 1 + record.answer_n

    def silent(self, now: int) -> bool:
        """Are we within the 2 s after start?"""
        if self._silent and ticks.diff(now, self._silent_until) >= 0:
            self._silent = False
        return self._silent

    def due(self, now: int) -> int:
        """The tick at which sending is worth another try."""
        if not self._due:
            return ticks.add(now, ticks.FAR)
        return self._silent_until if self._silent else now
