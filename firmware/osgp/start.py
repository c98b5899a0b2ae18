"""Rare: what a start tells the event log: power went and returned, why the device reset, that
it has no time, and what was found damaged. Query Status tells the reason too.

A device that starts again and again must not fill its log with that: when the newest entries are
of starts alone, this one is shown by its alarms and not logged.
"""

from micropython import const

from osgp.lon.management import RESET_POWER, RESET_SOFTWARE, RESET_WATCHDOG
from tables.model import ANYONE

_POWER_DOWN = const(1)
_POWER_UP = const(2)
_SYSTEM_RESET = const(38)
_NVM_FAILURE = const(41)
_CLOCK_ERROR = const(42)
_BACKUP_INCOMPLETE = const(49)
_OF_STARTS = (1, 2, 38, 41, 42, 49)
_REPROGRAMMED = const(36)
_ENOUGH = const(12)  # entries

_NAME = "firmware"  # the setting with the version of the last start
_VERSION = const(14)  # and revision, in BT01

# alarms, as `Events.alarm` counts
_POWER_FAILED = const(11)
_RESET = const(2)

# argument of event 38 (`osgp.md` 6)
_OTHER = const(0)
_POWER = const(3)
_WATCHDOG = const(4)
_NEW_BANK = const(5)


def run(device, begun=False):
    """device: `board.reset_cause`, `node`, `events`, `application`, `settings`, `rings`. begun:
    whether this is the first start of a trial."""
    events = device.events
    version = _note_version(device)
    if version >= 0:
        events.post(_REPROGRAMMED, version)
    reason = device.board.reset_cause
    cause, to_tell = _OTHER, RESET_SOFTWARE
    if reason == "power on":
        cause, to_tell = _POWER, RESET_POWER
    elif reason == "watchdog":
        cause, to_tell = _WATCHDOG, RESET_WATCHDOG
    elif begun:
        cause = _NEW_BANK
    device.node.management.reset_cause = to_tell
    if _has_told_enough(events.log):
        events.alarm(_RESET)
        if cause == _POWER:
            events.alarm(_POWER_FAILED)
        return
    if cause == _POWER:
        registers = device.application.registers
        events.post(_POWER_DOWN, 0, registers.day, registers.second)
        events.post(_POWER_UP, cause)
    events.post(_SYSTEM_RESET, cause)
    if not device.application.clock.valid:
        events.post(_CLOCK_ERROR)
    if device.settings.bad:
        events.post(_NVM_FAILURE, device.settings.bad)
    torn = sum([ring.repaired for ring in device.rings])
    if torn:
        events.post(_BACKUP_INCOMPLETE, torn)


def _note_version(device) -> int:
    """The firmware of the start before, as BT01 had it; -1: it is the same, or there was none."""
    kept = bytearray(2)
    version = bytearray(2)
    device.model.read(1, _VERSION, 2, version, 0, ANYONE)
    known = device.settings.load(_NAME, kept) == 2
    if known and kept == version:
        return -1
    try:
        device.settings.replace(_NAME, version, 2)
    except OSError:  # flash is full, or fails: the next start will tell it again
        device.events.lost += 1
    return kept[0] << 8 | kept[1] if known else -1


def _has_told_enough(log) -> bool:
    """Whether the newest entries are of starts alone."""
    record = bytearray(log.ring.size)
    last = log.ring.last
    for number in range(last - _ENOUGH + 1, last + 1):
        if not log.ring.read(number, record) or record[10] not in _OF_STARTS:
            return False
    return True
