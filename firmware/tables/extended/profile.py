"""Extended decade 2: internal configuration of the load profile (OSGP ET21)."""

from tables.dimensions import (
    BLOCK_HEADER_SIZE,
    BLOCK_SIZE,
    BT61_CHANNELS,
    BT61_INTERVAL_TIME,
    BT61_SETS,
    EXTENDED_STATUS_SIZE,
    INTERVAL_SIZE,
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
    int32,
    kept,
    ltime,
    reserved,
    uint8,
    uint16,
    uint32,
)

_STIME_SIZE = 5

ET21 = Table(
    "ET21",
    "Load profile internal configuration",
    read=READ,
    write=None,
    source=kept("load profile"),
    doc="What a reader needs to find a block and an interval in BT64: offset of interval i of "
    "block b = b x block_size + block_header_size + i x interval_size (OPT p.31).",
    departs="Octet 100 has no field in the guide; it is read as reserved.",
    fields=(
        array(
            "sets",
            BT61_SETS,
            (
                cited(
                    "MEP p.95",
                    uint32("block_address", "M", "of the current block"),
                    uint32("interval_address", "M", "of the current interval"),
                ),
                cited(
                    "MEP p.96",
                    uint32("block_size", "M", default=BLOCK_SIZE),
                    uint16("block_header_size", "M", default=BLOCK_HEADER_SIZE),
                    uint16("valid_blocks", "M"),
                    uint16("valid_intervals", "M", "of the current block, safe in flash"),
                    uint16("last_block", "M", "index of the newest block"),
                    uint16("last_interval", "M", "index of the newest interval in it"),
                    uint8("simple_status_offset", "M", "in a block", default=_STIME_SIZE),
                    uint8("simple_status_size", "M", default=SIMPLE_STATUS_SIZE),
                    uint8("interval_offset", "M", "in a block", default=BLOCK_HEADER_SIZE),
                    uint8("interval_size", "M", default=INTERVAL_SIZE),
                    uint8("channel_offset", "M", "in an interval", default=EXTENDED_STATUS_SIZE),
                    uint8("common_status", "M", "of the interval that is open"),
                    uint8("channels", "M", default=BT61_CHANNELS),
                    uint8("interval_time", "M", unit="min", default=BT61_INTERVAL_TIME),
                    array("sources", 8, uint8("source", "M"), by="8", default=(0, 1)),
                    array("placeholders", 8, int32("value", "M", "M-Bus channels"), by="8"),
                    array("more_sources", 8, uint8("source", "M"), by="8"),
                    uint32("configuration_id", "M", default=1),
                ),
                cited(
                    "MEP p.97",
                    uint8("mep_start_channel", "M"),
                    ltime("block_start_time", "M", "UTC, of the current block"),
                    uint8("block_start_hour", "M", "UTC, as asked for"),
                    uint8("block_start_minute", "M"),
                    uint16("interval_in_progress", "M", "0: none waits to be closed"),
                    bits(
                        "options",
                        bit("end_readings", "H", closed="EP11 configures it"),
                        bit("scalar_divisor", "H", closed="EP11 configures it"),
                        bit("data_reference", "H", closed="EP11 configures it"),
                        bit("ansi_compliance", "H", closed="EP11 configures it"),
                        filler(4),
                    ),
                    ltime("interval_end_utc", "M", "of the newest interval"),
                    reserved(1, "no field in the guide"),
                    ltime("interval_end_local", "M"),
                ),
                cited(
                    "MEP p.98",
                    uint32("memory_length", "M", "most there is", default=PROFILE_SIZE),
                    bits("flags", bit("memory_failure", "M"), filler(7)),
                    reserved(19),
                ),
            ),
            by="data sets",
        ),
    ),
)

TABLES = (ET21,)
