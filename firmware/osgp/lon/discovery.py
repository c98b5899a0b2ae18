"""ADD and ATM: being found, and finding others for the concentrator. Codes 45 (out), 4A (in).

By this project's profile, `profile.md` 19: every device, commissioned or not, answers searches and
passes them, and the answers, on along a path of unique ids. What is kept meanwhile is here, one
answer of our own and one frame of others; what the messages mean is in a rare module.
"""

from micropython import const

import rare
import ticks
from osgp.kernels import copy

OUT = const(0x45)
IN = const(0x4A)
COPY_MS = const(60)  # between the end of a frame and its copy, with the access to the line
COPY_OCTET_MS = const(4)  # of air time and a little more


class Discovery:
    """The messages that wait. Takes its place in `node.senders` and `node.handlers`."""

    option = 0  # the link's, of every frame

    def __init__(self, node, model, envelope):
        """`model`: for what a host has set (ET04.95, ET55.14, ET55.15). `envelope.validated_at`:
        tick of the last good message, None before one."""
        self.node = node
        self.model = model
        self.envelope = envelope
        self.own = None  # an LPDU: our answer
        self.own_due = 0
        self.own_copies = 0  # how often it is sent again
        self.others = None  # an LPDU to pass on
        self.others_due = 0
        self.others_copies = 0
        self.others_sent = False  # at least once
        self.seen = None  # concentrator's id and nonce of the query answered last
        self.recent = ()  # what was passed on last: each is passed on once
        self.epoch = 0  # in which a concentrator has noted us, 0: none
        self.rest_until = None  # tick before which nothing more is passed on
        self.asked = self.passed = self.dropped = 0

    def request(self, buf, a: int, end: int, out, o: int, now: int) -> int:
        """Take the message buf[a:end]. It is never answered at once."""
        rare.run("osgp.lon.discovery_messages", self, buf, a, end, now)
        return o

    def build(self, out, o: int, now: int) -> int:
        """Put the LPDU (no CRC) that is due to out[o:]; return its end, 0 for none."""
        frame = None
        if self.others is not None and ticks.diff(self.others_due, now) <= 0:
            frame = self.others
            self.others_due = ticks.add(now, COPY_MS + COPY_OCTET_MS * len(frame))
            self.others_sent = True
            self.others_copies -= 1
            if self.others_copies < 0:
                self.others = None
        elif self.own is not None and ticks.diff(self.own_due, now) <= 0:
            frame = self.own
            self.own_due = ticks.add(now, COPY_MS + COPY_OCTET_MS * len(frame))
            self.own_copies -= 1
            if self.own_copies < 0:
                self.own = None
        if frame is None:
            return 0
        copy(out, o, frame, 0, len(frame))
        return o + len(frame)

    def due(self, now: int) -> int:
        """The tick of the next."""
        if self.others is None and self.own is None:
            return ticks.add(now, ticks.FAR)
        if self.own is None or (
            self.others is not None and ticks.diff(self.others_due, self.own_due) < 0
        ):
            return self.others_due
        return self.own_due
