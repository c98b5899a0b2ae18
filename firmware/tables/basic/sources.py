"""Decade 1: sources of data (ANSI C12.19 decade 1)."""

from tables.basic.source_ids import BY_RATIO, DEMANDS, PULSES, UNITS
from tables.dimensions import (
    BT11_CONSTANTS,
    BT11_DATA_CONTROL_LENGTH,
    BT11_DATA_CONTROLS,
    BT11_DEMAND_CONTROLS,
    BT11_SOURCES,
    DEMAND_MULTIPLIER,
    DEMAND_SUB_INTERVAL,
)
from tables.schema import (
    C12_19,
    PROVISION,
    READ,
    Table,
    array,
    bit,
    bits,
    cited,
    filler,
    fixed,
    kept,
    ni1,
    octets,
    uint8,
)

_ELECTRIC = 2  # CONSTANTS_SELECTOR

BT11 = Table(
    "BT11",
    "Actual sources",
    read=READ,
    write=None,
    source=fixed(),
    origin=C12_19,
    doc="How many entries BT12 to BT16 have. The entry of a source in BT12 and BT16 is at its "
    "source id (MEP p.204).",
    fields=cited(
        "C12.19 table 11",
        bits(
            "flags",
            bit("power_fail_exclusion", "F", "times that BT13 has then", default=1),
            bit("reset_exclusion", "F", "time that BT13 begins with", default=1),
            bit("block_demand", "F", default=1),
            bit("sliding_demand", "F", "BT13 has sub-intervals", default=1),
            bit("thermal_demand", "F"),
            bit("set_1", "F", "BT15 has an offset and ratios", default=1),
            bit("set_2", "F"),
            bit("no_offset", "F"),
        ),
        uint8("units", "F", "BT12", default=BT11_SOURCES),
        uint8("demand_controls", "F", "BT13", default=BT11_DEMAND_CONTROLS),
        uint8("data_control_length", "F", "BT14", default=BT11_DATA_CONTROL_LENGTH),
        uint8("data_controls", "F", "BT14", default=BT11_DATA_CONTROLS),
        uint8("constants", "F", "BT15", default=BT11_CONSTANTS),
        uint8("constants_selector", "F", "2: electric", default=_ELECTRIC),
        uint8("sources", "F", "BT16", default=BT11_SOURCES),
    ),
)

BT12 = Table(
    "BT12",
    "Units of measure",
    read=READ,
    write=None,
    source=fixed(),
    origin=C12_19,
    doc="What each source is, by source id.",
    fields=(
        array(
            "units",
            BT11_SOURCES,
            cited(
                "C12.19 table 12",
                bits(
                    "unit",
                    bit(
                        "id",
                        "F",
                        "0 W, 1 var, 2 VA, 8 V, 12 A, 24 power factor, 32 time passed, "
                        "33 frequency, 34 counter, 42 outages, 255 none of the standard's",
                        width=8,
                    ),
                    bit("time_base", "F", "0 register, 1 now, 4 block average", width=3),
                    bit("multiplier", "F", "0: 1, 6: 1/1000", width=3),
                    bit("quadrant_1", "F", "its energy is counted"),
                    bit("quadrant_2", "F"),
                    bit("quadrant_3", "F"),
                    bit("quadrant_4", "F"),
                    bit("net_flow", "F", "taken less given"),
                    bit("segmentation", "F", "0 all phases, 5-7 L1-L3 to neutral", width=3),
                    bit("harmonic", "F"),
                    filler(8),
                    bit("not_from_standard", "F", "the id is none of the standard's"),
                    size=4,
                ),
            )[0],
            by="BT11.1",
            default=UNITS,
        ),
    ),
)

BT13 = Table(
    "BT13",
    "Demand control",
    read=READ,
    write=None,
    source=fixed(),
    origin=C12_19,
    doc="The interval of all demands, where ET42.19 and .20 refer to: BT13.4 and .5.",
    fields=(
        cited(
            "C12.19 table 13",
            uint8("reset_exclusion", "F", "0: see ET40 for the lockout", unit="min"),
            uint8("power_fail_recognition", "F", "0: none is excluded", unit="s"),
            uint8("power_fail_exclusion", "F", unit="min"),
            uint8("cold_load_pickup", "F", unit="min"),
        ),
        array(
            "controls",
            BT11_DEMAND_CONTROLS,
            cited(
                "C12.19 table 13",
                uint8("sub_interval", "F", unit="min", default=DEMAND_SUB_INTERVAL),
                uint8("multiplier", "F", "sub-intervals", default=DEMAND_MULTIPLIER),
            ),
            by="BT11.2",
        ),
    ),
)

BT14 = Table(
    "BT14",
    "Data control",
    read=READ,
    write=None,
    source=fixed(),
    origin=C12_19,
    doc="Which input a source is taken from, in the order of the sources that BT16 marks: the two "
    "pulse inputs.",
    fields=(
        array(
            "controls",
            BT11_DATA_CONTROLS,
            cited("C12.19 table 14", octets("input", BT11_DATA_CONTROL_LENGTH, "F", "1 or 2"))[0],
            by="BT11.4",
            default=[bytes((number,)) for number in range(1, BT11_DATA_CONTROLS + 1)],
        ),
    ),
)

BT15 = Table(
    "BT15",
    "Constants",
    read=READ,
    write=PROVISION,
    source=kept(),
    doc="The ratios of current and voltage transformers. They scale the present values 18-21 of "
    "BT28 when they are applied, never the registers.",
    fields=(
        cited(
            "MEP p.200",
            ni1("multiplier", "H", default=1),
            ni1("offset", "H"),
            bits("control", bit("applied", "H", "1: the ratios are applied"), filler(7)),
            ni1("ct_ratio", "H", default=1),
            ni1("vt_ratio", "H", default=1),
        ),
    ),
)


def _link(source):
    """The entry of BT16 of a source."""
    return {
        "unit": 1,
        "demand": int(source in DEMANDS),
        "data_control": int(source in PULSES),
        "constants": int(source in BY_RATIO),
        "constant_to_be_applied": int(source in BY_RATIO),
        "engineering": 1,
    }


BT16 = Table(
    "BT16",
    "Sources",
    read=READ,
    write=None,
    source=fixed(),
    origin=C12_19,
    doc="What BT12 to BT15 say of each source, by source id. The demands share one entry of BT13, "
    "those that BT15's ratios belong to one of BT15.",
    fields=(
        array(
            "sources",
            BT11_SOURCES,
            cited(
                "C12.19 table 16",
                bits(
                    "link",
                    bit("unit", "F", "BT12 has an entry"),
                    bit("demand", "F", "BT13's interval makes it"),
                    bit("data_control", "F", "BT14 has an entry"),
                    bit("constants", "F", "BT15's ratios belong to it"),
                    bit("engineering", "F", "1: in units, 0: in pulses"),
                    bit("constant_to_be_applied", "F", "BT15 has still to be applied by a reader"),
                    filler(2),
                ),
            )[0],
            by="BT11.7",
            default=[_link(source) for source in range(BT11_SOURCES)],
        ),
    ),
)

TABLES = (BT11, BT12, BT13, BT14, BT15, BT16)
