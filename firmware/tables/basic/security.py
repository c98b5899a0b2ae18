"""Decade 4: passwords (ANSI C12.19 tables 40 and 42)."""

from tables.schema import (
    C12_19,
    MASTER,
    NEVER,
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
    octets,
    stored,
    uint8,
    uint16,
)

_PASSWORDS = 3  # MK, PK, RK of the optical port (OPT p.13)
_LENGTH = 20

BT40 = Table(
    "BT40",
    "Dimension security",
    read=READ,
    write=None,
    source=fixed(),
    origin=C12_19,
    doc="Keys of the power line are no part of it: they change by commissioning and EP20.",
    fields=(
        cited(
            "C12.19 table 40",
            uint8("passwords", "F", default=_PASSWORDS),
            uint8("password_length", "F", default=_LENGTH),
            uint8("keys", "F"),
            uint8("key_length", "F"),
            uint16("permissions", "F", "levels in use", default=_PASSWORDS),
        ),
    ),
)

BT42 = Table(
    "BT42",
    "Passwords",
    read=NEVER,
    write=MASTER,
    source=stored("optical"),
    origin=C12_19,
    doc="The passwords MK, PK and RK of the optical port. Nobody reads them back.",
    fields=(
        cited(
            "C12.19 table 42",
            array(
                "passwords",
                _PASSWORDS,
                (
                    octets("password", _LENGTH, "H", "0: none is set, nobody logs on with it"),
                    bits(
                        "access",
                        bit("read", "F", default=1),
                        bit("provision", "F"),
                        bit("master", "F"),
                        filler(5),
                    ),
                ),
                by="BT40.0",
                default=(
                    {"access": {"read": 1, "provision": 1, "master": 1}},
                    {"access": {"read": 1, "provision": 1}},
                    {"access": {"read": 1}},
                ),
            ),
        ),
    ),
)

PROCEDURES = (
    Procedure(
        "EP20",
        "Change encryption key",
        family="keys",
        parameters=(uint8("key_id", "H", "0 unicast, 1 broadcast"),),
        rest="new key, 12 or 16 octets (mode 2: 16); check, 4: the digest, in mode 2 the CMAC, of "
        "16 zero octets under it; of a broadcast key: B, 4",
        results={
            2: "no such key, a wrong length, the check does not hold, or the key is the present "
            "one",
        },
        doc="The old key holds until the first good message, or broadcast, under the new one "
        "(profile 13).",
        clause="profile 13",
        origin=PROFILE,
    ),
)

TABLES = (BT40, BT42)
