"""What measures, and one that is simulated.

The interface, which the driver of a metering chip offers as well:

    since                UTC day from whose midnight on the element can tell energy afterwards;
                         -1: it tells what is, not what was
    start(day, second)   energy up to this moment (UTC) was counted before the restart
    take(day, second)    sets `forward` and `reverse`: active energy (mWh, below 2**29) since the
                         last `take` or `start`, and `quadrants`, made once: reactive energy
                         (mvarh) of Q1 to Q4. An element that can tell gives what came up to this
                         moment, any other one all that came. day -1: there is no clock yet
    present(k) -> int    value k of BT28 in its unit (MEP p.216): 0 forward W, 4 current L1 mA ..
    phases               how many it measures: 1 or 3; 0: it tells nothing about the line
    distortion           of 9 numbers, made once: THD (0.1 %) of voltage L1 to L3, current, VA
    rotation             0 L1L2L3, 1 L3L2L1, 2 unknown
    inverted             set of phases (bit 0: L1) whose current flows the wrong way round
    tampers              set: bit 0 the cover is off, bit 1 there is a magnet

None of them allocates, and none takes long if `take` is called for each quarter hour.

Quadrants (IEC 62053-23): Q1 takes active and reactive energy, Q2 gives active and takes reactive,
Q3 gives both, Q4 takes active and gives reactive. Import is Q1 and Q2, export Q3 and Q4.
"""

import struct

from micropython import const

import rare
from meter.clock import DAY

# The measured source, little-endian, written by osgp_tools/source.py: header, then by quarter hour
# the energy in mWh, 3 octets for forward and, with two directions, 3 for reverse. Format 2 goes on
# with what disturbs the line (meter/disturbances.py).
MAGIC = b"OSGPMEAS"
HEADER = "<8sBBHH"  # magic, format 1 or 2, directions 1 or 2, first UTC day, days
HEADER_SIZE = const(14)
FORMAT = const(1)
DISTURBED = const(2)
ENERGY_SIZE = const(3)

_QUARTER = const(900)  # s
_QUARTERS = const(96)  # a day
_VOLTAGE = const(230000)  # mV
_FREQUENCY = const(50000)  # mHz
_UNKNOWN = const(2)  # rotation

# The house takes reactive energy, a quarter of its active energy: tan phi 1/4, and so
_TAN = const(4)  # 1/tan phi
_POWER_FACTOR = const(970)  # 4 / sqrt(17), in 1/1000
_SINE = const(243)  # 1 / sqrt(17)
_APPARENT = const(3078)  # sqrt(17) / 4 - 1, in 1/100000

# values of BT28 (MEP p.216-217) that are asked for by name
FORWARD_W = const(0)
REVERSE_W = const(1)
CURRENT = const(4)  # of L1; L2 and L3 follow
VOLTAGE = const(7)
FREQUENCY = const(11)
_IMPORT_VAR = const(2)
_POWER_FACTOR_L1 = const(10)
_APPARENT_VA = const(12)
_SINE_L1 = const(15)
_PHASE_OF = (0, 9, 9, 1, 2, 0, 1, 2)  # of values 10 to 17: power factor and sine; 9: of none

# in what is played (meter/disturbances.py)
_PLAYED_CURRENT = const(3)
_PLAYED_FREQUENCY = const(6)
_PLAYED_UP_TO = const(60)  # a moment, and the next at which something changes
_PRIMARY = const(18)  # 0 to 3 again, by the ratios of BT15; this element has none
_Q1_VAR = const(22)
_Q2_VAR = const(23)


class SimulatedElement:
    """Measures what a source says: a house on one phase or, if the source says so, on three.

    The energy of a quarter hour is spread evenly over its seconds. What was given out up to a
    moment depends on UTC alone: it is what the source has from its beginning to then, however
    often the clock was set or the device restarted. After a clock was set back there is nothing
    until the time before is reached again. Outside the source's span there is no energy.

    What disturbs the line shows in the present values and not in the energy.
    """

    def __init__(self, read):
        """`read(offset, buf)` fills buf from the source. ValueError: it is not a source."""
        header = bytearray(HEADER_SIZE)
        read(0, header)
        magic, form, directions, first, days = struct.unpack_from(HEADER, header, 0)
        if magic != MAGIC or form not in (FORMAT, DISTURBED) or directions not in (1, 2):
            raise ValueError("not a measured source of format 1 or 2")
        self.since = first if days else -1
        self.forward = 0
        self.reverse = 0
        self.quadrants = [0, 0, 0, 0]
        self.phases = 1
        self.distortion = [0] * 9
        self.rotation = _UNKNOWN
        self.inverted = 0
        self.tampers = 0
        self._read = read
        self._end = self.since + days
        self._energy = bytearray(ENERGY_SIZE * directions)
        self._played = bytearray()  # what disturbs the line: see meter/disturbances.py
        if form == DISTURBED:
            end = HEADER_SIZE + days * _QUARTERS * len(self._energy)
            self._played = rare.run("meter.disturbances", self, read, None, end)
        # energy has been taken up to here, and this is the quarter hour that is loaded
        self._day = self.since
        self._second = 0
        self._quarter = -1
        self._quarter_forward = 0
        self._quarter_reverse = 0

    def start(self, day: int, second: int):
        """Energy up to this moment has been counted."""
        self._day = day
        self._second = second

    def take(self, day: int, second: int):
        """Sets forward, reverse and quadrants to the energy since the last time, up to now."""
        self.forward = 0
        self.reverse = 0
        quadrants = self.quadrants
        quadrants[0] = quadrants[1] = 0
        if self._played and day >= self.since:
            self._play((day - self.since) * DAY + second)
        if self._day < self.since and day >= self.since:
            self.start(self.since, 0)
        if self._day >= self._end or day < self.since:
            self._quarter = -1
            self._quarter_forward = 0
            self._quarter_reverse = 0
            return
        while self._day < day and self._day < self._end:
            self._take_until(DAY)
            self._day += 1
            self._second = 0
        if self._day == day and self._day < self._end:
            self._take_until(second)

    def _take_until(self, second):
        """Take what is left of the present day up to a second of it."""
        while self._second < second:
            quarter = self._second // _QUARTER
            self._load(quarter)
            quarter *= _QUARTER
            stop = min(second, quarter + _QUARTER)
            self._add(self._second - quarter, stop - quarter)
            self._second = stop

    def _add(self, a, b):
        """Take the energy between two seconds of the quarter hour that is loaded."""
        if self._quarter_forward:
            self.forward += _between(self._quarter_forward, a, b)
            reactive = _between(self._quarter_forward // _TAN, a, b)
            self.quadrants[0] += reactive
        if self._quarter_reverse:
            self.reverse += _between(self._quarter_reverse, a, b)
            reactive = _between(self._quarter_reverse // _TAN, a, b)
            self.quadrants[1] += reactive

    def _load(self, quarter):
        """Load the energy of a quarter hour of the present day."""
        quarter += (self._day - self.since) * _QUARTERS
        if quarter == self._quarter:
            return
        energy = self._energy
        self._read(HEADER_SIZE + quarter * len(energy), energy)
        self._quarter = quarter
        self._quarter_forward = energy[0] | energy[1] << 8 | energy[2] << 16
        if len(energy) > ENERGY_SIZE:
            self._quarter_reverse = energy[3] | energy[4] << 8 | energy[5] << 16

    def present(self, k: int) -> int:
        """Value k of BT28, by the power of the quarter hour from which energy was taken last."""
        if _PRIMARY <= k < _Q1_VAR:
            k -= _PRIMARY
        if k in (FORWARD_W, _Q1_VAR):
            return self._quarter_forward // (250 if k == FORWARD_W else 250 * _TAN)
        if k in (REVERSE_W, _Q2_VAR):
            return self._quarter_reverse // (250 if k == REVERSE_W else 250 * _TAN)
        if k == _IMPORT_VAR:
            return self.present(_Q1_VAR) + self.present(_Q2_VAR)
        if k == _APPARENT_VA:
            watts = (self._quarter_forward + self._quarter_reverse) // 250
            return watts + watts * _APPARENT // 100000
        if CURRENT <= k < VOLTAGE:
            return self._current(k - CURRENT)
        if VOLTAGE <= k < _POWER_FACTOR_L1:
            return self._voltage(k - VOLTAGE)
        if k == FREQUENCY:
            value = _FREQUENCY + self._second % 41 - 20
            return self._disturbed(_PLAYED_FREQUENCY, 10, value) if self._played else value
        if _POWER_FACTOR_L1 <= k < _PRIMARY and _PHASE_OF[k - _POWER_FACTOR_L1] < self.phases:
            return _SINE if k >= _SINE_L1 else _POWER_FACTOR
        return 0

    def _voltage(self, phase) -> int:
        if phase >= self.phases:
            return 0
        value = (self._second + 200 * phase) % 601 - 300
        value = _VOLTAGE + 5 * value
        return self._disturbed(phase, 100, value) if self._played else value

    def _current(self, phase) -> int:
        if phase >= self.phases:
            return 0
        volts = self._voltage(phase) // 200
        value = self.present(_APPARENT_VA) // self.phases
        value = value * 5000 // volts if volts else 0
        return self._disturbed(_PLAYED_CURRENT + phase, 100, value) if self._played else value

    def _disturbed(self, k, scale, value) -> int:
        """The value, or what is played in its place."""
        found = self._played[k]
        return value if found < 0 else found * scale

    def _play(self, moment):
        """What disturbs the line at this moment (s since the first midnight)."""
        played = self._played
        if not played[_PLAYED_UP_TO] <= moment < played[_PLAYED_UP_TO + 1]:
            rare.run("meter.disturbances", self, self._read, played, moment)
        played[_PLAYED_UP_TO] = moment


def _between(energy, a, b) -> int:
    """The part of a quarter hour's energy between two of its seconds.

    energy * b // 900 - energy * a // 900, all below 2**30.
    """
    rest = energy % _QUARTER
    return energy // _QUARTER * (b - a) + rest * b // _QUARTER - rest * a // _QUARTER
