"""What a transceiver says about itself: network management addressed to the chip, not to the line
(NI command 22).

request   hdr1 (service << 5, 70 = request) | hdr2 | length | address 11 x 00 | APDU
answer    hdr1 | hdr2 with bit 0 | length | address | APDU
"""

HEADER = 14  # octets before the APDU
REQUEST_SERVICE = 0x60  # bits 6-5 of hdr1
READ_MEMORY, QUERY_STATUS, CLEAR_STATUS, QUERY_TRANSCEIVER = 0x6D, 0x51, 0x53, 0x54
READ_ONLY_AREA, CONFIGURATION, STATISTICS = 1, 2, 3  # modes of READ_MEMORY

# Transceiver id 222, NES A-band: clock, type, preamble, packet cycle, beta2 control, inter-packet
# paddings, priorities, registers
COMM_PARAMETERS = bytes.fromhex("045B003B965A4A00000E010012000100")
PROGRAM_ID = b"OSGPLINE"
MODEL = 0x1E
FIRMWARE_VERSION = 1
RESET_BY_POWER, RESET_BY_SOFTWARE = 0x01, 0x14
UNCONFIGURED = 2


class LocalNode:
    """The node that the chip would be without a host: an id, a few counters, the registers of its
    transceiver.
    """

    def __init__(self, node_id: bytes) -> None:
        if len(node_id) != 6:
            raise ValueError(f"a node id has 6 octets, not {len(node_id)}")
        self.node_id = node_id
        self.transmission_errors = 0
        self.missed = 0
        self._reset_cause = RESET_BY_POWER
        self._registers = bytearray.fromhex("040004FFFF0000")

    def heard(self, status: int, levels: int) -> None:
        """The last frame's signal, which QUERY_TRANSCEIVER tells."""
        self._registers[2:5] = bytes((status, levels, levels))

    def was_reset(self) -> None:
        self._reset_cause = RESET_BY_SOFTWARE

    def answer(self, message: bytes) -> bytes | None:
        """The answer to a local message; None when it is too short or not a request."""
        if len(message) <= HEADER or message[0] & REQUEST_SERVICE != REQUEST_SERVICE:
            return None
        apdu = message[HEADER : HEADER + message[2]]
        if not apdu:
            return None
        answer = self._apdu(apdu[0], apdu[1:])
        return bytes((message[0], message[1] | 1, len(answer))) + bytes(11) + answer

    def _apdu(self, code: int, data: bytes) -> bytes:
        """Success is 2x (management) or 3x (diagnostics), failure 0x or 1x."""
        answer = None
        if code == READ_MEMORY:
            answer = self._read_memory(data)
        elif code == QUERY_STATUS and not data:
            answer = self._status()
        elif code == CLEAR_STATUS and not data:
            self.transmission_errors = self.missed = self._reset_cause = 0
            answer = b""
        elif code == QUERY_TRANSCEIVER and not data:
            answer = bytes(self._registers)
        diagnostic = code & 0xF0 == 0x50
        low = code & (0x0F if diagnostic else 0x1F)
        if answer is None:
            return bytes(((0x10 if diagnostic else 0x00) | low,))
        return bytes(((0x30 if diagnostic else 0x20) | low,)) + answer

    def _status(self) -> bytes:
        """Five counters of 2 octets, reset cause, state, firmware version, error log, model."""
        counters = (self.transmission_errors, 0, 0, 0, self.missed)
        head = b"".join((count & 0xFFFF).to_bytes(2, "big") for count in counters)
        return head + bytes((self._reset_cause, UNCONFIGURED, FIRMWARE_VERSION, 0, MODEL))

    def _read_memory(self, data: bytes) -> bytes | None:
        if len(data) != 4:
            return None
        area = {
            READ_ONLY_AREA: self.node_id + bytes((MODEL,)) + bytes(6) + PROGRAM_ID,
            CONFIGURATION: bytes(8) + COMM_PARAMETERS,
            STATISTICS: self._status()[:10],
        }.get(data[0], b"")
        start, count = int.from_bytes(data[1:3], "big"), data[3]
        return area[start : start + count] if start + count <= len(area) else None
