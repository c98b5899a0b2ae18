"""Power quality: looks at the element each second, and follows what is not as it should be.

A condition (a sag on L2, a lifted cover) begins when the element shows it, counts when it has
lasted its time, and ends. While there is none, a second costs a few comparisons. What follows when
one counts or ends (ET09, events) is done by rare modules: quality_events.py, quality_changes.py.

ET09 is saved at once, and then again at most once a minute: a voltage that flickers about a
threshold costs 1440 writes a day and no more. The log of events has each of them anyway. The
extremes of the frequency are saved each hour. Both are saved before ET09 is read.
"""

from array import array

from micropython import const

import rare
import ticks
from meter.element import CURRENT, FREQUENCY, REVERSE_W, VOLTAGE

ET04 = const(2048 + 4)
ET09 = const(2048 + 9)
ET55 = const(2048 + 55)

# the conditions; of those from COVER on there is one, of the others one a phase
SAG = const(0)
SURGE = const(1)
SAG2 = const(2)
LOSS = const(3)  # of a phase
OVER = const(4)  # over-current
MISSING = const(5)  # current on a missing phase
THD = const(6)  # of voltage, and of current and of VA
COVER = const(9)
MAGNET = const(10)
REVERSE = const(11)  # energy
CONDITIONS = const(12)
PHASES = const(3)

_TYPES = const(3)  # of THD
_PHASE_LOSS = const(28)  # alarm: bit 4 of BT03.4
_NONE = const(-1)
_HIGHEST = const(0x3FFFFFFF)
SOON = const(60)  # s between two saves of what happened
_HOURLY = const(3600)  # s, of the extremes of the frequency
_DISTORTION = const(10)  # s between two looks at THD (MEP p.74)


class Quality:
    """Made after the application and hung into its `on_second`.

    By condition and phase (condition * stride + phase): `since`, the tick at which it began, or
    -1; `worst`, the lowest value since, highest ones negative; `counted`, 1 when it has lasted
    long enough. What `quality_limits` sets: `needed`, ms that each condition has to last; `used`
    and `currents`, the sets of phases whose voltage and current count; limits in mV and mA.
    """

    def __init__(self, model, application, element, events, now_ms: int):
        """element: `meter/element.py`; events: `post(event, argument)`, `alarm(place)`."""
        self.model = model
        self.clock = application.clock
        self.events = events
        self.element = element
        self.stride = element.phases or 1
        self.low = self.sag = self.sag2 = self.loss = 0  # mV; low: the highest of the others
        self.surge = 0
        self.over = self.registration = self.reverse = 0  # mA
        self.used = self.currents = 0
        self.generates = False  # the premise: then reverse energy is as it should be
        self.constant = False  # the alarm of phase loss stays on as long as a phase is lost
        self.hold = 0  # ms after the start
        self.since = array("i", [_NONE] * (CONDITIONS * self.stride))
        self.worst = array("i", [0] * (CONDITIONS * self.stride))
        self.counted = bytearray(CONDITIONS * self.stride)
        self.running = bytearray(self.stride)  # conditions of the phase that have begun
        self.needed = array("i", [0] * CONDITIONS)
        self.distortion = array("i", [0] * _TYPES)  # limits by type; 0: it is not looked at
        self.sums = None  # of THD, when one is looked at: sum, number, worst and its time
        self.image = None  # ET09 with changes that are not saved yet
        self.frequencies = [_HIGHEST, 0, 0, 0, 0, 0]  # lowest, day, second, highest, day, second
        self.inverted = 0
        self.rotation = element.rotation if element.phases else 0
        self._application = application
        self._now = now_ms
        self._most = 0  # mA, of the phase that has most
        self._tampers = 0
        self.unsaved = 0  # s after the last save at which ET09 is to be saved; 0: no need to
        self._age = SOON  # s since the last save, and no more than an hour
        self._turn = 0  # to the next look at THD
        self.configure()
        self._begin = ticks.add(now_ms, self.hold)
        if element.phases:
            application.on_second.append(self.second)
            model.before_read(ET09, self.save)
            for number in (ET04, ET09, ET55):
                model.subscribe(number, self.configure)

    def configure(self):
        """Take over thresholds."""
        rare.run("meter.quality_limits", self, self.model)

    def second(self, now_ms: int):
        """Look at the element. Nothing is looked at while the past is made up for."""
        if self._application.behind:
            return
        if self._begin is not None:
            if ticks.diff(now_ms, self._begin) < 0:
                return
            self._begin = None
        self._now = now_ms
        self._most = 0
        phase = 0
        while phase < self.stride:
            self._look(phase)
            phase += 1
        self._look_at_frequency(self.element.present(FREQUENCY))
        self._look_further(self.element)
        if self._age < _HOURLY:
            self._age += 1
        if self.unsaved and self._age >= self.unsaved:
            self.save()

    # Frames of up to eleven places lie on the stack, larger ones on the heap: so these are small.

    def _look(self, phase):
        """Voltage and current of a phase."""
        voltage = self.element.present(VOLTAGE + phase)
        current = self.element.present(CURRENT + phase)
        if (
            self.running[phase]
            or not self.low <= voltage <= self.surge
            or current > self.over
            or not self.used >> phase & 1
        ):
            self._examine(phase, voltage, current)
        if current > self._most:  # noqa: PLR1730  max() is one call more
            self._most = current

    def _look_at_frequency(self, frequency):
        """Was it never so low, or (of the first one a second later) never so high?"""
        found = self.frequencies
        if not frequency or found[0] <= frequency <= found[3]:
            return
        k = 0 if frequency < found[0] else 3
        found[k] = frequency
        found[k + 1] = self.clock.day if self.clock.valid else _NONE
        found[k + 2] = self.clock.second
        if not self.unsaved:
            self.unsaved = _HOURLY

    def _look_further(self, element):
        """What is hardly ever there."""
        if element.tampers or self._tampers:
            self._tampers = element.tampers
            self.follow(COVER, 0, self._tampers & 1, 0)
            self.follow(MAGNET, 0, self._tampers & 2, 0)
        backwards = self._most > self.reverse and element.present(REVERSE_W) > 0
        if backwards or self.since[REVERSE * self.stride] != _NONE:
            self.follow(REVERSE, 0, backwards and not self.generates, 0)
        if element.inverted != self.inverted or element.rotation != self.rotation:
            rare.run("meter.quality_changes", self, element)
        if self.sums:
            self._turn -= 1
            if self._turn <= 0:
                self._turn = _DISTORTION
                rare.run("meter.quality_distortion", self)

    def _examine(self, phase, voltage, current):
        """A phase that is not as it should be, was not a second ago, or is not used."""
        lost = voltage < self.loss
        if not self.used >> phase & 1:
            self.follow(MISSING, phase, current > self.registration, -current)
            return
        if not self.currents >> phase & 1:
            current = 0
        self.follow(LOSS, phase, lost, voltage)
        if self.constant and self.counted[LOSS * self.stride + phase]:
            self.events.alarm(_PHASE_LOSS)
        self.follow(SAG, phase, not lost and voltage < self.sag, voltage)
        self.follow(SAG2, phase, not lost and voltage < self.sag2, voltage)
        self.follow(SURGE, phase, voltage > self.surge, -voltage)
        self.follow(OVER, phase, current > self.over, -current)
        self.follow(MISSING, phase, lost and current > self.registration, -current)

    def follow(self, condition, phase, holds, value):
        """One more second of a condition, or of its absence."""
        k = condition * self.stride + phase
        if not holds:
            if self.since[k] != _NONE:
                if self.counted[k]:
                    rare.run("meter.quality_events", self, condition, phase, False, self._now)
                self.counted[k] = 0
                self.since[k] = _NONE
                self.running[phase] -= 1
            return
        if self.since[k] == _NONE:
            self.since[k] = self._now
            self.worst[k] = value
            self.running[phase] += 1
        elif value < self.worst[k]:
            self.worst[k] = value
        if not self.counted[k] and ticks.diff(self._now, self.since[k]) >= self.needed[condition]:
            self.counted[k] = 1
            rare.run("meter.quality_events", self, condition, phase, True, self._now)

    def save(self):
        """Put into ET09 what is not there yet; it is safe when this returns."""
        if self.unsaved:
            self.unsaved = 0
            self._age = 0
            rare.run("meter.quality_save", self, self.model)
