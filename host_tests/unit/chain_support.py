"""Nodes in a row, each of which hears only its neighbours, in virtual time.

After its time on the air, and that of access, a frame is at the neighbours. Whoever sits in front
of the first node, and sends and hears for the test, is nobody's node.
"""

import ticks
from lon_support import Gate, Settings, lpdu
from osgp.lon.node import Node
from osgp.membership import CONFIGURED, Membership
from repeating_support import add_discovery, add_repeater
from support import unhex

DOMAIN = unhex("C0FFEE000000")
ADDRESS = b"\x01\xff"  # 1/127, the test's
CONCENTRATOR = unhex("0400DDDDDDDD")  # its unique id
AWAKE = 2100  # ms after start: the silence is over, the service pins have been sent


def air_ms(frame) -> int:
    """Of an LPDU without CRC: access, preamble, 11 channel bits an octet (profile 34, 35)."""
    return 35 + (35 + 11 * (len(frame) + 2)) * 1000 // 3240


def unique_id(k: int) -> bytes:
    return b"\x04\x00\x00\x00\x00" + bytes((k,))


class Link:
    """A link of whole LPDUs, as mip.py describes one."""

    verified = False
    drained = False
    ready = up = True
    receiving = False
    mains_hz = 50

    def __init__(self, chain, place):
        self.chain = chain
        self.place = place
        self.uid = bytearray(unique_id(place))
        self.rx = bytearray(256)
        self.tx = bytearray(256)
        self.frame = self.end = 0
        self.phase, self.ssi1, self.ssi2 = place & 7, 0x70 | place & 15, 0x50
        self.inbox = []  # (tick, LPDU)

    def start(self, now):
        pass

    def reset(self, now):
        pass

    def poll(self, now):
        return ticks.add(now, ticks.FAR)

    def take(self, now):
        if not self.inbox or ticks.diff(self.inbox[0][0], now) > 0:
            return False
        frame = self.inbox.pop(0)[1]
        self.rx[: len(frame)] = frame
        self.end = len(frame)
        return True

    def send(self, end, now, option=0):
        self.chain.carry(self.place, bytes(self.tx[2:end]), now)


class Chain:
    """`nodes[k]` is 5/k + 1 in C0FFEE, its unique id ends in k + 1; at place 0 sits the test.

    `lost(sender's place, count of frames) -> bool`: is this frame lost?
    """

    def __init__(self, count: int, lost=None, commissioned=True):
        self.lost = lost
        self.frames = 0  # carried
        self.heard = []  # (tick, LPDU without CRC), what was for the test
        self.links = [Link(self, k + 1) for k in range(count)]
        self.nodes = [self._node(link, commissioned) for link in self.links]
        self.now = 0
        self.run(AWAKE)
        self.heard = []
        self.frames = 0

    @staticmethod
    def _node(link, commissioned):
        member = Membership(Settings())
        if commissioned:
            draft = member.draft()
            draft[0] = CONFIGURED
            member.set_domain(draft, 0, 3, DOMAIN, 5, link.place)
            member.commit(draft)
        node = Node(link, member, Gate(), False, None, 0)
        add_repeater(node)
        add_discovery(node)
        return node

    def carry(self, place, frame, now):
        self.frames += 1
        if self.lost and self.lost(place, self.frames):
            return
        at = ticks.add(now, air_ms(frame))
        for neighbour in (place - 1, place + 1):
            if neighbour == 0:
                if frame[4:6] == ADDRESS or frame[5:11] == CONCENTRATOR:
                    self.heard.append((at, frame))
            elif 0 < neighbour <= len(self.links):
                self.links[neighbour - 1].inbox.append((at, lpdu(frame)))

    def send(self, frame):
        """From place 0; `frame` without CRC."""
        self.carry(0, frame, self.now)

    def run(self, ms: int, answered=False) -> int:
        """Let `ms` pass, or with `answered` until something is heard; the ms that have passed."""
        start = self.now
        end = ticks.add(start, ms)
        while ticks.diff(self.now, end) <= 0:
            due = end
            for node in self.nodes:
                if node.link.inbox and ticks.diff(node.link.inbox[0][0], self.now) <= 0:
                    node.readable(self.now)
                wanted = node.poll(self.now)
                if node.link.inbox and ticks.diff(node.link.inbox[0][0], wanted) < 0:
                    wanted = node.link.inbox[0][0]
                if ticks.diff(wanted, due) < 0:
                    due = wanted
            if answered and self.heard and ticks.diff(self.heard[0][0], self.now) <= 0:
                break
            if ticks.diff(end, self.now) <= 0:
                break
            self.now = ticks.add(self.now, max(1, ticks.diff(due, self.now)))
        return ticks.diff(self.now, start)
