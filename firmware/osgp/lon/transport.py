"""ISO/IEC 14908-1 layers 4 and 5, the receiving side: receive records, duplicates, answers.
Source: `lon.md` 2.

A request is delivered once. Its record keeps it, to know its repetitions by comparing every octet,
and keeps the answer, which is sent again for each of them. All sending is from the records: an
answer that the transceiver cannot take yet, or that falls into the silence after start, waits in
its record. A message to be authenticated is delivered when its sender has answered our challenge.
"""

from micropython import const

import rare
import ticks
from osgp.kernels import copy, equal
from osgp.lon.npdu import (
    APDU,
    FLEXIBLE,
    GROUP,
    HEADER,
    SPDU,
    SUBNET_NODE,
    TPDU,
    UNIQUE_ID,
)
from osgp.membership import CONFIG

RECORDS = const(8)  # senders at a time; one that begins anew takes its old record again
LARGEST = const(160)  # octets of an APDU, in and out (profile 20)
# After start nothing leaves (14908: the peers' records of our last life must end).
SILENCE_MS = const(2000)
UID_TIMER = const(12)  # receive timer code, 8192 ms
LONGEST_MS = const(24576)  # code 15

# kinds of a TPDU; of an SPDU ACKD is REQUEST, ACK is RESPONSE
_ACKD = const(0)
_REPEATED = const(1)
_ACK = const(2)
_REMINDER = const(4)
_REM_MSG = const(5)
_AUTHENTICATED = const(0x80)
_REPLY = const(0x20)  # in an AuthPDU's header
_KEY = const(6)

# what a record is doing
_FREE = const(0)
_HELD = const(1)  # delivered; nothing to send (yet, or ever)
_ANSWERED = const(2)  # the answer has been sent
_DUE = const(3)  # the answer waits for the transceiver


class Record:
    """One received message. The transport owns it; a handler may write `answer` while it is
    called, and later as long as `serial` is what it was."""

    def __init__(self):
        self.key = bytearray(_KEY)
        self.state = _FREE
        self.serial = 0  # messages that it has held
        self.answered = False  # the sender waits for an acknowledgement or a response
        self.authentic = False  # the sender has proved that it has the domain's key
        self.layer = self.tid = 0
        self.apdu = bytearray(LARGEST)
        self.apdu_n = 0
        self.header = bytearray(HEADER)
        self.header_n = 0
        self.answer = bytearray(LARGEST)
        self.answer_n = 0
        self.option = 0  # the link's, for the answer
        self.challenge = None  # an LPDU: what is sent until the sender answers it
        self.until = 0  # tick at which it is forgotten


class Transport:
    """Receive records over one Npdu."""

    def __init__(self, npdu, member, now: int, random=None):
        """`random(n)` -> n octets for challenges; None: nobody is challenged."""
        self.npdu = npdu
        self.member = member
        self.random = random
        self.records = [Record() for _ in range(RECORDS)]
        self.unacked = Record()  # holds a message that has no transaction
        self.current = self.unacked  # the record at hand while a handler runs
        self.option = 0  # the link's, of the frame just built
        self._key = bytearray(_KEY)
        self._due = 0  # records whose answer waits
        self._silent_until = ticks.add(now, SILENCE_MS)
        self._silent = True
        self.received = self.duplicates = self.lost = self.unsupported = 0

    def receive(self, buf, now: int):
        """The record of a new message, whose APDU ends at buf[npdu.end] and has record.apdu_n
        octets. None: nothing is delivered; a duplicate is answered again by itself. False: the
        frame answers a message of this node's own."""
        npdu = self.npdu
        at = npdu.body
        if npdu.pdu > SPDU:
            if npdu.pdu == APDU:
                return self._fill(self.unacked, buf, at)
            if not buf[at] & _REPLY:
                return False  # a CHALLENGE
            return rare.run("osgp.lon.authentication", self, None, buf, now)
        kind = buf[at] & 0xF0
        if kind and (kind != _REPEATED << 4 or npdu.pdu == SPDU):
            at = self._uncommon(buf, now)
            if at <= 0:
                return None if at else False
        else:
            at += 1
        record = self._find(now)
        if record is None:
            self.lost += 1
            return None
        if record.state != _FREE and self._is_duplicate(record, buf, at):
            self.duplicates += 1
            self._again(record)
            return None
        return self._renew(record, buf, at, now)

    def _uncommon(self, buf, now) -> int:
        """Where the APDU begins of a message that is more than a plain one. 0: it answers a
        message of our own; -1: it delivers nothing."""
        npdu = self.npdu
        at = npdu.body
        kind = buf[at] >> 4 & 7
        if kind == _ACK:
            return 0
        if kind == _ACKD or (kind == _REPEATED and npdu.pdu == TPDU):
            return at + 1  # it is to be authenticated
        at += 2
        n = buf[at - 1] if at <= npdu.end else 0xFF
        if not _REMINDER <= kind <= _REM_MSG or npdu.format != GROUP or at + n > npdu.end:
            self.unsupported += 1
            return -1
        # M_LIST: bit k of octet j is set when member 8 j + k has been heard
        member = npdu.member
        heard = member >> 3 < n and buf[at + (member >> 3)] >> (member & 7) & 1
        if kind == _REM_MSG and not heard:
            return at + n
        record = self._find(now)
        if record and record.state > _HELD and record.tid == buf[npdu.body] & 0x0F:
            if heard:
                self.hold(record)
            else:
                self._again(record)
        return -1

    def _find(self, now):
        """The record of this sender, or one that is free, or None."""
        npdu = self.npdu
        key = self._key
        key[0] = npdu.priority
        # Whoever becomes a member by a message to its unique id knows the message's domain from
        # then on, and still has to know its repetitions: that is told by the domain's octets.
        key[1] = FLEXIBLE if npdu.format == UNIQUE_ID else npdu.domain
        key[2] = npdu.format
        key[3] = npdu.source_subnet
        key[4] = npdu.source_node
        key[5] = npdu.destination if npdu.format != SUBNET_NODE else 0
        free = None
        for record in self.records:
            if record.state != _FREE and self.is_over(record, now):
                self.hold(record)
                record.state = _FREE
            if record.state == _FREE:
                free = record
            elif record.key == key:
                return record
        return free

    @staticmethod
    def is_over(record, now) -> bool:
        """Has its time passed? Also when that was so long ago that the ticks have come round."""
        return not 0 < ticks.diff(record.until, now) <= LONGEST_MS

    def hold(self, record):
        """Send nothing (more) for it."""
        if record.state == _DUE:
            self._due -= 1
        record.state = _HELD

    def _is_duplicate(self, record, buf, at) -> bool:
        npdu = self.npdu
        if record.tid != buf[npdu.body] & 0x0F or record.layer != npdu.pdu:
            return False
        if record.apdu_n != npdu.end - at:
            return False
        return equal(record.apdu, 0, buf, at, record.apdu_n)

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
        record.serial += 1
        self.current = record
        self.received += 1
        return record

    def _renew(self, record, buf, at, now):
        npdu = self.npdu
        if record.state == _DUE:
            self._due -= 1
        record.state = _FREE
        if self._fill(record, buf, at) is None:
            return None
        record.state = _HELD
        record.layer = npdu.pdu
        octet = buf[npdu.body]
        record.tid = octet & 0x0F
        record.answered = octet & 0x70 != _REPEATED << 4
        record.option = 0
        record.authentic = False
        record.challenge = None
        copy(record.key, 0, self._key, 0, _KEY)
        record.header_n = npdu.answer_header(buf, record.header)
        code = UID_TIMER
        if npdu.format == GROUP:
            code = npdu.timer
        elif npdu.format != UNIQUE_ID:
            code = self.member.image[CONFIG] >> 4
        record.until = ticks.add(now, (2 + (code & 1)) << 6 + (code >> 1))
        asks = octet & _AUTHENTICATED and self.random
        if asks and rare.run("osgp.lon.authentication", self, record, buf, now):
            return None
        if npdu.pdu == TPDU and record.answered:
            self.make_due(record)
        return record

    def make_due(self, record):
        """What the record has to send is to be sent."""
        if record.state != _DUE:
            record.state = _DUE
            self._due += 1

    def answer(self, record, n: int, now: int):
        """record.answer[:n] is the answer; n = 0: there is none (yet), nothing is sent."""
        if n and record.state == _HELD and record.layer == SPDU and not self.is_over(record, now):
            record.answer_n = n
            self.make_due(record)

    def build(self, out, o: int, now: int) -> int:
        """Build the next LPDU that is due (without CRC) at out[o:]; return its end, 0 if none is
        due or silence holds."""
        if self.silent(now) or not self._due:  # in this order: the end of the silence must be seen
            return 0
        for record in self.records:
            if record.state == _DUE:
                self._due -= 1
                if not self.is_over(record, now):
                    record.state = _ANSWERED
                    self.option = record.option
                    return self._build(record, out, o)
                record.state = _FREE  # nobody waits for it any more
        return 0

    @staticmethod
    def _build(record, out, o):
        if record.challenge:
            end = o + len(record.challenge)
            copy(out, o, record.challenge, 0, end - o)
            out[o] = record.header[0]
            return end
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

    def after_silence(self, due: int) -> int:
        """The tick `due`, but not within the silence."""
        if self._silent and ticks.diff(self._silent_until, due) > 0:
            return self._silent_until
        return due

    def due(self, now: int) -> int:
        """The tick at which sending is worth another try."""
        return self.after_silence(now) if self._due else ticks.add(now, ticks.FAR)
