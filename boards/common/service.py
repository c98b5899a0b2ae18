"""Service mode, in which the device does not run but can be reached. And the watchdog, which never
runs in it: nothing stops it once it does.
"""

import os

import machine


class FileMark:
    """A wish that outlives a reset but not the power: a file, gone at the first start after that.

    For chips on which a reset may clear the registers and the memory beside the clock.
    """

    def __init__(self, path: str):
        self._path = path
        if self.is_set() and machine.reset_cause() == machine.PWRON_RESET:
            self.set(False)

    def is_set(self) -> bool:
        try:
            os.stat(self._path)
        except OSError:
            return False
        return True

    def set(self, wanted: bool):
        if wanted:
            open(self._path, "w").close()
        elif self.is_set():
            os.remove(self._path)


def reason(jumper, mark) -> str:
    """Why this is service mode; empty: it is not. jumper: a Pin, low when fitted."""
    if jumper.value() == 0:
        return "the service jumper is fitted"
    if mark.is_set():
        return "asked for; board.reset() leaves it"
    if os.statvfs("/")[0] == 0:  # nothing is mounted there
        return "there is no file system"
    return ""


def cause() -> str:
    """Why the chip started, where `machine.reset_cause` tells the watchdog from a reset."""
    number = machine.reset_cause()
    if number == machine.PWRON_RESET:
        return "power on"
    return "watchdog" if number == machine.WDT_RESET else "reset"


class Watchdog:
    """Resets the chip when it is not fed. The first `feed` starts it."""

    def __init__(self, timeout_ms: int, service: str):
        """service: not empty, and it never runs."""
        self._timeout = timeout_ms
        self._service = service
        self._timer = None

    def feed(self):
        if self._timer is None:
            if self._service:
                return
            self._timer = machine.WDT(timeout=self._timeout)
        self._timer.feed()
