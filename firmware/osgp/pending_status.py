"""Rare: BT04, out of the headers of the pending tables (OPT p.11)."""

from micropython import const

from osgp.kernels import copy, fill
from osgp.pending import HEADER, LAST, PED, STATE, WAITING

_LAST = const(30)  # behind the sets of tables, BT00.13 and BT00.14 octets
_COUNT = const(35)
_ENTRIES = const(36)
_ENTRY = const(8)
_STIME = const(5)
_STILL_PENDING = const(0x10)  # of the upper octet of the table id


def run(pending, body):
    """Bring the body of BT04 up to date."""
    fill(body, _LAST, len(body), 0)
    for k in range(len(pending.numbers)):
        header = pending.headers[k * HEADER : (k + 1) * HEADER]
        if header[LAST : LAST + _STIME] > body[_LAST : _LAST + _STIME]:
            copy(body, _LAST, header, LAST, LAST + _STIME)
        number = pending.numbers[k]
        at = _ENTRIES + k * _ENTRY
        copy(body, at, header, 0, PED)
        body[at + PED] = number & 0xFF
        body[at + PED + 1] = number >> 8
        if header[STATE] & WAITING:
            body[at + PED + 1] |= _STILL_PENDING
            body[_COUNT] += 1
