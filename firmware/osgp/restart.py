"""Rare: a restart that lets its reason be told before: 5 s after BT08 was read, or after 60 s
(`profile.md` 25)."""

from micropython import const

import ticks
from osgp.procedures import BT08

_READ_MS = const(5000)
_UNREAD_MS = const(60000)


def run(device):
    """It cannot be taken back."""
    Restart(device)


class Restart:
    """A part that restarts the device."""

    def __init__(self, device):
        self._device = device
        self._now = device.scheduler.ticks_ms
        self._read = False
        self._at = ticks.add(self._now(), _UNREAD_MS)
        device.model.before_read(BT08, self._told)
        device.scheduler.add(self)

    def _told(self):
        if not self._read:
            self._read = True
            soon = ticks.add(self._now(), _READ_MS)
            if ticks.diff(soon, self._at) < 0:
                self._at = soon

    def poll(self, now: int) -> int:
        if ticks.diff(now, self._at) >= 0:
            self._device.restart()
        return self._at
