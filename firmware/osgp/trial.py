"""Rare: the bank that runs is on trial (`profile.md` 25): how long, whether all goes well, and how
it ends. Lives until then, as a part of the scheduler."""

from micropython import const

import rare
import ticks
from osgp.procedures.results import CONFLICT, DONE, TIMING

_TOO_LONG = const(4)  # why a trial ended, as the selector has it
_GIVEN_BACK = const(5)
_BANK_CHANGED = const(78)  # event
_HOURS = const(72)
_HOUR_MS = const(3600000)
_GOOD_MS = const(600000)  # with every heartbeat good, before it may be confirmed
_BEAT_MS = const(3000)  # every part is polled once a second


class Trial:
    """While there is one, nothing is downloaded: the other bank is the only way back."""

    def __init__(self, device, state):
        """state: the selector (`banks.State`); nobody else changes it meanwhile."""
        self.state = state
        self.over = False  # it was given back, and the restart is to come
        self._device = device
        self._good_since = self._hour = device.scheduler.ticks_ms()
        device.scheduler.add(self)

    def poll(self, now: int) -> int:
        scheduler = self._device.scheduler
        for slot in scheduler.slots:
            if ticks.diff(now, slot.beat) > _BEAT_MS:
                self._good_since = now
        end = ticks.add(self._hour, _HOUR_MS)
        if ticks.diff(now, end) >= 0 and not self.over:
            gate = scheduler.gate
            if gate.open(now) or gate.overdue(end, now):
                self._hour = end
                self._end_hour()
        return ticks.add(now, ticks.FAR)

    def _end_hour(self):
        try:
            self.state.hour()
            if self.state.hours >= _HOURS:
                self.over = True
                self.state.end_trial(_TOO_LONG)
        except OSError:
            self._device.events.lost += 1
        if self.over:
            self._device.restart()

    def confirm(self, now: int) -> int:
        """EP10 names the running bank: it is the confirmed one from now on."""
        device = self._device
        if self.over:
            return CONFLICT
        if ticks.diff(now, self._good_since) < _GOOD_MS:
            return TIMING
        bank = 1 - self.state.confirmed
        head = bytearray(rare.load("banks").HEADER)
        device.board.bank_flash(bank).read(0, head)
        try:
            self.state.confirm(rare.load("banks").header(head)[2])
        except OSError:
            return CONFLICT
        device.trial = None
        device.scheduler.remove(self)
        device.events.post(_BANK_CHANGED, bank)
        return DONE

    def give_back(self) -> int:
        """EP10 names the confirmed bank: it runs again, after a restart."""
        if not self.over:
            try:
                self.state.end_trial(_GIVEN_BACK)
            except OSError:
                return CONFLICT
            self.over = True
            rare.run("osgp.restart", self._device)
        return DONE
