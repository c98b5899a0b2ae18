"""Rare: changes a list of copies (`meter/copies.py`), as a whole or not at all.

The setting with the counts: count 4, unread 1, overflow 1, day 2.
"""

from micropython import const

from meter.registers import put16

_COUNTS = const(8)
_OVERFLOW = const(0x02)
_CIRCULAR = const(0x04)


def run(copies, what, argument: ... = None, day=0):
    """ "restore": the counts as they were kept. "add": the argument is a copy of `size` octets,
    day the new `day`; says whether one was lost that nobody has read. "read": so many were read.
    What was changed is safe when this returns."""
    lost = False
    if what == "restore":
        _restore(copies)
    elif what == "add":
        slot = copies.count % (copies.entries + 1)
        copies.settings.replace(copies.name + str(slot), argument, copies.size)
        lost = copies.unread == copies.entries
        unread = min(copies.unread + 1, copies.entries)
        _change(copies, copies.count + 1, unread, copies.overflow or lost, day)
    else:
        unread = copies.unread - min(argument, copies.unread)
        overflow = copies.overflow and unread == copies.entries
        _change(copies, copies.count, unread, overflow, copies.day)
    _show(copies)
    return lost


def _restore(copies):
    kept = bytearray(_COUNTS)
    if copies.settings.load(copies.name, kept) == _COUNTS:
        copies.count = kept[0] | kept[1] << 8 | kept[2] << 16 | kept[3] << 24
        copies.unread = kept[4]
        copies.overflow = bool(kept[5])
        copies.day = kept[6] | kept[7] << 8


def _change(copies, count, unread, overflow, day):
    """These become the counts. What flash raises passes through, and they are as they were."""
    kept = bytearray(_COUNTS)
    put16(kept, 0, count)
    put16(kept, 2, count >> 16)
    kept[4] = unread
    kept[5] = overflow
    put16(kept, 6, day)
    copies.settings.replace(copies.name, kept, _COUNTS)
    copies.count = count
    copies.unread = unread
    copies.overflow = overflow
    copies.day = day


def _show(copies):
    """Bring the table's header up to date."""
    header = copies.header
    header[0] = _CIRCULAR | (_OVERFLOW if copies.overflow else 0)
    if copies.count:
        header[1] = min(copies.count, copies.entries)
        header[2] = (copies.count - 1) % copies.entries
        put16(header, 3, copies.count - 1)
    header[5] = copies.unread
