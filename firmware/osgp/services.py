"""Read and write of tables: the one way into the model, for every door. Source: `osgp.md` 1.1.

    30 table(2)                        full read       -> 00 count(2) data
    3F table(2) offset(3) count(2)     partial read    -> 00 count(2) data
    40 table(2) count(2) data          full write      -> 00
    4F table(2) offset(3) count(2) data                -> 00

Command fields are big-endian. Anything else is answered 02.
"""

from micropython import const

from tables.model import NOT_POSSIBLE, OK, POWER_LINE

FULL_READ = const(0x30)
PARTIAL_READ = const(0x3F)
FULL_WRITE = const(0x40)
PARTIAL_WRITE = const(0x4F)

ERROR = const(0x01)
NOT_SUPPORTED = const(0x02)


def command_length(buf, a: int, end: int) -> int:
    """Octets that the command at buf[a:end], one at least, must have.

    0: it is cut short. -1: no command of ours, of any length.
    """
    command = buf[a]
    if command == FULL_READ:
        return 3
    if command == PARTIAL_READ:
        return 8
    if command == FULL_WRITE:
        return 5 + (buf[a + 3] << 8 | buf[a + 4]) if end - a >= 5 else 0
    if command == PARTIAL_WRITE:
        return 8 + (buf[a + 6] << 8 | buf[a + 7]) if end - a >= 8 else 0
    return -1


class Services:
    """Commands of one door over the model."""

    def __init__(self, model, read_limit: int, write_limit: int):
        """Limits are data octets of one command; on the power line 84 and 75 (DECK)."""
        self.model = model
        self.read_limit = read_limit
        self.write_limit = write_limit
        self.user = POWER_LINE  # of this door, for the event log
        self.reads = self.writes = self.refused = self.failed = 0

    def run(self, buf, a: int, end: int, out, o: int, level: int, now: int) -> int:
        """Carry out the command buf[a:end], which has its exact length (`command_length`).

        The response goes to out[o:]; returns its end.
        """
        command = buf[a]
        if command in (FULL_READ, PARTIAL_READ):
            return self._read(buf, a, out, o, level)
        out[o] = NOT_SUPPORTED
        if command in (FULL_WRITE, PARTIAL_WRITE):
            number = buf[a + 1] << 8 | buf[a + 2]
            offset = 0
            at = a + 5
            if command == PARTIAL_WRITE:
                offset = buf[a + 3] << 16 | buf[a + 4] << 8 | buf[a + 5]
                at = a + 8
            n = buf[at - 2] << 8 | buf[at - 1]
            out[o] = NOT_POSSIBLE
            if n <= self.write_limit:
                self.writes += 1
                model = self.model
                before = model.user  # a transaction has commands of its own
                model.user = self.user
                # Called from here, for the stack of a Pico is short and this may be deep already.
                try:
                    out[o] = model.write(number, offset, buf, at, n, level, now)
                except OSError:  # flash is full, or fails: nothing has been changed (model.py)
                    self.failed += 1
                    out[o] = ERROR
                finally:
                    model.user = before
        if out[o] != OK:
            self.refused += 1
        return o + 1

    def _read(self, buf, a, out, o, level):
        number = buf[a + 1] << 8 | buf[a + 2]
        offset = 0
        if buf[a] == FULL_READ:
            n = max(self.model.size(number), 0)  # -1: no such table, and the model will say so
        else:
            offset = buf[a + 3] << 16 | buf[a + 4] << 8 | buf[a + 5]
            n = buf[a + 6] << 8 | buf[a + 7]
        out[o] = NOT_POSSIBLE
        if n <= self.read_limit:
            out[o] = self.model.read(number, offset, n, out, o + 3, level)
        if out[o] != OK:
            self.refused += 1
            return o + 1
        self.reads += 1
        out[o + 1] = n >> 8
        out[o + 2] = n & 0xFF
        return o + 3 + n
