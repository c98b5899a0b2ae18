"""What waits for its time: one-time reads (ET19, ET20) and requests to devices (ET15).

This part only looks at the time; what there is to do then is in the rare module `waiting_work`.
"""

from micropython import const

import rare
import ticks
from meter.copies import Copies
from osgp.kernels import fill

ET13 = const(2048 + 13)
ET16 = const(2048 + 16)
ET31 = const(2048 + 31)
ET51 = const(2048 + 51)
DATA = "ET16"  # the setting with the MEP client's entry of ET16, as far as it is in use

_LOG_HEADER = const(6)
_LOG_ENTRIES = const(2)  # ET31_ENTRIES
_CLIENT_AT = const(2068)  # where the MEP client's entry begins in ET16
_NEVER = const(0x10000000)  # as a day


class Waiting:
    """Made after the application. Whoever changes a queue sets `again`."""

    def __init__(self, model, settings, application, events):
        """Of `application` it needs `clock`, `calendar` and `on_second`."""
        self.model = model
        self.settings = settings
        self.application = application
        self.events = events
        self.again = True  # a queue has changed, or is as the last run left it
        self.day = _NEVER  # UTC of the next one-time read
        self.second = 0
        self.open = False  # a request to a device is under way
        self.until_ms = 0  # and when it will have had no response
        size = (model.size(ET31) - _LOG_HEADER) // _LOG_ENTRIES
        self.log = Copies(settings, "ET31", _LOG_ENTRIES, size)
        model.reader(ET31, self.log.read)
        model.reader(ET16, self._read_data)
        model.subscribe(ET13, self.poll)
        model.subscribe(ET51, self.poll)
        application.on_second.append(self.poll)

    def poll(self, now_ms: int = -1):
        """Each second; without a time, after a write of ET13 or ET51."""
        clock = self.application.clock
        if (
            now_ms < 0
            or self.again
            or (self.open and ticks.diff(now_ms, self.until_ms) >= 0)
            or (clock.valid and clock.day == self.day and clock.second >= self.second)
            or (clock.valid and clock.day > self.day)
        ):
            rare.run("meter.waiting_work", self, now_ms)

    def _read_data(self, offset: int, n: int, buf, o: int):
        """ET16: M-Bus devices have no data yet, the MEP client what EP39 gave."""
        fill(buf, o, o + n, 0)
        skip = max(_CLIENT_AT - offset, 0)
        there = min(self.settings.window(DATA) + _CLIENT_AT - offset, n)
        if there > skip:
            self.settings.copy(offset + skip - _CLIENT_AT, buf, o + skip, there - skip)
