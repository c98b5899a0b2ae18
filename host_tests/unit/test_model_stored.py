"""Tables that are in flash alone: read through the window, patched by the application."""

from fakes import Blob, Settings, retained
from tables.model import MASTER, NOT_POSSIBLE, OK, Model

STORED = 5
EMPTY = 6  # stored, all zero by default
KEPT = 2048 + 3
BODY = b"\x11\x12\x13\x14\x15\x16"


def model(settings):
    made = Blob()
    made.add(STORED, 4, 6, write=1, body=BODY, runs=((1, 2),))
    made.add(EMPTY, 4, 4, write=1, runs=((0, 0xFFFF),))
    made.add(KEPT, 1, 3, write=1, body=b"abc", runs=((0, 1),))
    return Model(made.build(), made.arena, settings)


def read(device, number, offset=0, n=6):
    out = bytearray(n)
    assert device.read(number, offset, n, out, 0, MASTER) == OK
    return bytes(out)


def write(device, number, data, offset=0):
    return device.write(number, offset, data, 0, len(data), MASTER, 0)


def test_the_default_is_served_until_something_is_stored():
    settings = Settings()
    device = model(settings)
    assert read(device, STORED) == BODY
    assert read(device, STORED, 2, 6) == b"\x13\x14\x15\x16\x00\x00"
    assert read(device, EMPTY) == bytes(6)
    assert not settings.kept
    assert device.load(STORED) == BODY


def test_a_write_is_stored_and_outlives_a_restart():
    settings = Settings()
    device = model(settings)
    assert write(device, STORED, b"\xa0\xa1\xa2\xa3") == OK
    assert settings.kept == {"BT05": b"\x11\xa1\xa2\x14\x15\x16"}  # the host's octets alone
    assert write(device, EMPTY, b"\xb0", 3) == OK
    for again in (device, model(Settings(settings.kept))):
        assert read(again, STORED) == b"\x11\xa1\xa2\x14\x15\x16"
        assert read(again, EMPTY, 0, 4) == b"\x00\x00\x00\xb0"
        assert read(again, STORED, 4, 2) == b"\x15\x16"


def test_what_changes_nothing_is_not_written():
    settings = Settings()
    device = model(settings)
    told = []
    device.subscribe(STORED, lambda: told.append(1))
    assert write(device, STORED, BODY) == OK
    assert settings.replaced == 0
    assert told == [1]


def test_the_application_patches():
    settings = Settings()
    device = model(settings)
    device.patch(STORED, 4, b"\xee")
    assert read(device, STORED) == b"\x11\x12\x13\x14\xee\x16"
    device.patch(KEPT, 1, b"XY")
    assert read(device, KEPT, 0, 3) == b"aXY"
    assert settings.kept == {"BT05": b"\x11\x12\x13\x14\xee\x16", "ET03": b"aXY"}


def test_a_patch_that_fails_changes_nothing():
    settings = Settings()
    device = model(settings)
    for number, octets in ((STORED, b"\xee"), (KEPT, b"X")):
        before = read(device, number)
        settings.fails = True
        try:
            device.patch(number, 0, octets)
            raise AssertionError("a failed store was not noticed")
        except OSError:
            pass
        settings.fails = False
        assert read(device, number) == before


def test_a_checker_holds_for_stored_tables_too():
    device = model(Settings())
    device.checker(STORED, lambda image: OK if image[1] < 0x80 else NOT_POSSIBLE)
    assert write(device, STORED, b"\x80", 1) == NOT_POSSIBLE
    assert read(device, STORED) == BODY
    assert write(device, STORED, b"\x7f", 1) == OK


def test_a_stored_body_of_another_length_is_not_this_table_s():
    for body in (b"", bytes(5), bytes(7)):
        assert read(model(Settings({"BT05": body})), STORED) == BODY


def test_who_follows_writes_is_told_the_number():
    device = model(Settings())
    told = []
    device.on_written = told.append
    write(device, STORED, b"\x01", 1)
    write(device, KEPT, b"\x01")
    device.patch(STORED, 0, b"\x01")
    assert told == [STORED, KEPT]


def test_a_served_table_changes_its_size():
    made = Blob()
    made.add(64, 3, 10)
    device = Model(made.build(), made.arena, Settings())
    asked = []
    device.reader(64, lambda offset, n, buf, o: asked.append((offset, n)))
    device.resize(64, 4)
    assert device.size(64) == 4
    assert read(device, 64, 2, 6) == bytes(6)
    assert asked == [(2, 2)]


def test_reading_allocates_nothing():
    settings = Settings()
    device = model(settings)
    write(device, EMPTY, b"\xb0", 3)
    out = bytearray(4)
    for number in (STORED, EMPTY):
        assert retained(lambda n=number: device.read(n, 1, 3, out, 0, MASTER)) in (None, 0)
