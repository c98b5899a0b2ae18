"""Decade 6: load profile (ANSI C12.19 decade 6).

What is configured is told by BT61, and the layout of BT62 and BT64 to BT67 follows from it: the
tables here are those of a meter as it starts, `layout_for` gives those of any other.
"""

from tables.dimensions import (
    BT60_RECORDS,
    BT61_SETS,
    PROFILE_FLASH,
    PROFILE_SHAPES,
    block_header_size,
    profile_size,
)
from tables.schema import (
    PROFILE,
    READ,
    Procedure,
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
    record,
    served,
    set_,
    stime,
    uint8,
    uint16,
    uint32,
)

_FORMAT_INT32 = 32
_SET_OFFSET = 7  # the first set in BT61
_SET_SIZE = 6


def _named(shape):
    blocks, intervals, channels, time = shape
    return {
        "blocks": blocks,
        "intervals": intervals,
        "channels": channels,
        "interval_time": time,
    }


def _dimensions(clauses, who, memory, shapes):
    """BT60 and BT61 have one layout: the most there can be, and what is configured.

    `clauses`: of the memory, the flags and the sets; `who`: sets the four fields of a set.
    """
    return (
        cited(clauses[0], uint32("memory_length", "M", "of all data sets", default=memory)),
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
                    uint16("blocks", who[0]),
                    uint16("intervals", who[1], "a block"),
                    uint8("channels", who[2]),
                    uint8("interval_time", who[3], "1-60 minutes, 84: a day"),
                ),
                by="data sets",
                default=[_named(shape) for shape in shapes],
            ),
        ),
    )


BT60 = Table(
    "BT60",
    "Dimension load profile",
    read=READ,
    write=None,
    source=fixed(),
    doc="The most that the load profile can hold. Memory is the flash of all sets. Blocks and "
    "intervals are those of one channel; blocks x intervals may not exceed either, and are fewer "
    "with more channels.",
    departs="The guide's meter holds blocks of 1440 intervals.",
    fields=_dimensions(
        ("MEP p.231", "MEP p.231-232", "MEP p.233"),
        "PFPF",
        PROFILE_FLASH * 4096,
        [(most, most, 16, 255) for most in BT60_RECORDS],
    ),
)

BT61 = Table(
    "BT61",
    "Actual load profile",
    read=READ,
    write=None,
    source=live("load profile"),
    doc="The shape of the load profile, as EP11 configures it. A set without channels is off.",
    fields=_dimensions(
        ("MEP p.234", "MEP p.234-235", "MEP p.235"),
        "MMHH",
        sum([profile_size(shape) for shape in PROFILE_SHAPES]),
        PROFILE_SHAPES,
    ),
)

BT63 = Table(
    "BT63",
    "Load profile status",
    read=READ,
    write=None,
    source=live("load profile"),
    doc="Where the newest block and interval of each set are. BP05 counts unread blocks down, "
    "BP04 and EP11 empty a set. Event 64 tells that unread blocks are overwritten, event 94 that "
    "the first unread one is there. The argument of both is the set, 1 to 4.",
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
                        bit("list_type", "F", "1: circular; 0: the set is off", default=1),
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


def _control(shapes):
    """BT62 for four sets of these shapes (blocks, intervals, channels, interval time)."""
    return Table(
        "BT62",
        "Load profile control",
        read=READ,
        write=None,
        source=served("load profile"),
        doc="The source of each channel of each set. Mapped sources (112-163) stand in ET66.",
        fields=(
            cited(
                "MEP p.236",
                record("sets", *[_set_control(k, shape[2]) for k, shape in enumerate(shapes)]),
            ),
        ),
    )


def _set_control(k, channels):
    return record(
        str(k),
        array(
            "channels",
            channels,
            (
                bits("flags", bit("end_reading", "F"), filler(7)),
                uint8("source", "H", "id of the interval's source (BT22)"),
                uint8("end_reading_source", "P"),
            ),
            by="BT61.11",
            default=[{"source": channel} for channel in range(channels)],
        ),
        uint8("format", "P", "32: INT32, the register itself", default=_FORMAT_INT32),
    )


def _data(k, shape):
    """The data of set k (0 to 3), one of BT64 to BT67."""
    blocks, intervals, channels, _ = shape
    simple_status_size = block_header_size(shape) - 5
    return Table(
        f"BT{64 + k}",
        f"Load profile data, set {k + 1}",
        read=READ,
        write=None,
        source=served("load profile"),
        doc="A ring of blocks; times are UTC and a block of a day ends with the midnight that "
        "opens the next. A value is that at the interval's end (profile 29). Extended status: the "
        "high nibble of its first octet holds flags (bit 4 daylight saving, 5 power failed, 6 "
        "clock set forward, 7 back), then a nibble for each channel: 0 ok, 1 overflow, 2 partial, "
        "3 long, 4 skipped, 5 test, 9 clock error, 10 device missing, 15 placeholder.",
        fields=(
            cited(
                "MEP p.239",
                array(
                    "blocks",
                    blocks,
                    (
                        stime("end_time", "M", "UTC, of the newest interval in the block"),
                        set_("simple_status", simple_status_size, "M", "intervals that are there"),
                        array(
                            "intervals",
                            intervals,
                            (
                                octets("extended_status", channels // 2 + 1, "M"),
                                array("values", channels, int32("value", "M"), by="BT61.11"),
                            ),
                            by="BT61.9",
                        ),
                    ),
                    by="BT61.7",
                ),
            ),
        ),
    )


def tables_for(shapes):
    """BT62 and BT64 to BT67 of a meter with these four shapes.

    A shape is (blocks, intervals of a block, channels, interval time as in BT61.12).
    """
    data = [_data(k, shape) for k, shape in enumerate(shapes)]
    return tuple([_control(shapes)] + data)


def shapes_of(bt61):
    """The four shapes in a body of BT61, whole or its sets."""
    shapes = []
    for k in range(_SET_OFFSET, len(bt61), _SET_SIZE):
        one = bt61[k : k + _SET_SIZE]
        shapes.append((one[0] | one[1] << 8, one[2] | one[3] << 8, one[4], one[5]))
    return shapes


def layout_for(bt61):
    """{number: definition} of BT62 and BT64 to BT67 as a meter with this body of BT61 has them."""
    return {table.number: table for table in tables_for(shapes_of(bt61))}


BT62, BT64, BT65, BT66, BT67 = tables_for(PROFILE_SHAPES)

TABLES = (BT60, BT61, BT62, BT63, BT64, BT65, BT66, BT67)

EP11 = Procedure(
    "EP11",
    "Configure or reset load profile",
    family="profile",
    parameters=cited(
        "profile",
        uint8("set", "H", "data set, less 1: 0-3"),
        uint8("action", "H", "0: the set is emptied; 1: and configured, as the rest says"),
    ),
    rest="shape",
    results={
        2: "no such set, action, source or interval time, or octets too many or too few",
        3: "the set has no room for so many intervals, or there is nothing to reset",
    },
    doc="The shape: blocks UINT16, intervals of a block UINT16, interval time UINT8 (a divisor of "
    "60 minutes, or 84: a day), hour and minute (UTC) of a block's start UINT8 each, then the "
    "source id of each channel UINT8; without channels the set is off. Blocks and intervals are "
    "counted from that time on 2000-01-01. What the set held is gone, and its sequence numbers "
    "begin at 0. ET04.116 goes up by one, event 88 tells, ET75 gets an entry for the primary set.",
    clause="MEP p.64",
    origin=PROFILE,
)

EP52 = Procedure(
    "EP52",
    "Remap load profile source",
    family="profile",
    parameters=cited(
        "profile",
        uint8("source", "H", "mapped source id, 112-163"),
        uint16("extended_source", "H", "what it means from now on (ET66)"),
    ),
    doc="Channels with this source record the other one from their next interval on. ET75 gets an "
    "entry when the primary set has such a channel.",
    clause="MEP p.173",
    origin=PROFILE,
)

PROCEDURES = (EP11, EP52)
