"""Rare: EP20, a new key for the power line (profile 13).

    EP20 {key id 1, new key 12 or 16, check 4, of a broadcast key: B 4}

Key id 0 is the unicast key, 1 the broadcast key. The check is the first four octets of the digest
(mode 0) or of the CMAC (mode 2) of 16 zero octets under the new key: a key that did not arrive as
it was sent is not taken. Mode 2 takes no key of 12. B is little-endian.
"""

from micropython import const

import rare
from osgp.kernels import equal
from osgp.membership import NEXT_BROADCAST, NEXT_KEY
from osgp.procedures.results import BAD_PARAMETER, DONE

_UNICAST = const(0)
_BROADCAST = const(1)
_OMAK = const(12)
_KEY = const(16)
_CHECK = const(4)
_BASE = const(4)
_ZEROS = bytes(16)


def run(number, parameters, response, device, now):
    """EP20. The old key holds until the first good message, or broadcast, under the new one."""
    member = device.member
    key_id = parameters[0]
    base = bytes(reversed(parameters[-_BASE:])) if key_id == _BROADCAST else b""
    size = len(parameters) - 1 - _CHECK - len(base)
    if key_id > _BROADCAST or size not in ((_KEY,) if member.mode else (_OMAK, _KEY)):
        return BAD_PARAMETER, 0
    key = bytearray(_KEY)
    key[:size] = parameters[1 : 1 + size]
    present = member.unicast_key if key_id == _UNICAST else member.broadcast_key
    if not equal(_check(device, key), 0, parameters, 1 + size, _CHECK):
        return BAD_PARAMETER, 0
    if equal(key, 0, present, 0, _OMAK):
        return BAD_PARAMETER, 0
    offered = bytes(member.image[52:54]) + key + base
    if key_id == _UNICAST:
        member.settings.replace(NEXT_KEY, offered, len(offered))
        member.next_key = key
    else:
        member.settings.replace(NEXT_BROADCAST, offered, len(offered))
        member.next_broadcast = key + base
    return DONE, 0


def _check(device, key) -> bytes:
    if device.member.mode:
        cmac = rare.load("osgp.security.ccm").cmac
        return cmac(device.envelope.aes(bytes(key)), _ZEROS)[:_CHECK]
    return rare.load("osgp.security.digest").oma_digest(key[:_OMAK], _ZEROS)[:_CHECK]
