"""Rare: what a start does about code banks (`profile.md` 25 to 27): a trial is looked after, what
became of one is told by events, and a download that was cut short goes on."""

from micropython import const

import rare

_BANK_CHANGED = const(78)  # events
_CHECKSUM_ERROR = const(77)

_BEGUN = const(1)  # why the selector is as it is, see banks.py
# and, from 3 on, the last error of ET17 that it is
_ERRORS = b"\0\0\0\x0b\x0c\x0e\x0d\x10"
_DAMAGED = const(6)  # and 7
_NAME = "bank"  # the setting with what was told of the selector
_SIZE = const(18)

_LAST_SECTOR = const(0x2F000)  # of a bank, see download.py
_MAGIC = const(b"OSGPLOAD")
_CHUNK = const(1024)


def run(device) -> bool:
    """Before anything that was asked for is carried out. Returns whether it is the first start of
    a trial."""
    banks = rare.load("banks")
    active = banks.active()
    if active < 0:
        return False
    state = banks.load(device.flash)
    begun = _tell(device, state)
    if state.trial and active != state.confirmed:  # else its end could not be written down
        device.trial = rare.load("osgp.trial").Trial(device, state)
        return begun
    device.last_error = _ERRORS[state.why]
    bank_flash = getattr(device.board, "bank_flash", None)
    flash = bank_flash(1 - active) if bank_flash else None
    if flash:
        _take_up(device, 1 - active, flash, state, banks)
    return False


def _tell(device, state) -> bool:
    """What became of a trial, once. Returns whether one has begun."""
    told = bytearray(_SIZE)
    if device.settings.load(_NAME, told) == _SIZE and told == _to_tell(state):
        return False
    bank = 1 - state.confirmed if state.trial else state.confirmed
    if state.why >= _DAMAGED:
        device.events.post(_CHECKSUM_ERROR, 1 - bank)
    if state.why == _BEGUN or _ERRORS[state.why]:
        device.events.post(_BANK_CHANGED, bank)
    try:
        device.settings.replace(_NAME, _to_tell(state), _SIZE)
    except OSError:  # the next start will tell it again
        device.events.lost += 1
    return state.why == _BEGUN


def _to_tell(state) -> bytes:
    """Not its number: that changes with each hour of a trial, and each run."""
    return bytes((state.why, state.confirmed)) + state.ids[0] + state.ids[1]


def _take_up(device, bank, flash, state, banks):
    """Goes on with the download into a bank, if it has one that was not tried yet."""
    head = bytearray(16)
    flash.read(_LAST_SECTOR, head)
    if head[:8] != _MAGIC:
        return
    work = rare.load("osgp.download")
    length = int.from_bytes(head[8:12], "little")
    if head != work.head(length) or _has_mark(flash, banks):
        return
    received = _count(flash, work.packets(length))
    begin = bytearray(banks.HEADER)
    flash.read(0, begin)
    if received == work.packets(length) and banks.identity(begin) == state.ids[bank]:
        return
    device.download = work.Download(device, bank)
    device.download.take_up(length, received)


def _has_mark(flash, banks) -> bool:
    """Whether a cable has written this bank since."""
    mark = bytearray(len(banks.MARK))
    flash.read(banks.MARK_AT, mark)
    return mark != b"\xff" * len(mark)


def _count(flash, packets) -> int:
    """How many packets are there."""
    buf = bytearray(_CHUNK)
    there = 0
    for at in range(0, packets, _CHUNK):
        part = memoryview(buf)[: min(_CHUNK, packets - at)]
        flash.read(_LAST_SECTOR + 16 + at, part)
        there += bytes(part).count(b"\0")
    return there
