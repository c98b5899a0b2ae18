"""Network management and diagnostics. Source: `lon.md` 3.

Success is answered 20 | code's low five bits (diagnostics 30 | low four), failure with those bits
alone (diagnostics 10 | them). A device with an installation key answers failure to whatever would
configure it from here (`profile.md` 17); the board setting `open_nm` opens it for tests with
foreign stacks.
"""

from micropython import const

import rare
from osgp.kernels import copy
from osgp.membership import CONFIGURED, SOFT_OFFLINE

PROGRAM_ID = b"\x9f\xff\xffOSGP\x01"  # 9F: a prototype, of no registered manufacturer

FIRMWARE = const(1)  # version number of this firmware's status
MODEL = const(0)  # not a Neuron

SERVICE_PIN = const(0x7F)

RESET_POWER = const(0x01)
RESET_WATCHDOG = const(0x0C)
RESET_SOFTWARE = const(0x14)
RESET_CLEARED = const(0x00)


class Management:
    """What a node knows about itself. How it answers is in a rare module."""

    def __init__(self, member, transport, outgoing, link, open_nm: bool, reset):
        """`reset()`: restart the device, which the node does once answers are out."""
        self.member = member
        self.transport = transport
        self.outgoing = outgoing
        self.link = link
        self.open_nm = open_nm
        self.reset = reset
        self.reset_cause = RESET_POWER
        self.selected = False  # set and cleared by Respond to Query
        self.online = True  # False: soft offline, until told to be online
        self.restart_asked = False
        self.winks = 0

    def handle(self, buf, a: int, end: int, out, now: int) -> int:
        """Answer the request buf[a:end] in out[0:]; return the answer's length, 0 for none."""
        return rare.run("osgp.lon.network_management", self, buf, a, end, out, now)

    def node_state(self) -> int:
        """14908's node state, as Query Status tells it."""
        state = self.member.state
        return SOFT_OFFLINE if state == CONFIGURED and not self.online else state

    # ---- the service pin

    def service_pin(self, out, o: int) -> int:
        """Build the service pin frame (no CRC) at out[o:]: unacknowledged, everywhere, from
        nobody; return its end."""
        for octet in b"\x00\x30\x00\x80\x00\x7f":
            out[o] = octet
            o += 1
        copy(out, o, self.link.uid, 0, 6)
        copy(out, o + 6, PROGRAM_ID, 0, 8)
        return o + 14
