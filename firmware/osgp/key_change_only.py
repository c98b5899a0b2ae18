"""Rare: what is accepted under a unicast key that was used as often as it may be (profile 11)."""

from micropython import const

from osgp.services import FULL_READ, FULL_WRITE, PARTIAL_READ

_BT07 = const(7)
_BT08 = const(8)
_EP20 = const(2048 + 20)


def run(buf, a: int) -> bool:
    """Whether the command at buf[a:], of exact length, changes the key or reads how that went."""
    table = buf[a + 1] << 8 | buf[a + 2]
    if buf[a] in (FULL_READ, PARTIAL_READ):
        return table == _BT08
    return (
        buf[a] == FULL_WRITE
        and table == _BT07
        and buf[a + 3] << 8 | buf[a + 4] >= 2
        and (buf[a + 5] | buf[a + 6] << 8) & 0x0FFF == _EP20
    )
