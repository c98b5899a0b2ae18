"""Rare: a download into the bank that is not running, or the verification of what is there.

Of EP08, EP09 and EP10 (`profile.md` 23 to 25). It lives while there is one, as a part of the
scheduler. Packet k is octets 56 x k and on of the bank; of its sector 47:

    0     b"OSGPLOAD" | length of the image 4 | CRC-32 of those twelve 4, little-endian
    16    an octet a packet: FF it is missing, 00 it is there

The first sixteen are programmed when all is erased, an octet of the others when its packet is
safe. So power may go at any moment: what was told to be there is there at the next start.
"""

import binascii

from micropython import const

import rare
import ticks
from flash_time import TimedFlash
from osgp.kernels import copy, fill
from osgp.procedures import BT07, FIRST_PSN, LAST_PSN
from osgp.procedures.results import BAD_PARAMETER, CONFLICT, DONE, TIMING
from tables.model import MASTER, OK

NONE = const(0)  # states of ET17
ERASING = const(1)
RECEIVING = const(2)
COMPLETE = const(3)
VERIFYING = const(4)
VERIFIED = const(5)

FLASH_FAILED = const(9)  # last error of ET17

PACKET = const(56)
SECTOR = const(4096)
LAST_SECTOR = const(0x2F000)  # of a bank's that belong to a download: sector 47
HEAD = const(16)
MARK = const(4080)  # where a cable puts its mark up to the sector's end: stays FF here

_MAGIC = const(b"OSGPLOAD")
_EP09 = const(2048 + 9)
_EP09_LOW = const(0x09)
_EP09_HIGH = const(0x08)
_SIZE = const(61)  # of BT07: number 2, PSN 1, packet 2, data 56
_OF_BROADCASTS = (  # what a packet by broadcast passes through
    "osgp.broadcast_work",
    "osgp.security.broadcast",
    "osgp.broadcast_packet",
    "osgp.group_rights",
    "osgp.groups",
)
_CHUNK = const(1024)
_AGAIN_MS = const(50)


class Download:
    """`state`, `length` (octets of the image; 0: what is there is verified, and was not brought
    by a download), `packets`, `received` and `crc` are those of ET17."""

    def __init__(self, device, bank: int):
        """device: see device.py. bank: the one that is not running."""
        self.device = device
        self.bank = bank
        self.flash = TimedFlash(device.board.bank_flash(bank), device.flash_time)
        self.state = NONE
        self.length = self.packets = self.received = self.crc = 0
        self._work = None  # a generator, each step a slice; it yields whether the next one writes
        self._writes = False
        self._since = 0  # tick of the last slice, or of what was heard
        self._heard = None  # a packet that was broadcast and is not written yet
        self._asked = b""  # number and PSN of the procedure that began the work
        self._slot = device.scheduler.add(self)
        device.model.writer(BT07, self._initiate)

    def begin(self, state: int, work, now: int):
        """Do this, slice by slice, for the procedure that is being carried out."""
        self._asked = bytes(self.device.procedures.response[:3])
        self.state = state
        self._work = work
        self._writes = True
        self._since = self._slot.due = now

    def take_up(self, length: int, received: int):
        """Packets may come: so many are there already."""
        self.length = length
        self.packets = packets(length)
        self.received = received
        self.state = RECEIVING
        self._work = self._hold()
        self._writes = False
        if received == self.packets:
            self._complete()

    def _hold(self):
        """What is rare without a download is loaded for each of thousands of packets: it stays."""
        for name in _OF_BROADCASTS:
            yield False
            rare.hold(name)

    def _let_go(self):
        for name in _OF_BROADCASTS:
            rare.let_go(name)

    def _complete(self):
        self._let_go()
        self.state = COMPLETE
        self._work = self._sum()
        self._writes = False
        self._slot.due = self.device.scheduler.ticks_ms()

    def _sum(self):
        """The CRC-32 of the image, by and by."""
        buf = bytearray(_CHUNK)
        crc = 0
        for at in range(0, self.length, _CHUNK):
            part = memoryview(buf)[: min(_CHUNK, self.length - at)]
            self.flash.read(at, part)
            crc = binascii.crc32(part, crc)
            yield False
        self.crc = crc

    def finish(self, result: int):
        """BT08 tells the result of the work, if it is of that procedure still."""
        procedures = self.device.procedures
        if procedures.response[:3] != self._asked:
            return
        draft = bytearray(procedures.response)
        draft[3] = result
        try:
            procedures.keep(draft)
        except OSError:  # BT08 stays as it was, and ET17 tells
            self.device.events.lost += 1

    def fail(self, error: int):
        """There is no download any more, and ET17 says why."""
        device = self.device
        self._let_go()
        self.state = NONE
        self._work = self._heard = device.download = None
        device.last_error = error
        device.model.writer(BT07, device.procedures.initiate)
        device.scheduler.remove(self)
        self.finish(CONFLICT)

    def poll(self, now: int) -> int:
        gate = self.device.gate
        quiet = gate.open(now) or gate.overdue(self._since, now)
        if self._heard and quiet:
            self._write_heard()
        if self._work is None and self._heard is None:
            return ticks.add(now, ticks.FAR)
        if self._work is None or (self._writes and not quiet):
            return ticks.add(now, _AGAIN_MS)
        self._since = now
        work = self._work
        try:
            self._writes = next(work)
        except StopIteration:
            if self._work is work:  # its end may have been the beginning of another
                self._work = None
        except OSError:
            self.fail(FLASH_FAILED)
        return ticks.add(now, _AGAIN_MS) if self._writes else now

    def _initiate(self, offset, buf, a, n, level, now) -> int:
        """BT07, while there is a download: EP09 is done here. It is not kept, for what is there
        is not written again."""
        procedures = self.device.procedures
        response = procedures.response
        if (
            offset
            or n != _SIZE
            or buf[a] != _EP09_LOW
            or buf[a + 1] & 0x0F != _EP09_HIGH
            or not FIRST_PSN <= buf[a + 2] <= LAST_PSN
            or buf[a + 2] == response[2]
            or level < MASTER
        ):
            return procedures.initiate(offset, buf, a, n, level, now)
        procedures.initiated += 1
        if procedures.on_initiated:
            procedures.on_initiated(_EP09)
        fill(response, 0, len(response), 0)
        response[0] = _EP09_LOW
        response[1] = _EP09_HIGH
        response[2] = buf[a + 2]
        response[3] = self.packet(buf, a + 3)
        return OK

    def hear(self, octets, now: int):
        """A packet was broadcast, number 2 and data 56. It is written when nobody minds, or when
        the next one comes."""
        if self._heard:
            self._write_heard()
        self._heard = octets
        self._since = self._slot.due = now

    def _write_heard(self):
        octets = self._heard
        self._heard = None
        self.packet(octets, 0)

    def packet(self, buf, a: int) -> int:
        """The result of EP09 with the parameters buf[a:a+58]."""
        number = buf[a] | buf[a + 1] << 8
        if not self.length:
            return CONFLICT
        if number >= self.packets:
            return BAD_PARAMETER
        if self.state == ERASING:
            return TIMING
        try:
            return self._write(number, buf, a + 2)
        except OSError:
            return CONFLICT

    def _write(self, number, buf, a):
        """Program a packet, then the octet that tells that it is there."""
        flag, flag_at = self._around(LAST_SECTOR + HEAD + number, 1)
        place = LAST_SECTOR + HEAD + number - flag_at
        if not flag[place]:
            return DONE
        old, at = self._around(number * PACKET, PACKET)
        new = bytearray(old)
        copy(new, number * PACKET - at, buf, a, a + PACKET)
        if at <= MARK < at + len(new) or at <= SECTOR - 1 < at + len(new):
            fill(new, max(MARK - at, 0), min(SECTOR - at, len(new)), 0xFF)
        for k in range(len(new)):
            if new[k] & old[k] != new[k]:  # another packet has begun to be written here
                return CONFLICT
        self.flash.program(at, new)
        self.flash.read(at, old)
        if old != new:
            return CONFLICT
        flag[place] = 0
        self.flash.program(flag_at, flag)
        self.received += 1
        if self.received == self.packets:
            self._complete()
        return DONE

    def _around(self, at, n):
        """(the whole units of flash that hold the octets at:at+n, where they begin)."""
        unit = self.flash.unit
        start = at - at % unit
        octets = bytearray((at + n - start + unit - 1) // unit * unit)
        self.flash.read(start, octets)
        return octets, start


def packets(length: int) -> int:
    """How many packets an image takes."""
    return (length + PACKET - 1) // PACKET


def head(length: int) -> bytes:
    """What begins a download of so many octets."""
    octets = _MAGIC + length.to_bytes(4, "little")
    return octets + binascii.crc32(octets).to_bytes(4, "little")
