"""Rare: network management that configures, on a board that opens it (`open_nm`, profile 17;
`network_management.py`; `lon.md` 3).

All is in the member's record, and answered when that is safe. A domain entry goes in and out as

    id 6 | subnet | 80 + node | 80 invalid, bits 4-3 kind of authentication, 2-0 length | key 6

and the key goes in only: asked for, it is zeros.
"""

from micropython import const

from osgp.lon.npdu import GROUP
from osgp.membership import ADDRESSES, CHANNEL, CONFIG, KEYS, UNCONFIGURED

_UPDATE_DOMAIN = const(0x63)
_LEAVE_DOMAIN = const(0x64)
_UPDATE_KEY = const(0x65)
_UPDATE_ADDRESS = const(0x66)
_QUERY_ADDRESS = const(0x67)
_UPDATE_GROUP = const(0x69)
_QUERY_DOMAIN = const(0x6A)
_SET_NODE_MODE = const(0x6C)
_READ_MEMORY = const(0x6D)
_WRITE_MEMORY = const(0x6E)
_EXPANDED = const(0x60)
# of _EXPANDED
_UPDATE_DOMAIN_ONLY = const(0x07)  # not its key
_QUERY_DOMAIN_ONLY = const(0x08)
_UPDATE_OMA_KEY = const(0x0A)

_OFFLINE = const(0)  # node modes
_ONLINE = const(1)
_RESET = const(2)
_SET_STATE = const(3)
_PHYSICAL_RESET = const(6)

_ENTRY = const(5)  # octets of an address table entry
_ADDRESS_ENTRIES = const(15)
_KEY = const(6)
_DOMAIN = const(9)  # octets of a domain entry in the record, and here without its key
_INVALID = const(0x80)
_CONFIGURATION = const(2)  # memory mode
_RESTARTS = const(0x08)  # in the form of a write to memory
# The parameters of transceiver id 222, NES A-band: they are the chip's, and cannot be written.
_COMM_PARAMETERS = b"\x04\x5b\x00\x3b\x96\x5a\x4a\x00\x00\x0e\x01\x00\x12\x00\x01\x00"
_PLACE = const(8)  # octets before them, channel and location; after them the configuration
_AREA = const(25)


def run(management, buf, a, end, out) -> int:
    """Answer buf[a:end] in out[1:]; the end, 0 for no answer, -1 for failure."""
    try:
        return _Configuration(management).handle(buf[a:end], out)
    except OSError:  # flash fails: nothing has changed
        return -1


class _Configuration:
    """One request, a copy: its code or codes, and then what belongs to them."""

    def __init__(self, management):
        self.management = management
        self.member = management.member
        self.draft = management.member.draft()

    def handle(self, request, out) -> int:
        code = request[0]
        if code == _SET_NODE_MODE:
            return self._set_node_mode(request)
        if code == _LEAVE_DOMAIN:
            return self._leave_domain(request)
        if code == _WRITE_MEMORY:
            return self._write_memory(request)
        answer = self._query(code, request)
        if answer is not None:
            if not answer:
                return -1
            out[1 : 1 + len(answer)] = answer
            return 1 + len(answer)
        if code == _EXPANDED:
            return self._expanded(request)
        return self._keep(self._update(code, request), 1)

    def _keep(self, good, n) -> int:
        if not good:
            return -1
        self.member.commit(self.draft)
        return n

    # ---- what is asked for

    def _query(self, code, request):
        """The answer's body, empty for a failure; None: nothing is asked for."""
        if code == _QUERY_ADDRESS:
            return self._address(request)
        if code == _QUERY_DOMAIN:
            domain = self._domain(request[1:])
            return domain + bytes(_KEY) if domain else b""
        if code == _READ_MEMORY:
            return self._memory(request)
        if code == _EXPANDED and request[1] == _QUERY_DOMAIN_ONLY:
            domain = self._domain(request[2:])
            return request[1:2] + domain if domain else b""
        return None

    def _address(self, request):
        if len(request) != 2 or request[1] >= _ADDRESS_ENTRIES:
            return b""
        at = ADDRESSES + _ENTRY * request[1]
        return self.draft[at : at + _ENTRY]

    def _domain(self, index):
        """`index` in one octet: the entry without its key."""
        if len(index) != 1 or index[0] > 1:
            return b""
        entry = self.member.domains[index[0]]
        flags = self.draft[2 + _DOMAIN * index[0]] & 0x1F if entry.used else _INVALID
        return bytes(entry.id) + bytes((entry.subnet, 0x80 | entry.node, flags))

    def _memory(self, request):
        """read memory: mode, offset 2, count"""
        offset = request[2] << 8 | request[3]
        count = request[4]
        place = self.draft[CHANNEL : CHANNEL + _PLACE]
        area = place + _COMM_PARAMETERS + self.draft[CONFIG : CONFIG + 1]
        return area[offset : offset + count] if offset + count <= _AREA else b""

    # ---- what changes

    def _update(self, code, request) -> bool:
        """Change the draft as asked; False: that cannot be."""
        n = len(request)
        if code == _UPDATE_GROUP:
            return n == 6 and self._update_group(request)
        index = request[1] if n > 1 else 0xFF
        if code == _UPDATE_ADDRESS:
            if n != 2 + _ENTRY or index >= _ADDRESS_ENTRIES:
                return False
            self.member.set_address(self.draft, index, request[2:])
            return True
        if n == 2 + _DOMAIN + _KEY and code == _UPDATE_DOMAIN and self._set_domain(request[1:]):
            self._set_keys(_KEY * index, request[2 + _DOMAIN :], False)
            return True
        if code != _UPDATE_KEY or n != 2 + _KEY or index > 1:
            return False
        self._set_keys(_KEY * index, request[2:], True)
        return True

    def _expanded(self, request) -> int:
        """Both answers repeat the sub-code."""
        sub = request[1]
        good = False
        if sub == _UPDATE_DOMAIN_ONLY:
            good = len(request) == 3 + _DOMAIN and self._set_domain(request[2:])
        elif sub == _UPDATE_OMA_KEY and len(request) == 3 + 2 * _KEY and request[2] <= 1:
            self._set_keys(0, request[3:], request[2] == 1)
            good = True
        return self._keep(good, 2)

    def _set_domain(self, data) -> bool:
        """data: index, entry. Entry 1 too, the discovery domain."""
        flags = data[9]
        if data[0] > 1 or flags & 0xF0 or flags & 7 not in (0, 1, 3, 6):
            return False
        self.member.set_domain(self.draft, data[0], flags, data[1:7], data[7], data[8] & 0x7F)
        return True

    def _set_keys(self, at, octets, add: bool):
        """Put octets into the domains' keys, or add them, each to its own."""
        at += KEYS
        for octet in octets:
            self.draft[at] = (self.draft[at] + octet if add else octet) & 0xFF
            at += 1

    def _update_group(self, request) -> bool:
        """The size and the timers of the group that the request was sent to."""
        npdu = self.management.transport.npdu
        if npdu.format != GROUP or not request[1] & 0x80:
            return False
        draft = self.draft
        for at in range(ADDRESSES, CONFIG, _ENTRY):
            known = draft[at] & 0x80 and draft[at + 4] == npdu.destination
            if known and draft[at + 1] >> 7 == npdu.domain:
                draft[at] = request[1]
                draft[at + 2 : at + 4] = request[3:5]
        return True

    def _leave_domain(self, request) -> int:
        """The discovery domain cannot be left, so none that counts is left: unconfigured. What
        came on the domain is not answered."""
        if len(request) != 2 or request[1] != 0 or not self.member.domains[0].used:
            return -1
        silent = self.management.transport.npdu.domain == 0
        self.draft[2 : 2 + _DOMAIN] = bytes(_DOMAIN)
        self.draft[KEYS : KEYS + _KEY] = bytes(_KEY)
        self.draft[0] = UNCONFIGURED
        self.member.commit(self.draft)
        self.management.restart_asked = True
        return 0 if silent else 1

    def _set_node_mode(self, request) -> int:
        n = len(request)
        mode = request[1] if n > 1 else 0xFF
        if n == 3 and mode == _SET_STATE and request[2] in (2, 3, 4, 6):
            self.draft[0] = request[2]
            self.member.commit(self.draft)
            self.management.online = False  # soft offline, until told to be online
            return 1
        if n != 2:
            return -1
        if mode in (_OFFLINE, _ONLINE):
            self.management.online = mode == _ONLINE
        elif mode in (_RESET, _PHYSICAL_RESET):
            self.management.restart_asked = True
        else:
            return -1
        return 0

    def _write_memory(self, request) -> int:
        """mode, offset 2, count, form (checksums to make anew: we have none; restart), data"""
        if len(request) < 7 or len(request) != 6 + request[4] or request[1] != _CONFIGURATION:
            return -1
        offset = request[2] << 8 | request[3]
        count = request[4]
        if request[5] not in (0, 1, 4, 8, 9, 12):
            return -1
        if offset + count <= _PLACE:
            at = CHANNEL + offset
        elif offset == _AREA - 1 and count == 1:
            at = CONFIG
        else:
            return -1
        self.draft[at : at + count] = request[6:]
        self.member.commit(self.draft)
        if request[5] & _RESTARTS:
            self.management.restart_asked = True
        return 1
