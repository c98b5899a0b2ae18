"""What makes a device a member of a domain: one kept record, replaced as a whole.

    00 node state 1 | security mode 1
    02 domain entries 2 x {flags 1, id 6, subnet 1, node 1}
    20 unicast key 16 | broadcast key 16
    52 generation of the sequence counter 2 | B 4 | D 2 | keyed 1
    61 address table 15 x 5
    136 configuration: receive timer of what is no group's (bits 7-4), network management is to be
        authenticated (bit 3), preemption (bits 2-0)
    137 channel id 2 | location 6 | 14908 keys of the domains 2 x 6

A domain entry's flags are bit 7 used, bits 4-3 kind of authentication, bits 2-0 length. What a
shorter record lacks is as in a new device; what a longer one has more is not looked at. The 14908
keys are of no use to OSGP, whose keys are those above.

Places are decimal, numbers big-endian as in the message that brings them. Beside it, while EP20
has brought a unicast or broadcast key under which no good message has come yet (profile 13):

    00 generation for which it was brought 2 | key 16 | of a broadcast key: B 4
"""

from micropython import const

UNCONFIGURED = const(2)  # node states of 14908-1, as Query Status tells them
CONFIGURED = const(4)
HARD_OFFLINE = const(6)
SOFT_OFFLINE = const(12)

_NAME = "member"
NEXT_KEY = "next key"
NEXT_BROADCAST = "next broadcast"
_NEXT_KEY_SIZE = const(18)
_NEXT_BROADCAST_SIZE = const(22)
_DOMAINS = const(2)
_DOMAIN = const(9)
_KEYED = const(60)
ADDRESSES = const(61)
CONFIG = const(136)
CHANNEL = const(137)  # and location
KEYS = const(145)
_SIZE = const(157)
_FIRST_SIZE = const(136)  # of the first devices' record
_LARGEST = const(256)
_USED = const(0x80)
_RECEIVE_8192_MS = const(0xC0)  # in the configuration (profile 18a)

# the discovery domain (profile 18): id only, always there
DISCOVERY = b"OSGP\x00\x00"


def nobody():
    """Whoever wants to be told of a change puts a function in this one's place."""


class Domain:
    """One entry of the domain table."""

    def __init__(self):
        self.used = False
        self.length = self.subnet = self.node = 0
        self.id = bytearray(6)

    def load(self, image, at: int):
        self.used = bool(image[at] & _USED)
        self.length = image[at] & 7
        self.id[:] = image[at + 1 : at + 7]
        self.subnet = image[at + 7]
        self.node = image[at + 8]


class Membership:
    """The record and what follows from it.

    Change a `draft()`, then `commit` it: whole or not at all.
    """

    def __init__(self, settings):
        self.settings = settings
        self.next_key = None  # the key that EP20 brought, until it is used
        self.next_broadcast = None  # the broadcast key that EP20 brought, and its B
        self.image = bytearray(_SIZE)
        view = memoryview(self.image)
        self.unicast_key = view[20:36]
        self.broadcast_key = view[36:52]
        self.addresses = view[ADDRESSES:CONFIG]  # the address table
        self.domains = (Domain(), Domain())
        self.on_change = nobody  # told after a commit is safe
        draft = bytearray(_SIZE)
        draft[0] = UNCONFIGURED
        draft[2 + _DOMAIN] = _USED | len(DISCOVERY)
        draft[3 + _DOMAIN : 3 + _DOMAIN + 6] = DISCOVERY
        draft[CONFIG] = _RECEIVE_8192_MS
        kept = bytearray(_LARGEST)
        n = settings.load(_NAME, kept)
        if n >= _FIRST_SIZE:
            n = min(n, _SIZE)
            draft[:n] = kept[:n]
        self._adopt(draft)
        offered = bytearray(_NEXT_BROADCAST_SIZE)
        n = settings.load(NEXT_KEY, offered)
        if n >= _NEXT_KEY_SIZE and offered[:2] == draft[52:54] and offered[2:18] != draft[20:36]:
            self.next_key = offered[2:18]
        n = settings.load(NEXT_BROADCAST, offered)
        if (
            n == _NEXT_BROADCAST_SIZE
            and offered[:2] == draft[52:54]
            and offered[2:18] != draft[36:52]
        ):
            self.next_broadcast = offered[2:n]

    def _adopt(self, draft):
        if draft[20:36] != self.unicast_key:
            self.next_key = None
        if draft[36:52] != self.broadcast_key:
            self.next_broadcast = None
        self.image[:] = draft
        for k in range(_DOMAINS):
            self.domains[k].load(draft, 2 + k * _DOMAIN)

    @property
    def state(self) -> int:
        return self.image[0]

    @property
    def mode(self) -> int:
        return self.image[1]

    @property
    def keyed(self) -> bool:
        """There are keys: secured messages can be judged."""
        return bool(self.image[_KEYED])

    @property
    def generation(self) -> int:
        return self.image[52] << 8 | self.image[53]

    def draft(self) -> bytearray:
        return bytearray(self.image)

    def commit(self, draft: bytearray, quiet: bool = False):
        """Keep the draft, then act on it. Returns when it is safe. quiet: nothing has changed that
        anybody acts on, but B or D."""
        self.settings.replace(_NAME, draft, _SIZE)
        self._adopt(draft)
        if not quiet:
            self.on_change()

    @staticmethod
    def set_domain(draft, index: int, length: int, id6, subnet: int, node: int):
        """Lay a used domain entry into a draft."""
        at = 2 + index * _DOMAIN
        draft[at] = _USED | length
        draft[at + 1 : at + 7] = id6
        draft[at + 7] = subnet
        draft[at + 8] = node

    @staticmethod
    def set_address(draft, index: int, entry):
        """Lay an address table entry (5 octets) into a draft."""
        draft[ADDRESSES + 5 * index : ADDRESSES + 5 * index + 5] = entry
