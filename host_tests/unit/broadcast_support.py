"""A device whose relays are told by broadcast, and the concentrator that has the broadcast key.

It is `control_support`'s meter with what makes it a member of a network. The concentrator's side
of mode 0 is `oma_client`; that of mode 2 stands here, from `profile.md` 8, 9 and 21.
"""

from control_support import Rig
from fakes import Counter
from oma_client import Client
from osgp import groups
from osgp.broadcast import Broadcast
from osgp.envelope import Envelope
from osgp.membership import CONFIGURED, Membership
from osgp.procedures import Procedures
from osgp.security import ccm
from osgp.services import Services
from osgp.transactions import Transactions
from support import aes, unhex
from tables.compiled import FAMILIES, PROCEDURES
from tables.model import MASTER

UNICAST = bytes(range(1, 17))
KEY = bytes(range(0x40, 0x50))  # of broadcasts
BASE = 0x00FFFFFC  # B: a carry is near
WINDOW = 16  # D
GROUP = 0x0102
OURS = unhex("0201 0503")  # two groups of the device, little-endian
ET27 = 2048 + 27
ET28 = 2048 + 28
LIMIT = 768
RELAY_OPEN = unhex("0208 C8 0100")  # BT07: EP02, its number 200, relay 1, open


class House(Rig):
    """Power comes with `start`, and a transaction that was cut short is carried out."""

    def __init__(self, mode=0, may=None, member=True, **more):
        self.mode = mode
        self.may = may
        self._member = member
        self.begin = lambda: None  # called at a start, before anything is carried out
        super().__init__(**more)
        self.groups(0x0102, 0x0305)

    def start(self, clock=True):
        super().start(clock)
        self.member = Membership(self.settings)
        if self._member and not self.member.keyed:
            self.member.commit(self.place())
        self.envelope = Envelope(
            self.member, Counter(), Services(self.model, 84, 75), MASTER, aes, bytes(6)
        )
        self.member.on_change = self.envelope.rekey
        self.procedures = Procedures(PROCEDURES, FAMILIES, self.model, self.settings, self)
        services = Services(self.model, LIMIT, LIMIT)
        self.transactions = [
            Transactions(
                ET27,
                ET28,
                self.model,
                self.settings,
                services,
                lambda: groups.run(self.model),
                self.may,
            )
        ]
        self.broadcast = Broadcast(self)
        self.application.on_second.append(self.broadcast.second)
        self.begin()
        for transactions in self.transactions:
            transactions.resume(self.now)

    def place(self):
        """A draft of the membership."""
        draft = self.member.draft()
        draft[0] = CONFIGURED
        draft[1] = self.mode
        self.member.set_domain(draft, 0, 3, b"\xc0\xff\xee\0\0\0", 5, 9)
        draft[20:36] = UNICAST
        draft[36:52] = KEY
        draft[54:58] = BASE.to_bytes(4, "big")
        draft[58:60] = WINDOW.to_bytes(2, "big")
        draft[60] = 1
        return draft

    def groups(self, *ids):
        for one in ids:
            assert groups.run(self.model, 1, one) == 0

    def hear(self, apdu):
        """A message to all arrives; nothing is ever answered."""
        buf = bytearray(b"\xee\xee" + apdu)
        out = bytearray(b"\xee" * 160)
        assert self.broadcast.request(buf, 2, len(buf), out, 3, self.now) == 3
        assert out == b"\xee" * 160

    def tell(self, command, number=None, key=KEY, mode=None):
        """One message under the number, B without one; then a second passes."""
        self.hear(sealed(command, self.base if number is None else number, key, self.of(mode)))
        self.run(1)

    def of(self, mode):
        return self.mode if mode is None else mode

    @property
    def base(self):
        return int.from_bytes(self.member.image[54:58], "big")

    @property
    def relays(self):
        """The relays that are open, as bits."""
        return self.read(2078, 28, 1)[0] & 3

    def answer(self):
        """ET28: its type, and the responses to the records."""
        octets = self.read(ET28, 0, LIMIT)
        size = octets[0] | octets[1] << 8
        found = []
        at = 5
        while at < size - 2:
            n = octets[at] | octets[at + 1] << 8
            found.append(octets[at + 2 : at + 2 + n])
            at += 2 + n
        return octets[2], found


def initiate(bt07):
    """A record that initiates a procedure: the octets of BT07."""
    return b"\x40\x00\x07" + len(bt07).to_bytes(2, "big") + bt07


def request(*records, number=1, groups=(GROUP,)):
    """ET27 of type 3."""
    body = b"\x03" + number.to_bytes(2, "little") + bytes((len(groups),))
    body += b"".join([group.to_bytes(2, "little") for group in groups])
    body += b"".join([len(record).to_bytes(2, "little") + record for record in records])
    body += number.to_bytes(2, "little")
    return (len(body) + 2).to_bytes(2, "little") + body


def write(et27):
    """The command: a full write of ET27."""
    return b"\x40\x08\x1b" + len(et27).to_bytes(2, "big") + et27


def opens_relay(psn=200, number=1, groups=(GROUP,), relay=1, closed=0):
    """The command that opens (closes) a relay of the groups, and reads what came of it."""
    bt07 = b"\x02\x08" + bytes((psn, relay, closed))
    return write(request(initiate(bt07), unhex("30 0008"), number=number, groups=groups))


def sealed(command, number, key=KEY, mode=0):
    """The APDU with the command under the broadcast key and a number."""
    if mode == 0:
        return Client(key[:12], 0, 0).request(command, number)
    subkey = ccm.cmac(aes(key), b"\x01ENCB" + bytes(7) + b"\x00\x80")
    counted = number.to_bytes(4, "big")
    nonce = b"\x02" + bytes(6) + counted + bytes(2)
    body = ccm.seal(aes(subkey), nonce, bytes(3), command, 8)
    return b"\x00" + body[:-8] + counted + body[-8:]
