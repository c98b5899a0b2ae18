"""ET54, the meter's status, brought up to date before a read."""

from micropython import const

from meter.registers import put32

ET54 = const(2048 + 54)

# places in ET54 (`tables/extended/status.py`)
_TIER_DRIVE = const(44)
_UNICAST_KEY_USES = const(82)
_BROADCAST_KEY_USES = const(86)
_SECURITY_MODES = const(90)
_RC4 = const(0x01)  # mode 0 alone
_AES = const(0x05)  # and mode 2
_OVER_POWER = const(0x01)


class Status:
    """What only has to be looked up when somebody asks. Others write their own fields."""

    def __init__(self, model, envelope, calendar, trusted: bool):
        """envelope: `uses`. calendar: `over_power`, a tier or -1. trusted: its random source may
        be, and the device can become a member in mode 2."""
        self._body = model.body(ET54)
        self._body[_SECURITY_MODES] = _AES if trusted else _RC4
        self._envelope = envelope
        self._calendar = calendar
        model.before_read(ET54, self._fill)

    def _fill(self):
        body = self._body
        body[_TIER_DRIVE] = _OVER_POWER if self._calendar.over_power >= 0 else 0
        uses = self._envelope.uses
        put32(body, _UNICAST_KEY_USES, uses[0] + uses[1])
        put32(body, _BROADCAST_KEY_USES, uses[2] + uses[3])
