"""The node: the layers of 14908-1 over one transceiver as one part, and the dispatch of APDU
codes.

octets -> mip -> npdu -> transport -> dispatch by APDU code -> a handler writes the answer into the
receive record
"""

from micropython import const

import ticks
from osgp.lon.management import QUERY_STATUS_FLEX, SERVICE_PIN, Management
from osgp.lon.mip import Mip
from osgp.lon.npdu import UNIQUE_ID, Npdu
from osgp.lon.transport import Transport
from osgp.membership import CONFIGURED, HARD_OFFLINE

_OFFLINE_APPLICATION = const(0x3F)  # answers of a node that is soft offline
_OFFLINE_FOREIGN = const(0x4F)
_TX = const(2)  # where an LPDU starts in mip.tx
_CHUNK = const(128)


class Node:
    """One 14908 node. `handlers` maps an APDU code to an object with
    `request(buf, a, end, out, o, now) -> end of the answer`, o for none."""

    def __init__(self, uart, member, gate, open_nm: bool, reset, now: int):
        """`uart`: any() -> octets that are there, readinto(buf, n) -> how many were taken, or
        None, write(buf, n). `gate`: told when the UART is busy, and when somebody waits."""
        self.uart = uart
        self.member = member
        self.gate = gate
        self.mip = Mip(uart.write)
        self.npdu = Npdu(member.domains, self.mip.uid)
        self.transport = Transport(self.npdu, now)
        self.management = Management(member, self.transport, self.mip, open_nm, reset)
        self.handlers = {}
        self.always: tuple = ()  # codes served whatever the node's state (profile 16)
        self.unhandled = self.frames = self.answers = 0
        self._chunk = bytearray(_CHUNK)
        self._pin_pressed = True  # a node says who it is when it starts
        self._reset_asked = False
        self._sent = False  # a frame is on its way down, and nothing came in since
        self.mip.start(now)
        self.refresh()

    def refresh(self):
        """Take over the member's state. To be called whenever it changes."""
        self.npdu.configured = self.member.state in (CONFIGURED, HARD_OFFLINE)

    def press_service_pin(self):
        """Send a service pin message as soon as the transceiver takes it."""
        self._pin_pressed = True

    def reset_transceiver(self):
        """Reset the transceiver once the answer at hand is out (ET04.12.1). It starts anew by
        itself."""
        self._reset_asked = True

    def readable(self, now: int):
        """The UART has octets."""
        chunk = self._chunk
        # No more than is there: machine.UART would wait a millisecond or two for the rest.
        n = self.uart.readinto(chunk, min(self.uart.any(), _CHUNK))
        if not n:
            return
        self.gate.activity(now)
        mip = self.mip
        a = 0
        while a < n:
            a = mip.feed(chunk, a, n, now)
            if mip.frame:
                self._sent = False
                self._receive(mip.rx, mip.frame, mip.end, now)
        if self._sent and mip.ready and not mip.receiving:
            self._sent = False
            self.gate.answered(now)

    def _receive(self, buf, a, end, now):
        self.frames += 1
        npdu = self.npdu
        if not npdu.parse(buf, a, end):
            return
        record = self.transport.receive(buf, now)
        if record is None:
            return
        self.gate.answering = True
        start = npdu.end - record.apdu_n
        n = self._dispatch(buf, start, npdu.end, record.answer, now)
        self.transport.answer(record, n, record.apdu[0] == QUERY_STATUS_FLEX)
        self.gate.answering = False

    def _dispatch(self, buf, a, end, out, now) -> int:
        code = buf[a]
        if code in self.always:
            # by unique id only: who can be reached by an address is a member already
            if self.npdu.format != UNIQUE_ID:
                return 0
        elif 0x50 <= code < 0x80:
            return 0 if code == SERVICE_PIN else self.management.handle(buf, a, end, out)
        elif self.member.state != CONFIGURED:
            return 0
        elif not self.management.online:
            out[0] = _OFFLINE_FOREIGN if code & 0xF0 == 0x40 else _OFFLINE_APPLICATION
            return 1
        handler = self.handlers.get(code)
        if handler is None:
            self.unhandled += 1
            return 0
        return handler.request(buf, a, end, out, 0, now)

    def poll(self, now: int) -> int:
        """Keep the link alive and send what is due; return the tick of the next."""
        mip = self.mip
        due = mip.poll(now)
        if mip.ready:
            end = self.transport.outgoing(mip.tx, _TX, now)
            if end:
                self.answers += 1
            elif self._pin_pressed:
                self._pin_pressed = False
                end = self.management.service_pin(mip.tx, _TX)
            if end:
                mip.send(end, now)
                # Our octets leave while we go on. A deaf UART would not send them either, and the
                # chip gives up a frame that pauses: so the answer has left when the chip says so.
                self.gate.activity(now)
                self._sent = True
                return ticks.add(now, 1)
            if self._reset_asked:
                self._reset_asked = False
                mip.reset(now)
            other = self.transport.due(now)
            if ticks.diff(other, due) < 0:
                return other
        return due
