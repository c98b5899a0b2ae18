"""What the source ids of registers and load profiles mean (MEP p.204-206)."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Source:
    """`counts`: it is a register that goes up, so that an interval's value is a difference."""

    name: str
    unit: str
    counts: bool = False


_ENERGIES = ("forward active", "reverse active", "import reactive", "export reactive")
_SUMMATIONS = (
    *((name, "Wh" if "reactive" not in name else "varh") for name in _ENERGIES),
    ("power off", "s"),
    ("outages", ""),
    ("forward + reverse active", "Wh"),
    ("forward - reverse active", "Wh"),
)
_COUNTERS = (("pulse input 1", ""), ("pulse input 2", ""), ("errors", ""))
_PRESENT = (  # from id 8
    *((name, "W" if "reactive" not in name else "var") for name in _ENERGIES),
    *((f"current L{phase}", "mA") for phase in (1, 2, 3)),
    *((f"voltage L{phase}", "mV") for phase in (1, 2, 3)),
    ("power factor L1", "1/1000"),
    ("frequency", "mHz"),
    ("apparent power", "VA"),
    ("power factor L2", "1/1000"),
    ("power factor L3", "1/1000"),
    *((f"sine L{phase}", "1/1000") for phase in (1, 2, 3)),
)
_FIRST_PRESENT, _FIRST_COUNTER, _FIRST_TIER = 8, 26, 29
_TIERS, _PER_TIER = 4, 11
_SCALED, _PRESENT_DEMANDS, _PREVIOUS_DEMANDS, _QUADRANTS = 81, 88, 96, 104
_MEP = 73
_MAPPED = range(112, 164)


def _made() -> dict[int, Source]:
    found = {k: Source(*one, True) for k, one in enumerate(_SUMMATIONS)}
    found |= {_FIRST_PRESENT + k: Source(*one) for k, one in enumerate(_PRESENT)}
    found |= {_FIRST_COUNTER + k: Source(*one, True) for k, one in enumerate(_COUNTERS)}
    for tier in range(_TIERS):
        for k, (name, unit) in enumerate(_SUMMATIONS + _COUNTERS):
            number = _FIRST_TIER + tier * _PER_TIER + k
            unit = "min" if name == "power off" else unit
            found[number] = Source(f"tier {tier} {name}", unit, True)
    for k in range(8):
        found[_MEP + k] = Source(f"MEP device {k // 2 + 1} counter {k % 2 + 1}", "", True)
        found[_PRESENT_DEMANDS + k] = Source(f"present demand {k + 1}", "")
        found[_PREVIOUS_DEMANDS + k] = Source(f"previous demand {k + 1}", "")
    for k, name in enumerate(_ENERGIES):
        unit = "W" if "reactive" not in name else "var"
        found[_SCALED + k] = Source(f"{name} after the transformers", unit)
        found[_QUADRANTS + k] = Source(f"reactive Q{k + 1}", "var")
        found[_QUADRANTS + 4 + k] = Source(f"reactive Q{k + 1}", "varh", True)
    return found


SOURCES = _made()


def source(number: int) -> Source:
    """Of an id; one that is mapped by ET66, or has no name here, by its number."""
    if number in _MAPPED:
        return Source(f"mapped source {number - _MAPPED.start}", "")
    return SOURCES.get(number) or Source(f"source {number}", "")
