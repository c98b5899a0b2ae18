"""Rare: the answers to network management and diagnostics (`management.py`; `lon.md` 3)."""

from micropython import const

from osgp.kernels import copy, equal, fill
from osgp.lon.management import PROGRAM_ID, QUERY_STATUS_FLEX, RESET_CLEARED
from osgp.membership import UNCONFIGURED

_QUERY_ID = const(0x61)
_RESPOND_TO_QUERY = const(0x62)
_UPDATE_DOMAIN = const(0x63)
_UPDATE_ADDRESS = const(0x66)
_SET_NODE_MODE = const(0x6C)
_READ_MEMORY = const(0x6D)
_WINK = const(0x70)
_EXPANDED = const(0x60)
_QUERY_STATUS = const(0x51)
_CLEAR_STATUS = const(0x53)

_OFFLINE = const(0)
_ONLINE = const(1)
_RESET = const(2)
_SET_STATE = const(3)
_PHYSICAL_RESET = const(6)

_AREA = const(21)  # the read-only area as others may read it: id, model, program id
_PROGRAM_ID_AT = const(13)
_READ_ONLY = const(1)  # memory modes
_STATISTICS = const(3)
_ADDRESSES = const(15)


def run(management, buf, a, end, out):
    """`Management.handle`."""
    return _Answers(management).handle(buf, a, end, out)


class _Answers:
    """One answer of a node."""

    def __init__(self, management):
        self.management = management
        self.member = management.member
        self.transport = management.transport
        self.mip = management.mip

    def handle(self, buf, a: int, end: int, out) -> int:
        """Answer the request buf[a:end] in out[0:]; return the answer's length, 0 for none."""
        code = buf[a]
        n = -1
        if code == _QUERY_ID:
            n = self._query_id(buf, a + 1, end, out)
        elif code == _RESPOND_TO_QUERY:
            n = self._respond_to_query(buf, a + 1, end)
        elif code in (_QUERY_STATUS, QUERY_STATUS_FLEX):
            n = self._status(out) if end - a == 1 else -1
        elif code == _CLEAR_STATUS:
            n = self._clear_status() if end - a == 1 else -1
        elif code == _READ_MEMORY:
            n = self._read_memory(buf, a + 1, end, out)
        elif code == _WINK:
            self.management.winks += 1
            return 0
        elif code == _EXPANDED:
            return self._expanded(buf, a + 1, end, out)
        elif code in (_UPDATE_DOMAIN, _UPDATE_ADDRESS, _SET_NODE_MODE) and self.management.open_nm:
            try:
                n = self._configure(code, buf, a + 1, end)
            except OSError:  # flash fails: nothing has changed
                n = -1
        if n == 0:
            return 0
        return self._close(code, n, out)

    def _close(self, code, n, out) -> int:
        """Put the answer's code; n: its length, or -1 for failure."""
        if code < 0x60:
            out[0] = (0x10 if n < 0 else 0x30) | code & 0x0F
        else:
            out[0] = (0x00 if n < 0 else 0x20) | code & 0x1F
        return 1 if n < 0 else n

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
        copy(out, 1, self.mip.uid, 0, 6)
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
        copy(area, 0, self.mip.uid, 0, 6)
        copy(area, _PROGRAM_ID_AT, PROGRAM_ID, 0, 8)
        return area

    def _respond_to_query(self, buf, a, end) -> int:
        if end - a != 1 or buf[a] > 1:
            return -1
        self.management.selected = buf[a] == 1
        return 1

    def _counters(self, out, o):
        """Five counters of 16 bits: transmission errors, timeouts of our own (we ask nobody),
        receive transactions full, lost messages, missed messages."""
        transport = self.transport
        fill(out, o, o + 10, 0)
        self._u16(out, o, transport.npdu.crc_errors + self.mip.crc_errors)
        self._u16(out, o + 4, transport.lost)
        self._u16(out, o + 6, transport.unsupported)
        self._u16(out, o + 8, self.mip.checksum_errors + self.mip.overruns)

    @staticmethod
    def _u16(out, o, value):
        value = min(value, 0xFFFF)
        out[o] = value >> 8
        out[o + 1] = value & 0xFF

    def _status(self, out) -> int:
        self._counters(out, 1)
        out[11] = self.management.reset_cause
        out[12] = self.management.node_state()
        out[13] = 1  # version number of this firmware's status
        out[14] = 0  # error log: nothing that 14908 has a number for
        out[15] = 0  # model: not a Neuron
        return 16

    def _clear_status(self) -> int:
        transport = self.transport
        transport.npdu.crc_errors = transport.lost = transport.unsupported = 0
        self.mip.crc_errors = self.mip.checksum_errors = self.mip.overruns = 0
        self.management.reset_cause = RESET_CLEARED
        return 1

    def _read_memory(self, buf, a, end, out) -> int:
        if end - a != 4:
            return -1
        offset = buf[a + 1] << 8 | buf[a + 2]
        count = buf[a + 3]
        if buf[a] == _READ_ONLY:
            area = self._read_only()
        elif buf[a] == _STATISTICS:
            area = bytearray(10)
            self._counters(area, 0)
        else:
            return -1
        if not count or offset + count > len(area):
            return -1
        copy(out, 1, area, offset, offset + count)
        return 1 + count

    @staticmethod
    def _expanded(buf, a, end, out) -> int:
        """60 01: version 2; none of the optional capabilities. Both answers repeat the
        sub-code."""
        out[0] = 0x00
        if end == a:
            return 1
        out[1] = buf[a]
        if end - a != 1 or buf[a] != 1:
            return 2
        out[0] = 0x20
        out[2] = 2
        out[3] = out[4] = 0
        return 5

    # ---- what configures: with open_nm only

    def _configure(self, code, buf, a, end) -> int:
        if code == _SET_NODE_MODE:
            return self._set_node_mode(buf, a, end)
        draft = self.member.draft()
        if code == _UPDATE_DOMAIN:
            if (
                end - a != 16
                or buf[a] != 0
                or buf[a + 9] & 0x80
                or buf[a + 9] & 7 not in (0, 1, 3, 6)
            ):
                return -1  # entry 1 is the discovery domain and stays
            self.member.set_domain(
                draft, 0, buf[a + 9] & 7, buf[a + 1 : a + 7], buf[a + 7], buf[a + 8] & 0x7F
            )
        else:
            if end - a != 6 or buf[a] >= _ADDRESSES:
                return -1
            self.member.set_address(draft, buf[a], buf[a + 1 : a + 6])
        self.member.commit(draft)
        return 1

    def _set_node_mode(self, buf, a, end) -> int:
        if end - a == 2 and buf[a] == _SET_STATE and buf[a + 1] in (2, 3, 4, 6):
            draft = self.member.draft()
            draft[0] = buf[a + 1]
            self.member.commit(draft)
            self.management.online = False  # soft offline, until told to be online
            return 1
        if end - a != 1:
            return -1
        if buf[a] in (_OFFLINE, _ONLINE):
            self.management.online = buf[a] == _ONLINE
        elif buf[a] in (_RESET, _PHYSICAL_RESET):
            self.management.reset()
        else:
            return -1
        return 0
