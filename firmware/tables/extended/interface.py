"""Extended tables of the interface definition: ET42, and ET38, the log of its changes."""

from tables import dimensions as d
from tables.extended.dimensions_tables import entry_count, entry_size
from tables.layout import default_body, place
from tables.schema import (
    PROFILE,
    READ,
    Table,
    array,
    bit,
    bits,
    cited,
    filler,
    flat,
    ltime,
    record,
    reserved,
    stored,
    uint8,
    uint16,
    uint32,
)

_FIXED = 41  # octets in front of the adjustable logs
_LOGS = (31, 32, 38, 41, 45, 75, 81)  # in the order of ET36
_PROFILE = 14  # octets of a load profile data set in front of its sources
_REQUIRED = 8  # octets of the required section
_ROLLOVER_DIGIT = 9  # registers count to 999,999,999 Wh
_LARGEST = 330  # with all channels, coincident values and M-Bus types that there can be


def _of(name, path):
    """What a table's default body tells there, as a function of all definitions."""

    def number(tables):
        for table in tables:
            if table.name == name:
                offset, size = place(table, path)
                octets = default_body(table, tables)[offset : offset + size]
                return sum([octet << 8 * k for k, octet in enumerate(octets)])
        raise KeyError(name)

    return number


def _tier_size(tables):
    for table in tables:
        if table.name == "BT23":
            return place(table, "tiers.0")[1]
    raise KeyError("BT23")


# (index, channels) of the load profile data sets that a meter starts with
_SETS = tuple([(k, shape[2]) for k, shape in enumerate(d.PROFILE_SHAPES) if shape[2]])

_SECTIONS = (
    cited(
        "MEP p.111",
        uint16("length", "M", "of this table", default=lambda tables: _length()),
    ),
    cited(
        "MEP p.112",
        uint8("fixed_length", "M", "up to the adjustable logs", default=_FIXED),
        uint8("log_count", "M", "adjustable logs", default=d.ET36_LOGS),
        bits(
            "interface",
            bit("mep_off", "M", "ICA NAK: recurring reads in ET16 are off"),
            bit("profile_formats", "M", "the concentrator reads all formats"),
            filler(14),
            size=2,
        ),
        uint16("c1219_flags", "M", "ET04.114"),
        uint16("bidn", "M", "billing interface definition number, by EP32"),
    ),
    cited(
        "MEP p.113",
        bits(
            "flags",
            bit("reset_counter", "M", "in BT23", default=d.BT21_RESET_COUNTER),
            bit("cumulative", "M", "in BT23", default=d.BT21_CUMULATIVE),
            bit("continuous", "M", "in BT23", default=d.BT21_CONTINUOUS),
            bit("demand_configured", "M", "EP32 was executed"),
            bit("unread_bitmap", "M", "ET36 has one", default=1),
            filler(3),
        ),
        uint8("self_reads", "M", default=d.BT21_SELF_READS),
        uint8("summations", "M", default=d.BT21_SUMMATIONS),
        uint8("demands", "M", default=d.BT21_DEMANDS),
        uint8("coincidents", "M", default=d.BT21_COINCIDENTS),
        uint8("occurrences", "M", default=d.BT21_OCCURRENCES),
        uint8("tiers", "M", default=d.BT21_TIERS),
        uint8("present_demands", "M", default=d.BT21_PRESENT_DEMANDS),
        uint8("present_values", "M", default=d.BT21_PRESENT_VALUES),
    ),
    cited(
        "MEP p.114",
        uint8("sub_interval", "M", unit="min", default=d.DEMAND_SUB_INTERVAL),
        uint8("multiplier", "M", default=d.DEMAND_MULTIPLIER),
        uint16("tier_size", "M", "of a tier in BT23", default=_tier_size),
    ),
)


def _profile(index, sources):
    """One load profile data set: its shape, and the sources of its channels where they follow."""
    et21 = f"sets.{index}."
    bt61 = f"sets.{index}."
    channels = dict(_SETS)[index]
    shape = (
        uint32("block_size", "M", default=_of("ET21", et21 + "block_size")),
        uint16("blocks", "M", default=_of("BT61", bt61 + "blocks")),
        uint8("channels", "M", default=_of("BT61", bt61 + "channels")),
        uint8("interval_time", "M", unit="min", default=_of("BT61", bt61 + "interval_time")),
        uint8("interval_size", "M", default=_of("ET21", et21 + "interval_size")),
        uint8("options", "M", "ET21.93", default=_of("ET21", et21 + "options")),
        uint16("intervals", "M", "of a block", default=_of("BT61", bt61 + "intervals")),
        uint8("start_hour", "M", "of a block", default=_of("ET21", et21 + "block_start_hour")),
        uint8("start_minute", "M", default=_of("ET21", et21 + "block_start_minute")),
    )
    if not sources:
        return shape
    return shape + _sources(index, channels)


def _sources(index, channels):
    return tuple(
        [
            uint16(
                f"source_{k + 1}",
                "M",
                "extended source id",
                default=_of("BT62", f"sets.{index}.channels.{k}.source"),
            )
            for k in range(channels)
        ]
    )


_LOGS_AND_SOURCES = (
    cited("MEP p.114", record("profile_1", _profile(0, sources=False))),
    cited(
        "MEP p.114-115",
        bits(
            "history_flags",
            bit("event_number", "M"),
            bit("date_time", "M", default=1),
            bit("sequence_number", "M", default=1),
            bit("inhibit_overflow", "M"),
            bit("event_log_inhibit", "M"),
            filler(3),
        ),
    ),
    cited(
        "MEP p.115",
        uint16("history_entries", "M", default=d.BT71_ENTRIES),
        uint8("history_argument", "M", unit="octets", default=_of("BT71", "history_data_length")),
    ),
    cited(
        "MEP p.115-116",
        *[
            record(
                f"et{log}",
                uint8("entries", "M", default=entry_count(log)),
                uint16("entry_size", "M", default=entry_size(log)),
            )
            for log in _LOGS
        ],
    ),
    cited(
        "MEP p.116",
        record(
            "demand_sources",
            *[
                uint8(f"source_{k + 1}", "M", default=_of("BT22", f"demands.{k}"))
                for k in range(d.BT21_DEMANDS)
            ],
        ),
        array("coincident_sources", d.BT21_COINCIDENTS, uint8("source", "M"), by="BT21.5"),
        record("profile_1_sources", *_sources(0, dict(_SETS)[0])),
        uint8("mbus_types", "M", "entries of ET57 in use; they would follow"),
    ),
)


_REST = (
    cited(
        "MEP p.117",
        bits(
            "active_profiles",
            *[bit(f"set_{k + 1}", "M", default=int(k in dict(_SETS))) for k in range(1, 4)],
            filler(5),
        ),
    ),
    cited(
        "MEP p.117-118",
        *[record(f"profile_{k + 1}", *_profile(k, sources=True)) for k, _ in _SETS if k],
    ),
    cited(
        "MEP p.118",
        record(
            "required",
            uint8("length", "M", default=_REQUIRED),
            uint16("et74_entries", "M", default=d.ET74_ENTRIES),
            uint8("et77_entries", "M", default=d.BT30_ITEMS),
            uint16("et79_entries", "M", default=entry_count(79)),
            uint8("energy_unit", "M", unit="Wh", default=1),
            uint8("rollover_digit", "M", "digits of a register", default=_ROLLOVER_DIGIT),
        ),
    ),
)

_FIELDS = flat((_SECTIONS, _LOGS_AND_SOURCES, _REST))


def _length():
    return sum([field.size for field in _FIELDS])


ET42 = Table(
    "ET42",
    "Interface definition",
    read=READ,
    write=None,
    source=stored("interface"),
    doc="Whatever changes the shape or the meaning of what is read. When any of it changes, "
    "ET04.116 goes up by one, event 88 is raised and ET38 gets an entry. `length` tells how much "
    "of the table counts; the fields named here are those of a meter as it starts. More channels, "
    "coincident values and M-Bus types lie between them.",
    fields=(_FIELDS, cited("profile", reserved(_LARGEST - _length(), "room for more"))),
)

ET38 = Table(
    "ET38",
    "Configuration id log",
    read=READ,
    write=None,
    source=stored("interface"),
    origin=PROFILE,
    doc="An entry for each change of ET42. The guides tell that an entry has 35 octets and that "
    "the log has the standard header.",
    fields=(
        cited(
            "MEP p.110",
            bits(
                "flags",
                bit("order", "F", "0: older first"),
                bit("overflow", "M", "entries were overwritten before they were read"),
                bit("list_type", "F", "1: circular", default=1),
                bit("inhibit_overflow", "F"),
                filler(4),
            ),
            uint8("valid_entries", "M"),
            uint8("last_entry", "M", "index of the newest"),
            uint16("last_sequence", "M", "of the newest; never reset"),
            uint8("unread_entries", "M", "EP26 counts it down"),
        ),
        cited(
            "profile",
            array(
                "entries",
                d.ET38_ENTRIES,
                (
                    ltime("time", "M", "UTC"),
                    uint16("procedure", "M", "as in BT07; 0: the firmware changed"),
                    uint8("idt_version", "M", "ET04.116 since then"),
                    uint16("bidn", "M", "ET42.8"),
                    uint16("length", "M", "ET42.0"),
                    array(
                        "profiles",
                        4,
                        uint32("configuration_id", "M", "ET21.78"),
                        by="data sets",
                    ),
                    uint32("crc_32", "M", "of ET42"),
                    reserved(2),
                ),
                by="ET36.41",
            ),
        ),
    ),
)

TABLES = (ET38, ET42)
PROCEDURES = ()
