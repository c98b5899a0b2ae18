"""The node: the layers of 14908-1 over one link as one part, and the dispatch of APDU codes.

link (mip, ...) -> npdu -> transport -> dispatch by APDU code -> a handler writes the answer into
the receive record; what leaves comes from the senders, the transport first
"""

from micropython import const

import ticks
from osgp.lon.management import SERVICE_PIN, Management
from osgp.lon.npdu import BROADCAST, Npdu
from osgp.lon.outgoing import Outgoing
from osgp.lon.transport import Transport
from osgp.membership import CONFIGURED, HARD_OFFLINE

TO_ALL = const(0x100)  # in `handlers`: code 00 that was broadcast, and is never answered

_OFFLINE_APPLICATION = const(0x3F)  # answers of a node that is soft offline
_OFFLINE_FOREIGN = const(0x4F)
_APPLICATION = const(0x00)
_TX = const(2)  # where an LPDU starts in link.tx
_PAUSE_MS = const(20)  # in a message, after which its rest is not waited for


class Node:
    """One 14908 node.

    `handlers` maps an APDU code, or TO_ALL, to an object with `request(buf, a, end, out, o, now)
    -> end of the answer`, o for none. One that answers later calls `transport.answer` for the
    record that was `transport.current` while it ran, as long as that has its `serial` still.

    `always` maps an APDU code that is served in every node state (profile 16) to the address
    formats in which it is, bits 1 << UNIQUE_ID and so on.

    `senders`, in the order in which they may send, are objects with `build(out, o, now) -> end` of
    the LPDU (no CRC) that they want to send, o or 0 for none, `option`, the link's for that frame,
    and `due(now)`, the tick at which they want to be asked. `outgoing` is also given what answers
    this node's own messages: ACK, RESPONSE and CHALLENGE, as the Npdu has parsed them.
    """

    def __init__(self, link, member, gate, open_nm: bool, reset, now: int, random=None):
        """`link`: see mip.py. `gate`: told when the line is busy, and when somebody waits.
        `random(n)` -> n octets; None: no message is authenticated."""
        self.link = link
        self.member = member
        self.gate = gate
        self.npdu = Npdu(member.domains, member.addresses, link.uid)
        self.transport = Transport(self.npdu, member, now, random)
        self.outgoing = Outgoing(self.npdu, self.transport)
        self.management = Management(member, self.transport, self.outgoing, link, open_nm, reset)
        self.handlers = {}
        self.always = {}
        self.senders: tuple = (self.transport, self.outgoing)
        self.unhandled = self.frames = self.answers = 0
        self._pin_pressed = True  # a node says who it is when it starts
        self._reset_asked = False
        self._heard = now  # tick of the last octets
        self._sent = False  # a frame is on its way down, and nothing came in since
        self._state = 0  # the member's
        link.start(now)
        self.refresh()

    def refresh(self):
        """Take over the member's state. To be called whenever it changes."""
        self._state = self.member.state
        self.npdu.configured = self._state in (CONFIGURED, HARD_OFFLINE)

    def press_service_pin(self):
        """Send a service pin message as soon as the transceiver takes it."""
        self._pin_pressed = True

    def reset_transceiver(self):
        """Reset the transceiver once the answer at hand is out (ET04.12.1). It starts anew by
        itself."""
        self._reset_asked = True

    def readable(self, now: int):
        """The link has something."""
        link = self.link
        self.gate.activity(now)
        self._heard = now
        while link.take(now):
            self._sent = False
            self._receive(link.rx, link.frame, link.end, now)
            if link.drained:
                break
        if self._sent and link.ready and not link.receiving:
            self._sent = False
            self.gate.answered(now)

    def _receive(self, buf, a, end, now):
        self.frames += 1
        npdu = self.npdu
        if not npdu.parse(buf, a, end, self.link.verified):
            return
        record = self.transport.receive(buf, now)
        if not record:
            if record is False:
                self.outgoing.receive(buf, now)
            return
        self.gate.answering = True
        start = npdu.end - record.apdu_n
        self.transport.answer(
            record, self._dispatch(buf, start, npdu.end, record.answer, now), now
        )
        self.gate.answering = False

    def _dispatch(self, buf, a, end, out, now) -> int:
        code = buf[a]
        formats = self.always.get(code)
        if formats is not None:
            if not formats >> self.npdu.format & 1:
                return 0
        elif 0x50 <= code < 0x80:
            return 0 if code == SERVICE_PIN else self.management.handle(buf, a, end, out, now)
        elif self._state != CONFIGURED or not self.management.online:
            out[0] = _OFFLINE_FOREIGN if code & 0xF0 == 0x40 else _OFFLINE_APPLICATION
            return 1 if self.npdu.configured else 0
        if self.npdu.format == BROADCAST and code == _APPLICATION:
            if self.transport.current.answered:
                return 0
            code = TO_ALL
        handler = self.handlers.get(code)
        if handler is None:
            self.unhandled += 1
            return 0
        return handler.request(buf, a, end, out, 0, now)

    def poll(self, now: int) -> int:
        """Keep the link alive and send what is due; return the tick of the next."""
        link = self.link
        if link.receiving and ticks.diff(now, self._heard) < _PAUSE_MS:
            return ticks.add(self._heard, _PAUSE_MS)  # the rest of a message is coming
        due = link.poll(now)
        if not link.ready:
            return due
        for sender in self.senders:
            end = sender.build(link.tx, _TX, now)
            if end > _TX:
                self.answers += 1
                return self._send(end, now, sender.option)
        for sender in self.senders:  # now only: the end of one's message may be another's answer
            other = sender.due(now)
            if ticks.diff(other, due) < 0:
                due = other
        if self._pin_pressed:
            self._pin_pressed = False
            return self._send(self.management.service_pin(link.tx, _TX), now, 0)
        if self._reset_asked:
            self._reset_asked = False
            link.reset(now)
        if self.management.restart_asked and not self.transport.silent(now):
            self.management.reset()  # nothing waits, and the chip has what was said
        return due

    def _send(self, end, now, option):
        self.link.send(end, now, option)
        # Our octets leave while we go on. A deaf UART would not send them either, and the chip
        # gives up a frame that pauses: so the answer has left when the chip says so.
        self.gate.activity(now)
        self._sent = True
        return ticks.add(now, 1)
