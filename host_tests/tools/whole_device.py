"""A whole device in this process, behind services without a door's limits, with what the generated
tests need to know of tables."""

from osgp.services import Services
from osgp_tools import model
from rig import MemoryBoard, Rig, StillElement
from tables import layout
from tables.model import MASTER, OK
from tables.schema import NEVER

TABLES = sorted(model.TABLES.values(), key=lambda one: one.number)
LIMIT = 65535  # octets of one command
# Tables with a checker that refuses all ones or all zeros, and a write that it takes
CHECKED = {
    "BT53": "zone_offset=120",
}


class House:
    """A whole device, and services of a door without limits."""

    def __init__(self, board=None):
        self.rig = Rig(StillElement(), board or MemoryBoard(StillElement()))
        self.device = self.rig.device
        self.services = Services(self.device.model, LIMIT, LIMIT)
        self._out = bytearray(LIMIT + 8)
        self._number = 9

    def run(self, command, level=MASTER):
        """(code, data)"""
        now = self.rig.board.now
        end = self.services.run(command, 0, len(command), self._out, 0, level, now)
        return self._out[0], bytes(self._out[3:end])

    def look(self, table, offset, n):
        """Octets of the table, of one that no door may read too."""
        if table.name == "BT07":
            return bytes(n)
        code, data = self.run(b"\x3f" + head(table, offset, n), NEVER)
        assert (code, len(data)) == (OK, n)
        return data

    def put(self, table, offset, data, level=MASTER):
        return self.run(b"\x4f" + head(table, offset, len(data)) + data, level)[0]

    def call(self, number, parameters):
        """The result of a procedure."""
        self._number = self._number + 1 if self._number < 254 else 10
        data = number.to_bytes(2, "little") + bytes((self._number,)) + parameters
        command = b"\x40\x00\x07" + len(data).to_bytes(2, "big") + data
        assert self.run(command)[0] == OK
        answer = self.look(model.TABLES[8], 0, 16)
        assert answer[:3] == data[:3]
        return answer[3]

    def live(self, seconds=3):
        """The application goes on."""
        for _ in range(seconds):
            self.rig.advance(1000)
            self.device.application.poll(self.rig.board.now)
            self.device.events.poll(self.rig.board.now)


def head(table, offset, n):
    """Table, offset and count as they stand in a command."""
    number = table.number if hasattr(table, "number") else table
    return number.to_bytes(2, "big") + offset.to_bytes(3, "big") + n.to_bytes(2, "big")


def host_octets(table):
    """An octet for each of the table's: 1 where a host may set it."""
    mine = bytearray(table.size)
    for offset, n in layout.host_runs(table):
        mine[offset : offset + n] = b"\1" * n
    return mine
