"""Result codes of procedures: octet 3 of BT08 (`osgp.md` 4)."""

from micropython import const

DONE = const(0)
ACCEPTED = const(1)  # not complete yet; BT08 will tell
BAD_PARAMETER = const(2)
CONFLICT = const(3)  # with the setup of the device
TIMING = const(4)
NO_AUTHORIZATION = const(5)
UNKNOWN = const(6)
