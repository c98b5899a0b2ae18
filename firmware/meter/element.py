"""What measures, and one that is simulated.

The interface, which the driver of a metering chip offers as well:

    since                UTC day from whose midnight on the element can tell energy afterwards;
                         -1: it tells what is, not what was
    start(day, second)   energy up to this moment (UTC) was counted before the restart
    take(day, second)    sets `forward` and `reverse`: energy (mWh, below 2**29) since the last
                         `take` or `start`. An element that can tell gives what came up to this
                         moment, any other one all that came. day -1: there is no clock yet
    present(k) -> int    value k of BT28 in its unit (MEP p.216): 0 forward W, 4 current L1 mA ..

None of them allocates, and none takes long if `take` is called for each quarter hour.
"""

import struct

from micropython import const

from meter.clock import DAY

# The measured source, little-endian, written by osgp_tools/source.py: header, then by quarter hour
# the energy in mWh, 3 octets for forward and, with two directions, 3 for reverse.
MAGIC = b"OSGPMEAS"
HEADER = "<8sBBHH"  # magic, format 1, directions 1 or 2, first UTC day, days
HEADER_SIZE = const(14)
FORMAT = const(1)
ENERGY_SIZE = const(3)

_QUARTER = const(900)  # s
_QUARTERS = const(96)  # a day
_VOLTAGE = const(230000)  # mV


class SimulatedElement:
    """Measures what a source says: a house on one phase, with resistive loads.

    The energy of a quarter hour is spread evenly over its seconds. What was given out up to a
    moment depends on UTC alone: it is what the source has from its beginning to then, however
    often the clock was set or the device restarted. After a clock was set back there is nothing
    until the time before is reached again. Outside the source's span there is no energy.
    """

    def __init__(self, read):
        """`read(offset, buf)` fills buf from the source. ValueError: it is not a source."""
        header = bytearray(HEADER_SIZE)
        read(0, header)
        magic, form, directions, first, days = struct.unpack_from(HEADER, header, 0)
        if magic != MAGIC or form != FORMAT or directions not in (1, 2):
            raise ValueError("not a measured source of format 1")
        self.since = first if days else -1
        self.forward = 0
        self.reverse = 0
        self._read = read
        self._end = self.since + days
        self._energy = bytearray(ENERGY_SIZE * directions)
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
        """Sets forward and reverse to the energy since the last time, up to this moment."""
        self.forward = 0
        self.reverse = 0
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
        self.forward += _part(self._quarter_forward, b) - _part(self._quarter_forward, a)
        self.reverse += _part(self._quarter_reverse, b) - _part(self._quarter_reverse, a)

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
        if k in (0, 12, 18):
            return (self._quarter_forward + (self._quarter_reverse if k == 12 else 0)) // 250
        if k in (1, 19):
            return self._quarter_reverse // 250
        if k == 4:
            return self.present(12) * 5000 // (self.present(7) // 200)
        if k == 7:
            return _VOLTAGE + 5 * (self._second % 601 - 300)
        if k == 10:
            return 1000
        if k == 11:
            return 50000 + self._second % 41 - 20
        return 0


def _part(energy, seconds) -> int:
    """energy * seconds // 900, a quarter hour's energy in its first seconds, all below 2**30."""
    return energy // _QUARTER * seconds + energy % _QUARTER * seconds // _QUARTER
