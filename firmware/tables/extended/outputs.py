"""Outputs and inputs: pulses, and the relays by time (OSGP ET01, ET06, ET61)."""

from tables.dimensions import ET11_RELAY_SWITCHES
from tables.schema import (
    PROFILE,
    PROVISION,
    READ,
    Bits,
    Table,
    array,
    bit,
    bits,
    cited,
    filler,
    stored,
    uint8,
    uint16,
)

_NO_PULSES = "No board has such terminals: the settings are kept, and nothing acts on them."

ET01 = Table(
    "ET01",
    "Pulse output options",
    read=READ,
    write=PROVISION,
    source=stored(),
    doc="Configuration of the S0 output (MEP p.263).",
    departs="The guides name the table and do not lay it out. " + _NO_PULSES,
    origin=PROFILE,
    fields=(
        cited(
            "profile",
            bits("options", bit("active", "H", "pulses are given out"), filler(7)),
            uint8("source", "H", "source id of the energy (MEP p.204)"),
            uint16("pulses_per_kwh", "H", default=1000),
            uint16("pulse_length", "H", unit="ms", default=30),
        ),
    ),
)

ET06 = Table(
    "ET06",
    "Pulse inputs",
    read=READ,
    write=PROVISION,
    source=stored(),
    doc="Configuration of the pulse input channels (MEP p.264), which BT23 counts.",
    departs="The guides name the table, and the bit that makes a channel active (MEP p.100), and "
    "do not lay it out. " + _NO_PULSES,
    origin=PROFILE,
    fields=(
        array(
            "channels",
            2,
            cited(
                "profile",
                bits(
                    "options",
                    bit("active", "H", "pulses are counted"),
                    bit("tamper", "H", "a broken wire is an alarm (events 75, 76)"),
                    filler(6),
                ),
                uint16("pulses_per_unit", "H", default=1000),
            ),
            by="2",
        ),
    ),
)


def _switch() -> Bits:
    return bits(
        "switch",
        bit("closed", "H", "1: the relay closes at this time, 0: it opens"),
        filler(4),
        bit("minute", "H", width=6),
        bit("hour", "H", width=5),
        size=2,
        clause="MEP p.167",
    )


ET61 = Table(
    "ET61",
    "Time-based relay control calendar",
    read=READ,
    write=PROVISION,
    source=stored("control"),
    doc="When the relays open and close, by local time: eight blocks of ten switches a day for "
    "each relay. Which block holds on a day follows from the relay's mode in ET05. As in BT54 "
    "the first switch of a block holds from midnight, and one that is not later than the one "
    "before it is unused.",
    departs="The guide leaves the meaning of the blocks to ET05, which it does not lay out.",
    pending=True,
    fields=(
        array(
            "relays",
            2,
            (array("switches", ET11_RELAY_SWITCHES, _switch(), by="ET11.26"),),
            by="2",
        ),
    ),
)

TABLES = (ET01, ET06, ET61)
