"""Decade 6: load profile (ANSI C12.19 decade 6)."""

from tables.dimensions import (
    BT61_BLOCKS,
    BT61_CHANNELS,
    BT61_INTERVAL_TIME,
    BT61_INTERVALS,
    BT61_SETS,
    EXTENDED_STATUS_SIZE,
    PROFILE_SIZE,
    SIMPLE_STATUS_SIZE,
)
from tables.schema import (
    READ,
    Table,
    array,
    bit,
    bits,
    cited,
    filler,
    fixed,
    int32,
    live,
    octets,
    served,
    set_,
    stime,
    uint8,
    uint16,
    uint32,
)

_SOURCES = (0, 1)  # forward and reverse active energy (MEP p.204)
_FORMAT_INT32 = 32


def _dimensions(clauses, who):
    """BT60 and BT61 have one layout: the most there can be, and what is configured.

    `clauses`: of the memory, the flags and the sets; `who`: sets the four fields of a set.
    """
    return (
        cited(clauses[0], uint32("memory_length", "M", "of all data sets", default=PROFILE_SIZE)),
        cited(
            clauses[1],
            bits(
                "flags",
                bit("inhibit_overflow", "F", "a bit for each set", width=4),
                bit("end_readings", "P"),
                bit("end_pulses", "F"),
                bit("scalars", "P", "a bit for each set", width=4),
                bit("extended_status", "F", default=1),
                bit("simple_status", "F", default=1),
                filler(4),
                size=2,
            ),
            bits(
                "formats",
                bit("uint8", "F"),
                bit("uint16", "F"),
                bit("uint32", "F"),
                bit("int8", "F"),
                bit("int16", "P"),
                bit("int32", "F", default=1),
                bit("ni_format_1", "F"),
                bit("ni_format_2", "F"),
            ),
        ),
        cited(
            clauses[2],
            array(
                "sets",
                BT61_SETS,
                (
                    uint16("blocks", who[0], default=BT61_BLOCKS),
                    uint16("intervals", who[1], "a block", default=BT61_INTERVALS),
                    uint8("channels", who[2], default=BT61_CHANNELS),
                    uint8(
                        "interval_time",
                        who[3],
                        "1-60 minutes, 84: a day",
                        default=BT61_INTERVAL_TIME,
                    ),
                ),
                by="data sets",
            ),
        ),
    )


_ONE_SHAPE = "The load profile has one shape for now (EP11 is not there), so BT60 equals BT61."

BT60 = Table(
    "BT60",
    "Dimension load profile",
    read=READ,
    write=None,
    source=fixed(),
    doc="The most that the load profile can hold.",
    departs=_ONE_SHAPE,
    fields=_dimensions(("MEP p.231", "MEP p.231-232", "MEP p.233"), "PFPF"),
)

BT61 = Table(
    "BT61",
    "Actual load profile",
    read=READ,
    write=None,
    source=fixed(),
    doc="The shape of the load profile.",
    departs=_ONE_SHAPE,
    fields=_dimensions(("MEP p.234", "MEP p.234-235", "MEP p.235"), "MMHH"),
)

BT62 = Table(
    "BT62",
    "Load profile control",
    read=READ,
    write=None,
    source=fixed(),
    doc="The source of each channel.",
    fields=(
        cited(
            "MEP p.236",
            array(
                "sets",
                BT61_SETS,
                (
                    array(
                        "channels",
                        BT61_CHANNELS,
                        (
                            bits("flags", bit("end_reading", "F"), filler(7)),
                            uint8("source", "H", "id of the interval's source (BT22)"),
                            uint8("end_reading_source", "P"),
                        ),
                        by="BT61.11",
                        default=[{"source": source} for source in _SOURCES],
                    ),
                    uint8("format", "P", "32: INT32, the register itself", default=_FORMAT_INT32),
                ),
                by="data sets",
            ),
        ),
    ),
)

BT63 = Table(
    "BT63",
    "Load profile status",
    read=READ,
    write=None,
    source=live("load profile"),
    doc="Where the newest block and interval of BT64 are.",
    fields=(
        array(
            "sets",
            BT61_SETS,
            (
                cited(
                    "MEP p.237-238",
                    bits(
                        "flags",
                        bit("block_order", "F", "0: older first"),
                        bit("overflow", "M", "unread blocks were overwritten"),
                        bit("list_type", "F", "1: circular", default=1),
                        bit("inhibit_overflow", "F"),
                        bit("interval_order", "F", "0: older first"),
                        bit("active", "M", "data are collected"),
                        bit("test_mode", "P"),
                        filler(1),
                    ),
                ),
                cited(
                    "MEP p.238",
                    uint16("valid_blocks", "M", "with at least one interval"),
                    uint16("last_block", "M", "index of the newest"),
                    uint32("last_block_sequence", "M", "of the newest block"),
                    uint16("unread_blocks", "H", closed="counted down by BP05 (MEP p.238)"),
                    uint16("valid_intervals", "M", "in the newest block"),
                ),
            ),
            by="data sets",
        ),
    ),
)

BT64 = Table(
    "BT64",
    "Load profile data, set 1",
    read=READ,
    write=None,
    source=served("load profile"),
    doc="A ring of blocks; times are UTC and a day ends with the midnight that opens the next. "
    "A value is the register at the interval's end (profile 29). Extended status: the high "
    "nibble of its first octet holds flags (bit 4 daylight saving, 5 power failed, 6 clock set "
    "forward, 7 back), then a nibble for each channel: 0 ok, 1 overflow, 2 partial, 3 long, "
    "4 skipped, 5 test, 9 clock error, 15 placeholder.",
    fields=(
        cited(
            "MEP p.239",
            array(
                "blocks",
                BT61_BLOCKS,
                (
                    stime("end_time", "M", "UTC, of the newest interval in the block"),
                    set_("simple_status", SIMPLE_STATUS_SIZE, "M", "intervals that are there"),
                    array(
                        "intervals",
                        BT61_INTERVALS,
                        (
                            octets("extended_status", EXTENDED_STATUS_SIZE, "M"),
                            array("values", BT61_CHANNELS, int32("value", "M"), by="BT61.11"),
                        ),
                        by="BT61.9",
                    ),
                ),
                by="BT61.7",
            ),
        ),
    ),
)

TABLES = (BT60, BT61, BT62, BT63, BT64)
