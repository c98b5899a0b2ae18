"""The MEP and M-Bus side in a whole device: procedures by BT07, their tables, a restart."""

from osgp_tools import model
from rig import MemoryBoard, Rig, StillElement
from tables.model import MASTER, OK

BT07, BT08, BT23 = 7, 8, 23
ET14, ET16, ET19, ET31, ET36 = (2048 + k for k in (14, 16, 19, 31, 36))
SECOND = 1000


class Bench:
    def __init__(self):
        self.board = MemoryBoard(StillElement())
        self.psn = 10
        self.start()

    def start(self):
        self.device = Rig(None, self.board).device

    def read(self, number):
        out = bytearray(self.device.model.size(number))
        assert self.device.model.read(number, 0, len(out), out, 0, MASTER) == OK
        return bytes(out)

    def call(self, number, parameters):
        """(result, data) of EPnn."""
        self.psn += 1
        call = (2048 + number).to_bytes(2, "little") + bytes((self.psn,)) + parameters
        write = self.device.model.write
        assert write(BT07, 0, call, 0, len(call), MASTER, self.board.now) == OK
        answer = self.read(BT08)
        assert answer[:3] == call[:3]
        return answer[3], answer[4:]

    def wait(self, seconds):
        for _ in range(seconds):
            self.board.now += SECOND
            self.device.application.poll(self.board.now)


def test_a_one_time_read_of_the_registers():
    bench = Bench()
    assert bench.call(10 - 2048, bytes((7, 26, 11, 22, 12, 0, 0, 0)))[0] == 0  # BP10: the clock
    bench.wait(3)
    assert bench.call(24, bytes((7, 0, 0, 0)) + bytes(6))[0] == 0
    bench.wait(1)
    log = model.decode(ET31, bench.read(ET31))
    assert (log["valid_entries"], log["last_entry"], log["unread_entries"]) == (1, 0, 1)
    entry = log["entries"][0]
    assert entry["time"][:3] == (26, 11, 22)
    assert entry["registers"] == model.decode(BT23, bench.read(BT23))
    assert model.decode(ET36, bench.read(ET36))["unread"] == (0,)
    bench.start()
    assert model.decode(ET31, bench.read(ET31)) == log
    assert model.decode(ET19, bench.read(ET19))["queue"][0]["result"] == 1


def test_what_nothing_attached_answers():
    """The call of the guide's example (MEP p.53) among others."""
    bench = Bench()
    assert bench.call(17, bytes((0, 0xF8, 0x03)))[0] == 3
    assert bench.call(17, bytes((2, 0xF8, 0x03)))[0] == 2
    assert bench.call(19, bytes((1, 0, 7, 0, 2)))[0] == 3
    assert bench.call(39, bytes((4, 1, 0, 0)))[0] == 3
    assert bench.call(50, b"")[0] == 3
    assert bench.call(61, b"\x01")[0] == 5
    assert bench.call(18, b"\xff" * 5)[0] == 0
    assert bench.call(18, b"\xff" * 4)[0] == 2  # too short
    assert bench.read(ET14) == bytes(186)
    assert bench.read(ET16) == bytes(5 * 517)


def test_a_request_without_an_answer_is_an_alarm():
    bench = Bench()
    bench.device.model.patch(ET14, 5, b"\x01\x07\x00\x01")  # an M-Bus device, handle 7
    assert bench.call(19, bytes((1, 0, 7, 0, 2))) == (0, bytes(12))
    bench.wait(32)
    status = model.decode(ET14, bench.read(ET14))["devices"][0]
    assert status["alarms"]["no_communication"] == 1
    assert model.decode(3, bench.read(3))["manufacturer_status_3"]["mbus_alarm"] == 1
