"""The tables that say what this device is and how its line stands: BT01, ET03, ET04. They are
brought up to date before a read."""

from micropython import const

from osgp.kernels import copy
from osgp.lon.management import PROGRAM_ID

BT01 = const(1)
ET03 = const(2048 + 3)
ET04 = const(2048 + 4)
ET55 = const(2048 + 55)

# places in ET04 (`tables/extended/system.py`; test_system.py compares)
_SEQUENCE = const(0)
_TRANSCEIVER = const(4)
_SUBNET = const(10)
_NODE = const(11)
_FLAGS = const(12)
_PROGRAM_ID = const(14)
_NEURON_STATE = const(72)
# of B and D, in the order of the member record: big-endian, as the message that brought it
_WINDOW = b"\x55\x54\x53\x52\x57\x56"
_SECURITY_MODE = const(127)
_FCM_COUNT = const(128)

# of _FLAGS: a host sets bits 1 to 4, the device the others
_SECURED_HEARD = const(0x01)
_FORCE_CONFIGURATION = const(0x02)
_REQUEST_STATE = const(0x04)
_CLEAR_TAKEN = const(0x08)
_HOST_BITS = const(0x1E)
_LOCKOUT = const(20)  # in ET55: failures in a row, minutes
_SERIAL = const(16)  # in BT01, 8 octets BCD; in ET03 it is at 0, 30 characters


class System:
    """Fills the system tables out of those who know."""

    def __init__(self, model, node, member, counter, envelope, commissioning):
        self._model = model
        self._node = node
        self._member = member
        self._counter = counter
        self._envelope = envelope
        self._commissioning = commissioning
        self._et04 = model.body(ET04)
        self._bt01 = model.body(BT01)
        self._et03 = model.body(ET03)
        model.before_read(ET04, self._fill_system)
        model.before_read(BT01, self._fill_serial)
        model.before_read(ET03, self._fill_serial)
        model.subscribe(ET04, self.obey)
        model.subscribe(ET55, self._take_lockout)
        self._fill_system()  # what was kept of B may be of another membership
        self.obey()
        self._take_lockout()

    def obey(self):
        """Act on what a host may set. Two of the flags are orders, and clear themselves. B goes up
        only: no number comes again under its key (profile 21)."""
        body = self._et04
        flags = body[_FLAGS]
        self._envelope.encrypted = not flags & _CLEAR_TAKEN
        if flags & _FORCE_CONFIGURATION:
            self._node.reset_transceiver()
        if flags & (_FORCE_CONFIGURATION | _REQUEST_STATE):
            body[_FLAGS] = flags & ~(_FORCE_CONFIGURATION | _REQUEST_STATE) & 0xFF
            self._model.keep(ET04)
        window = bytes([body[k] for k in _WINDOW])
        draft = self._member.draft()
        if window != draft[54:60]:
            draft[54:58] = max(window[:4], bytes(draft[54:58]))
            draft[58:60] = window[4:]
            self._member.commit(draft, True)

    def _take_lockout(self):
        et55 = self._model.load(ET55)
        self._envelope.lockout = (et55[_LOCKOUT], et55[_LOCKOUT + 1])

    def _fill_system(self):
        body = self._et04
        counter = self._counter
        member = self._member
        body[_SEQUENCE] = counter.lo & 0xFF
        body[_SEQUENCE + 1] = counter.lo >> 8
        body[_SEQUENCE + 2] = counter.hi & 0xFF
        body[_SEQUENCE + 3] = counter.hi >> 8 & 0xFF
        copy(body, _TRANSCEIVER, self._node.link.uid, 0, 6)
        body[_SUBNET] = member.domains[0].subnet
        body[_NODE] = member.domains[0].node
        copy(body, _PROGRAM_ID, PROGRAM_ID, 0, 8)
        body[_FLAGS] = body[_FLAGS] & _HOST_BITS | (
            _SECURED_HEARD if self._envelope.validated else 0
        )
        body[_NEURON_STATE] = self._node.management.node_state()
        for k in range(6):
            body[_WINDOW[k]] = member.image[54 + k]
        body[_SECURITY_MODE] = member.mode
        body[_FCM_COUNT] = self._commissioning.failed_today

    def _fill_serial(self):
        """Until somebody gives a serial number it is the transceiver's id: in ET03 its 12
        hexadecimal digits; in BT01, whose digits are decimal, its octets as three decimals each,
        of which the last 16 have room. Before the transceiver has told its id there is none."""
        if not any(self._node.link.uid):
            return
        digits = "".join(["%03d" % octet for octet in self._node.link.uid])[2:]
        for k in range(8):
            self._bt01[_SERIAL + k] = int(digits[2 * k]) << 4 | int(digits[2 * k + 1])
        if self._et03[0]:
            return  # a host wrote it
        text = "".join(["%02X" % octet for octet in self._node.link.uid])
        for k in range(len(text)):
            self._et03[k] = ord(text[k])
