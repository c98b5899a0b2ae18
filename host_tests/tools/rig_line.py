"""A line in memory with a real device on it (`rig`): the host's side against the firmware's."""

from fake_line import PlainNumbers

from osgp_tools.client import Client, Target
from osgp_tools.session import Session
from rig import Member


class RigLine:
    """Hands frames to the device of a rig; what it answers is heard at once."""

    def __init__(self, member: Member):
        self.heard = []
        self.said = []
        self.member = member

    async def send(self, octets: bytes) -> None:
        for listener in self.said:
            listener(octets)
        for frame in self.member.rig.exchange(octets):
            for listener in self.heard:
                listener(frame.encode())

    def close(self):
        """As a port."""


def session(member: Member) -> Session:
    """The concentrator's, whose numbers go on where the rig's are."""
    target = Target(member.DOMAIN, member.SUBNET, member.NODE)
    numbers = PlainNumbers(member.expected)
    client = Client(RigLine(member), (member.SUBNET, 1), silence=0)
    return Session(client, target, member.suite, numbers)


NOON = bytes((26, 1, 31, 12, 0, 0))  # a Saturday


async def set_clock(host: Session) -> None:
    """BP10: noon, UTC."""
    outcome = await host.procedure(10, bytes((7,)) + NOON + bytes((6,)))
    assert outcome.result == 0
