"""One poll over the UARTs, one list of wake-up times, heartbeats, the watchdog, and what they saw.

A part is an object with `poll(now) -> due`: it does what is due and says at which tick it wants to
be polled next. A part with a UART also has `readable(now)`. Nothing here allocates while it runs:
the poll object is registered once, and `ipoll` returns the same tuple each time.
"""

import gc
import select

from micropython import const

import ticks

_SEEN_MS = const(1000)  # every part is polled at least so often, whatever it asked for
_BLOCK = const(32)  # octets of MicroPython's heap at most: four words
_RUN = const(32)  # blocks, one after the other
_MOST = const(1000)  # blocks that are looked at; elsewhere than on a chip ids tell nothing


class Slot:
    """A part: when it is due, its heartbeat (ticks), its longest slice (microseconds)."""

    def __init__(self, part, uart, now: int):
        self.part = part
        self.uart = uart
        self.due = now
        self.beat = now
        self.longest = 0
        self.polls = 0


class Scheduler:
    """Runs the parts that are due in the order in which they were added."""

    def __init__(self, ticks_ms, ticks_us, watchdog, gate, flash_time):
        """`watchdog`: `feed()`. `gate`: `open(now)`, is this a moment that nobody will miss.
        `flash_time`: `spent`, microseconds on flash, which are kept out of the slices."""
        self.ticks_ms = ticks_ms
        self.ticks_us = ticks_us
        self.watchdog = watchdog
        self.gate = gate
        self.flash_time = flash_time
        self.slots = []
        self.longest_collection_us = 0
        self.collections = 0
        self.running = True
        self._poll = select.poll()
        # Tick at which the first part is due, as the turn before left it
        self._next = ticks.add(ticks_ms(), _SEEN_MS)
        self.collect_at = ticks_ms()  # who makes much garbage may bring it forward

    def add(self, part, uart=None):
        """Take a part in. A `uart` is polled for input, and what it has is the part's. Returns its
        slot: a part that has something to do sooner than it said sets `due`."""
        slot = Slot(part, uart, self.ticks_ms())
        self.slots.append(slot)
        self._next = slot.due
        if uart is not None:
            self._poll.register(uart, select.POLLIN)
        return slot

    def remove(self, part):
        """Let a part go, one without a UART; it may be the one that is being polled."""
        self.slots = [slot for slot in self.slots if slot.part is not part]

    def run(self):
        while self.running:
            self.turn()

    def turn(self):
        """Wait for the next octet or the next due part, and serve it."""
        for event in self._poll.ipoll(max(ticks.diff(self._next, self.ticks_ms()), 0)):
            self._readable(event[0])
        now = self.ticks_ms()
        least = _SEEN_MS
        for slot in self.slots:
            left = ticks.diff(slot.due, now)
            if left <= 0:
                self._serve(slot, now)
                left = ticks.diff(slot.due, now)
            least = min(least, left)
        self._next = ticks.add(now, least)
        # Here every part has answered within the last second or so: one that hangs, or raises,
        # does not let us come here.
        self.watchdog.feed()
        self._collect(now)

    def _readable(self, uart):
        for slot in self.slots:
            if slot.uart is uart:
                start = self.ticks_us()
                spent = self.flash_time.spent
                slot.part.readable(self.ticks_ms())
                slot.due = self.ticks_ms()  # what came in may have made something due
                self._measure(slot, start, spent)

    def _serve(self, slot, now):
        start = self.ticks_us()
        spent = self.flash_time.spent
        due = slot.part.poll(now)
        slot.due = due if ticks.diff(due, now) < _SEEN_MS else ticks.add(now, _SEEN_MS)
        slot.beat = now
        slot.polls += 1
        self._measure(slot, start, spent)

    def _measure(self, slot, start, spent):
        """The slice began at `start` with `spent` on flash; what it spent there is not its own."""
        took = ticks.diff(self.ticks_us(), start) - ticks.diff(self.flash_time.spent, spent)
        slot.longest = max(slot.longest, took)

    def _collect(self, now):
        """Collect where nobody waits, once a second at most, so that no allocation ever has to."""
        if ticks.diff(now, self.collect_at) < 0 or not self.gate.open(now):
            return
        self.collect_at = ticks.add(now, 1000)
        start = self.ticks_us()
        gc.collect()
        # The heap is searched for room from its beginning now, for each frame of a function of
        # more than 11 words: 0.3 ms a call past all that is in use. Objects of one block move the
        # place where a search begins; the first run of them is where there is room.
        last = run = 0
        for _ in range(_MOST):
            place = id(object())
            run = run + 1 if 0 < place - last <= _BLOCK else 0
            if run == _RUN:
                break
            last = place
        self.collections += 1
        spent = ticks.diff(self.ticks_us(), start)
        self.longest_collection_us = max(self.longest_collection_us, spent)
