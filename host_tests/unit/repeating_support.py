"""A node that repeats and finds for others, as device.py makes one, for its tests."""

from osgp.lon.discovery import IN, OUT, Discovery
from osgp.lon.npdu import BROADCAST, SUBNET_NODE, UNIQUE_ID
from osgp.lon.repeater import CODE, Repeater

ET04, ET55 = 2052, 2103


class Model:
    """ET04 and ET55 as they are made."""

    def __init__(self):
        self.et04 = bytearray(140)
        self.et55 = bytearray(120)
        self.et55[14] = 256 - 84  # dB
        self.et55[15] = 60  # minutes

    def load(self, number):
        return bytearray(self.et04 if number == ET04 else self.et55)


class Envelope:
    validated_at = None


def add_repeater(node) -> Repeater:
    repeater = Repeater(node.member, node.npdu, node.transport, node.outgoing)
    node.handlers[CODE] = repeater
    node.always[CODE] = 1 << SUBNET_NODE | 1 << UNIQUE_ID
    return repeater


def add_discovery(node) -> Discovery:
    found = Discovery(node, Model(), Envelope())
    node.senders += (found,)
    node.handlers[OUT] = node.handlers[IN] = found
    node.always[OUT] = 1 << BROADCAST | 1 << UNIQUE_ID
    node.always[IN] = 1 << UNIQUE_ID
    return found
