"""The UART link to the PL transceiver: Serial MIP (MIP/U50) in layer-2 mode, the host's side.

A code packet is four octets whose sum is 0; a message is a code packet CpMsg and then a stuffed
body:

    7E | seq<<5 ack<<4 type | parameter | check
    LEN | NI command | data ... | check            7E doubled

Source: `lon.md` 5 (LON Stack Developer's Guide and captured starts). Numbers 1..7 go round on what
must not be taken twice; the chip discards a repeated number and acknowledges it again, and so do
we. One transfer is on its way down at a time.

Sans I/O: octets come from and go to the `uart` given at start, time comes in as `now`.

This is one of the links that a node can stand on: an object with `uid`, `rx`, `frame`, `end`,
`verified`, `phase`, `ssi1`, `ssi2`, `take`, `drained`, `tx`, `ready`, `send`, `start`, `poll`,
`reset`, `up`, `receiving` and the counters, as they are here.
"""

from micropython import const

import ticks
from osgp.kernels import copy, stuff, unstuff

_FLAG = const(0x7E)

# code packet types
_NULL = const(0)
_FAIL = const(1)
_MSG = const(2)
_REJECT = const(5)
_NI_SHORT = const(6)
_RESYNC = const(7)

# NI commands
_COMM = const(0x12)  # downlink layer-2 frame; 13: with priority
_RESPONSE = const(0x16)  # uplink answer of the chip's own network management
_INCOMING = const(0x1A)  # uplink frame; 1B: and phase; 1C: and phase, signal strength
_NETMGMT = const(0x22)
_CRC_ERROR = const(0x31)
_PHASE_ANSWER = const(0x40)  # mains frequency as data, or added to the command
_PHASE_MODE = const(0x42)
_RESET = const(0x50)
_LAYER2 = const(0xD1)
_STATUS = const(0xE0)

# start-up, in this order
_RESYNCING = const(0)
_ASKING_STATUS = const(1)
_ASKING_LAYER2 = const(2)
_ASKING_PHASE = const(3)
_ASKING_ID = const(4)
_UP = const(5)

_INTER_OCTET_MS = const(40)
_ACK_MS = const(250)
_ANSWER_MS = const(500)
_REJECTED_MS = const(30)
_REJECTING_MS = const(10000)  # a chip that has had no buffer for so long is started anew
_PING_MS = const(5000)
_TRIES = const(4)

# local query of the chip's id: read memory, mode 1 (read-only area), 6 octets from 0
_READ_ID = b"\x22\x70\x00\x05" + bytes(11) + b"\x6d\x01\x00\x00\x06"
_NO_PACKET = const(255)  # of _need: LEN has not been seen yet
_CHUNK = const(128)


class Mip:
    """The link. `rx` belongs to the link; its caller may read rx[frame:end] until it takes again.
    `tx` belongs to the caller while `ready`, from `send` to the chip's acknowledgement to the
    link."""

    verified = False  # nobody has checked the CRC of a frame yet

    def __init__(self, uart):
        """`uart`: any() -> octets that are there, readinto(buf, n) -> how many were taken, or
        None, write(buf, n), which keeps nothing."""
        self.uart = uart
        self._chunk = bytearray(_CHUNK)  # octets of the UART; [_at:_n] are still to be fed
        self._at = self._n = 0
        self.drained = True  # what was taken from the UART has been fed
        self.rx = bytearray(256)
        self.tx = bytearray(256)
        self._out = bytearray(4 + 2 * 256)  # the transfer on its way, as sent: kept for repeats
        self._out_n = 0
        self._packet = bytearray(4)  # the code packet being received
        self._packet_n = 0
        self._state = bytearray(8)  # of unstuff: escape, octets needed, sum, out index
        self._body = False  # a message body is being received
        self._reply = bytearray(4)
        self._heard = 0  # tick of the last octet
        self._sequence = 0  # of our last transfer
        self._seen = 0  # number of the chip's last transfer
        self._deadline = 0  # of the transfer on its way, or of the answer to a start-up question
        self._tries = 0
        self._since = 0  # tick of the transfer's first sending
        self._phase = _RESYNCING
        self._asked = False
        self.uid = bytearray(6)
        self.ready = False  # a frame may be sent
        self.frame = 0  # rx[frame:end] is an LPDU with its CRC; 0: none
        self.end = 0
        self.mains_hz = 0
        self.phase = 0  # mains phase at reception
        self.ssi1 = 0  # status: |08 for the second carrier
        self.ssi2 = 0  # margin nibble << 4 | strength nibble
        self.crc_errors = self.checksum_errors = self.overruns = self.repeats = self.resets = 0

    @property
    def up(self):
        """The chip answers, is in layer-2 mode, and its id is known."""
        return self._phase == _UP

    @property
    def receiving(self):
        """Something of the chip's has come in part."""
        return self._body or self._packet_n > 0

    # ---- octets from the chip

    def take(self, now: int) -> bool:
        """Take octets from the UART up to the end of a frame: True, it is rx[frame:end]. To be
        called until it says False, or until nothing of what has come is left (`drained`)."""
        a = self._at
        n = self._n
        if a == n:
            a = self.frame = 0
            # No more than is there: machine.UART would wait a millisecond or two for the rest.
            self._n = n = self.uart.readinto(self._chunk, min(self.uart.any(), _CHUNK)) or 0
        if a < n:
            a = self.feed(self._chunk, a, n, now)
        self._at = a
        self.drained = a == n
        return self.frame > 0

    def feed(self, buf, a: int, n: int, now: int) -> int:
        """Take buf[a:n]; return how far it was taken: to n, or to the end of a frame (then `frame`
        is not 0)."""
        self.frame = 0
        if (self._body or self._packet_n) and ticks.diff(now, self._heard) > _INTER_OCTET_MS:
            self._body = False
            self._packet_n = 0
        self._heard = now
        while a < n and not self.frame:
            if self._body:
                a = unstuff(buf, a, n, self.rx, self._state)
                self._take_body(now)
            else:
                a = self._take_packet(buf, a, n, now)
        return a

    def _take_packet(self, buf, a, n, now):
        packet = self._packet
        k = self._packet_n
        while a < n and k < 4:
            if k or buf[a] == _FLAG:
                packet[k] = buf[a]
                k += 1
            a += 1
        self._packet_n = k
        if k == 4:
            self._check_packet(now)
        return a

    def _check_packet(self, now):
        packet = self._packet
        self._packet_n = 0
        if packet[1] != _FLAG and not (packet[0] + packet[1] + packet[2] + packet[3]) & 0xFF:
            self._code_packet(packet[1], packet[2], now)
            return
        # Not a packet (there is no type E): what it hid may start at a later 7E of these four.
        self.checksum_errors += 1
        k = 1
        while k < 4 and packet[k] != _FLAG:
            k += 1
        self._packet_n = 4 - k
        copy(packet, 0, packet, k, 4)

    def _code_packet(self, control, parameter, now):
        kind = control & 0x0F
        if kind == _NULL and self._phase == _RESYNCING and self._asked:
            self._seen = 0  # the chip counts anew from here
            self._next(_ASKING_STATUS, now)
        elif control & 0x10:
            self._acknowledged(now)
        if kind == _MSG:
            self._packet[1] = control
            state = self._state
            state[0] = state[2] = state[3] = 0
            state[1] = _NO_PACKET
            self._body = True
        elif kind == _FAIL and self._out_n:
            self._repeat(now)
        elif kind == _REJECT and self._out_n:
            self._deadline = ticks.add(now, _REJECTED_MS)
            if ticks.diff(now, self._since) < _REJECTING_MS:
                self._tries = 0
        elif kind == _NI_SHORT and (self._fresh(control) or parameter == _RESET):
            self._command(parameter, now)  # a chip that was reset began its numbers anew

    def _take_body(self, now):
        state = self._state
        if state[0] == 2:  # a single 7E: the chip began anew
            self._body = False
            self._packet[0] = _FLAG
            self._packet_n = 1
            self.checksum_errors += 1
        elif state[0] == 3:
            self._body = False
            self.overruns += 1
            self._fresh(self._packet[1])  # or it would come again and again
        elif state[1] == 0:
            self._body = False
            if state[2]:
                self.checksum_errors += 1
                self._say(_FAIL, 0)
            elif self._fresh(self._packet[1]):
                self._message(now)

    def _fresh(self, control) -> bool:
        """Acknowledge a numbered transfer; False if it was taken before."""
        self._say(_NULL | 0x10, 0)
        sequence = control >> 5
        if sequence and sequence == self._seen:
            return False
        self._seen = sequence
        return True

    def _message(self, now):
        rx = self.rx
        length = rx[0]  # LEN; the body is rx[1] .. rx[length]
        if length == 0:
            return
        command = rx[1]
        if _INCOMING <= command <= _INCOMING + 2:
            self._incoming(command - _INCOMING, length)
        elif command == _STATUS and length >= 4:
            if self._phase == _ASKING_STATUS:
                self._next(_ASKING_PHASE if rx[4] == 1 else _ASKING_LAYER2, now)
        elif command == _PHASE_ANSWER and length >= 2:
            self._phase_answered(rx[2], now)
        elif command == _RESPONSE and length >= 22 and rx[16] == 0x2D:
            if self._phase == _ASKING_ID:
                copy(self.uid, 0, rx, 17, 23)
                self._next(_UP, now)
        else:
            self._command(command, now)

    def _incoming(self, mode, length):
        rx = self.rx
        start = 2
        end = length + 1
        if mode:
            self.phase = rx[2]
            start = 3
        if mode == 2:
            end -= 2
            if end > start:
                self.ssi1 = rx[end]
                self.ssi2 = rx[end + 1]
        if end > start and self._phase == _UP:  # before that the node does not know its own id
            self.frame = start
            self.end = end

    def _command(self, command, now):
        if command == _RESET:
            self.resets += 1
            self.start(now)
        elif command == _CRC_ERROR:
            self.crc_errors += 1
        elif command == _LAYER2 and self._phase == _ASKING_LAYER2:
            self._next(_ASKING_PHASE, now)
        elif command & 0xC0 == _PHASE_ANSWER:
            self._phase_answered(command & 0x3F, now)

    def _phase_answered(self, hertz, now):
        if self._phase == _ASKING_PHASE:
            self.mains_hz = hertz
            self._next(_ASKING_ID, now)

    # ---- octets to the chip

    def _say(self, control, parameter):
        reply = self._reply
        reply[0] = _FLAG
        reply[1] = control
        reply[2] = parameter
        reply[3] = -(_FLAG + control + parameter) & 0xFF
        self.uart.write(reply, 4)

    def _number(self):
        self._sequence = self._sequence % 7 + 1
        return self._sequence << 5

    def _header(self, control, parameter):
        out = self._out
        out[0] = _FLAG
        out[1] = control
        out[2] = parameter
        out[3] = -(_FLAG + control + parameter) & 0xFF

    def send(self, end: int, now: int, option: int = 0):
        """Send the LPDU (no CRC) that the caller built at tx[2:end]. Only while `ready`; end at
        most 250. `option`: ATTENUATE, ZERO_CROSS of npdu.py, as the NI command has them.

        A LEN of 7E (an LPDU of 125 octets) is what chips up to version A0 cannot take: no answer
        of this device has it. What is passed on for others may, and is lost with such a chip; an
        octet more, which would help, would be one more of the APDU.
        """
        self.tx[0] = end - 1
        self.tx[1] = _COMM | self.tx[2] >> 7 | option
        self._transfer(self.tx, end, now)

    def _transfer(self, body, end, now):
        self._header(self._number() | _MSG, 1)
        self._out_n = stuff(body, 0, end, self._out, 4)
        self._first(now)

    def _short(self, command, now):
        self._header(self._number() | _NI_SHORT, command)
        self._out_n = 4
        self._first(now)

    def _first(self, now):
        self._tries = 0
        self._since = now
        self.ready = False
        self._put(now)

    def _put(self, now):
        self.uart.write(self._out, self._out_n)
        self._deadline = ticks.add(now, _ACK_MS)

    def _repeat(self, now):
        self._tries += 1
        self.repeats += 1
        if self._tries >= _TRIES:
            self.start(now)
        else:
            self._put(now)

    def _acknowledged(self, now):
        if self._out_n:
            self._out_n = 0
            self._deadline = ticks.add(now, _PING_MS if self._phase == _UP else _ANSWER_MS)
            self.ready = self._phase == _UP

    # ---- start-up

    def start(self, now: int):
        """Begin, or begin again, with a resynchronisation; what was on its way is given up."""
        self._phase = _RESYNCING
        self._asked = False
        self._out_n = 0
        self._sequence = self._seen = 0
        self.ready = False
        self._deadline = now

    def reset(self, now: int):
        """Reset the chip. Only while `ready`; its own notice then has the link start again."""
        self._short(_RESET, now)

    def _next(self, phase, now):
        self._phase = phase
        self._asked = False
        self._out_n = 0  # what was answered was received
        self._deadline = ticks.add(now, _PING_MS) if phase == _UP else now
        self.ready = phase == _UP

    def _ask(self, now):
        phase = self._phase
        self._asked = True
        if phase == _RESYNCING:
            self._say(_RESYNC, 0)
            self._deadline = ticks.add(now, _ANSWER_MS)
        elif phase == _ASKING_ID:
            tx = self.tx
            tx[0] = len(_READ_ID)
            copy(tx, 1, _READ_ID, 0, len(_READ_ID))
            self._transfer(tx, 1 + len(_READ_ID), now)
        elif phase == _ASKING_LAYER2:
            self._short(_LAYER2, now)
        elif phase == _ASKING_PHASE:
            self._short(_PHASE_MODE, now)
        else:
            self._short(_STATUS, now)

    def poll(self, now: int) -> int:
        """Do what is due; return the tick of the next."""
        if ticks.diff(now, self._deadline) >= 0:
            if self._out_n:
                self._repeat(now)
            elif self._phase == _UP:
                self._short(_STATUS, now)  # a chip that has gone is noticed
            elif self._phase == _ASKING_PHASE and self._asked:
                self._next(_ASKING_ID, now)  # a chip that knows no phases
            elif self._asked:
                self.start(now)  # acknowledged, never answered
            if not self._asked and self._phase != _UP:
                self._ask(now)
        return self._deadline
