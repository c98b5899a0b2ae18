"""Extended tables of dimensions: ET11 of this meter, ET36 of its adjustable logs."""

from tables import dimensions as d
from tables.schema import (
    PROFILE,
    READ,
    Array,
    Procedure,
    Table,
    bit,
    bits,
    cited,
    filler,
    fixed,
    record,
    reserved,
    set_,
    stored,
    uint8,
    uint16,
)

_SIZES = (
    cited(
        "MEP p.77-78",
        uint8("devices", "P", "one MEP client, four M-Bus devices", default=d.ET11_DEVICES),
    ),
    cited(
        "MEP p.78",
        uint8("config_size", "P", "an entry of ET13", default=d.ET11_CONFIGURATION_SIZE),
        uint8("status_size", "P", "an entry of ET14", default=d.ET11_STATUS_SIZE),
        uint8("requests", "P", "on-demand requests in ET15", default=d.ET11_REQUESTS),
        uint8("request_size", "P", "an entry of ET15", default=d.ET11_REQUEST_SIZE),
        uint16("data_size", "P", "an entry of ET16", default=d.ET11_DATA_SIZE),
        uint16("transaction_request", "P", "ET27 and ET52", default=d.ET11_TRANSACTION_REQUEST),
        uint16("transaction_response", "P", "ET28 and ET53", default=d.ET11_TRANSACTION_RESPONSE),
        uint8("write_size", "P", "an on-demand write, its length too", default=d.ET11_WRITE_SIZE),
        uint8("phase_data_size", "P", "measured of a phase", default=d.ET11_PHASE_DATA),
        uint8("config_2_size", "P", "an entry of ET34", default=d.ET11_CONFIGURATION_2_SIZE),
    ),
    cited(
        "OPT p.41",
        uint8("meter_reads", "P", "one-time reads in ET19", default=d.ET11_METER_READS),
        uint8("mbus_reads", "P", "one-time reads in ET20", default=d.ET11_MBUS_READS),
        uint8("meter_read_size", "P", "an entry of ET19", default=d.ET11_METER_READ_SIZE),
        uint8("mbus_read_size", "P", "an entry of ET20", default=d.ET11_MBUS_READ_SIZE),
    ),
    cited(
        "MEP p.78",
        uint8("groups", "P", "group ids of this meter", default=d.ET11_GROUPS),
        uint8("harmonics", "P", default=d.ET11_HARMONICS),
    ),
)

_COUNTS = (
    cited(
        "MEP p.79",
        uint8("multicast_size", "P", "an M-Bus multicast", default=d.ET11_MULTICAST_SIZE),
        uint8("alarm_array", "P", "octets of ET22's first array", default=d.ET11_ALARM_ARRAY),
        uint8("mep_sources", "P", "in ET50", default=d.ET11_MEP_SOURCES),
        uint8("et48_entries", "P", default=d.ET11_ET48_ENTRIES),
        uint8("critical_bitmaps", "P", "in ET22", default=d.ET11_CRITICAL_BITMAPS),
        uint8("mbus_types", "P", "entries of ET57", default=d.ET11_MBUS_TYPES),
        uint8("relay_switches", "P", "of a relay in ET61", default=d.ET11_RELAY_SWITCHES),
        uint8("delta_alerts", "P", "entries of ET71", default=d.ET11_DELTA_ALERTS),
        uint16("ram_request", "P", "transaction in RAM alone", default=d.ET11_RAM_REQUEST),
        uint16("ram_response", "P", "its response", default=d.ET11_RAM_RESPONSE),
    ),
    cited(
        "OPT p.42",
        uint8("modules", "P", "firmware module records of ET54", default=d.ET11_MODULES),
        uint8("module_size", "P", "octets of one", default=d.ET11_MODULE_SIZE),
        uint8("mep_channels", "P", "MEP clients", default=d.ET11_CHANNELS),
        uint8("reserved_35", "P", default=10),
        uint16("verification_size", "P", "octets of ET17's bitmap", default=d.ET11_VERIFICATION),
        uint8("screens", "P", "error and caution screens", default=d.ET11_SCREENS),
    ),
)

ET11 = Table(
    "ET11",
    "Manufacturer dimensions",
    read=READ,
    write=None,
    source=fixed(),
    doc="The counts and sizes of the extended tables. It has the fields that firmware 4.0 and "
    "4.20 added, up to octet 38.",
    departs="Five devices and one MEP client, where a meter of firmware 4 has six and two. A "
    "transaction's request and response take 768 octets each, where the guides have 896 and "
    "1785. The bitmap of ET17 has 429 octets (profile 24).",
    fields=(_SIZES, _COUNTS),
)


def entries(number):
    """Of an extended log's definition the array that holds its entries: a function of all."""

    def array_of(tables):
        for table in tables:
            if table.number == 2048 + number:
                arrays = [one for one in table.record.fields if isinstance(one, Array)]
                return arrays[-1]
        raise KeyError(f"no ET{number}")

    return array_of


def entry_size(number):
    """The octets of one entry: a function of all definitions."""
    return lambda tables: entries(number)(tables).item.size


def entry_count(number):
    """How many entries a log has: a function of all definitions."""
    return lambda tables: entries(number)(tables).count


def _log(number, length_included):
    """The record of one adjustable log."""
    return record(
        f"et{number}",
        cited(
            "MEP p.108",
            bits(
                "table",
                bit("number", "F", width=11, default=number),
                bit("extended", "F", default=1),
                bit("procedure", "F"),
                filler(3),
                size=2,
            ),
        ),
        cited(
            "MEP p.108-109",
            uint16("entry_size", "M", "without the header", default=entry_size(number)),
            uint16("max_entries", "P", default=entry_count(number)),
            uint16("entries", "M", "as configured", default=entry_count(number)),
            bits(
                "flags",
                bit("length_included", "P", "in front of an entry", default=length_included),
                filler(7),
            ),
            reserved(8),
        ),
    )


ET36 = Table(
    "ET36",
    "Actual dimensions of extended tables",
    read=READ,
    write=None,
    source=stored("logs"),
    doc="The logs whose size EP06, EP32 and EP37 set. Each has the standard header of six octets "
    "and an entry in the bitmap of those that hold unread entries.",
    departs="The most entries of a log are those that this meter has room for. The guides place "
    "the bitmap at 10 octets a log, and cite ET36.90, 103 and 107 in ET42; with records of 17 "
    "octets, which all other references fit, these are 120, 92, 105 and 109.",
    fields=(
        cited("MEP p.108", uint8("count", "P", default=d.ET36_LOGS)),
        _log(31, 0),
        _log(32, 1),
        _log(38, 0),
        _log(41, 1),
        _log(45, 1),
        _log(75, 0),
        _log(81, 0),
        cited("MEP p.109", set_("unread", (d.ET36_LOGS - 1) // 8 + 1, "M", "by place above")),
    ),
)

_TABLE = uint16("table", "H", "number of the log, with 2048")
_ENTRIES = uint16("entries", "H", "at most those of ET36")


def _results():
    return {
        2: "no log of ET36, or more entries than it can have; nothing was changed",
        3: "the log has one size; nothing was changed",
    }


PROCEDURES = (
    Procedure(
        "EP06",
        "Configure logs",
        family="configuration",
        parameters=(_TABLE, _ENTRIES),
        rest="table and entries of more logs",
        results=_results(),
        doc="Sets the numbers of entries in ET36, of all or of none. In this meter ET38 alone can "
        "have fewer than its most, 1 to 10; it is emptied.",
        clause="MEP p.107",
        origin=PROFILE,
    ),
    Procedure(
        "EP37",
        "Resize log",
        family="configuration",
        parameters=(_TABLE, _ENTRIES, uint16("entry_size", "H", "0: as it is", unit="octets")),
        results=_results(),
        doc="As EP06, of one log. The octets of an entry cannot be changed in this meter.",
        clause="MEP p.107-108",
        origin=PROFILE,
    ),
)

TABLES = (ET11, ET36)
