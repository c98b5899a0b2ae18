"""Rare: the groups that this device belongs to: the ten ids of ET97, five of each relay.

A group id is two octets. FF in one of them stands for all, in a broadcast only (`osgp.md` 1.4);
0 is none.
"""

from micropython import const

from meter.registers import put16
from osgp.procedures.results import BAD_PARAMETER, CONFLICT, DONE

_ET97 = const(2048 + 97)
_IDS = b"\x57\x59\x5b\x5d\x5f\x68\x6a\x6c\x6e\x70"  # where they are in ET97

_REMOVE = const(0)
_ADD = const(1)
_REMOVE_ALL = const(2)


def run(model, action: int = -1, group: int = 0):
    """Without an action: the ids, as a tuple. With one, as in EP27: its result."""
    body = model.load(_ET97)
    ids = [body[at] | body[at + 1] << 8 for at in _IDS]
    if action < 0:
        return tuple([one for one in ids if one])
    result = _change(ids, action, group)
    if result == DONE:
        for k in range(len(_IDS)):
            put16(body, _IDS[k], ids[k])
        model.patch(_ET97, 0, body)
    return result


def _change(ids, action, group):
    if action == _REMOVE_ALL:
        ids[:] = [0] * len(_IDS)
    elif action not in (_REMOVE, _ADD) or not group or 0xFF in (group & 0xFF, group >> 8):
        return BAD_PARAMETER
    elif action == _REMOVE:
        if group not in ids:
            return BAD_PARAMETER
        ids[ids.index(group)] = 0
    elif group not in ids:
        if 0 not in ids:
            return CONFLICT
        ids[ids.index(0)] = group
    return DONE
