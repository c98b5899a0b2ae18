"""Extended decades 1, 3, 5: configuration and status of the MEP client and of the M-Bus devices
(OSGP ET13, ET14, ET34, ET50, ET51, ET57, ET58).

A device is known by its handle: 1-999 M-Bus, 1000-1999 the MEP client (MEP p.84-85). Its entry in
ET13, ET14, ET16, ET34 and ET58 has one index: 0-3 M-Bus, 4 the MEP client.
"""

from tables.dimensions import (
    ET11_CHANNELS,
    ET11_CONFIGURATION_2_SIZE,
    ET11_CONFIGURATION_SIZE,
    ET11_DEVICES,
    ET11_MBUS_DEVICES,
    ET11_MBUS_TYPES,
    ET11_MEP_SOURCES,
)
from tables.schema import (
    MASTER,
    PROVISION,
    READ,
    Table,
    array,
    bit,
    bits,
    cited,
    filler,
    fixed,
    ltime,
    ni1,
    octets,
    reserved,
    stored,
    text,
    uint8,
    uint16,
    uint32,
)

_BAUD = "0 9600, 1 300, 2 600, 3 1200, 4 2400, 5 4800, 6 9600 to 12 115200"
_BAUD_2400 = 4
_NEVER = 4

_DOWNLINK_AT = 9  # in the MEP client's entry of ET13
_CONFIGURATION_2_USED = 14  # octets of an entry of ET34 before those for the future


def _schedule(baud):
    """What the entries of ET13 have in common."""
    return (
        cited(
            "MEP p.80-81",
            uint8("billing_day", "H", "1-28, 0 the first; 32 Sunday to 38; 39 with weekly: never"),
        ),
        cited(
            "MEP p.81",
            uint8("billing_hour", "H", "of the scheduled billing read, local time"),
            uint8("billing_minute", "H"),
            uint8(
                "billing_frequency",
                "H",
                "0 hourly, 1 daily, 2 weekly, 3 monthly, 4 never",
                default=_NEVER,
            ),
            uint16("status_frequency", "H", "of status reads; 0: with billing reads", unit="min"),
        ),
        cited("MEP p.81-82", uint8("baud_rate", "H", _BAUD, default=baud)),
        cited("MEP p.82", uint8("alarm_mask", "H", "device alarms that set a MEP alarm")),
    )


ET13 = Table(
    "ET13",
    "MEP/M-Bus device configuration",
    read=READ,
    write=MASTER,
    source=stored("MEP port"),
    doc="When each device is read and how it is spoken to. The first 8 octets of a security key "
    "are taken but read back as 0 (MEP p.82): a new key is written whole, and one that begins "
    "with 8 octets of 0 leaves these 8 as they were.",
    departs="PK may not write it, because it holds keys (OPT p.13). The guide has no default for "
    "the billing read: it is never.",
    fields=(
        array(
            "mbus",
            ET11_MBUS_DEVICES,
            (
                _schedule(_BAUD_2400),
                cited(
                    "MEP p.82",
                    text("customer_id", 20, "H"),
                    uint8("application_reset", "H", "parameter of the application reset"),
                    uint8("key_length", "H", "7 or less: no key"),
                    octets("security_key", 32, "H", "0-7 are read back as 0"),
                    uint16("turnaround_extension", "H", "added to 330", unit="bit times"),
                    uint16("timeout_extension", "H", "added to 50", unit="ms"),
                ),
            ),
            by="ET11.0 - ET11.34",
        ),
        array(
            "mep",
            ET11_CHANNELS,
            (
                _schedule(0),
                cited(
                    "MEP p.82-83",
                    bits(
                        "alerts",
                        bit("scheduled_read", "M", "scheduled read data are wanted"),
                        bit("on_demand", "M", "a request waits in ET15"),
                        bit("reserved", "M"),
                        bit("mbus_change", "M", "an M-Bus status or load profile has changed"),
                        bit("delta_data", "M", "a source of ET71 has changed"),
                        filler(3),
                    ),
                ),
                cited(
                    "MEP p.83",
                    octets(
                        "downlink",
                        ET11_CONFIGURATION_SIZE - _DOWNLINK_AT,
                        "H",
                        "not urgent; for the MEP client",
                    ),
                ),
            ),
            by="ET11.34",
        ),
    ),
)

_ALARMS = bits(
    "alarms",
    bit("billing_data", "M", "a scheduled billing read is in ET16"),
    bit("application_error", "M", "not supported"),
    bit("device_alarm", "M", "a status read brought a new device alarm"),
    bit("billing_overflow", "M", "not all billing data found room"),
    bit("no_communication", "M", "a read failed"),
    bit("serial_mismatch", "M", "M-Bus: another serial number than before"),
    bit("switchover_done", "M", "of MEP firmware"),
    bit("switchover_failed", "M"),
    filler(8),
    size=2,
)

ET14 = Table(
    "ET14",
    "MEP/M-Bus device status",
    read=READ,
    write=None,
    source=stored("MEP port"),
    doc="What is attached, and how it answers. Alarms stay set until EP18 clears them.",
    fields=(
        cited(
            "MEP p.84",
            bits("mode", bit("discovery", "M", "1: M-Bus auto-discovery"), filler(7)),
            octets("reserved_1", 4, "M", "reserved"),
            bits(
                "occupancy",
                bit("mbus_1", "M", "1: the slot is occupied"),
                bit("mbus_2", "M"),
                bit("mbus_3", "M"),
                bit("mbus_4", "M"),
                bit("mep", "M"),
                filler(3),
            ),
        ),
        array(
            "devices",
            ET11_DEVICES,
            (
                cited("MEP p.84-85", uint16("handle", "M", "0: none")),
                cited(
                    "MEP p.85",
                    uint8("status", "M", "0 empty, 1 M-Bus up, 2 down, 3 MEP up, 4 down"),
                ),
                cited(
                    "MEP p.85-86",
                    uint8("baud_rate", "M", _BAUD),
                ),
                cited(
                    "MEP p.86",
                    uint16("billing_length", "M", "octets of the latest read in ET16"),
                    uint32("attempts", "M", "requests of any kind"),
                    uint32("answers", "M", "of them those answered"),
                ),
                cited("MEP p.87-88", _ALARMS),
                cited("MEP p.88", uint8("primary_address", "M", "of an M-Bus device")),
                cited(
                    "MEP p.89",
                    octets("reserved_23", 6, "M", "reserved"),
                    uint8("device_alarms", "M", "of its status, until EP18"),
                    ltime("status_read", "M", "local time of the last that succeeded"),
                    ltime("last_attempt", "M", "local time of the last billing read tried"),
                ),
            ),
            by="ET11.0",
        ),
    ),
)


def _locator(name, what):
    """Where in a time stamp a value lies."""
    return bits(
        name,
        bit("first_bit", "H", f"of the {what}, counted from 1", width=5),
        bit("bits", "H", "0: by the size of the time stamp", width=3),
    )


ET34 = Table(
    "ET34",
    "Additional M-Bus/MEP device configuration",
    read=READ,
    write=PROVISION,
    source=stored("MEP port"),
    doc="Groups, and how devices are read for the load profile. MDT: an M-Bus/MEP data type of "
    "ET57, 0 none.",
    fields=(
        array(
            "devices",
            ET11_DEVICES,
            (
                cited(
                    "MEP p.106",
                    reserved(2),
                    uint8("group_mask", "H", "M-Bus: the groups it hears multicasts of"),
                    reserved(1),
                    uint16("poll_rate", "H", "0: by the interval", unit="min", default=60),
                    uint8("control_mdt", "H", "its value goes to ET58"),
                    uint8("command_mdt", "H", "command to watch"),
                ),
                cited(
                    "MEP p.107",
                    uint8("time_stamp_mdt", "H"),
                    _locator("hour", "hours"),
                    _locator("minute", "minutes"),
                    uint8("poll_wait", "H", "after an interval's end", unit="s"),
                    uint8("poll_retries", "H"),
                    uint8("poll_retry_wait", "H", unit="s"),
                    reserved(ET11_CONFIGURATION_2_SIZE - _CONFIGURATION_2_USED),
                ),
            ),
            by="ET11.0",
        ),
    ),
)

ET50 = Table(
    "ET50",
    "MEP inbound data space",
    read=READ,
    write=READ,
    source=stored("MEP port"),
    doc="What the MEP client says of itself and gives for the load profile.",
    departs="The guide marks the fields M, for they are the MEP client's; on this page a client "
    "is a host, so they are H/M.",
    fields=(
        array(
            "mep",
            ET11_CHANNELS,
            (
                cited(
                    "MEP p.124",
                    octets("identification", 30, "H/M", "manufacturer, class, program, unique id"),
                ),
                cited(
                    "MEP p.124-125",
                    bits(
                        "flags",
                        bit("registered", "H/M", "a client is there; EP17 clears it"),
                        bit("et59_response", "H/M", "procedures answer in ET59, else in BT08"),
                        bit("mbus_alerts", "H/M", "alerts of M-Bus changes are wanted"),
                        bit("delta_alerts", "H/M", "alerts of ET71 are wanted"),
                        filler(4),
                    ),
                ),
                cited(
                    "MEP p.125-126",
                    array(
                        "icons",
                        ET11_MEP_SOURCES,
                        uint16("icon", "H/M", "bits: euro, dollar, date, time, units, minus"),
                        by="ET11.22",
                    ),
                ),
                cited(
                    "MEP p.126",
                    array(
                        "data",
                        ET11_MEP_SOURCES,
                        ni1("value", "H/M", "for the load profile and the display"),
                        by="ET11.22",
                    ),
                    bits(
                        "icon_display",
                        bit("house", "H/M", "0 off, 1 on, 2 flash", width=4),
                        bit("short_bar", "H/M", "reserved", width=4),
                        bit("medium_bar", "H/M", "reserved", width=4),
                        bit("long_bar", "H/M", "reserved", width=4),
                        size=2,
                    ),
                    octets("reserved_33", 2, "M", "reserved"),
                ),
            ),
            by="ET11.34",
        ),
    ),
)

ET51 = Table(
    "ET51",
    "MEP device configuration",
    read=READ,
    write=READ,
    source=stored("MEP port"),
    doc="How the MEP port is looked after, and the time that on-demand requests have.",
    fields=(
        array(
            "mep",
            ET11_CHANNELS,
            (
                cited(
                    "MEP p.128",
                    bits(
                        "flags",
                        bit("optical_timer", "H", "an optical session is limited", default=1),
                        bit("monitor_health", "H", "of the MEP client"),
                        bit("reset_when_down", "H"),
                        bit("reset_now", "H", "clears itself"),
                        bit("unused", "H", width=3),
                        bit("disable", "H", "no MEP at all"),
                    ),
                ),
                cited(
                    "MEP p.129",
                    uint16("health_timeout", "H", "then the client is down", unit="s", default=60),
                    uint8(
                        "request_timeout",
                        "H",
                        "of entries of ET15 and ET20: then no response",
                        unit="s",
                        default=30,
                    ),
                    uint16("optical_timeout", "H", "of a session", unit="s", default=600),
                    uint16("optical_hold_off", "H", "after that", unit="s", default=300),
                    uint8("reset_time", "H", "of a client that is down", unit="s", default=1),
                ),
                cited(
                    "MEP p.130",
                    bits("han", bit("deactivate", "H", "the home area network"), filler(7)),
                ),
            ),
            by="ET11.34",
        ),
    ),
)

ET57 = Table(
    "ET57",
    "M-Bus data types",
    read=READ,
    write=PROVISION,
    source=stored("MEP port"),
    doc="Which data record header (DRH) of M-Bus, or which octets of MEP data, each data type is.",
    fields=(
        array(
            "types",
            ET11_MBUS_TYPES,
            cited(
                "MEP p.164",
                bits(
                    "entry",
                    bit("kind", "H", "0 empty, 1 M-Bus, 2 MEP, 3 more of the one before", width=2),
                    bit("mdt", "H", "the data type", width=5),
                    bit("special", "H", "goes before others of its type"),
                ),
                octets("drh", 3, "H", "MEP: offset, length, first octet to compare"),
            ),
            by="ET11.25",
        ),
    ),
)

ET58 = Table(
    "ET58",
    "M-Bus/MEP status extension",
    read=READ,
    write=None,
    source=fixed(),
    doc="The latest control status of each device, as ET34 asks for it.",
    departs="Nothing is attached yet, so all of it is 0.",
    fields=(
        array(
            "devices",
            ET11_DEVICES,
            cited("MEP p.165", uint8("control_status", "M"), reserved(19)),
            by="ET11.0",
        ),
    ),
)

TABLES = (ET13, ET14, ET34, ET50, ET51, ET57, ET58)
PROCEDURES = ()
