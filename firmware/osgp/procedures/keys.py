"""Rare: EP20, a new key for the power line (profile 13).

    EP20 {key id 1, new key 12 or 16, check 4}

The check is the first four octets of the digest of 16 zero octets under the new key: a key that
did not arrive as it was sent is not taken.
"""

from micropython import const

from osgp.membership import NEXT_KEY
from osgp.procedures.results import BAD_PARAMETER, CONFLICT, DONE
from osgp.security.digest import oma_digest

_BROADCAST = const(1)
_OMAK = const(12)
_KEY = const(16)
_CHECK = const(4)


def run(number, parameters, response, device, now):
    """EP20. The old key holds until the first good message under the new one."""
    key_id = parameters[0]
    size = len(parameters) - 1 - _CHECK
    if key_id == _BROADCAST:
        return CONFLICT, 0
    if key_id or size not in (_OMAK, _KEY):
        return BAD_PARAMETER, 0
    key = bytearray(_KEY)
    key[:size] = parameters[1 : 1 + size]
    member = device.member
    if (
        oma_digest(key[:_OMAK], bytes(16))[:_CHECK] != parameters[1 + size :]
        or key[:_OMAK] == member.unicast_key[:_OMAK]
    ):
        return BAD_PARAMETER, 0
    offered = bytes(member.image[52:54]) + key
    member.settings.replace(NEXT_KEY, offered, len(offered))
    member.next_key = key
    return DONE, 0
