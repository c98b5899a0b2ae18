"""A line in memory and a small device on it: the other side of the concentrator's stack.

Written apart from the firmware, so that each is measured by something else than itself.
"""

import asyncio
import hashlib

from osgp.security.ccm import open_, seal
from osgp.security.digest import oma_digest
from osgp.security.keys import base_key
from osgp_tools import lpdu
from osgp_tools.membership import aes, commissioning_key, desk_key

DISCOVERY = b"OSGP\0\0"
PROGRAM = bytes.fromhex("9FFFFF4F53475001")
OFFLINE_ANSWER = b"\x3f"


class FakeLine:
    """Delivers each frame to everybody, at once.

    `faults(frame, down)` is asked for each and returns what arrives: nothing, the frame, or more.
    """

    def __init__(self):
        self.heard = []
        self.devices = []
        self.down = []  # frames sent by the concentrator, decoded
        self.faults = lambda frame, down: [frame]

    async def send(self, octets: bytes) -> None:
        frame = lpdu.decode(octets)
        self.down.append(frame)
        for copy in self.faults(frame, True):
            for device in self.devices:
                asyncio.get_running_loop().call_soon(self._deliver, device, copy)

    def _deliver(self, device, frame):
        answer = device.hear(frame)
        if answer:
            self.say(answer)

    def say(self, frame):
        for copy in self.faults(frame, False):
            for listener in self.heard:
                asyncio.get_running_loop().call_soon(listener, copy.encode())


def rc4(key: bytes, *texts: bytes) -> list[bytes]:
    """RC4 by the book over several texts, one after the other."""
    s = list(range(256))
    j = 0
    for i in range(256):
        j = (j + s[i] + key[i % len(key)]) % 256
        s[i], s[j] = s[j], s[i]
    i = j = 0
    out = []
    for text in texts:
        piece = bytearray()
        for octet in text:
            i = (i + 1) % 256
            j = (j + s[i]) % 256
            s[i], s[j] = s[j], s[i]
            piece.append(octet ^ s[(s[i] + s[j]) % 256])
        out.append(bytes(piece))
    return out


class FakeDevice:
    """A device with tables of octets. What it did is in `executed`; it serves one concentrator."""

    def __init__(self, number: int, tables: dict[int, bytes] | None = None):
        self.unique_id = bytes((4, 0, 0, 0, 0, number))
        self.tables = {table: bytearray(body) for table, body in (tables or {}).items()}
        self.installation_key = desk_key(self.unique_id)
        self.selected = False
        self.offline = False
        self.domain = b""
        self.subnet = self.node = 0
        self.key = b""
        self.expected = 0
        self.nd = b""
        self.executed: list[bytes] = []
        self.records: dict = {}  # by domain and address form: the last transaction and its answer
        self.bp10 = None  # function(parameters) -> (result, data)
        self.codes: dict[int, int] = {}  # table: response code to refuse it with

    def join(self, subnet: int, node: int, key: bytes, sequence: int, domain=b"OSG"):
        self.domain, self.subnet, self.node = domain, subnet, node
        self.key, self.expected = key, sequence

    # ---- transport

    def hear(self, frame: lpdu.Frame) -> lpdu.Frame | None:
        if frame.pdu != lpdu.SPDU or frame.kind != lpdu.REQUEST or not self._for_us(frame):
            return None
        record = (frame.domain, frame.address, frame.source)
        known = self.records.get(record)
        if known and known[0] == (frame.tid, frame.body):
            answer = known[1]
        else:
            answer = self.dispatch(frame.body)
            self.records[record] = ((frame.tid, frame.body), answer)
        if not answer:
            return None
        own = (self.subnet, self.node) if frame.domain == self.domain and self.domain else (0, 0)
        return lpdu.Frame(
            address=lpdu.SUBNET_NODE,
            source=own,
            destination=frame.source,
            domain=frame.domain,
            kind=lpdu.RESPONSE,
            tid=frame.tid,
            body=answer,
            alt_path=frame.alt_path,
        )

    def _for_us(self, frame: lpdu.Frame) -> bool:
        if frame.address == lpdu.UNIQUE_ID:
            return frame.unique_id == self.unique_id
        if frame.address == lpdu.BROADCAST:
            return frame.domain in (DISCOVERY, self.domain)
        here = (frame.domain, frame.destination) == (self.domain, (self.subnet, self.node))
        return here and frame.address == lpdu.SUBNET_NODE

    # ---- application

    def dispatch(self, apdu: bytes) -> bytes:
        if apdu == b"\x61\x01":
            return b"\x21" + self.unique_id + PROGRAM if self.selected else b""
        if apdu[0] == 0x62:
            self.selected = apdu[1] == 1
            return b"\x22"
        if apdu[0] == 0x47:
            self.nd = hashlib.sha256(apdu).digest()[:8]
            return apdu[:2] + self.nd
        if apdu[0] == 0x46:
            return self.commission(apdu)
        if apdu[0] == 0x00:
            return OFFLINE_ANSWER if self.offline else self.secured(apdu)
        return b""

    def commission(self, apdu: bytes) -> bytes:
        nc, sealed = apdu[2:10], apdu[10:]
        kf = aes(commissioning_key(self.installation_key, self.unique_id, nc, self.nd))
        bound = b"\x46\x01" + self.unique_id + nc
        text = open_(kf, bytes(13), bound, sealed, 8)
        if text is None:
            return b""
        result = int(text[10:22] == self.key)
        if not result:
            domain = text[2 : 2 + text[1]]
            self.join(text[8], text[9], text[10:22], int.from_bytes(text[42:46], "big"), domain)
        return b"\x46\x01" + seal(kf, b"\x01" + bytes(12), bound, bytes((result,)), 8)

    def secured(self, apdu: bytes) -> bytes:
        tag = apdu[-8:]
        base = base_key(self.key)
        rc4_key = bytes(a ^ b for a, b in zip(base[:8], tag)) + base[8:]
        text = rc4(rc4_key, apdu[1:-8])[0]
        digested = bytes((self.subnet, self.node, 0)) + text
        if oma_digest(self.key, digested) != tag:
            return b"\x00\x0b"
        number = int.from_bytes(text[-4:], "big")
        if not self.expected <= number <= self.expected + 7:
            clear = b"\x00\x0c" + self.expected.to_bytes(4, "big")
            return clear + oma_digest(self.key, digested + clear)
        self.expected = number + 1
        answer = b"\x00" + self.serve(text[:-4])
        return (
            b"\x00"
            + rc4(rc4_key, apdu[1:-8], answer[1:])[1]
            + oma_digest(self.key, digested + answer)
        )

    def serve(self, command: bytes) -> bytes:
        self.executed.append(command)
        table = int.from_bytes(command[1:3], "big")
        if table in self.codes:
            return bytes((self.codes[table],))
        if table not in self.tables:
            return b"\x05"
        body = self.tables[table]
        if command[0] == 0x30:
            return b"\0" + len(body).to_bytes(2, "big") + body
        if command[0] == 0x3F:
            offset, count = (
                int.from_bytes(command[3:6], "big"),
                int.from_bytes(command[6:8], "big"),
            )
            if count > 84:
                return b"\x04"
            return b"\0" + command[6:8] + body[offset : offset + count].ljust(count, b"\0")
        if table == 7:
            return self.procedure(command[5:])
        offset = int.from_bytes(command[3:6], "big") if command[0] == 0x4F else 0
        data = command[8:] if command[0] == 0x4F else command[5:]
        body[offset : offset + len(data)] = data
        return b"\0"

    def procedure(self, data: bytes) -> bytes:
        if self.tables[8][2] == data[2]:
            return b"\x04"
        result, answer = 6, b""
        if data[:2] == b"\x0a\x00" and self.bp10:
            result, answer = self.bp10(data[3:])
        self.tables[8] = bytearray(data[:3] + bytes((result,)) + answer.ljust(12, b"\0"))
        return b"\0"


class PlainNumbers:
    """Numbers in memory."""

    def __init__(self, first: int = 1):
        self.next = first
        self.psn = 9

    def take(self) -> int:
        self.next += 1
        return self.next - 1

    def raise_to(self, number: int) -> bool:
        if number < self.next:
            return False
        self.next = number
        return True

    def next_procedure(self) -> int:
        self.psn += 1
        return self.psn
