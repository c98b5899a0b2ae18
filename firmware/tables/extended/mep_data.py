"""Extended decades 1, 5, 8: requests to MEP and M-Bus devices, their data, and the answers to
procedures that the MEP port asked for (OSGP ET15, ET16, ET59, ET85)."""

from tables.dimensions import (
    BT00_RESPONSE_LENGTH,
    ET11_CHANNELS,
    ET11_DATA_SIZE,
    ET11_MBUS_DEVICES,
    ET11_MULTICAST_SIZE,
    ET11_REQUESTS,
    ET11_WRITE_SIZE,
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
    ltime,
    octets,
    served,
    stored,
    uint8,
    uint16,
)

_TELEGRAMS_AT = 7  # in an entry of ET16
_MEP_DATA_AT = 11

ET15 = Table(
    "ET15",
    "MEP/M-Bus on-demand requests",
    read=READ,
    write=None,
    source=stored("on-demand requests"),
    doc="A circular queue, which EP19 and EP41 fill. The oldest request that waits is under way; "
    "without an answer in the time of ET51.3 it gets result 2.",
    fields=(
        cited(
            "MEP p.90",
            bits(
                "pointers",
                bit("write", "M", "where the next request goes", width=4),
                bit("read", "M", "the next one to be carried out", width=4),
            ),
        ),
        array(
            "queue",
            ET11_REQUESTS,
            (
                cited(
                    "MEP p.90",
                    uint16("transaction", "M"),
                    uint16("handle", "M", "of the device; type 6: group mask, FFFF all"),
                ),
                cited(
                    "MEP p.90-91",
                    uint8(
                        "type",
                        "M",
                        "0 none, 1 application reset, 2 billing read, 3 status read, 4 write, "
                        "5 time, 6 multicast, 7-9 MEP download: start, packet, switchover",
                    ),
                ),
                cited("MEP p.91", uint8("result", "M", "0 open, 1 done, 2 no response, 3 failed")),
            ),
            by="ET11.3",
        ),
        array(
            "writes",
            ET11_REQUESTS,
            cited(
                "MEP p.91",
                uint8("length", "M"),
                octets("data", ET11_WRITE_SIZE - 1, "M", "for the device, as it is"),
            ),
            by="ET11.3",
        ),
        cited(
            "MEP p.91-92",
            uint8("multicast_length", "M"),
            octets("multicast", ET11_MULTICAST_SIZE - 1, "M", "type 8: packet number 2, code"),
        ),
    ),
)

_TIME = cited("MEP p.92", ltime("time", "M", "local time of the last read that succeeded"))

ET16 = Table(
    "ET16",
    "MEP/M-Bus device data",
    read=READ,
    write=None,
    source=served("device data"),
    doc="The latest data of each device; ET14 has their length. A device that has none is all 0.",
    fields=(
        array(
            "mbus",
            ET11_MBUS_DEVICES,
            (
                _TIME,
                cited(
                    "MEP p.92-93",
                    bits(
                        "info",
                        bit("msb_first", "M", "1: mode 2"),
                        bit("fixed", "M", "1: fixed data structure"),
                        bit("key", "M", "1: there was a key"),
                        bit("authentication", "M", "0 good, 1 id, 2 date, 3 other date", width=2),
                        bit("failed", "M", "1: security failed"),
                        filler(2),
                    ),
                ),
                cited(
                    "MEP p.93-95",
                    octets(
                        "telegrams",
                        ET11_DATA_SIZE - _TELEGRAMS_AT,
                        "M",
                        "{length 1, telegram}, ...; the last may be cut off",
                    ),
                ),
            ),
            by="ET11.0 - ET11.34",
        ),
        array(
            "mep",
            ET11_CHANNELS,
            (
                _TIME,
                cited("MEP p.92", uint8("info", "M", "not used")),
                cited(
                    "MEP p.95",
                    uint16("reads", "M", "that succeeded"),
                    uint16("length", "M", "of the data"),
                    octets("data", ET11_DATA_SIZE - _MEP_DATA_AT, "M"),
                ),
            ),
            by="ET11.34",
        ),
    ),
)


def _response(name, title, doc):
    """ET59 and ET85 have the layout of BT08."""
    return Table(
        name,
        title,
        read=READ,
        write=None,
        source=fixed(),
        doc=doc,
        departs="The MEP port is not there yet, so all of it is 0.",
        fields=(
            cited(
                "MEP p.165",
                bits("procedure", bit("number", "M", width=12), filler(4), size=2),
            ),
            cited(
                "MEP p.166",
                uint8("sequence_number", "M", "5-9"),
                uint8("result", "M"),
            ),
            cited("MEP p.197", octets("data", BT00_RESPONSE_LENGTH, "M")),
        ),
    )


ET59 = _response(
    "ET59",
    "MEP procedure response",
    "The answer to a procedure of the MEP client, when ET50.30 bit 1 asks for it here.",
)
ET85 = _response(
    "ET85", "MEP procedure response, client 2", "The same for a second MEP client (MEP p.185)."
)

_NO_DEVICE = "no installed device is meant"
_FULL = "the queue of ET15 is full"

PROCEDURES = (
    Procedure(
        "EP17",
        "Remove MEP device",
        family="mep",
        level=READ,
        parameters=cited(
            "MEP p.244",
            uint8("action", "H", "primary address of the M-Bus device becomes 0: 0, 1: 250"),
            uint16("handle", "H", "FFFF: all devices"),
        ),
        results={2: "another action", 3: _NO_DEVICE, 4: "a removal is under way"},
        doc="Its slot in ET14 becomes empty, its requests fail, of ET50 it is no longer "
        "registered. ET16 stays. Without an M-Bus line no address changes.",
        clause="MEP p.243-244",
    ),
    Procedure(
        "EP18",
        "Clear MEP alarms",
        family="mep",
        parameters=cited(
            "profile",
            uint16("handle", "H", "FFFF: all devices"),
            uint16("alarms", "H", "bits of ET14.20 to clear"),
            uint8("device_alarms", "H", "bits of ET14.29 to clear"),
        ),
        results={3: _NO_DEVICE},
        doc="The guide names it (MEP p.87, 89); its parameters are this project's.",
        clause="profile",
        origin=PROFILE,
    ),
    Procedure(
        "EP19",
        "Post on-demand M-Bus request",
        family="mep",
        parameters=cited(
            "MEP p.245-246",
            uint16("transaction", "H"),
            uint16("handle", "H", "type 6: group mask, FFFF all M-Bus; type 10: bits of indices"),
            uint8("type", "H", "as in ET15: 1-6, 9; 10: 4 by index"),
        ),
        rest="types 4, 6, 10: length UINT8, data; type 9 in mode 2: image length UINT32, MAC[16]",
        response=cited("MEP p.247", uint8("index", "M", "of the entry in ET15")),
        results={2: "another type, or data too long", 3: _NO_DEVICE, 7: _FULL},
        doc="Types 1, 3, 5 and 6 are for M-Bus devices alone, type 9 for the MEP client. Type 10 "
        "stands in ET15 as type 4 for the first of the devices.",
        clause="MEP p.244-247",
    ),
    Procedure(
        "EP39",
        "Post MEP data",
        family="mep_data",
        level=READ,
        parameters=cited(
            "profile",
            uint8("type", "H", "4 scheduled read data and alarms, 12 clear delta data alert"),
            uint8("outcome", "H", "1 success: the data are kept"),
            uint16("length", "H", "octets of data"),
        ),
        rest="data",
        results={2: "another type or length", 3: "no MEP client is registered in ET50"},
        doc="Data become the MEP client's in ET16. The guide names the types and the number 12 "
        "(MEP p.18, 35); the parameters and the number 4 are as an open MEP client sends them "
        "(DabblerDK/MEP-SW-ESP32). Types whose numbers are nowhere public are not there.",
        clause="profile",
        origin=PROFILE,
    ),
    Procedure(
        "EP41",
        "MEP download initialize",
        family="mep",
        parameters=cited("profile", uint16("transaction", "H"), uint16("handle", "H")),
        response=cited("profile", uint8("index", "M", "of the entry in ET15")),
        results={3: _NO_DEVICE, 7: _FULL},
        doc="Puts a request of type 7 for the MEP client into ET15, which is all that the guide "
        "says of it (MEP p.91); its parameters are this project's.",
        clause="profile",
        origin=PROFILE,
    ),
    Procedure(
        "EP50",
        "Post external meter data",
        family="mep",
        rest="values",
        results={3: "always: this meter measures by itself"},
        doc="For modules without a measuring circuit (MEP p.206). Its parameters are not public.",
        clause="profile",
        origin=PROFILE,
    ),
    Procedure(
        "EP61",
        "MEP transaction lock control",
        family="mep",
        level=READ,
        parameters=cited("MEP p.247", uint8("lock", "H", "0 unlock, 1 lock")),
        results={3: "the other client has the lock", 5: "not asked for by a MEP client"},
        doc="Keeps ET52 and ET53 for one of two MEP clients for 10 s. There is no MEP port yet, "
        "so the answer is 5.",
        clause="MEP p.247",
    ),
)

TABLES = (ET15, ET16, ET59, ET85)
