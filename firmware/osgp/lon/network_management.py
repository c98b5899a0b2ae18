"""Rare: the answers to network management and diagnostics (`management.py`; `lon.md` 3).

Here is what finds and watches a device, and is left open on every one. What is rarer, and what
configures, is in rare modules of its own.
"""

from micropython import const

import rare
from osgp.kernels import copy, equal, fill
from osgp.lon.management import FIRMWARE, MODEL, PROGRAM_ID, RESET_CLEARED
from osgp.membership import CONFIG, UNCONFIGURED

_QUERY_STATUS = const(0x51)
_PROXY = const(0x52)
_CLEAR_STATUS = const(0x53)
_QUERY_STATUS_FLEX = const(0x56)
_EXPANDED = const(0x60)
_QUERY_ID = const(0x61)
_RESPOND_TO_QUERY = const(0x62)
_READ_MEMORY = const(0x6D)
_CHECKSUM = const(0x6F)
_WINK = const(0x70)

_VERSION = const(1)  # sub-code of _EXPANDED
_CAPABILITIES = const(0x0F)  # open media authentication, proxy, phase, signal strength
# What configures: domains, addresses, node mode, memory; sub-codes of _EXPANDED.
_CONFIGURING = b"\x63\x64\x65\x66\x67\x69\x6a\x6c\x6e"
_EXPANDED_CONFIGURING = b"\x07\x08\x0a"
# Never asked for authentication (of _EXPANDED: the version).
_BYPASS = b"\x61\x62\x51\x56\x52\x57\x59"
_NM_AUTH = const(0x08)  # in the configuration
# What `52 sub` asks for, as the request that it stands for: query id of the unconfigured, query
# status, query transceiver.
_PROXIED = (b"\x61\x00", b"\x51", b"\x54")

_AREA = const(21)  # the read-only area as others may read it: id, model, program id
_PROGRAM_ID_AT = const(13)
_READ_ONLY = const(1)  # memory modes
_CONFIGURATION = const(2)
_STATISTICS = const(3)


def run(management, buf, a, end, out, now):
    """`Management.handle`."""
    return _Answers(management, now).handle(buf, a, end, out)


class _Answers:
    """One answer of a node. What makes a body returns its end in `out`, code included; 0: there is
    no answer, -1: failure."""

    def __init__(self, management, now):
        self.management = management
        self.member = management.member
        self.now = now

    def handle(self, buf, a: int, end: int, out) -> int:
        """Answer the request buf[a:end] in out[0:]; return the answer's length, 0 for none."""
        code = buf[a]
        if code == _EXPANDED:
            return self._expanded(buf, a + 1, end, out)
        n = -1
        if code in _BYPASS or self._may_manage():
            n = self._body(buf, a, end, out)
        if code < 0x60:
            out[0] = (0x10 if n < 0 else 0x30) | code & 0x0F
        else:
            out[0] = (0x00 if n < 0 else 0x20) | code & 0x1F
        return 1 if n < 0 else n

    def _may_manage(self) -> bool:
        """Where network management is to be authenticated, was it?"""
        if not self.member.image[CONFIG] & _NM_AUTH:
            return True
        return self.management.transport.current.authentic

    def _body(self, buf, a, end, out) -> int:
        code = buf[a]
        a += 1
        if code == _PROXY:
            return self._proxy(buf, a, end, out)
        if code < 0x60:
            return self._diagnose(buf, a - 1, end, out)
        if code in _CONFIGURING:
            return self._configure(buf, a - 1, end, out)
        if code == _QUERY_ID:
            return self._query_id(buf, a, end, out)
        if code == _RESPOND_TO_QUERY:
            return self._respond_to_query(buf, a, end)
        if code == _READ_MEMORY:
            return self._read_memory(buf, a, end, out)
        if code == _CHECKSUM:  # records have their own checks: there is nothing to do
            return 1 if end - a == 1 and buf[a] in (1, 4) else -1
        if code == _WINK and (end == a or (end - a == 1 and buf[a] == 0)):
            self.management.winks += 1
            return 0
        return -1  # network variables, routers, products

    def _configure(self, buf, a, end, out) -> int:
        """Profile 17: only where the board opens it."""
        if not self.management.open_nm:
            return -1
        return rare.run("osgp.lon.network_configuration", self.management, buf, a, end, out)

    def _query_id(self, buf, a, end, out) -> int:
        if end - a != 1 and (end - a < 5 or end - a != 5 + buf[a + 4]):
            return -1
        if buf[a] > 2:
            return -1
        unconfigured = self.member.state == UNCONFIGURED
        if (buf[a] != 1 and not unconfigured) or (buf[a] != 0 and not self.management.selected):
            return 0
        if end - a > 1 and not self._matches(buf, a + 1, end):
            return 0
        copy(out, 1, self.management.link.uid, 0, 6)
        copy(out, 7, PROGRAM_ID, 0, 8)
        return 15

    def _matches(self, buf, a, end) -> bool:
        """Does the read-only area hold what the memory match mode offset(2) count data asks
        for?"""
        area = self._read_only()
        offset = buf[a + 1] << 8 | buf[a + 2]
        count = buf[a + 3]
        if buf[a] != _READ_ONLY or offset + count > len(area):
            return False
        return equal(area, offset, buf, a + 4, count)

    def _read_only(self):
        area = bytearray(_AREA)
        copy(area, 0, self.management.link.uid, 0, 6)
        copy(area, _PROGRAM_ID_AT, PROGRAM_ID, 0, 8)
        return area

    def _respond_to_query(self, buf, a, end) -> int:
        if end - a != 1 or buf[a] > 1:
            return -1
        self.management.selected = buf[a] == 1
        return 1

    def _read_memory(self, buf, a, end, out) -> int:
        if end - a != 4:
            return -1
        if buf[a] == _CONFIGURATION:
            return self._configure(buf, a - 1, end, out)
        if buf[a] == _READ_ONLY:
            area = self._read_only()
        elif buf[a] == _STATISTICS:
            area = bytearray(10)
            self._counters(area, 0)
        else:
            return -1
        offset = buf[a + 1] << 8 | buf[a + 2]
        count = buf[a + 3]
        if not count or offset + count > len(area):
            return -1
        copy(out, 1, area, offset, offset + count)
        return 1 + count

    def _diagnose(self, buf, a, end, out) -> int:
        code = buf[a]
        if end - a == 1 and code in (_QUERY_STATUS, _QUERY_STATUS_FLEX):
            return self._status(code, out)
        if end - a == 1 and code == _CLEAR_STATUS:
            return self._clear_status()
        return rare.run("osgp.lon.network_diagnostics", self.management, buf, a, end, out)

    def _status(self, code, out) -> int:
        if code == _QUERY_STATUS_FLEX:
            # answered from nobody, always (a group's member answers in another format)
            header = self.management.transport.current.header
            header[2] = 0
            header[3] &= 0x80
        self._counters(out, 1)
        out[11] = self.management.reset_cause
        out[12] = self.management.node_state()
        out[13] = FIRMWARE
        out[14] = 0  # error log: nothing that 14908 has a number for
        out[15] = MODEL
        return 16

    def _counters(self, out, o):
        """Five counters of 16 bits: transmission errors, timeouts of our own transactions, receive
        transactions full, lost messages, missed messages."""
        transport = self.management.transport
        link = self.management.link
        fill(out, o, o + 10, 0)
        self._u16(out, o, transport.npdu.crc_errors + link.crc_errors)
        self._u16(out, o + 2, self.management.outgoing.failures)
        self._u16(out, o + 4, transport.lost)
        self._u16(out, o + 6, transport.unsupported)
        self._u16(out, o + 8, link.checksum_errors + link.overruns)

    @staticmethod
    def _u16(out, o, value):
        value = min(value, 0xFFFF)
        out[o] = value >> 8
        out[o + 1] = value & 0xFF

    def _clear_status(self) -> int:
        transport = self.management.transport
        link = self.management.link
        transport.npdu.crc_errors = transport.lost = transport.unsupported = 0
        self.management.outgoing.failures = 0
        link.crc_errors = link.checksum_errors = link.overruns = 0
        self.management.reset_cause = RESET_CLEARED
        return 1

    def _proxy(self, buf, a, end, out) -> int:
        """52 sub: as if we were asked ourselves. 52 sub address: we ask for somebody."""
        if end == a or buf[a] >= len(_PROXIED):
            return -1
        if end - a > 1:
            return rare.run("osgp.lon.proxy", self.management, buf, a, end, self.now)
        request = _PROXIED[buf[a]]
        return self._body(request, 0, len(request), out)

    def _expanded(self, buf, a, end, out) -> int:
        """Both answers repeat the sub-code. The keys are not given out."""
        out[0] = 0x00
        if end == a:
            return 1
        sub = buf[a]
        n = -1
        if sub == _VERSION:
            if end - a == 1:
                out[2] = 2
                out[3] = 0
                out[4] = _CAPABILITIES
                n = 5
        elif sub in _EXPANDED_CONFIGURING and self._may_manage():
            n = self._configure(buf, a - 1, end, out)
        out[1] = sub
        if n < 0:
            return 2
        out[0] = 0x20
        return n
