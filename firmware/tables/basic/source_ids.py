"""The source ids 0 to 111 (MEP p.204-205) and what each is, in the terms of C12.19's table 12."""

# ID_CODE of C12.19's table 12
_W = 0
_VAR = 1
_VA = 2
_VOLT = 8
_AMPERE = 12
_POWER_FACTOR = 24
_INTERVAL_TIMER = 32  # a time that has passed
_FREQUENCY = 33
_COUNTER = 34
_OUTAGE = 42
_UNKNOWN = 255

# TIME_BASE
_DIAL = 0
_NOW = 1
_BLOCK_AVERAGE = 4

# MULTIPLIER
_UNIT = 0
_MILLI = 6

# SEGMENTATION: phase to neutral
_PHASES = (5, 6, 7)


def _unit(code, time_base, quadrants="", net=0, multiplier=_UNIT, segment=0):
    """An entry of BT12, by name. quadrants: those whose energy is in the value, "14"."""
    entry = {
        "id": code,
        "time_base": time_base,
        "multiplier": multiplier,
        "net_flow": net,
        "segmentation": segment,
        "not_from_standard": int(code == _UNKNOWN),
    }
    for quadrant in quadrants:
        entry["quadrant_" + quadrant] = 1
    return entry


_COUNT = _unit(_COUNTER, _DIAL)
# Active energy is taken in Q1 and Q4, reactive energy in Q1 and Q2.
_SUMMATIONS = (
    _unit(_W, _DIAL, "14"),
    _unit(_W, _DIAL, "23"),
    _unit(_VAR, _DIAL, "12"),
    _unit(_VAR, _DIAL, "34"),
    _unit(_INTERVAL_TIMER, _DIAL),
    _unit(_OUTAGE, _DIAL),
    _unit(_W, _DIAL, "1234"),
    _unit(_W, _DIAL, "1234", net=1),
)
_PULSES_AND_ERRORS = (_COUNT, _COUNT, _COUNT)


def _powers(time_base):
    """Forward, reverse, import and export."""
    return (
        _unit(_W, time_base, "14"),
        _unit(_W, time_base, "23"),
        _unit(_VAR, time_base, "12"),
        _unit(_VAR, time_base, "34"),
    )


def _by_quadrant(time_base):
    return tuple([_unit(_VAR, time_base, quadrant) for quadrant in "1234"])


def _by_phase(code, multiplier):
    return tuple([_unit(code, _NOW, multiplier=multiplier, segment=phase) for phase in _PHASES])


_FACTORS = _by_phase(_POWER_FACTOR, _MILLI)
# Sums, because MicroPython has no stars in a tuple
_PRESENT_VALUES = (
    _powers(_NOW)
    + _by_phase(_AMPERE, _MILLI)
    + _by_phase(_VOLT, _MILLI)
    + (_FACTORS[0], _unit(_FREQUENCY, _NOW, multiplier=_MILLI), _unit(_VA, _NOW))
    + _FACTORS[1:]
    + _by_phase(_UNKNOWN, _MILLI)  # sine
)
_DEMANDS = _powers(_BLOCK_AVERAGE) + _by_quadrant(_BLOCK_AVERAGE)

UNITS = (
    _SUMMATIONS  # 0-7
    + _PRESENT_VALUES  # 8-25
    + _PULSES_AND_ERRORS  # 26-28
    + (_SUMMATIONS + _PULSES_AND_ERRORS) * 4  # 29-72, by tier
    + (_COUNT,) * 8  # 73-80, of M-Bus devices
    + _powers(_NOW)  # 81-84, by the ratios of BT15
    + (_unit(_UNKNOWN, _DIAL),) * 3  # 85-87, unused
    + _DEMANDS  # 88-95, of the present interval
    + _DEMANDS  # 96-103, of the one before
    + _by_quadrant(_NOW)  # 104-107
    + _by_quadrant(_DIAL)  # 108-111
)

# The pulse inputs
PULSES = range(26, 28)
# Whose values a demand interval of BT13 makes
DEMANDS = range(88, 104)
# Whose values the ratios of BT15 are applied to when BT15 says so
BY_RATIO = range(81, 85)
