"""ET54, the meter's status, brought up to date before a read."""

from micropython import const

from meter.registers import put32

ET54 = const(2048 + 54)

# places in ET54 (`tables/extended/status.py`)
_TIER_DRIVE = const(44)
_UNICAST_KEY_USES = const(82)
_OVER_POWER = const(0x01)


class Status:
    """What only has to be looked up when somebody asks. Others write their own fields."""

    def __init__(self, model, envelope, calendar):
        """envelope: `validated`, `failures`. calendar: `over_power`, a tier or -1."""
        self._body = model.body(ET54)
        self._envelope = envelope
        self._calendar = calendar
        model.before_read(ET54, self._fill)

    def _fill(self):
        body = self._body
        body[_TIER_DRIVE] = _OVER_POWER if self._calendar.over_power >= 0 else 0
        put32(body, _UNICAST_KEY_USES, self._envelope.validated + self._envelope.failures)
