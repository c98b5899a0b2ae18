"""Extended decade 0: utility and system information (OSGP ET03, ET04)."""

from tables.schema import ANYONE, PROVISION, Table, cited, kept, reserved, text, uint16

ET03 = Table(
    "ET03",
    "Utility information",
    read=ANYONE,
    write=PROVISION,
    source=kept("identity"),
    doc="The utility's own number for this device.",
    departs="The guide gives octet 138 to the image CRC and to what is reserved; it is the CRC's.",
    fields=(
        cited(
            "MEP p.56",
            text("utility_serial_number", 30, "H", "ends with a NUL"),
            reserved(107),
            uint16("image_crc", "M", "of the running firmware image"),
            reserved(4),
        ),
    ),
)

TABLES = (ET03,)
