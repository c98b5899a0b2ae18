"""Rare: a message to all is judged, its number used up, its request kept (`broadcast.py`)."""

from micropython import const

import rare
from meter.clock import to_ltime
from osgp.services import FULL_WRITE
from tables.compiled import LAYOUT
from tables.model import MASTER

_ET04 = const(2052)
_RECEIPT = const(76)  # in ET04, a LTIME: the last good broadcast
_ET27 = const(2075)
_GROUP = const(3)  # type of a request to groups
_DATA = const(6)  # where ET27 begins behind 00 40 081B count(2)
_RECORDS = const(6)  # in ET27: behind its size, type, number and how many groups follow
_END = const(2)  # the number once more
_PACKET = const(68)  # octets of a record with EP09
_HEAD = b"\x42\0\x40\0\x07\0\x3d\x09\x08"  # with which it begins: 66, write of BT07, 61, EP09
_SHORTEST = const(8)  # octets of such a request: of no groups and no records
_LAST = const(0xFFFFFFFF)  # never used: there is no B above it


def run(broadcast, buf, a: int, end: int, now: int):
    device = broadcast.device
    draft = rare.run("osgp.security.broadcast", device.envelope, buf, a, end)
    if draft is None:
        broadcast.failures += 1
        return
    end -= 12
    number = int.from_bytes(buf[end : end + 4], "big")
    base = int.from_bytes(draft[54:58], "big")
    window = int.from_bytes(draft[58:60], "big")
    if not base <= number < base + window or number == _LAST:
        broadcast.outside += 1
        return
    draft[54:58] = (number + 1).to_bytes(4, "big")
    transactions = device.transactions[0]
    if _is_packet(buf, a, end):
        rare.run("osgp.broadcast_packet", broadcast, draft, buf, a + _DATA, end, now)
        return
    try:
        device.member.commit(draft, draft[36:52] == device.member.broadcast_key)
        if _is_group_request(buf, a, end):
            if transactions.waiting:
                transactions.resume(now)  # what came before
            _keep(transactions, bytes(buf[a + _DATA : end]))
            broadcast.accepted += 1
        else:
            broadcast.refused += 1
        _stamp(device)
    except OSError:
        broadcast.not_kept += 1


def _is_group_request(buf, a, end):
    """Whether the command buf[a+1:end] writes one whole request to groups into ET27."""
    size = end - a - _DATA
    at = a + _DATA
    return (
        buf[a + 1] == FULL_WRITE
        and buf[a + 2] << 8 | buf[a + 3] == _ET27
        and size >= _SHORTEST
        and buf[at] | buf[at + 1] << 8 == size
        and buf[at + 2] == _GROUP
        and buf[at + 3 : at + 5] == buf[end - 2 : end]
    )


def _is_packet(buf, a, end):
    """Whether that is EP09 and nothing else: one record, of the only length that has."""
    at = a + _DATA + _RECORDS
    if end - at < _PACKET + _END or not _is_group_request(buf, a, end):
        return False
    at += 2 * buf[at - 1]
    return end - at == _PACKET + _END and bytes(buf[at : at + len(_HEAD)]) == _HEAD


def _keep(transactions, request):
    value = bytes((MASTER | LAYOUT << 2,)) + request
    transactions.settings.replace(transactions.name("TQ"), value, len(value))
    transactions.waiting = True


def _stamp(device):
    clock = device.application.clock
    if clock.valid:
        stamp = bytearray(6)
        to_ltime(clock.day, clock.second, stamp, 0)
        device.model.patch(_ET04, _RECEIPT, stamp)
