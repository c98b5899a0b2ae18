"""Rare: a broadcast is opened (`profile.md` 21).

    00 | command .. | sequence(4) | digest or tag(8)      subnet and node 0

EP20 may have brought a broadcast key with its own B (profile 13): it waits until the first good
broadcast under it. So a concentrator can change it in one device after the other, go on under the
old one meanwhile, and change over with one message that all understand.
"""

from osgp.envelope import LONGEST, SHORTEST
from osgp.services import command_length


def run(envelope, buf, a: int, end: int):
    """Judge the APDU buf[a:end], decrypted in place.

    None: it is not good. Else a draft of the membership with the key that it is good under, and
    the B of that key (54:58): buf[a+1:end-12] is the command, of exact length, and
    buf[end-12:end-8] its number. The caller judges the number by B and D (58:60) and commits the
    draft with the next B before anything is executed: that puts the key in force, too.
    """
    member = envelope.member
    if not SHORTEST <= end - a <= LONGEST or not member.keyed:
        return None
    draft = member.draft()
    sealed = bytes(buf[a : end - 8])
    good = present = _opens(envelope, member.broadcast_key, buf, a, end - 8)
    if not good and member.next_broadcast:
        buf[a : end - 8] = sealed
        draft[36:52] = member.next_broadcast[:16]
        draft[54:58] = member.next_broadcast[16:]
        good = _opens(envelope, member.next_broadcast[:16], buf, a, end - 8)
    envelope.count(2 if good else 3)
    if present and envelope.exhausted_broadcast:  # it is good for nothing any more (profile 11)
        return None
    return draft if good else None


def _opens(envelope, key, buf, a, d) -> bool:
    """One way for all that may be wrong, as `Envelope.verify`."""
    holds = envelope.make(key, True).open(buf, a, d)
    length = command_length(buf, a + 1, d - 4)
    return holds and length == d - 5 - a
