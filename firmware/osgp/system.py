"""The tables that say what this device is and how its line stands: BT01, ET03, ET04. They are
brought up to date before a read."""

from micropython import const

from osgp.kernels import copy
from osgp.lon.management import PROGRAM_ID

BT01 = const(1)
ET03 = const(2048 + 3)
ET04 = const(2048 + 4)

# places in ET04 (`tables/extended/system.py`; test_system.py compares)
_SEQUENCE = const(0)
_TRANSCEIVER = const(4)
_SUBNET = const(10)
_NODE = const(11)
_FLAGS = const(12)
_PROGRAM_ID = const(14)
_NEURON_STATE = const(72)
_BROADCAST_BASE = const(82)
_BROADCAST_DELTA = const(86)
_SECURITY_MODE = const(127)
_FCM_COUNT = const(128)

# of _FLAGS: a host sets bits 1 to 4, the device the others
_SECURED_HEARD = const(0x01)
_FORCE_CONFIGURATION = const(0x02)
_REQUEST_STATE = const(0x04)
_CLEAR_TAKEN = const(0x08)
_HOST_BITS = const(0x1E)
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
        self.obey()

    def obey(self):
        """Act on what a host may set. Two of the flags are orders, and clear themselves."""
        flags = self._et04[_FLAGS]
        self._envelope.encrypted = not flags & _CLEAR_TAKEN
        if flags & _FORCE_CONFIGURATION:
            self._node.reset_transceiver()
        if flags & (_FORCE_CONFIGURATION | _REQUEST_STATE):
            self._et04[_FLAGS] = flags & ~(_FORCE_CONFIGURATION | _REQUEST_STATE) & 0xFF
            self._model.keep(ET04)

    def _fill_system(self):
        body = self._et04
        counter = self._counter
        member = self._member
        body[_SEQUENCE] = counter.lo & 0xFF
        body[_SEQUENCE + 1] = counter.lo >> 8
        body[_SEQUENCE + 2] = counter.hi & 0xFF
        body[_SEQUENCE + 3] = counter.hi >> 8 & 0xFF
        copy(body, _TRANSCEIVER, self._node.mip.uid, 0, 6)
        body[_SUBNET] = member.domains[0].subnet
        body[_NODE] = member.domains[0].node
        copy(body, _PROGRAM_ID, PROGRAM_ID, 0, 8)
        body[_FLAGS] = body[_FLAGS] & _HOST_BITS | (
            _SECURED_HEARD if self._envelope.validated else 0
        )
        body[_NEURON_STATE] = self._node.management.node_state()
        # the member record is big-endian, as the message that brought it
        image = member.image
        for k in range(4):
            body[_BROADCAST_BASE + k] = image[57 - k]
        body[_BROADCAST_DELTA] = image[59]
        body[_BROADCAST_DELTA + 1] = image[58]
        body[_SECURITY_MODE] = member.mode
        body[_FCM_COUNT] = self._commissioning.failed_today

    def _fill_serial(self):
        """Until somebody gives a serial number it is the transceiver's id: in ET03 its 12
        hexadecimal digits; in BT01, whose digits are decimal, its octets as three decimals each,
        of which the last 16 have room. Before the transceiver has told its id there is none."""
        if not any(self._node.mip.uid):
            return
        digits = "".join(["%03d" % octet for octet in self._node.mip.uid])[2:]
        for k in range(8):
            self._bt01[_SERIAL + k] = int(digits[2 * k]) << 4 | int(digits[2 * k + 1])
        if self._et03[0]:
            return  # a host wrote it
        text = "".join(["%02X" % octet for octet in self._node.mip.uid])
        for k in range(len(text)):
            self._et03[k] = ord(text[k])
