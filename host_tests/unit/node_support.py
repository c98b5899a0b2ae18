"""A whole node on a transceiver, for its tests."""

import ticks
from lon_support import Chip, Gate, Settings, lpdu, uplink
from osgp.lon.mip import Mip
from osgp.lon.node import Node
from osgp.membership import CONFIGURED, Membership

AWAKE = 2000  # ms after start: the silence is over


class Bench:
    """A node; `hear` plays a frame and returns what is sent because of it.

    `state`: node state it starts in; configured: as 5/9 in C0FFEE. `awake`: its silence is over.
    """

    def __init__(self, open_nm=False, state=CONFIGURED, awake=True):
        self.settings = Settings()
        self.member = Membership(self.settings)
        draft = self.member.draft()
        draft[0] = state
        if state == CONFIGURED:
            self.member.set_domain(draft, 0, 3, b"\xc0\xff\xee\0\0\0", 5, 9)
        self.member.commit(draft)
        self.chip = Chip()
        self.resets = 0
        self.node = Node(Mip(self.chip), self.member, Gate(), open_nm, self._reset, 0)
        self.member.on_change = self.node.refresh
        self.settle(0)
        if awake:
            self.settle(AWAKE)
            self.chip.frames.clear()

    def _reset(self):
        self.node.management.restart_asked = False
        self.resets += 1

    def settle(self, now):
        """Let everything happen that can happen now."""
        for _ in range(60):
            due = self.node.poll(now)
            if self.chip.up:
                self.node.readable(now)
            elif ticks.diff(due, now) > 0:
                return
        raise AssertionError("the node never comes to rest")

    def octets(self, octets, now=AWAKE):
        self.chip.up += octets
        self.settle(now)
        out, self.chip.frames = self.chip.frames, []
        return out

    def hear(self, frame, now=AWAKE):
        """`frame`: an LPDU without its CRC. The LPDUs (without) sent because of it."""
        return self.octets(uplink(lpdu(frame)), now)

    def ask(self, apdu, number=1, now=AWAKE):
        """A request by unique id; the APDU of the answer, None without one."""
        head = b"\x00\x1c\x01\x85\x00\x04\x00\x00\x11\x22\x33" + bytes((number,))
        out = self.hear(head + apdu, now)
        if not out:
            return None
        assert len(out) == 1 and out[0][:6] == b"\x00\x18\x00\x80\x01\x85"
        assert out[0][6] == 0x20 | number
        return out[0][7:]
