"""Code banks in flash: the header of an image, and the selector, which says which bank runs.

Frozen into the VM beside boot.py, so that no update changes it; the application takes it from
there too, by name and for a moment.

A bank: 50 sectors. The first holds the header, at 76 a signature of it, at 4080 the cable mark if
it was a cable that wrote the bank; the ROMFS image starts at the second. Header, little-endian:
magic, format, header length, image length, version, security counter, board family (NUL padded,
or "any"), .mpy version, bits of a small int, SHA-256 of the image. `tools/osgp_tools/image.py`
writes it.

The selector: raw sectors 28 and 29, each a log of 128 records; every change is appended to both,
28 first, and the newest whole record of both counts. A full log is erased and begun again while
the other is whole. A record of 32 octets, little-endian: number, flags (bit 0 the confirmed bank,
1 a trial of the other, 2 a run of the trial is open), tries left, hours of trial, why, floor of
the security counter, ids of the banks A and B, CRC-32 (docs/profile.md).
"""

import hashlib
import struct
import sys
from binascii import crc32

from micropython import const

HEADER = const(76)  # octets
SECTOR = const(4096)
ROOM = const(188096)  # octets of a ROMFS in a bank: 192,192 of an image less its first sector
TRIES = const(3)
HOURS = const(72)  # of trial, powered

_PATHS = const(("/bankA", "/bankB"))  # where they are mounted

# Why the selector is as it is
BY_CABLE = const(0)  # or a first start
BEGUN = const(1)
CONFIRMED = const(2)
USED_UP = const(3)
TOO_LONG = const(4)
GIVEN_BACK = const(5)
TRIAL_DAMAGED = const(6)
CONFIRMED_DAMAGED = const(7)

# The end of a bank's first sector when a cable wrote the bank: nobody asks for its signature.
MARK = const(b"OSGP by cable 1\0")
MARK_AT = const(4080)

EMPTY = const("is empty")  # a fault, but nobody's

_FIELDS = const("<8sHHIII16sBBxx32s")
_MAGIC = const(b"OSGPBANK")
_IN_FLASH = const(1)  # format

_LOGS = const((28, 29))  # sectors of the raw region
_SLOTS = const(128)
_SLOT = const(32)
_PAGE = const(512)
_RECORD = const("<IBBBBI8s8s")
_CHECKED = const(28)
_BLANK = b"\xff" * _SLOT
_EIO = const(5)

# A simulated device runs under CPython, which has no .mpy files.
_MPY = getattr(sys.implementation, "_mpy", 6) & 0xFF
_SMALL_INT_BITS = 31 if sys.maxsize >> 31 == 0 else 63


# ---- images


def header(content, form: int = _IN_FLASH):
    """(length of the ROMFS, version, security counter, family, .mpy version, bits of a small int,
    SHA-256) of a bank, family and SHA-256 as octets. None: it has no header that is known here."""
    if len(content) < HEADER:
        return None
    magic, found, _, length, version, security, family, mpy, bits, digest = struct.unpack_from(
        _FIELDS, content
    )
    if magic != _MAGIC or found != form:
        return None
    return length, version, security, family.rstrip(b"\0"), mpy, bits, digest


def identity(head) -> bytes:
    """The id of an image, 8 octets, from the 76 of its header."""
    return hashlib.sha256(head).digest()[:8]


def unfit(fields, family: bytes, room: int = ROOM) -> int:
    """Why an image cannot run here, as a number of ET17's last error: 1 no header, 2 another
    board's, 3 other bytecode, 4 its length. 0: it can.

    fields: of `header`. family: of this board. room: octets for the ROMFS.
    """
    if fields is None:
        return 1
    length, _, _, made_for, mpy, bits, _ = fields
    if made_for not in (family, b"any"):
        return 2
    if mpy != _MPY or bits > _SMALL_INT_BITS:
        return 3
    return 0 if 0 < length <= room else 4


def fault(content, family: bytes, digest, form: int = _IN_FLASH, room: int = ROOM) -> str:
    """Why a bank cannot run here, in words; empty: it can.

    content: begins with the header. digest: function(length) -> SHA-256 of the image.
    """
    if bytes(content[:8]) == b"\xff" * 8:
        return EMPTY
    fields = header(content, form)
    if fields is None:
        return "has no header that is known here"
    reason = unfit(fields, family, room)
    if reason == 2:
        return "is for a board of the family " + repr(fields[3])
    if reason == 3:
        return "holds .mpy files of version %d for small ints of %d bits" % fields[4:6]
    if reason == 4:
        return "is cut short"
    return "" if digest(fields[0]) == fields[6] else "is damaged: its SHA-256 differs"


def active() -> int:
    """The bank in flash that is on the path: 0 A, 1 B. -1: none is."""
    return _PATHS.index(sys.path[0]) if sys.path[0] in _PATHS else -1


# ---- the selector


class State:
    """What the selector says. Each change is a method, and safe when that returns.

    number: of the record, 0: there is none. confirmed: 0 or 1. trial: the other bank runs while
    `tries` are left and `hours` are few. open: a run of the trial has begun, and not ended.
    why: see above. floor: of the security counter. ids: of the banks A and B, 8 octets each, 0: it
    was never found good.

    A change raises OSError when neither log takes it.
    """

    def __init__(self, flash):
        """flash: the raw region, see boards/unix/board.md."""
        self._flash = flash
        self._slot = bytearray(_SLOT)
        self._next = [0, 0]  # where each log goes on
        logs = self._newest(0), self._newest(1)
        newest = max(logs, key=_number)
        self.number, flags, self.tries, self.hours, self.why, self.floor, a, b = struct.unpack(
            _RECORD, newest[:_CHECKED]
        )
        self.confirmed = flags & 1
        self.trial = bool(flags & 2)
        self.open = bool(flags & 4)
        self.ids = [a, b]
        self._kept = newest[4:_CHECKED]
        for k in (0, 1):
            if self.number and logs[k] != newest:  # power went between the two
                self._append(k, newest)

    def begin_trial(self, k: int, image: bytes):
        """The bank that is not confirmed, k, is to run; image: its id."""
        self.trial = True
        self.open = False
        self.tries = TRIES
        self.hours = 0
        self.ids[k] = image
        self.why = BEGUN
        self.keep()

    def confirm(self, security: int):
        """The trial bank becomes the confirmed one; security: its counter."""
        self.set_confirmed(1 - self.confirmed, CONFIRMED)
        self.floor = max(self.floor, security)
        self.keep()

    def end_trial(self, why: int):
        """The confirmed bank is to run again."""
        self.set_confirmed(self.confirmed, why)
        self.keep()

    def set_confirmed(self, k: int, why: int):
        """Bank k is the confirmed one and there is no trial; not kept yet."""
        self.confirmed = k
        self.trial = self.open = False
        self.tries = self.hours = 0
        self.why = why

    def open_run(self):
        """A run of the trial begins."""
        self.open = True
        self.keep()

    def close_run(self):
        """It has ended as it should: no try is spent."""
        self.open = False
        self.keep()

    def hour(self):
        """The trial has lasted an hour more."""
        self.hours += 1
        self.keep()

    def keep(self):
        """Writes what is, unless that is what was read."""
        flags = self.confirmed | self.trial << 1 | self.open << 2
        trial = flags, self.tries, self.hours, self.why
        record = struct.pack(_RECORD, self.number + 1, *trial, self.floor, *self.ids)
        if record[4:] == self._kept:
            return
        record += struct.pack("<I", crc32(record))
        whole = [self._append(k, record) for k in (0, 1)]
        if not any(whole):
            raise OSError(_EIO)
        self.number += 1
        self._kept = record[4:_CHECKED]

    def _newest(self, k: int) -> bytes:
        """The newest whole record of a log; all 0: it has none. Sets where the log goes on."""
        for place in range(self._end(k) - 1, -1, -1):
            self._flash.read(_LOGS[k] * SECTOR + place * _SLOT, self._slot)
            if self._slot == _BLANK:
                continue
            if not self._next[k]:
                self._next[k] = place + 1
            if _is_whole(self._slot):
                return bytes(self._slot)
        return bytes(_SLOT)

    def _end(self, k: int) -> int:
        """Slots of a log up to its blank end, in whole pages: many slots are not looked at."""
        page = bytearray(_PAGE)
        blank = b"\xff" * _PAGE
        for end in range(SECTOR, 0, -_PAGE):
            self._flash.read(_LOGS[k] * SECTOR + end - _PAGE, page)
            if page != blank:
                return end // _SLOT
        return 0

    def _append(self, k: int, record: bytes) -> bool:
        """Writes a record into a log. Returns whether it is there."""
        start = _LOGS[k] * SECTOR
        try:
            if self._next[k] == _SLOTS:
                self._flash.erase(start)
                self._next[k] = 0
            at = start + self._next[k] * _SLOT
            self._next[k] += 1
            self._flash.program(at, record)
            self._flash.read(at, self._slot)
        except OSError:
            return False
        return self._slot == record


def _number(record: bytes) -> int:
    return int.from_bytes(record[:4], "little")


def _is_whole(slot) -> bool:
    return crc32(memoryview(slot)[:_CHECKED]) == int.from_bytes(slot[_CHECKED:], "little")


def load(flash) -> State:
    """The selector; flash: the board's raw region."""
    return State(flash)


# ---- runs of a trial, for main.py and device.py


def open_run(board) -> bool:
    """Before a bank runs: opens a run if it is on trial. Returns whether it is."""
    k = active()
    if k < 0:
        return False
    state = State(board.flash)
    if not state.trial or k == state.confirmed:
        return False
    state.open_run()
    return True


def close_run(board):
    """After a run that ended as it should: closes it, if it is one of a trial."""
    if active() >= 0:
        state = State(board.flash)
        if state.open:
            state.close_run()
