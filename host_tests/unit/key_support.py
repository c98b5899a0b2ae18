"""A device that is offered keys by EP20, in either security mode."""

import aes_client
from fakes import set_number
from oma_client import feed, finish
from osgp.envelope import Envelope
from osgp.membership import Membership
from osgp.procedures import keys
from osgp.security import broadcast
from osgp.security.ccm import cmac
from secured import (
    AES,
    BROADCAST_KEY,
    DIGEST_ERROR,
    KEY,
    LEGACY,
    NUMBER,
    READ_NAME,
    UID,
    WRITE_NAME,
    Bench,
    client,
)
from support import aes
from tables.model import MASTER

MODES = (LEGACY, AES)
NEW = bytes(range(1, 17))
NEWER = bytes(range(17, 33))


class Cut(Exception):  # noqa: N818  not an error of the code under test
    """Power went."""


def check(mode, key):
    if mode:
        return cmac(aes(key), bytes(16))[:4]
    state = bytearray(8)
    return finish(state, key, feed(state, key, 0, bytes(16)))[:4]


def offer_of(mode, key, key_id=0, base=None):
    """EP20's parameters. key: 16 octets."""
    key = key if mode else key[:12]
    number = b"" if base is None else base.to_bytes(4, "little")
    return bytes((key_id,)) + key + check(mode, key) + number


class Device(Bench):
    """A bench that can be offered keys, restarted, and lose power."""

    def __init__(self, mode):
        super().__init__(mode=mode)
        self.mode = mode
        self.number = NUMBER

    def offer(self, parameters):
        result, length = keys.run(2068, parameters, bytearray(12), self, 0)
        assert length == 0
        return result

    def restart(self):
        self.member = Membership(self.settings)
        self.envelope = Envelope(self.member, self.counter, self.services, MASTER, aes, UID)
        self.member.on_change = self.envelope.rekey

    def good(self, key=KEY, command=READ_NAME):
        """Whether a message under a key is; the answer to a good one must be, too."""
        set_number(self.counter, self.number)
        who = client(self.mode, key)
        apdu = who.request(command, self.number)
        self.number += 1
        answer = self.send(apdu)
        if answer == DIGEST_ERROR:
            return False
        if self.mode and len(answer) == 10 and command is READ_NAME:
            assert client(self.mode, self.member.unicast_key).answer(answer, apdu) == b"\x0b"
            return False
        assert who.answer(answer)[0] == 0
        return True

    def hear(self, key=BROADCAST_KEY, number=7):
        """The B of the key that a broadcast is good under; it is used, as osgp/broadcast.py does.
        None: it is not good."""
        if self.mode:
            apdu = aes_client.broadcast(key, WRITE_NAME, number)
        else:
            apdu = client(LEGACY, key, 0, 0).request(WRITE_NAME, number)
        buf = bytearray(apdu)
        draft = broadcast.run(self.envelope, buf, 0, len(buf))
        if draft is None:
            return None
        assert buf[1:-12] == WRITE_NAME
        base = int.from_bytes(bytes(draft[54:58]), "big")
        draft[54:58] = (number + 1).to_bytes(4, "big")
        self.member.commit(draft)
        return base

    def cut_after(self, writes):
        """Power goes at the next write but so many."""
        left = [writes]

        def spend(*_):
            left[0] -= 1
            if left[0] < 0:
                raise Cut

        self.settings.on_replace = spend
        remove = type(self.settings).remove
        settings = self.settings

        def removing(name):
            spend()
            remove(settings, name)

        self.settings.remove = removing

    def power(self):
        """It is back."""
        self.settings.on_replace = None
        settings = self.settings
        self.settings.remove = lambda name: type(settings).remove(settings, name)
        self.restart()
