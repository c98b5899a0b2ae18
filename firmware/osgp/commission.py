"""Rare: a commission message is opened, judged and obeyed (`commissioning.py`)."""

from micropython import const

from osgp.commissioning import COMMISSION, TAG, VERSION
from osgp.kernels import equal
from osgp.membership import CONFIGURED

NONCE_REQUEST = bytes(13)
NONCE_ANSWER = b"\x01" + bytes(12)

DONE = const(0)
# The unicast key is the one in use, or will be after EP20 (its 12 octets of mode 0): no number may
# come again under it.
SAME_KEY = const(1)
BAD_CONTENT = const(2)  # mode, domain, subnet or node that this device cannot have
NOT_KEPT = const(3)  # flash failed; the device is what it was
LOW_BASE = const(4)  # the broadcast key is the one in use, and B would go back

_RC4 = const(0)  # security modes (ET04.127)
_AES = const(2)
_OMAK = const(12)
_FAILURES_A_DAY = const(100)  # ET04.128


def derive(cmac, aes, installation_key: bytes, uid, nc, nd) -> bytes:
    """Kf, the key of this one exchange."""
    return cmac(aes(installation_key), b"\x01FCM\x00" + bytes(uid) + bytes(nc) + bytes(nd))


def associated(uid, nc) -> bytes:
    return bytes((COMMISSION, VERSION)) + bytes(uid) + bytes(nc)


def run(commissioning, ccm, nc, sealed):
    """The answer to a commission message, without code and version; None: there is none."""
    key = commissioning.key(commissioning.uid)
    if key is None:
        return None
    encrypt = commissioning.aes(
        derive(ccm.cmac, commissioning.aes, key, commissioning.uid, nc, commissioning.nd)
    )
    text = ccm.open_(encrypt, NONCE_REQUEST, associated(commissioning.uid, nc), sealed, TAG)
    if text is None:
        commissioning.failed_today = min(commissioning.failed_today + 1, _FAILURES_A_DAY)
        return None
    commissioning.nd = None
    result = _judge(commissioning.member, text)
    if result == DONE and not _join(commissioning, text):
        result = NOT_KEPT
    return ccm.seal(
        encrypt, NONCE_ANSWER, associated(commissioning.uid, nc), bytes((result,)), TAG
    )


def _judge(member, text) -> int:
    if (
        text[0] not in (_RC4, _AES)
        or text[1] not in (0, 1, 3, 6)
        or text[8] == 0
        or not 1 <= text[9] <= 127
    ):
        return BAD_CONTENT
    if not member.keyed:
        return DONE
    if equal(member.unicast_key, 0, text, 10, _OMAK):
        return SAME_KEY
    if member.next_key and equal(member.next_key, 0, text, 10, _OMAK):
        return SAME_KEY
    # D 21: ET04.82 may be lowered only together with a new broadcast key.
    if equal(member.broadcast_key, 0, text, 26, _OMAK) and text[46:50] < bytes(
        member.image[54:58]
    ):
        return LOW_BASE
    return DONE


def _join(commissioning, text) -> bool:
    """Become what the message says; False: flash failed, and we are what we were."""
    member = commissioning.member
    draft = member.draft()
    draft[0] = CONFIGURED
    draft[1] = text[0]
    member.set_domain(draft, 0, text[1], text[2:8], text[8], text[9])
    draft[20:52] = text[10:42]
    generation = (member.generation + 1) & 0xFFFF
    draft[52] = generation >> 8
    draft[53] = generation & 0xFF
    draft[54:60] = text[46:52]
    draft[60] = 1
    # The counter first: a record of a generation that no member has is void, a member without
    # its counter is locked.
    try:
        commissioning.counter.start(generation, text[42] << 8 | text[43], text[44] << 8 | text[45])
        member.commit(draft)
    except OSError:
        try:
            commissioning.counter.load(member.generation)
        except OSError:
            pass  # it has its number, and writes it again before the next one is used
        return False
    commissioning.done += 1
    commissioning.on_done()
    return True
