"""Extended decades 1 and 4: daily consumption, demand configuration, demand resets."""

from tables.basic.register_copies import captured, list_header
from tables.basic.registers import register_copy
from tables.dimensions import (
    DEMAND_MULTIPLIER,
    DEMAND_SUB_INTERVAL,
    ET12_DAYS,
    ET12_REGISTERS,
    ET41_ENTRIES,
)
from tables.schema import (
    C12_19,
    PROFILE,
    PROVISION,
    READ,
    Procedure,
    Table,
    ansi_date,
    array,
    bit,
    bits,
    cited,
    filler,
    int16,
    ni1,
    octets,
    served,
    stored,
    uint8,
    uint16,
)

_DAY_REGISTERS = (
    ni1("forward_wh", "M", unit="Wh"),
    ni1("reverse_wh", "M", unit="Wh"),
    ni1("import_varh", "M", unit="varh"),
    ni1("export_varh", "M", unit="varh"),
)

ET12 = Table(
    "ET12",
    "Daily consumption",
    read=READ,
    write=None,
    source=served("days"),
    origin=PROFILE,
    doc="What was used on each local day, from midnight to midnight. A ring: day n of all stands "
    "at index n modulo 62. What was used while the meter knew no time is in the next day's.",
    fields=(
        cited(
            "profile",
            uint8("valid", "M", "days with data"),
            uint8("last", "M", "index of the newest day"),
            uint16("sequence", "M", "of the newest day"),
        ),
        array(
            "days",
            ET12_DAYS,
            (
                cited("profile", ansi_date("date", "M", "local")),
                cited("MEP p.58", *_DAY_REGISTERS[:ET12_REGISTERS]),
            ),
            by="profile",
        ),
    ),
)

ET40 = Table(
    "ET40",
    "Demand configuration",
    read=READ,
    write=PROVISION,
    source=stored("demand"),
    origin=PROFILE,
    doc="When the demand resets of BT54's dates happen, and how soon one that is asked for may "
    "follow another. The guide names the time of day (MEP p.264); the layout is by profile.",
    fields=(
        cited(
            "MEP p.264",
            uint8("reset_hour", "H", "0..23, local time"),
            uint8("reset_minute", "H", "0..59"),
        ),
        cited("profile", uint16("lockout", "H", "after a reset by procedure", unit="min")),
    ),
)

ET41 = Table(
    "ET41",
    "Historical demand resets",
    read=READ,
    write=None,
    source=served("demand resets"),
    doc="Copies of BT23 before each demand reset. A ring: entry n of all stands at index n modulo "
    "6. BT25 is the newest one.",
    fields=(
        list_header("MEP p.110", "EP26 marks entries as read"),
        array(
            "entries",
            ET41_ENTRIES,
            (
                cited(
                    "MEP p.111",
                    uint16("length", "M", "of the entry, these two octets included"),
                    uint8("reason", "M", "0 scheduled, 1 procedure, 2 button, 3 pending table"),
                    uint16("bidn", "M", "ET42.8"),
                ),
                captured("MEP p.111"),
                register_copy("MEP p.111"),
            ),
            by="ET36",
        ),
    ),
)

_CONFIGURATION = (
    uint16("bidn", "H", "becomes ET42.8"),
    uint8("sub_interval", "H", "min", default=DEMAND_SUB_INTERVAL),
    uint8("multiplier", "H", default=DEMAND_MULTIPLIER),
    octets("sources", 8, "H", "demand sources as in BT22"),
)
_OTHER = "another configuration than BT13's and BT22's: this meter has no other"

PROCEDURES = (
    Procedure(
        "BP09",
        "Remote reset",
        family="demand",
        parameters=(
            bits(
                "action",
                bit("demand_reset", "H"),
                bit("self_read", "H", "first, if both are asked for"),
                filler(6),
            ),
        ),
        response=(bits("done", bit("demand_reset", "M"), bit("self_read", "M"), filler(6)),),
        results={4: "locked out since the last demand reset (ET40)"},
        doc="A self read into BT26, a demand reset, or both.",
        clause="ANSI C12.19 procedure 9",
        origin=C12_19,
    ),
    Procedure(
        "EP16",
        "Change the clock gradually",
        family="clock",
        parameters=(int16("delta", "H", unit="s"),),
        results={3: "the rate (ET55.4) is 0, or there is no clock yet"},
        doc="By ET55.4 seconds a minute. BP10, and EP16 again, end it.",
        clause="MEP p.140",
        origin=PROFILE,
    ),
    Procedure(
        "EP32",
        "Configure demand",
        family="demand",
        parameters=_CONFIGURATION,
        results={3: _OTHER},
        doc="Sets the number by which entries of BT26 and ET41 tell the configuration.",
        clause="osgp.md 4",
        origin=PROFILE,
    ),
    Procedure(
        "EP33",
        "Configure demand and reset",
        family="demand",
        parameters=_CONFIGURATION,
        results={3: _OTHER, 4: "locked out since the last demand reset (ET40)"},
        doc="EP32, and a demand reset before it.",
        clause="osgp.md 4",
        origin=PROFILE,
    ),
    Procedure(
        "EP34",
        "Reset demand",
        family="demand",
        results={4: "locked out since the last demand reset (ET40)"},
        doc="Copies BT23 to ET41, adds the maxima to the cumulative demands, clears them.",
        clause="osgp.md 4",
        origin=PROFILE,
    ),
    Procedure(
        "EP64",
        "Reset BT24",
        family="demand",
        doc="BT24 becomes all zero.",
        clause="MEP p.211",
        origin=PROFILE,
    ),
)

TABLES = (ET12, ET40, ET41)
