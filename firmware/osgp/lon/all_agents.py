"""Rare: a repeater that is an agent as well (LTEP, all_agents). Source: `lon.md` 3.

The target's message goes out unacknowledged, ahead of what is passed on.
"""

from osgp.lon.npdu import APDU
from osgp.lon.outgoing import Slot


def run(repeater, slot, buf, at: int, end: int, domain: int, now: int):
    """`slot`: what is passed on; the SICB is at buf[at:]."""
    own = Slot(slot.priority)
    own.record = slot.record
    if not repeater.act(own, buf, at, end, domain, now):
        return
    lpdu = bytearray(own.header[: own.header_n])
    lpdu[0] = slot.priority | (own.path or 0)
    lpdu[1] |= APDU << 4  # whatever the service
    slot.ahead = lpdu + own.apdu[: own.apdu_n]
