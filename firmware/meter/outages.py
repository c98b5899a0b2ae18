"""Power outages: the time without power is known when the clock is set after it.

It begins with the last moment that the registers kept and ends with the start of this device: so
long before the clock was set as the device has run by then.
"""

import rare
import ticks


class Outages:
    """Waits for the clock once in a start, then records what was (meter/outage_record.py)."""

    def __init__(self, model, application, now_ms: int, power_failed: bool):
        """Made right after the application. power_failed: else the device reset under power, and
        only what a power failure left unfinished is recorded."""
        registers = application.registers
        self._model = model
        self._application = application
        self._power_failed = power_failed
        self._last = (registers.day, registers.second)
        self._tick = now_ms
        self._waited = 0  # s up to the tick
        self._on_second = None
        if registers.day >= 0:
            self._on_second = self.second
            application.on_second.append(self._on_second)
            application.after_clock.append(self.clock_set)

    def second(self, now_ms: int):
        """Time goes by without a clock."""
        passed = ticks.diff(now_ms, self._tick) // 1000
        self._tick = ticks.add(self._tick, 1000 * passed)
        self._waited += passed

    def clock_set(self, old_day: int, old_second: int):
        """The clock was set: the first time tells how long there was no power."""
        if self._on_second:
            application = self._application
            self.second(application.clock.tick)
            application.on_second.remove(self._on_second)
            self._on_second = None
            rare.run(
                "meter.outage_record",
                self._model,
                application,
                self._last,
                self._waited,
                self._power_failed,
            )
