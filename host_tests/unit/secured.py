"""A device behind its envelope and the client with its key: shared by the tests of both modes."""

import aes_client
from fakes import Blob, Counter, Settings, set_number
from oma_client import Client
from osgp.envelope import Envelope
from osgp.membership import CONFIGURED, Membership
from osgp.services import Services
from support import aes, noise, unhex
from tables.model import MASTER, Model

OMAK = b"\xdf" * 12
KEY = OMAK + b"more"
BROADCAST_KEY = b"everybody's key."
BASE = 7  # B
DELTA = 16  # D
LEGACY = 0  # security modes
AES = 2
UID = unhex("050100A4B2C3")
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


def client(mode, key, subnet=SUBNET, node=NODE):
    """Whoever knows a key, in a security mode."""
    if mode:
        return aes_client.Client(key, UID, subnet, node)
    return Client(key[:12], subnet, node)


class Bench:
    """A device behind its envelope, with the client that knows its key."""

    def __init__(self, number=NUMBER, services=None, mode=0):
        self.settings = Settings()
        self.member = Membership(self.settings)
        draft = self.member.draft()
        draft[0] = CONFIGURED
        draft[1] = mode
        draft[20:36] = KEY
        draft[36:52] = BROADCAST_KEY
        draft[57] = BASE
        draft[59] = DELTA
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
        self.envelope = Envelope(self.member, self.counter, self.services, MASTER, aes, UID)
        self.member.on_change = self.envelope.rekey
        self.client = client(mode, KEY)

    def send(self, apdu, now=0):
        """The answer to an APDU; b"" for none. Around it nothing may be touched."""
        buf = bytearray(b"\xee\xee" + apdu)
        out = bytearray(b"\xee" * 120)
        end = self.envelope.request(buf, 2, len(buf), out, 3, now)
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
