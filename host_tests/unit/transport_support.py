"""The transport of a node that is 5/9 in C0FFEE, for its tests."""

from lon_support import UID, Settings, lpdu
from osgp.lon.npdu import Npdu
from osgp.lon.transport import SILENCE_MS, Transport
from osgp.membership import CONFIGURED, Membership
from support import unhex

# the node is member 1 of group 2A, member 9 of group 2B (twice: 2048 ms and 16384 ms)
GROUPS = ("83 01 00 40 2A", "90 09 00 80 2B", "90 09 00 E0 2B", "01 07 00 00 05")
START = 1000
LATER = START + SILENCE_MS


class Layers:
    """A transport for 5/9 in C0FFEE; `hear` returns the APDU that is delivered, or None."""

    def __init__(self, random=None):
        self.member = Membership(Settings())
        draft = self.member.draft()
        draft[0] = CONFIGURED
        self.member.set_domain(draft, 0, 3, unhex("C0FFEE 000000"), 5, 9)
        for index, entry in enumerate(GROUPS):
            self.member.set_address(draft, index, unhex(entry))
        self.member.commit(draft)
        self.npdu = Npdu(self.member.domains, self.member.addresses, UID)
        self.npdu.configured = True
        self.transport = Transport(self.npdu, self.member, START, random)
        self.record = None
        self.out = bytearray(250)

    def hear(self, frame, now=LATER):
        octets = bytearray(lpdu(frame))
        assert self.npdu.parse(octets, 0, len(octets))
        self.record = self.transport.receive(octets, now)
        if not self.record:
            return self.record
        apdu = octets[self.npdu.end - self.record.apdu_n : self.npdu.end]
        assert apdu == self.record.apdu[: self.record.apdu_n]
        return apdu

    def answer(self, text, now=LATER):
        octets = unhex(text)
        self.record.answer[: len(octets)] = octets
        self.transport.answer(self.record, len(octets), now)

    def sent(self, now=LATER):
        """The next frame out, None when there is none."""
        end = self.transport.build(self.out, 2, now)
        return bytes(self.out[2:end]) if end else None
