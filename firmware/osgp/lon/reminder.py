"""Rare: a message of ours to a group whose members acknowledge it. Source: `lon.md` 2.

From the second try on it says who has been heard: as REM/MSG, or, when that takes more than two
octets, as a REMINDER with the message as it was behind it.
"""

from micropython import const

from osgp.lon.npdu import MEMBER

_REMINDER = const(0x40)
_REM_MSG = const(0x50)
_SHORT = const(2)  # octets of a list that a REM/MSG has at most
_GROUP_ENTRY = const(0x80)
_ENTRY = const(5)


def run(slot):
    """Before a retry."""
    members = slot.members
    slot.backlog = max(slot.size - _heard(slot), 0)
    n = len(members)
    while n and not members[n - 1]:
        n -= 1
    listed = bytes((n,)) + bytes(members[:n])
    if n <= _SHORT:
        slot.kind = _REM_MSG
        slot.list = listed
        return
    lpdu = bytearray(slot.header[: slot.header_n])
    lpdu[0] = slot.priority
    slot.kind = 0
    slot.list = None
    slot.ahead = lpdu + bytes((slot.auth | _REMINDER | slot.tid,)) + listed


def acknowledged(slot, npdu) -> bool:
    """A member's ACK has been parsed: have all answered whose answer was asked for?"""
    if npdu.format == MEMBER and npdu.destination == slot.header[4] and npdu.member < 64:
        slot.members[npdu.member >> 3] |= 1 << (npdu.member & 7)
    heard = _heard(slot)
    return heard > 0 and heard >= slot.size - _is_member(slot, npdu)


def _heard(slot) -> int:
    return sum(octet >> bit & 1 for octet in slot.members for bit in range(8))


def _is_member(slot, npdu) -> bool:
    """Are we one of the group? Then it counts us, who do not answer ourselves."""
    table = npdu.addresses
    for at in range(0, len(table), _ENTRY):
        ours = table[at] & _GROUP_ENTRY and table[at + 4] == slot.header[4]
        if ours and table[at + 1] >> 7 == slot.domain:
            return True
    return False
