"""Rare: the answers to network diagnostics that need more than the node's own counters: the
transceiver's registers, the mains phase, the version (`network_management.py`; `lon.md` 3, 4)."""

from micropython import const

from osgp.kernels import copy, fill
from osgp.lon.management import FIRMWARE, MODEL, PROGRAM_ID
from osgp.lon.npdu import ATTENUATE

_TRANSCEIVER = const(0x54)
_TRANSCEIVER_BOTH_WAYS = const(0x57)
_PHASE = const(0x58)
_VERSION = const(0x59)

_PHASES = const(6)  # steps of 60 degrees


def run(management, buf, a, end, out) -> int:
    """Answer buf[a:end] in out[1:]; the end, -1 for failure."""
    code = buf[a]
    n = end - a - 1  # octets after the code
    if code == _TRANSCEIVER and n == 0:
        return _registers(management.link, out)
    if code == _TRANSCEIVER_BOTH_WAYS and n == 1:
        if buf[a + 1] & 1:
            management.transport.current.option = ATTENUATE
        return _registers(management.link, out)
    if code == _PHASE and n <= 1:
        return _phase(management.link, buf[a + 1] if n else 0, out)
    if code == _VERSION and n == 0:
        out[1] = FIRMWARE
        out[2] = MODEL
        copy(out, 3, PROGRAM_ID, 0, 8)
        return 11
    return -1


def _registers(link, out) -> int:
    """The transceiver's seven, as the frame at hand was received: status, and margin and strength
    of both carriers. A link that does not tell them: failure."""
    if not link.ssi1 and not link.ssi2:
        return -1
    fill(out, 1, 8, 0)
    out[1] = 0x04
    out[3] = link.ssi1
    out[4] = out[5] = link.ssi2
    return 8


def _phase(link, agents: int, out) -> int:
    """Result 1 to 6, the angle between the asking side's mains and ours; Hz; reading; error.

    `agents`: the reading of the agent that asks for somebody else, which is added.
    """
    if not link.mains_hz:
        return -1
    out[1] = (link.phase + agents) % _PHASES + 1
    out[2] = link.mains_hz
    out[3] = link.phase
    out[4] = 0
    return 5
