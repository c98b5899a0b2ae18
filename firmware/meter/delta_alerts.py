"""Delta data alerts (ET71): sources that are looked at each second, in RAM alone."""

from micropython import const

from meter.registers import get32, put32
from tables.model import OK

_ET71 = const(2048 + 71)
# an alert: source 2, delta 2, comparison 4, sample 4, status 1; a host may set the first three
_SIZE = const(13)
_BY_HOST = const(8)
_COMPARISON = const(4)
_SAMPLE = const(8)
_STATUS = const(12)
_INVALID = const(1)
_NOT_IN_USE = const(255)
_LARGEST = const(0x7FFFFFFF)


class DeltaAlerts:
    """Costs nothing until a host asks for the first alert."""

    def __init__(self, model, application):
        """application: `source(id)` -> value, at least 0, or None; `on_second`."""
        self._body = model.body(_ET71)
        self._application = application
        self._started = False
        model.writer(_ET71, self._write)

    def _write(self, offset, buf, a, n, level, now) -> int:
        body = self._body
        for at in range(offset, min(offset + n, len(body))):
            if at % _SIZE < _BY_HOST:
                body[at] = buf[a + at - offset]
        if not self._started:
            self._started = True
            self._application.on_second.append(self.second)
        return OK

    def second(self, now_ms: int):
        """Sample each source; the comparison follows when it is off by the delta or more."""
        for o in range(0, len(self._body), _SIZE):
            if self._body[o] != _NOT_IN_USE or self._body[o + 1]:
                self._sample(o)

    def _sample(self, o):
        value = self._application.source(self._body[o] | self._body[o + 1] << 8)
        self._body[o + _STATUS] = _INVALID if value is None else 0
        if value is None:
            return
        put32(self._body, o + _SAMPLE, value)
        delta = self._body[o + 2] | self._body[o + 3] << 8
        comparison = get32(self._body, o + _COMPARISON)
        if comparison > _LARGEST:
            comparison -= 2 * _LARGEST + 2
        if delta and abs(value - comparison) >= delta:
            put32(self._body, o + _COMPARISON, value)
