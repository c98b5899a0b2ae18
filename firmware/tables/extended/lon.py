"""Extended decade 9: the tables that the guides call LN: ET89 status, ET90 dimensions, ET97
configuration."""

from tables import dimensions as d
from tables.schema import (
    PROFILE,
    PROVISION,
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
    reserved,
    set_,
    stored,
    text,
    uint8,
    uint16,
    uint32,
)

_RELAYS = 2  # the load disconnect and control relay 1; the guides count the same two
_GROUPS_OF_A_RELAY = d.ET11_GROUPS // _RELAYS


def _prior(number):
    """What ET89 keeps of the last MEP client of a channel."""
    return (
        uint16(f"prior_mep_{number}_handle", "M", "of the client removed last"),
        octets(f"prior_mep_{number}_id", 30, "M", "its identification"),
        uint8(f"mep_{number}_requests", "M", "to register again; 255 is followed by 0"),
        uint8(f"mep_{number}_allowed", "M", "new handles that these were given"),
    )


def _mode_time(name, state, no_expiry=0):
    return bits(
        name,
        bit("left", "M", "seconds, at most 72 hours", width=19),
        bit("no_expiry", "M", default=no_expiry),
        bit("state", "M", "0 open, 1 closed, 2 unknown", width=2, default=state),
        filler(10),
        size=4,
    )


_PORTS = (
    cited("MEP p.187", _prior(1), _prior(2), ltime("h1_telegram", "M", "the last one sent")),
    cited(
        "MEP p.187-188",
        bits(
            "status_flags",
            bit("h1_present", "M", "H1 is asked for"),
            bit("plc_disabled", "M"),
            filler(6),
        ),
    ),
    cited(
        "MEP p.188-189",
        array(
            "relays",
            _RELAYS,
            (
                uint8("mode", "M", "0 maintenance, 1 locked, 2 remote, 3 local", default=3),
                _mode_time("maintenance", 2),
                _mode_time("locked", 2),
                _mode_time("remote", 2),
                _mode_time("local", 0, no_expiry=1),
            ),
            by="2",
        ),
    ),
)

_IMAGE = cited(
    "MEP p.189",
    array("image_keys", 2, uint16("key_id", "M", "of a public key"), by="2"),
    bits("key_status", bit("key_0_off", "M"), bit("key_1_off", "M"), filler(6)),
    uint8("validation_error", "M", "0 none, 1 not signed, 2, 3 key, 16-18 signature, 32, 33 key"),
    uint16("validation_key", "M", "of the last image"),
    uint32("image_length", "M", "of the last image", unit="octets"),
    uint8("signature_length", "M", "of the last image"),
    octets("signature", 8, "M", "its first octets"),
    set_("unread_logs", d.ET89_LOG_MASK, "M", "of the LN adjustable logs"),
)

_SECURITY = (
    cited(
        "MEP p.189-190",
        bits(
            "disconnect",
            bit("remote_blocked", "M", "by procedure"),
            bit("automatic_blocked", "M", "and the push button"),
            bit("local_blocked", "M", "by procedure"),
            bit("remote_unblock_blocked", "M"),
            filler(4),
        ),
    ),
    cited(
        "MEP p.190",
        array(
            "pending_events",
            d.ET90_SECURITY_EVENTS,
            (
                uint16("alarm", "M"),
                uint16("argument", "M"),
                uint16("count", "M", "in the present window"),
                uint16("left", "M", "of the window", unit="min"),
            ),
            by="ET90.25",
        ),
        array(
            "tls",
            3,
            (
                bits(
                    "session",
                    bit("state", "M", "0 none, 1, 2 RC4, 3 C12.18, 4 TLS", width=3),
                    bit("handshake", "M", width=5),
                ),
                uint16("error", "M", "the last one"),
                uint16("errors", "M"),
            ),
            by="optical, MEP 1, MEP 2",
        ),
    ),
)

ET89 = Table(
    "ET89",
    "Meter LN status",
    read=READ,
    write=None,
    source=stored("status"),
    doc="The last MEP clients, modes of the relays, the last firmware image, blocks of the "
    "disconnect, state of the ports.",
    departs="The guides leave the size of the mask of unread logs and ET90.25, the number of "
    "pending security events, open: 1 octet and none here.",
    fields=(_PORTS, _IMAGE, _SECURITY),
)

ET90 = Table(
    "ET90",
    "LN dimensions",
    read=READ,
    write=None,
    source=fixed(),
    departs="The guides lay out octets 0 to 19, and in ET89 speak of 25 and 26; what lies "
    "between is reserved here.",
    fields=(
        cited(
            "MEP p.191",
            uint16("ip_address_length", "P", "in ET92-ET96", default=50),
            uint8("urgent_alarm_length", "P", "in ET92", default=20),
            uint8("connection_reason_length", "P", "in ET93", default=2),
            uint8("apn_length", "P", "in ET95", default=64),
            uint8("apn_user_length", "P", "in ET95", default=32),
            uint8("apn_password_length", "P", "in ET95", default=32),
            uint8("sim_pin_length", "P", "in ET94", default=5),
            uint8("manufacturer_length", "P", "in ET95", default=32),
            uint8("model_length", "P", "in ET95", default=32),
            uint8("revision_length", "P", "in ET95", default=32),
            uint8("imei_length", "P", "in ET95", default=32),
            uint8("sim_phone_length", "P", "in ET93 and ET95", default=32),
            uint8("operator_name_length", "P", "in ET95", default=40),
        ),
        cited(
            "MEP p.192",
            uint8("modem_connections", "P", default=2),
            uint8("modem_services", "P", default=10),
            uint8("ftz_messages", "P", "in ET97", default=d.ET90_FTZ_MESSAGES),
            uint16("at_reply_length", "P", "in ET98", default=200),
            uint8("sim_iccid_length", "P", "in ET95", default=23),
        ),
        cited(
            "MEP p.190",
            reserved(5),
            uint8("security_events", "P", "in ET89", default=d.ET90_SECURITY_EVENTS),
            uint8("security_event_size", "P", "in ET89", default=d.ET90_SECURITY_EVENT_SIZE),
        ),
    ),
)


def _comparison(number, clause_mode, clause_mask):
    return (
        cited(
            clause_mode,
            uint8(
                f"mep_{number}_comparison",
                "H",
                "of ids: 0 whole, 1 by mask, 2 always another, 3 always the same",
            ),
        ),
        cited(clause_mask, octets(f"mep_{number}_mask", 30, "H")),
    )


_RELAY = (
    cited(
        "MEP p.194",
        array(
            "groups",
            _GROUPS_OF_A_RELAY,
            uint16("group", "M", "0: free; by EP27"),
            by="5",
        ),
        bits(
            "control",
            bit("mode", "H", "0 standard, 1 load management", width=3),
            bit("explicit_heartbeat", "H", "EP02 alone counts as heartbeat"),
            bit("reserved", "H", width=4),
        ),
        uint16("heartbeat", "H", "in load management; 0: none", unit="min"),
    ),
    cited(
        "MEP p.194-195",
        bits(
            "maintenance",
            bit("entry", "H", "0 by command, 1 terminal cover removed", width=2),
            bit("display", "H", "0 nothing, 1 state, 2 state and button", width=2),
            bit("opens", "H", "the relay on entry"),
            bit("exit", "H", "0 by command, 1 cover and delay, 2 cover and time", width=2),
            bit("reserved", "H"),
        ),
    ),
    cited(
        "MEP p.195",
        uint8("exit_delay", "H", "after the cover is back", unit="s"),
        uint8("exit_hour", "H", "local"),
        uint8("exit_minute", "H"),
    ),
)

ET97 = Table(
    "ET97",
    "Meter LN configuration",
    read=READ,
    write=PROVISION,
    source=stored("configuration"),
    doc="Free text messages, how MEP clients are told apart, modes of the relays, which ports "
    "ask for TLS. The ids of both relays together are the groups of this meter (EP27).",
    departs="The guides call the security log interval UINT16 and place the next field one octet "
    "behind it: it has one octet here, and all printed offsets hold.",
    fields=(
        cited(
            "MEP p.193",
            array("ftz_messages", d.ET90_FTZ_MESSAGES, text("message", 8, "M"), by="ET90.16"),
        ),
        _comparison(1, "MEP p.193", "MEP p.193"),
        _comparison(2, "MEP p.193-194", "MEP p.194"),
        cited(
            "MEP p.194",
            bits(
                "hardware",
                bit("power_boost", "H", "a relay needs the boost line to close"),
                bit("discovery_300", "H", "M-Bus discovery at 300 Bd, too"),
                filler(6),
            ),
        ),
        array("relays", _RELAYS, _RELAY, by="2"),
        cited(
            "MEP p.195",
            uint8("security_log_interval", "H", "window of ET124", unit="min"),
            bits("optical_tls", bit("required", "H"), filler(7)),
            bits("mep_1_tls", bit("required", "H"), filler(7)),
        ),
        cited("MEP p.195-196", bits("mep_2_tls", bit("required", "H"), filler(7))),
    ),
)

PROCEDURES = (
    Procedure(
        "EP27",
        "Add or remove group id",
        family="configuration",
        parameters=(
            uint8("action", "H", "0 remove, 1 add, 2 remove all"),
            uint16("group", "H", "neither 0 nor with an octet FF, which stands for all"),
        ),
        results={2: "no such action or group", 3: "ten groups are there"},
        doc="Changes the ids in ET97. To add one that is there is done at once.",
        clause="profile 32",
        origin=PROFILE,
    ),
)

TABLES = (ET89, ET90, ET97)
