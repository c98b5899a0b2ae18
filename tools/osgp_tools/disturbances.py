"""What disturbs the line of a simulated house, for a measured source of format 2.

The octets are those of `firmware/meter/disturbances.py`.
"""

import re
import struct
from dataclasses import dataclass
from datetime import timedelta

from meter import disturbances as firmware

PHASES = firmware.PHASES
SIZE = struct.calcsize(firmware.DISTURBANCE)
SECTION_SIZE = struct.calcsize(firmware.SECTION)
_LONGEST = 1 << 30  # s; the firmware's small numbers

# name: number, steps in a unit of the value, unit, has phases
KINDS = {
    "voltage": (firmware.VOLTAGE, 10, "V", True),
    "current": (firmware.CURRENT, 10, "A", True),
    "frequency": (firmware.FREQUENCY, 100, "Hz", False),
    "thd-voltage": (firmware.THD_VOLTAGE, 10, "%", True),
    "thd-current": (firmware.THD_CURRENT, 10, "%", True),
    "thd-va": (firmware.THD_VA, 10, "%", True),
    "rotation": (firmware.ROTATION, 1, "", False),
    "inversion": (firmware.INVERSION, 1, "", True),
    "cover": (firmware.COVER, 1, "", False),
    "magnet": (firmware.MAGNET, 1, "", False),
}
_NAMES = {number: name for name, (number, *_) in KINDS.items()}
_TEXT = re.compile(
    r"(?P<start>[\d:]+)\+(?P<duration>[\d:]+) (?P<kind>[a-z-]+)"
    r"(?: L(?P<phase>[123]))?(?: (?P<value>[\d.]+))?"
)


@dataclass(frozen=True)
class Disturbance:
    """For some time, the line or the house is so. ValueError: it cannot be so.

    start: since the source's first midnight. phase: 1 to 3. value: in the unit of its kind; what
    only is or is not has 1.
    """

    start: timedelta
    duration: timedelta
    kind: str
    value: float = 1
    phase: int = 1

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"no disturbance {self.kind!r}; there are {', '.join(KINDS)}")
        _, steps, _, has_phases = KINDS[self.kind]
        if not 0 <= self.value * steps < 1 << 16:
            raise ValueError(f"{self.kind} {self.value} does not fit")
        if not 1 <= self.phase <= (PHASES if has_phases else 1):
            raise ValueError(f"{self.kind} has no phase {self.phase}")
        if not 0 <= self._start < self._start + self._duration < _LONGEST:
            raise ValueError("a disturbance lasts a second or more, and ends within 34 years")

    @property
    def _start(self) -> int:
        return int(self.start.total_seconds())

    @property
    def _duration(self) -> int:
        return int(self.duration.total_seconds())

    @classmethod
    def parse(cls, text: str) -> "Disturbance":
        """Of "START+DURATION KIND [LN] [VALUE]", times as [[h:]m:]s.

        "26:00:00+5:00 voltage L2 190": from 2 h of the second day on, 5 minutes, 190 V on L2.
        ValueError: it is not written so, or cannot be.
        """
        found = _TEXT.fullmatch(text)
        if not found:
            raise ValueError(f"{text!r} is not START+DURATION KIND [LN] [VALUE]")
        return cls(
            _time(found["start"]),
            _time(found["duration"]),
            found["kind"],
            float(found["value"] or 1),
            int(found["phase"] or 1),
        )

    @classmethod
    def decode(cls, record: bytes) -> "Disturbance":
        start, duration, number, phase, value = struct.unpack(firmware.DISTURBANCE, record)
        if number not in _NAMES:
            raise ValueError(f"no disturbance {number}")
        name = _NAMES[number]
        times = timedelta(seconds=start), timedelta(seconds=duration)
        return cls(*times, name, value / KINDS[name][1], phase + 1)

    def encode(self) -> bytes:
        """A record of the device's file."""
        number, steps, *_ = KINDS[self.kind]
        return struct.pack(
            firmware.DISTURBANCE,
            self._start,
            self._duration,
            number,
            self.phase - 1,
            round(self.value * steps),
        )


def encode_section(phases: int, disturbances: tuple[Disturbance, ...]) -> bytes:
    """The second section of a source, its disturbances by start."""
    ordered = sorted(disturbances, key=lambda one: one.start)
    header = struct.pack(firmware.SECTION, phases, len(ordered))
    return header + b"".join(one.encode() for one in ordered)


def decode_section(data: bytes) -> tuple[int, tuple[Disturbance, ...]]:
    """(phases, disturbances). ValueError: `encode_section` did not make this."""
    if len(data) < SECTION_SIZE:
        raise ValueError("no section of disturbances")
    phases, count = struct.unpack_from(firmware.SECTION, data)
    if phases not in (1, PHASES) or len(data) != SECTION_SIZE + count * SIZE:
        raise ValueError("not as long as its header says")
    places = range(SECTION_SIZE, len(data), SIZE)
    return phases, tuple(Disturbance.decode(data[k : k + SIZE]) for k in places)


def _time(text: str) -> timedelta:
    seconds = 0
    for part in text.split(":"):
        seconds = 60 * seconds + int(part)
    return timedelta(seconds=seconds)
