"""What is kept beside tables, by a later firmware: a record that has become longer is read as far
as it was known, for the firmware before may come back after an update (CONTRIBUTING.md)."""

from whole_device import TABLES, House

from meter.clock import day_number, to_ltime
from osgp_tools.model import encode
from rig import MemoryBoard, StillElement
from tables.model import OK

KEPT = ("BT74", "DM", "DR", "DR0", "SR", "SR0", "override", "prepay", "procedure", "profile")
_TODAY = day_number(26, 11, 21)


def lived() -> House:
    """A device that has kept something of most kinds."""
    house = House()
    set_clock(house)
    for number, parameters in ((9, b"\x02"), (9, b"\x01"), (4, b"\x07"), (4, b"\x03")):
        assert house.call(number, parameters) == 0
    values = encode(2053, {"prepay": {"enabled": 1}, "prepay_rates": [700] * 4})
    assert house.put(2053, 0, values) == OK
    assert house.call(2069, b"\0" + (1).to_bytes(4, "little") + (5000).to_bytes(4, "little")) == 0
    assert house.put(2095, 0, encode(2095, {"tariff": 2, "cancellation": 1})) == OK
    house.live(5)
    return house


def set_clock(house: House):
    moment = bytearray(6)
    to_ltime(_TODAY, 43200, moment, 0)
    assert house.call(10, b"\x03" + moment + b"\x00") == 0
    house.live(5)


def starts_again(board: MemoryBoard, changed: dict[str, bytes]) -> dict[str, bytes]:
    """All that it shows when it starts with what was kept and this, before and after it has the
    time."""
    again = MemoryBoard(StillElement(), seed=1000)
    again._settings.files = board._settings.files | changed
    again.flash.octets[:] = board.flash.octets
    house = House(again)
    shown = {}
    for moment in ("start", "later"):
        for one in TABLES:
            size = house.device.model.size(one.number)
            shown[f"{one.name} {moment}"] = house.look(one, 0, size)
        set_clock(house)
    return shown


def test_a_longer_record_is_read_as_far_as_it_was_known():
    board = lived().rig.board
    assert set(KEPT) <= board._settings.files.keys()
    expected = starts_again(board, {})
    for name in KEPT:
        longer = {name: board._settings.files[name] + b"later"}
        assert starts_again(board, longer) == expected, name


def test_each_record_matters():
    """The test above could fail: without the record, the device shows something else."""
    board = lived().rig.board
    expected = starts_again(board, {})
    for name in KEPT:
        assert starts_again(board, {name: b""}) != expected, name
