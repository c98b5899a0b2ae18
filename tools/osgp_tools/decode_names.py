"""Names of what stands in frames (`lon.md` 1, 3 and 5, `osgp.md` 1.1, `profile.md` C and 19)."""

PDU = ("TPDU", "SPDU", "AuthPDU", "APDU")
TPDU = {0: "acknowledged", 1: "unacknowledged, repeated", 2: "ack", 4: "reminder", 5: "rem/msg"}
SPDU = {0: "request", 2: "response", 4: "reminder", 5: "rem/msg"}
AUTH_PDU = ("challenge", "challenge (OMA)", "reply", "reply (OMA)")

MANAGEMENT = {
    0x60: "expanded",
    0x61: "query id",
    0x62: "respond to query",
    0x63: "update domain",
    0x64: "leave domain",
    0x65: "update key",
    0x66: "update address",
    0x67: "query address",
    0x68: "query network variable configuration",
    0x69: "update group address",
    0x6A: "query domain",
    0x6B: "update network variable configuration",
    0x6C: "set node mode",
    0x6D: "read memory",
    0x6E: "write memory",
    0x6F: "recalculate checksum",
    0x70: "wink",
    0x71: "memory refresh",
    0x72: "query standard network variable types",
    0x73: "fetch network variable",
    0x7D: "product query",
    0x7F: "service pin",
}
DIAGNOSTIC = {
    0x51: "query status",
    0x52: "proxy",
    0x53: "clear status",
    0x54: "query transceiver",
    0x56: "query status, flexible domain",
    0x57: "query transceiver both ways",
    0x58: "compute phase",
    0x59: "full version",
}
FOREIGN = {
    0x45: "discovery, outbound (ATM)",
    0x46: "commissioning (FCM)",
    0x47: "commissioning challenge (FCM)",
    0x4A: "discovery, inbound (ATM)",
    0x4C: "repeating failed (LTEP)",
    0x4D: "repeating (LTEP)",
    0x4F: "node offline",
}
NODE_MODE = {0: "offline", 1: "online", 2: "reset", 3: "set state", 6: "physical reset"}
NODE_STATE = {
    2: "unconfigured",
    3: "without application",
    4: "configured, online",
    6: "hard offline",
    12: "soft offline",
}
RESET_CAUSE = {
    0x00: "cleared",
    0x01: "power",
    0x02: "external",
    0x0C: "watchdog",
    0x14: "software",
}
MEMORY = ("absolute", "read-only area", "configuration", "statistics")

TABLE_COMMAND = {
    0x30: "full read",
    0x3F: "partial read",
    0x40: "full write",
    0x4F: "partial write",
}
RESPONSE = {
    0x00: "ok",
    0x01: "error",
    0x02: "service not supported",
    0x03: "insufficient security clearance",
    0x04: "operation not possible",
    0x05: "inappropriate action",
    0x06: "busy",
    0x0A: "invalid service sequence state",
    0x0B: "digest error",
    0x0C: "sequence number error",
    0x1E: "incompatible",
    0x1F: "interface change",
}

LTEP_SERVICE = ("acknowledged", "unacknowledged, repeated", "unacknowledged", "request")
LTEP_MODE = ("normal", "zero-cross", "alternate key", "attenuated")
LTEP_TARGET = (  # name, octets of the address
    ("group and size", 2),
    ("subnet and node", 2),
    ("subnet and unique id", 7),
    ("broadcast: subnet and backlog", 2),
    ("group", 1),
    ("node in the source's subnet", 1),
    ("unique id", 6),
    ("node in the own subnet", 1),
)

NI_COMMAND = {
    0x12: "to the line",
    0x13: "to the line, priority",
    0x16: "local response",
    0x1A: "from the line",
    0x1B: "from the line, with phase",
    0x1C: "from the line, with phase and signal",
    0x22: "local network management",
    0x31: "receive CRC error",
    0x40: "phase mode",
    0x41: "phase mode 1",
    0x42: "phase mode 2",
    0x50: "reset",
    0x60: "flush cancel",
    0x70: "online",
    0x80: "offline",
    0x90: "flush",
    0xA0: "flush, ignore",
    0xD0: "layer 5 mode",
    0xD1: "layer 2 mode",
    0xE0: "status",
}


def table_number(number: int) -> str:
    return f"ET{number & 0x7FF:02d}" if number & 0x800 else f"BT{number & 0x7FF:02d}"


def procedure_number(number: int) -> str:
    return f"EP{number & 0x7FF:02d}" if number & 0x800 else f"BP{number & 0x7FF:02d}"
