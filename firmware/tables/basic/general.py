"""Decade 0: general configuration and identity (ANSI C12.19 decade 0)."""

from tables.dimensions import (
    BT00_BASIC_PROCEDURES,
    BT00_BASIC_TABLES,
    BT00_EXTENDED_PROCEDURES,
    BT00_EXTENDED_TABLES,
    BT00_PARAMETER_LENGTH,
    BT00_PENDING,
    BT00_RESPONSE_LENGTH,
    BT00_STATUS_LENGTH,
)
from tables.schema import (
    ANYONE,
    C12_19,
    NEVER,
    PROVISION,
    READ,
    Table,
    bcd,
    bit,
    bits,
    cited,
    filler,
    fixed,
    kept,
    octets,
    set_,
    text,
    uint8,
)

_LAYOUTS = 4 << 12 | 60 << 5  # by which a reader of ET55 knows its places (MEP p.137)
_MANUFACTURER = "OED "  # not a registered code: this is nobody's product


def _numbers(numbers, extended):
    """Of table or procedure numbers the bits of the set of basic or of extended ones."""
    return tuple([n & 2047 for n in sorted(numbers) if n // 2048 == extended])


def _used(extended):
    return lambda tables: _numbers([table.number for table in tables], extended)


def _writable(extended):
    return lambda tables: _numbers([t.number for t in tables if t.write != NEVER], extended)


def _procedures(extended):
    def numbers(tables):
        from tables import definitions  # which imports this module

        return _numbers([one.number for one in definitions.PROCEDURES], extended)

    return numbers


BT00 = Table(
    "BT00",
    "General configuration",
    read=ANYONE,
    write=None,
    source=fixed(),
    doc="The order and format of everything else, and the sets of tables and procedures used.",
    departs="The guides leave what follows octet 18 to themselves; the order of the sets is that "
    "of ANSI C12.19.",
    fields=(
        cited(
            "MEP p.196",
            bits(
                "format_control_1",
                bit("data_order", "P", "0: least significant octet first"),
                bit("char_format", "P", "1: ISO 646", width=3, default=1),
                filler(4),
            ),
        ),
        cited(
            "MEP p.197",
            bits(
                "format_control_2",
                bit("time_format", "F", "2: one octet a part", width=3, default=2),
                bit("data_access", "F", "1: partial access by offset", width=2, default=1),
                bit("id_format", "P", "1: BCD", default=1),
                bit("int_format", "F", "0: two's complement", width=2),
            ),
            bits(
                "format_control_3",
                bit("ni_format_1", "P", "8: INT32", width=4, default=8),
                bit("ni_format_2", "P", "8: INT32", width=4, default=8),
            ),
            text("manufacturer", 4, "P", "code of the manufacturer", default=_MANUFACTURER),
            uint8("nameplate_type", "F", "2: electric", default=2),
            uint8("default_set_used", "F", "0: no default sets"),
            uint8(
                "parameter_length",
                "P",
                "most octets of parameters in BT07",
                default=BT00_PARAMETER_LENGTH,
            ),
            uint8(
                "response_length",
                "P",
                "most octets of answer in BT08",
                default=BT00_RESPONSE_LENGTH,
            ),
        ),
        cited(
            "MEP p.198",
            uint8("standard_version", "F", "ANSI C12.19: 1 is 1997", default=1),
            uint8("standard_revision", "P"),
            uint8("basic_tables_size", "P", "octets of the set", default=BT00_BASIC_TABLES),
            uint8("extended_tables_size", "P", "octets", default=BT00_EXTENDED_TABLES),
            uint8("basic_procedures_size", "P", "octets", default=BT00_BASIC_PROCEDURES),
            uint8("extended_procedures_size", "P", "octets", default=BT00_EXTENDED_PROCEDURES),
            uint8("status_length", "P", "manufacturer status in BT03", default=BT00_STATUS_LENGTH),
            uint8("pending_tables", "P", "pending activations", default=BT00_PENDING),
        ),
        cited(
            "C12.19 table 0",
            set_("basic_tables_used", BT00_BASIC_TABLES, "P", default=_used(0)),
            set_("extended_tables_used", BT00_EXTENDED_TABLES, "P", default=_used(1)),
            set_(
                "basic_procedures_used",
                BT00_BASIC_PROCEDURES,
                "P",
                default=_procedures(0),
            ),
            set_(
                "extended_procedures_used",
                BT00_EXTENDED_PROCEDURES,
                "P",
                default=_procedures(1),
            ),
            set_("basic_tables_writable", BT00_BASIC_TABLES, "P", default=_writable(0)),
            set_("extended_tables_writable", BT00_EXTENDED_TABLES, "P", default=_writable(1)),
        ),
    ),
)

BT01 = Table(
    "BT01",
    "General manufacturer identification",
    read=ANYONE,
    write=None,
    source=kept("identity"),
    doc="The firmware version is one number, octet 14 the high one: bits 15-12 major, 11-5 "
    "minor, 4-0 build; 3.00.24 is 3018 hex.",
    fields=(
        cited(
            "OPT p.19",
            text("manufacturer", 4, "H", default=_MANUFACTURER),
            text("model", 8, "H", "left-justified", default="OSGP-ED"),
            uint8("hardware_version", "M"),
            uint8("hardware_revision", "M"),
            uint8(
                "firmware_version",
                "M",
                "high octet: the layouts of the tables are those of the guides' 4.60",
                default=_LAYOUTS >> 8,
            ),
            uint8(
                "firmware_revision",
                "M",
                "low octet of the packed version",
                default=_LAYOUTS & 0xFF,
            ),
            bcd("serial_number", 16, "H", "the manufacturer's"),
        ),
    ),
)


BT05 = Table(
    "BT05",
    "Device identification",
    read=READ,
    write=PROVISION,
    source=kept(),
    origin=C12_19,
    doc="20 digits, because BT00 says that ids are BCD.",
    fields=(cited("C12.19 table 5", bcd("identification", 20, "H")),),
)

BT06 = Table(
    "BT06",
    "Utility information",
    read=READ,
    write=PROVISION,
    source=kept(),
    origin=C12_19,
    doc="For the utility to use; the meter only keeps it. The widths under BCD ids are those of "
    "osgp.md 3.1 (confidence M).",
    fields=(
        cited(
            "C12.19 table 6",
            text("owner_name", 20, "H"),
            text("utility_division", 20, "H"),
            text("service_point_id", 20, "H"),
            text("electrical_address", 20, "H"),
            bcd("device_id", 20, "H"),
            bcd("utility_serial_number", 20, "H"),
            bcd("customer_id", 20, "H"),
            octets("coordinate_1", 10, "H"),
            octets("coordinate_2", 10, "H"),
            octets("coordinate_3", 10, "H"),
            text("tariff_id", 8, "H"),
            text("software_1_vendor", 4, "H"),
            uint8("software_1_version", "H"),
            uint8("software_1_revision", "H"),
            text("software_2_vendor", 4, "H"),
            uint8("software_2_version", "H"),
            uint8("software_2_revision", "H"),
            text("programmer_name", 10, "H"),
            octets("miscellaneous", 30, "H"),
        ),
    ),
)

TABLES = (BT00, BT01, BT05, BT06)
