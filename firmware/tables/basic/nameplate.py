"""Decade 0: the nameplate (ANSI C12.19 table 2)."""

from tables.schema import (
    C12_19,
    PROVISION,
    READ,
    Table,
    bit,
    bits,
    cited,
    stored,
    text,
    uint8,
)

BT02 = Table(
    "BT02",
    "Device nameplate",
    read=READ,
    write=PROVISION,
    source=stored(),
    origin=C12_19,
    doc="What is printed on an electric meter (BT00.7 is 2). The meter only keeps it.",
    fields=(
        cited(
            "C12.19 table 2",
            text("kh", 6, "H", "Wh a revolution or pulse"),
            text("kt", 6, "H", "the same for test mode"),
            uint8("input_scalar", "H", "of the transformers", default=1),
            text("configuration", 5, "H"),
            bits(
                "elements",
                bit("frequency", "H", "4: 50 Hz, 5: 60 Hz", width=3, default=4),
                bit("count", "H", "measuring elements", width=3, default=3),
                bit("base", "H", width=4),
                bit("accuracy", "H", width=6),
                size=2,
            ),
            bits(
                "volts",
                bit("elements", "H", "code of the elements' voltage", width=4),
                bit("supply", "H", "code of the supply's voltage", width=4),
            ),
            text("class_amps", 6, "H", "class or largest current"),
            text("test_amps", 6, "H"),
        ),
    ),
)

TABLES = (BT02,)
PROCEDURES = ()
