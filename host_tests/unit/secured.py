"""A device behind its envelope and the client with its key: shared by the tests of mode 0."""

from fakes import Blob, Counter, Settings, set_number
from oma_client import Client
from osgp.envelope import Envelope
from osgp.membership import CONFIGURED, Membership
from osgp.services import Services
from support import noise, unhex
from tables.model import MASTER, Model

KEY = b"\xdf" * 12
SUBNET = NODE = 2
IDENTITY = 3
NAME = 5
LONG = 6
BODY = unhex("00 20 98 00 31 C3 00 08 00 00 00 00 00")  # BT03 of the published vector
NUMBER = 0x7F30EA6D  # and its sequence number

READ_IDENTITY = unhex("30 0003")
READ_NAME = unhex("30 0005")
WRITE_NAME = unhex("40 0005 0004") + b"name"

DIGEST_ERROR = b"\x00\x0b"


class Bench:
    """A device behind its envelope, with the client that knows its key."""

    def __init__(self, number=NUMBER, services=None):
        self.settings = Settings()
        self.member = Membership(self.settings)
        draft = self.member.draft()
        draft[0] = CONFIGURED
        draft[20:32] = KEY
        draft[60] = 1
        self.member.set_domain(draft, 0, 6, b"domain", SUBNET, NODE)
        self.member.commit(draft)
        made = Blob()
        made.add(IDENTITY, 0, 13, body=BODY)
        made.add(NAME, 1, 10, write=MASTER, runs=((0, 0xFFFF),))
        made.add(LONG, 2, 84, body=bytes(noise(84)))
        self.model = Model(made.build(), made.arena, self.settings)
        self.counter = Counter()
        set_number(self.counter, number)
        self.services = services or Services(self.model, 84, 75)
        self.envelope = Envelope(self.member, self.counter, self.services, MASTER)
        self.client = Client(KEY, SUBNET, NODE)

    def send(self, apdu):
        """The answer to an APDU; b"" for none. Around it nothing may be touched."""
        buf = bytearray(b"\xee\xee" + apdu)
        out = bytearray(b"\xee" * 120)
        end = self.envelope.request(buf, 2, len(buf), out, 3, 0)
        assert out[:3] == b"\xee\xee\xee"
        assert buf[:3] == b"\xee\xee" + apdu[:1]
        assert buf[len(buf) - 8 :] == (b"\xee\xee" + apdu)[len(buf) - 8 :]
        return bytes(out[3:end])

    def ask(self, command, number, encrypted=True):
        """The verified answer to a command, in clear."""
        return self.client.answer(self.send(self.client.request(command, number, encrypted)))

    def state(self):
        """All that a request which is not good may not change."""
        counter = self.counter
        return (counter.hi, counter.lo, dict(self.settings.kept), bytes(self.model.body(NAME)))
