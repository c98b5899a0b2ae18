"""Extended tables of the load profile's inside: ET21, and ET66, what mapped sources mean."""

from tables.dimensions import (
    BT61_SETS,
    PROFILE_SECTORS,
    PROFILE_SHAPES,
    block_header_size,
    block_size,
    interval_size,
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
    ltime,
    reserved,
    served,
    uint8,
    uint16,
    uint32,
)

_STIME_SIZE = 5
_CHANNELS = 16


def _default(k):
    """What the definitions tell of a set as a meter starts."""
    shape = PROFILE_SHAPES[k]
    header = block_header_size(shape)
    known = {"memory_length": 4096 * PROFILE_SECTORS[k]}
    if header:
        known.update(
            block_size=block_size(shape),
            block_header_size=header,
            simple_status_offset=_STIME_SIZE,
            simple_status_size=header - _STIME_SIZE,
            interval_offset=header,
            interval_size=interval_size(shape),
            channel_offset=shape[2] // 2 + 1,
            channels=shape[2],
            interval_time=shape[3],
            sources=tuple(range(shape[2])),
            configuration_id=1,
        )
    return known


ET21 = Table(
    "ET21",
    "Load profile internal configuration",
    read=READ,
    write=None,
    source=served("load profile"),
    doc="What a reader needs to find a block and an interval in BT64 to BT67: offset of interval "
    "i of block b = b x block_size + block_header_size + i x interval_size (OPT p.31). The "
    "addresses are offsets in that table. Of a set that is off there is the memory alone.",
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
                    uint32("block_size", "M"),
                    uint16("block_header_size", "M"),
                    uint16("valid_blocks", "M"),
                    uint16("valid_intervals", "M", "of the current block, safe in flash"),
                    uint16("last_block", "M", "index of the newest block"),
                    uint16("last_interval", "M", "index of the newest interval in it"),
                    uint8("simple_status_offset", "M", "in a block"),
                    uint8("simple_status_size", "M"),
                    uint8("interval_offset", "M", "in a block"),
                    uint8("interval_size", "M"),
                    uint8("channel_offset", "M", "in an interval"),
                    uint8("common_status", "M", "of the interval that is open"),
                    uint8("channels", "M"),
                    uint8("interval_time", "M", "as in BT61.12", unit="min"),
                    array("sources", 8, uint8("source", "M"), by="8"),
                    array("placeholders", 8, int32("value", "M", "M-Bus channels"), by="8"),
                    array("more_sources", 8, uint8("source", "M"), by="8"),
                    uint32("configuration_id", "M", "counts configurations and resets"),
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
                        bit("end_readings", "H", closed="must be 0 (MEP p.97)"),
                        bit("scalar_divisor", "H", closed="must be 0 (MEP p.97)"),
                        bit("data_reference", "H", closed="must be 0 (MEP p.97)"),
                        bit("ansi_compliance", "H", closed="the table is not written"),
                        filler(4),
                    ),
                    ltime("interval_end_utc", "M", "of the newest interval"),
                    reserved(1, "no field in the guide"),
                    ltime("interval_end_local", "M"),
                ),
                cited(
                    "MEP p.98",
                    uint32("memory_length", "M", "of flash, most there is"),
                    bits("flags", bit("memory_failure", "M"), filler(7)),
                    reserved(19),
                ),
            ),
            by="data sets",
            default=[_default(k) for k in range(BT61_SETS)],
        ),
    ),
)

ET66 = Table(
    "ET66",
    "Load profile source id mapping",
    read=READ,
    write=None,
    source=served("load profile"),
    doc="The extended source id of mapped source 112 + place / 2 (MEP p.173). Ids below 4096 are "
    "the standard ones. EP52 sets an entry.",
    departs="Mapped sources end at 163 (MEP p.205), so the last twelve entries are not used. A "
    "channel of another type than 0 records the status 10, device missing.",
    fields=(
        cited(
            "MEP p.173",
            array(
                "sets",
                BT61_SETS,
                (
                    array(
                        "sources",
                        _CHANNELS,
                        uint16("source", "H", closed="by EP52"),
                        by="BT60.11",
                    ),
                ),
                by="4",
            ),
        ),
    ),
)

TABLES = (ET21, ET66)
PROCEDURES = ()
