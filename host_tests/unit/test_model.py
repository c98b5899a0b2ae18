"""The model over a small one made by hand, one table of each kind."""

from fakes import Blob, Settings, retained
from tables.model import MASTER, NO_RIGHT, NO_TABLE, NOT_POSSIBLE, OK, PROVISION, READ, Model

try:
    from hypothesis import given
    from hypothesis import strategies as st
except ImportError:
    given = None

FIXED = 1
EMPTY = 2  # fixed, all zero, which the compiler does not store
KEPT = 3
LIVE = 5
COMMAND = 7  # taken by a writer
LOG = 64
SHUT = 66  # nobody may write it
EXTENDED = 2048 + 4

BODY = b"\x11\x12\x13\x14\x15\x16\x17\x18"
LOG_SIZE = 70000  # more than 16 bits


def blob():
    made = Blob()
    made.add(FIXED, 0, 4, body=b"\xa1\xa2\xa3\xa4")
    made.add(EMPTY, 0, 3, read=READ)
    made.add(KEPT, 1, 8, read=READ, write=PROVISION, body=BODY, runs=((1, 2), (5, 0xFFFF)))
    made.add(LIVE, 2, 4, body=b"\x01\x02\x03\x04", write=PROVISION)
    made.add(COMMAND, 2, 6, read=255, write=READ)
    made.add(LOG, 3, LOG_SIZE)
    made.add(SHUT, 1, 2, read=MASTER)
    made.add(EXTENDED, 1, 3, write=READ, runs=((0, 3),))
    return made


def model(settings=None):
    made = blob()
    return Model(made.build(), made.arena, settings or Settings())


def read(device, number, offset=0, n=4, level=MASTER):
    """What a read brings, or its response code. Around the answer nothing may be touched."""
    out = bytearray(b"\xee" * (n + 4))
    code = device.read(number, offset, n, out, 2, level)
    assert out[:2] == out[n + 2 :] == b"\xee\xee"
    if code == OK:
        return bytes(out[2 : n + 2])
    assert out == b"\xee" * (n + 4)
    return code


def write(device, number, data, offset=0, level=MASTER):
    buf = b"\xee\xee" + data + b"\xee\xee"
    return device.write(number, offset, buf, 2, len(data), level, 1000)


def test_sizes():
    device = model()
    sizes = [(FIXED, 4), (EMPTY, 3), (KEPT, 8), (LOG, LOG_SIZE), (EXTENDED, 3)]
    for number, size in sizes:
        assert device.size(number) == size
    for number in (0, 4, 63, 65, 2047, 2048, 2053, 4096 + 3, 0xFFFF):
        assert device.size(number) == -1
        assert read(device, number) == NO_TABLE
        assert write(device, number, b"1") == NO_TABLE


def test_no_table_at_all():
    device = Model(b"\x00\x00", 0, Settings())
    assert device.size(0) == -1
    assert read(device, 0) == NO_TABLE


def test_fixed_is_served_from_the_compiled_model():
    device = model()
    assert read(device, FIXED) == b"\xa1\xa2\xa3\xa4"
    assert read(device, FIXED, 1, 2) == b"\xa2\xa3"
    assert read(device, EMPTY, 0, 3) == bytes(3)
    assert read(device, EMPTY, 1, 4) == bytes(4)


def test_beyond_the_end_is_zero():
    device = model()
    assert read(device, FIXED, 2, 6) == b"\xa3\xa4\x00\x00\x00\x00"
    assert read(device, FIXED, 4, 2) == b"\x00\x00"
    assert read(device, FIXED, 0xFFFFFF, 3) == b"\x00\x00\x00"
    assert read(device, FIXED, 0, 0) == b""
    assert read(device, KEPT, 6, 3) == b"\x17\x18\x00"


def test_live_has_its_default_until_the_application_speaks():
    device = model()
    assert read(device, LIVE) == b"\x01\x02\x03\x04"
    body = device.body(LIVE)

    def fill():
        body[0] += 1

    device.before_read(LIVE, fill)
    assert read(device, LIVE, 0, 1) == b"\x02"
    assert read(device, LIVE, 0, 1) == b"\x03"
    assert read(device, LIVE, 4, 1) == b"\x00"  # nothing of it is read: nobody is asked
    assert body[0] == 3
    assert read(device, KEPT, 0, 8) == BODY  # its neighbours in the arena are their own
    assert len(body) == 4


def test_reader_is_asked_for_what_lies_within():
    device = model()
    asked = []

    def reader(offset, n, buf, o):
        asked.append((offset, n))
        for k in range(n):
            buf[o + k] = (offset + k) & 0xFF

    device.reader(LOG, reader)
    assert read(device, LOG, 1, 3) == b"\x01\x02\x03"
    assert read(device, LOG, LOG_SIZE - 2, 4) == bytes(
        ((LOG_SIZE - 2) & 0xFF, (LOG_SIZE - 1) & 0xFF, 0, 0)
    )
    assert read(device, LOG, LOG_SIZE, 2) == b"\x00\x00"
    assert asked == [(1, 3), (LOG_SIZE - 2, 2)]


def test_levels():
    device = model()
    for level in range(4):
        assert (read(device, EMPTY, 0, 1, level) == NO_RIGHT) == (level < READ)
        assert (read(device, SHUT, 0, 1, level) == NO_RIGHT) == (level < MASTER)
        assert read(device, COMMAND, 0, 1, level) == NO_RIGHT
        assert write(device, KEPT, b"", 0, level) == (NO_RIGHT if level < PROVISION else OK)
        assert write(device, SHUT, b"", 0, level) == NO_RIGHT
    assert read(device, FIXED, 0, 1, 0) == b"\xa1"


def test_write_is_kept_and_outlives_a_restart():
    settings = Settings()
    device = model(settings)
    assert write(device, KEPT, b"\xb1\xb2", 1) == OK
    assert settings.kept == {"BT03": b"\x11\xb1\xb2\x14\x15\x16\x17\x18"}
    assert read(device, KEPT, 0, 8) == settings.kept["BT03"]
    assert write(device, EXTENDED, b"\x05") == OK
    assert settings.kept["ET04"] == b"\x05\x00\x00"
    again = model(Settings(settings.kept))
    assert read(again, KEPT, 0, 8) == settings.kept["BT03"]
    assert read(again, EXTENDED, 0, 3) == b"\x05\x00\x00"


def test_what_is_not_a_host_s_is_left_alone():
    settings = Settings()
    device = model(settings)
    assert write(device, KEPT, b"\xc0\xc1\xc2\xc3\xc4\xc5\xc6\xc7") == OK
    assert read(device, KEPT, 0, 8) == b"\x11\xc1\xc2\x14\x15\xc5\xc6\xc7"
    assert write(device, KEPT, b"\xd0", 0) == OK
    assert write(device, KEPT, b"\xd3\xd4", 3) == OK
    assert read(device, KEPT, 0, 8) == b"\x11\xc1\xc2\x14\x15\xc5\xc6\xc7"
    assert settings.replaced == 1  # what changes nothing is not written to flash


def test_surplus_is_ignored():
    device = model()
    assert write(device, KEPT, b"\xd6\xd7\xd8\xd9", 6) == OK
    assert read(device, KEPT, 0, 8) == b"\x11\x12\x13\x14\x15\x16\xd6\xd7"
    assert write(device, KEPT, b"\xff\xff", 8) == OK
    assert write(device, KEPT, b"\xff\xff", 0xFFFFFF) == OK
    assert read(device, KEPT, 0, 8) == b"\x11\x12\x13\x14\x15\x16\xd6\xd7"
    assert read(device, LIVE) == b"\x01\x02\x03\x04"  # which lies behind it in the arena


def test_only_kept_tables_are_written():
    device = model()
    assert write(device, LIVE, b"\x09") == NOT_POSSIBLE
    assert read(device, LIVE, 0, 1) == b"\x01"
    assert write(device, FIXED, b"\x09") == NO_RIGHT


def test_checker_sees_the_body_as_it_would_become():
    settings = Settings()
    device = model(settings)
    seen = []

    def check(image):
        seen.append(bytes(image))
        return OK if image[1] < 0x80 else NOT_POSSIBLE

    device.checker(KEPT, check)
    assert write(device, KEPT, b"\x80\x81", 1) == NOT_POSSIBLE
    assert seen == [b"\x11\x80\x81\x14\x15\x16\x17\x18"]
    assert read(device, KEPT, 0, 8) == BODY
    assert not settings.kept
    assert write(device, KEPT, b"\x7f", 1) == OK
    assert read(device, KEPT, 1, 1) == b"\x7f"


def test_subscriber_is_told_after_it_is_safe():
    settings = Settings()
    device = model(settings)
    told = []
    device.subscribe(
        KEPT, lambda: told.append((settings.kept["BT03"][1], read(device, KEPT, 1, 1)))
    )
    assert write(device, KEPT, b"\xb1", 1) == OK
    assert told == [(0xB1, b"\xb1")]
    device.checker(KEPT, lambda image: NOT_POSSIBLE)
    assert write(device, KEPT, b"\xb2", 1) == NOT_POSSIBLE
    assert len(told) == 1


def test_writer_takes_the_write_in_the_store_s_place():
    settings = Settings()
    device = model(settings)
    taken = []

    def writer(offset, buf, a, n, level, now):
        taken.append((offset, bytes(buf[a : a + n]), level, now))
        return NOT_POSSIBLE

    device.writer(COMMAND, writer)
    assert write(device, COMMAND, b"\x01\x02", 3, READ) == NOT_POSSIBLE
    assert write(device, COMMAND, b"\x01", 0, 0) == NO_RIGHT
    assert taken == [(3, b"\x01\x02", READ, 1000)]
    assert not settings.kept


def test_a_store_that_fails_leaves_the_body_as_it_was():
    settings = Settings()
    device = model(settings)
    told = []
    device.subscribe(KEPT, lambda: told.append(1))
    settings.on_replace = lambda name: told.append(read(device, KEPT, 0, 8))
    settings.fails = True
    try:
        write(device, KEPT, b"\xb1\xb2", 1)
        raise AssertionError("a failed store was not noticed")
    except OSError:
        pass
    assert told == [BODY]  # while it was being kept, and nobody was told afterwards
    assert read(device, KEPT, 0, 8) == BODY
    assert not settings.kept


def test_a_kept_body_of_another_length_is_refused():
    for body in (b"", b"\x99" * 7, b"\x99" * 9):
        assert read(model(Settings({"BT03": body})), KEPT, 0, 8) == BODY
    assert read(model(Settings({"BT03": b"\x99" * 8})), KEPT, 0, 8) == b"\x99" * 8
    assert read(model(Settings({"BT05": b"\x99" * 4})), LIVE) == b"\x01\x02\x03\x04"  # is not kept


def test_keep_saves_what_the_application_changed():
    settings = Settings()
    device = model(settings)
    body = device.body(KEPT)
    body[0] = 0x77
    device.keep(KEPT)
    assert settings.kept == {"BT03": b"\x77" + BODY[1:]}


def test_reads_allocate_nothing():
    device = model()
    device.before_read(LIVE, lambda: None)
    out = bytearray(32)
    numbers = (FIXED, EMPTY, KEPT, LIVE)

    def reads():
        for number in numbers:
            device.read(number, 2, 6, out, 3, MASTER)

    assert retained(reads) in (0, None)


if given:

    @given(st.integers(0, 4200), st.integers(0, 0xFFFFFF), st.integers(0, 300), st.integers(0, 3))
    def test_any_read(number, offset, n, level):
        device = model()
        device.reader(LOG, lambda offset, n, buf, o: None)
        read(device, number, offset, n, level)

    @given(st.integers(0, 9), st.integers(0, 12), st.binary(max_size=12))
    def test_any_write_changes_only_what_is_a_host_s(number, offset, data):
        device = model()
        before = read(device, KEPT, 0, 8)
        code = write(device, number, data, offset)
        after = read(device, KEPT, 0, 8)
        expected = bytearray(before)
        if number == KEPT and code == OK:
            for k in (1, 2, 5, 6, 7):
                if offset <= k < offset + len(data):
                    expected[k] = data[k - offset]
        assert after == expected
