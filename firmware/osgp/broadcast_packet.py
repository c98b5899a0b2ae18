"""Rare: one packet of a download, EP09, that came by broadcast (`profile.md` 21, 23).

There are thousands of them, and each may happen again: what is there is not written twice, and
nothing of an image is believed before its signature is. So nothing is kept but the packet. B is
used up as by every message, but kept only when it passes a multiple of 32; every other message
keeps it as ever. When power goes, the last 31 numbers at most are good once more: for copies of
these packets, and for what was sent between them and did not arrive.
"""

from micropython import const

import rare
from tables.model import OK

_BASE = const(54)  # B in the membership record
_BASE_END = const(58)
_KEPT_SHIFT = const(5)  # a number in 32 is kept
_COUNT = const(5)  # in ET27: how many groups
_GROUPS = const(6)
_END = const(2)  # the number of the request once more
_PARAMETERS = const(10)  # in a record: behind length 2, write of BT07 5, number 2, PSN 1


def run(broadcast, draft, buf, a: int, end: int, now: int):
    """draft: of the membership, with the next B. buf[a:end]: ET27."""
    device = broadcast.device
    member = device.member
    if _is_to_be_kept(member.image, draft):
        try:
            member.commit(draft, draft[36:52] == member.broadcast_key)
        except OSError:
            broadcast.not_kept += 1
            return
    else:
        member.image[_BASE:_BASE_END] = draft[_BASE:_BASE_END]
    broadcast.accepted += 1
    download = device.download
    transactions = device.transactions[0]
    first = _GROUPS + 2 * buf[a + _COUNT]
    octets = bytes(buf[a:end])
    rights = rare.load("osgp.group_rights")
    if (
        download
        and rights.is_for_us(transactions.groups(), octets, first)
        and rights.run(transactions.may, octets, first, len(octets) - _END)[0] == OK
    ):
        download.hear(octets[first + _PARAMETERS : -_END], now)


def _is_to_be_kept(image, draft) -> bool:
    """Whether more changes than B, or B passes a multiple of 32."""
    before = int.from_bytes(image[_BASE:_BASE_END], "big")
    after = int.from_bytes(draft[_BASE:_BASE_END], "big")
    return (
        before >> _KEPT_SHIFT != after >> _KEPT_SHIFT
        or draft[:_BASE] != image[:_BASE]
        or draft[_BASE_END:] != image[_BASE_END:]
    )
