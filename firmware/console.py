"""A live console beside the running device: one line in, evaluated where `device` is known, its
value out.

    >>> device.node.transport.received        what the line brought
    >>> device.scheduler.slots[0].longest     longest slice of the node, microseconds
    >>> read(23)                              a table as the model would serve it, in hexadecimal

A part like any other: while a line is being typed the device runs on. Blocks of several lines are
not taken; a line may hold `;`.
"""

import sys

from micropython import const

import ticks
from tables.model import MASTER

_LINE = const(200)  # octets of a line at most; the rest is dropped
_ENTER = const(10)
_RETURN = const(13)
_PROMPT = ">>> "


class Console:
    """Reads lines from `stream` (`readinto(buf)` of what is there, one octet at a time)."""

    def __init__(self, device, stream):
        self._device = device
        self._stream = stream
        self._octet = bytearray(1)
        self._line = bytearray()
        self._scope = {"device": device, "read": self.read}
        sys.stdout.write("the device runs; `device` is it, Ctrl-C ends\n" + _PROMPT)

    def read(self, number: int) -> str:
        """A whole table (BTnn: nn, ETnn: 2048 + nn) as hexadecimal text, or why not."""
        size = self._device.model.size(number)
        if size < 0:
            return "no such table"
        body = bytearray(size)
        code = self._device.model.read(number, 0, size, body, 0, MASTER)
        return body.hex() if code == 0 else "response code %02X" % code

    def readable(self, now: int):
        """The stream has an octet."""
        if not self._stream.readinto(self._octet):
            return
        octet = self._octet[0]
        if octet not in (_ENTER, _RETURN):
            if len(self._line) < _LINE:
                self._line.append(octet)
            return
        line = self._line.decode().strip()
        self._line = bytearray()
        if line:
            self._run(line)
        sys.stdout.write(_PROMPT)

    def _run(self, line):
        try:
            try:
                value = eval(line, self._scope)
            except SyntaxError:
                exec(line, self._scope)
                return
            if value is not None:
                print(repr(value))
        except Exception as error:
            sys.print_exception(error)

    def poll(self, now: int) -> int:
        return ticks.add(now, ticks.FAR)
