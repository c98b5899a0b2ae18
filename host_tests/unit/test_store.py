"""Rings, counters and the flash gate, on a flash in RAM whose power goes at any operation.

The CRC here is the firmware's own; the cuts under a real littlefs are in host_tests/faults.
"""

from osgp import kernels
from support import allocated, noise
from tables.store import Counter, Gate, Ring

try:
    from hypothesis import given
    from hypothesis import strategies as st
except ImportError:
    given = None

SECTOR = 4096
WHOLE = 0  # how much of the operation under which power goes still happens
NOTHING = 1
FRONT = 2
BACK = 3


class PowerCut(Exception):  # noqa: N818  not an error of the program
    pass


class RamFlash:
    """NOR flash: an erase sets a sector to FF, and a program may only hit what is FF."""

    def __init__(self, sectors, unit=16):
        self.unit = unit
        self.data = bytearray(b"\xff" * (sectors * SECTOR))
        self.operations = 0
        self.erases = 0
        self.cut_at = -1
        self.cut_how = NOTHING

    def read(self, address, buf):
        buf[:] = self.data[address : address + len(buf)]

    def program(self, address, buf):
        assert address % self.unit == 0
        assert len(buf) % self.unit == 0
        end = address + len(buf)
        assert self.data[address:end] == b"\xff" * len(buf), "programmed twice"
        self._operate(address, bytes(buf))

    def erase(self, address):
        assert address % SECTOR == 0
        self.erases += 1
        self._operate(address, b"\xff" * SECTOR)

    def _operate(self, address, new):
        if self.operations == self.cut_at:
            half = len(new) // 2
            if self.cut_how in (WHOLE, FRONT):
                self.data[address : address + half] = new[:half]
            if self.cut_how in (WHOLE, BACK):
                self.data[address + half : address + len(new)] = new[half:]
            raise PowerCut
        self.data[address : address + len(new)] = new
        self.operations += 1


def payload(number, size=18):
    return bytes(noise(size, number + 1))


def ring_on(flash, sectors, size=18, base=0):
    return Ring(flash, base, sectors, size, kernels)


def fill(ring, count, tend=True):
    for _ in range(count):
        ring.append(payload(ring.last + 1, ring.size))
        if tend:
            ring.tend()


def whole(ring, number):
    buf = bytearray(ring.size)
    return ring.read(number, buf) and buf == payload(number, ring.size)


# ------------------------------------------------------------------------------------------- Ring


def test_a_new_ring_holds_nothing():
    ring = ring_on(RamFlash(3), 3)
    assert (ring.first, ring.last, ring.repaired) == (-1, -1, 0)
    assert not ring.needs_tending
    for number in (-1, 0, 1):
        assert not ring.read(number, bytearray(18))


def test_records_come_back_by_number():
    ring = ring_on(RamFlash(3), 3)
    for number in range(5):
        assert ring.append(payload(number)) == number
    assert (ring.first, ring.last) == (0, 4)
    assert all(whole(ring, number) for number in range(5))
    assert not ring.read(5, bytearray(18))


def test_read_leaves_the_rest_of_a_longer_buffer():
    ring = ring_on(RamFlash(2), 2, size=4)
    ring.append(b"abcd")
    buf = bytearray(b"......")
    assert ring.read(0, buf)
    assert buf == b"abcd.."


def test_record_layout():
    """Number, payload, CRC-16, FF up to the program unit."""
    flash = RamFlash(2)
    ring = ring_on(flash, 2, size=3)
    ring.append(b"abc")
    ring.append(b"abc")
    record = b"\x01\0\0\0abc"
    crc = kernels.crc16(record, 0, 7)
    assert flash.data[16:32] == record + bytes((crc & 0xFF, crc >> 8)) + b"\xff" * 7


def test_oldest_sector_goes_when_the_ring_is_full():
    """18 + 6 octets fill two units of 16: 128 records a sector."""
    flash = RamFlash(4)
    ring = ring_on(flash, 4)
    fill(ring, 1000)
    assert ring.last == 999
    assert ring.starved == 0
    assert ring.last - ring.first + 1 >= ring.capacity == 2 * 128 + 1
    assert all(whole(ring, number) for number in range(ring.first, 1000))
    assert not ring.read(ring.first - 1, bytearray(18))


def test_restart_finds_the_end_at_every_fill():
    flash = RamFlash(3, unit=512)  # eight records a sector, so that every fill can be tried
    size = 10
    ring = ring_on(flash, 3, size)
    for count in range(1, 60):
        fill(ring, 1, tend=count % 3 == 0)
        again = ring_on(flash, 3, size)
        assert (again.first, again.last) == (ring.first, ring.last)
        assert again.repaired == 0
        assert all(whole(again, number) for number in range(ring.first, ring.last + 1))


def test_restart_reads_little():
    """One record a sector, a binary search, and the sector that should be blank."""
    flash = RamFlash(20, unit=256)
    fill(ring_on(flash, 20), 200)
    reads = []
    plain = flash.read
    flash.read = lambda address, buf: (reads.append(address), plain(address, buf))
    assert ring_on(flash, 20).last == 199
    assert len(reads) <= 20 + 4 + 1 + 16


def test_a_ring_keeps_to_its_place():
    flash = RamFlash(8)
    fill(ring_on(flash, 3, base=2 * SECTOR), 1000)
    assert flash.data[: 2 * SECTOR] == b"\xff" * (2 * SECTOR)
    assert flash.data[5 * SECTOR :] == b"\xff" * (3 * SECTOR)


def test_erase_is_ahead_unless_tending_is_starved():
    flash = RamFlash(3)
    ring = ring_on(flash, 3)
    fill(ring, 128, tend=False)
    assert ring.needs_tending
    assert flash.erases == 0
    fill(ring, 1, tend=False)
    assert (flash.erases, ring.starved) == (1, 1)
    assert ring.tend()
    assert not ring.tend()
    fill(ring, 128, tend=False)
    assert (flash.erases, ring.starved) == (2, 1)


def test_damage_in_the_middle_is_reported_and_harms_nothing_else():
    flash = RamFlash(3)
    ring = ring_on(flash, 3)
    fill(ring, 300)
    slots = 3 * 128
    for number in (130, 256):  # the second is the first of its sector
        flash.data[number % slots * 32 + 7] ^= 0x10
    for held in (ring, ring_on(flash, 3)):
        assert held.last == 299
        bad = [number for number in range(held.first, 300) if not whole(held, number)]
        assert bad == [130, 256]


def test_torn_tail_is_cut_off_and_counted():
    flash = RamFlash(3)
    fill(ring_on(flash, 3), 10)
    for torn in (10, 11):
        ring = ring_on(flash, 3)
        flash.cut_at = flash.operations
        flash.cut_how = FRONT
        try:
            ring.append(payload(torn))
            raise AssertionError("no cut")
        except PowerCut:
            flash.cut_at = -1
    ring = ring_on(flash, 3)
    assert (ring.last, ring.repaired) == (9, 2)
    assert ring.append(payload(12)) == 12  # the torn slots are not used again
    assert (ring_on(flash, 3).last, ring_on(flash, 3).repaired) == (12, 0)
    assert not ring.read(10, bytearray(18))
    assert whole(ring, 9)
    assert whole(ring, 12)


def test_record_torn_at_the_start_of_a_sector_is_counted():
    flash = RamFlash(3)
    ring = ring_on(flash, 3)
    fill(ring, 128)
    flash.cut_at = flash.operations
    flash.cut_how = FRONT
    try:
        ring.append(payload(128))
        raise AssertionError("no cut")
    except PowerCut:
        flash.cut_at = -1
    ring = ring_on(flash, 3)
    assert (ring.last, ring.repaired, ring.needs_tending) == (127, 1, True)
    assert ring.append(payload(128)) == 128
    assert whole(ring_on(flash, 3), 128)


def test_flash_that_fails_costs_at_most_one_number():
    for how, expected in ((NOTHING, 10), (FRONT, 11), (WHOLE, 11)):
        flash = RamFlash(3)
        ring = ring_on(flash, 3)
        fill(ring, 10)
        for _ in range(2):  # a second failure changes nothing more when nothing was touched
            flash.cut_at = flash.operations
            flash.cut_how = how
            try:
                ring.append(payload(10))
                raise AssertionError("no failure")
            except PowerCut:
                flash.cut_at = -1
            assert ring.last == 9
            if how != NOTHING:
                break
        assert ring.append(payload(expected)) == expected
        again = ring_on(flash, 3)
        assert (again.first, again.last) == (ring.first, ring.last) == (0, expected)
        assert all(whole(again, number) for number in range(10))
        assert whole(again, expected)


def test_the_newest_record_is_not_erased_for_those_that_failed():
    flash = RamFlash(2)
    size = 1000  # four records a sector
    ring = ring_on(flash, 2, size)
    fill(ring, 4)
    flash.cut_how = FRONT
    for _ in range(3):
        flash.cut_at = flash.operations
        try:
            ring.append(payload(4, size))
            raise AssertionError("no failure")
        except PowerCut:
            flash.cut_at = -1
        assert not ring.tend()
        assert ring_on(flash, 2, size).last == 3
    assert ring.append(payload(7, size)) == 7
    assert whole(ring_on(flash, 2, size), 7)


def test_records_in_the_wrong_place_do_not_count():
    """The ring was given one more sector: what stood where record n now is not, goes."""
    flash = RamFlash(4)
    fill(ring_on(flash, 3), 400)  # numbers 384 to 399 are in the first sector
    ring = ring_on(flash, 4)
    assert (ring.last, ring.repaired) == (383, 0)
    assert whole(ring, 383)
    fill(ring, 300)
    assert whole(ring_on(flash, 4), 683)


def test_foreign_contents_are_an_empty_ring():
    flash = RamFlash(3)
    flash.data[:] = noise(3 * SECTOR)
    ring = ring_on(flash, 3)
    assert ring.last == -1
    assert ring.needs_tending
    fill(ring, 400)
    assert whole(ring_on(flash, 3), 399)


def test_payload_of_another_size_is_refused_before_flash_is_touched():
    flash = RamFlash(2)
    ring = ring_on(flash, 2)
    for size in (17, 19):
        try:
            ring.append(bytes(size))
            raise AssertionError("taken")
        except ValueError:
            pass
    assert flash.operations == 0
    assert ring.append(payload(0)) == 0


def ring_survives(appends, tends, how):
    """Cuts power at every operation of a run and checks what a restart finds."""
    size = 10
    cut = 0
    while True:
        flash = RamFlash(3, unit=1024)  # four records a sector
        flash.cut_at = cut
        flash.cut_how = how
        ring = ring_on(flash, 3, size)
        known = -1
        try:
            for i in range(appends):
                ring.append(payload(i, size))
                known = i
                if i % tends == 0:
                    ring.tend()
        except PowerCut:
            pass
        finished = flash.cut_at >= flash.operations
        flash.cut_at = -1
        check_after_cut(flash, size, known)
        if finished:
            return
        cut += 1


def check_after_cut(flash, size, known):
    ring = ring_on(flash, 3, size)
    # The record under way when power went is there, or not, or torn; all before it are there.
    assert known <= ring.last <= known + 1
    for number in range(max(0, ring.last - ring.capacity + 1), ring.last + 1):
        assert whole(ring, number), (known, number)
    # And life goes on from there, with every old record in its place.
    before = ring.last
    number = ring.append(payload(ring.last, size))
    assert before < number <= before + 2
    again = ring_on(flash, 3, size)
    assert again.last == number
    assert before < 0 or whole(again, before)


def test_ring_survives_a_cut_at_every_operation():
    for how in (WHOLE, NOTHING, FRONT, BACK):
        ring_survives(22, 1, how)


def test_ring_survives_cuts_when_tending_is_rare():
    for how in (NOTHING, FRONT, BACK):
        ring_survives(22, 5, how)


def test_steady_use_allocates_nothing():
    ring = Ring(AllocationFree(), 0, 2, 18, kernels)
    body = payload(1)
    buf = bytearray(18)

    def use():
        ring.append(body)
        ring.tend()
        ring.read(ring.last, buf)

    assert not allocated(use)


class AllocationFree:
    """A flash that allocates nothing itself: of 2 sectors with one record each place."""

    unit = 16

    def __init__(self):
        self.sectors = (memoryview(bytearray(SECTOR)), memoryview(bytearray(SECTOR)))
        for sector in self.sectors:
            sector[:] = b"\xff" * SECTOR

    def read(self, address, buf):
        sector = self.sectors[address // SECTOR]
        address %= SECTOR
        for i in range(len(buf)):
            buf[i] = sector[address + i]

    def program(self, address, buf):
        sector = self.sectors[address // SECTOR]
        address %= SECTOR
        for i in range(len(buf)):
            sector[address + i] = buf[i]

    def erase(self, address):
        sector = self.sectors[address // SECTOR]
        for i in range(SECTOR):
            sector[i] = 0xFF


# ---------------------------------------------------------------------------------------- Counter


def counter_on(flash):
    return Counter(ring_on(flash, 2, size=6))


def loaded(counter, generation):
    counter.load(generation)
    return counter.ready


def value(counter):
    return counter.hi << 16 | counter.lo


def step_to(counter, number):
    counter.step(number >> 16, number & 0xFFFF)


def test_counter_without_a_number_refuses():
    assert not loaded(counter_on(RamFlash(2)), 1)


def test_counter_takes_up_its_own_generation_only():
    flash = RamFlash(2)
    counter_on(flash).start(7, 0x1234, 0x5678)
    assert not loaded(counter_on(flash), 6)
    counter = counter_on(flash)
    assert loaded(counter, 7)
    assert value(counter) == 0x12345778  # the end of the block that was reserved


def test_counter_finds_its_generation_behind_one_that_nobody_took_up():
    """Power went between the start of a new generation and the key that it was for."""
    for steps in range(10):
        flash = RamFlash(2, unit=1024)  # four records a sector
        counter = counter_on(flash)
        counter.start(1, 0, 0)
        for step in range(steps):
            counter.step(step + 1, 0)
        counter_on(flash).start(2, 0, 0)
        for _ in range(3):
            ring = ring_on(flash, 2, size=6)
            again = Counter(ring)
            assert loaded(again, 1), steps
            assert again.hi >= counter.hi
            ring.tend()


def test_counter_starts_exactly_and_steps_on():
    counter = counter_on(RamFlash(2))
    counter.start(1, 0, 0xFFFE)
    assert value(counter) == 0xFFFE
    for number in (0xFFFF, 0x10000, 0x10008):
        step_to(counter, number)
        assert value(counter) == number


def test_counter_never_goes_back():
    counter = counter_on(RamFlash(2))
    counter.start(1, 2, 5)
    step_to(counter, 0x20005)
    for number in (0x20004, 0x1FFFF, 0):
        try:
            step_to(counter, number)
            raise AssertionError("went back")
        except ValueError:
            pass
    assert value(counter) == 0x20005


def test_counter_writes_once_in_256():
    flash = RamFlash(2)
    counter = counter_on(flash)
    counter.start(1, 0, 0)
    for number in range(1, 2571):
        step_to(counter, number)
    assert flash.operations == 11


def test_counter_ends_at_the_last_number():
    flash = RamFlash(2)
    counter = counter_on(flash)
    counter.start(1, 0xFFFF, 0xFFF0)
    assert loaded(counter_on(flash), 1)
    step_to(counter, 0xFFFFFFFF)
    again = counter_on(flash)
    assert loaded(again, 1)
    assert value(again) == 0xFFFFFFFF


def test_counter_survives_a_cut_at_every_operation():
    """After a restart the next number is above every number that was used, and not far above."""
    for how in (NOTHING, FRONT, BACK):
        cut = 0
        finished = False
        while not finished:
            flash = RamFlash(2)
            counter = counter_on(flash)
            counter.start(3, 0, 0)
            flash.cut_at = flash.operations + cut
            flash.cut_how = how
            number = 0
            try:
                while number < 40000:
                    number += 97
                    step_to(counter, number)
            except PowerCut:
                number -= 97  # this one was not acted upon
            finished = flash.cut_at >= flash.operations and number >= 40000
            flash.cut_at = -1
            again = counter_on(flash)
            assert loaded(again, 3)
            assert number <= value(again) <= number + 97 + 256
            cut += 7


def test_counter_steps_allocate_nothing():
    counter = Counter(Ring(AllocationFree(), 0, 2, 6, kernels))
    counter.start(1, 0, 0)

    def use():
        counter.step(counter.hi, counter.lo + 90)

    assert not allocated(use)


# ------------------------------------------------------------------------------------------- Gate


def test_gate_opens_in_silence():
    gate = Gate(1000)
    assert not gate.open(1199)
    assert gate.open(1200)
    gate.activity(1250)
    assert not gate.open(1300)
    assert gate.open(1450)


def test_gate_is_open_while_a_requester_waits_and_after_the_answer():
    gate = Gate(0)
    gate.activity(1000)
    gate.answering = True
    assert gate.open(1001)
    gate.answered(1005)
    assert gate.open(1006)
    gate.activity(1010)  # the line speaks again
    assert not gate.open(1011)


def test_gate_lives_through_the_wrap_and_through_days_of_silence():
    last = 0x3FFFFFFF
    gate = Gate(last - 50)
    assert not gate.open(100)
    assert gate.open(200)
    now = 200
    for _ in range(10):
        now = (now + 0x10000000) & last  # three days
        assert gate.open(now)


def test_gate_overdue():
    gate = Gate(0)
    assert not gate.overdue(0x3FFFFFFF, 1998)
    assert gate.overdue(0x3FFFFFFF, 1999)


# --------------------------------------------------------------------------------- any life at all

if given:

    @given(
        st.lists(
            st.tuples(st.integers(1, 9), st.booleans(), st.integers(0, 12), st.integers(0, 3)),
            max_size=25,
        )
    )
    def test_any_life_keeps_what_was_acknowledged(lives):
        """Lives of a device: how much it logs, whether it tends, when and how its power goes."""
        flash = RamFlash(3, unit=1024)  # four records a sector
        size = 10
        records = {}
        for appends, tends, cut_after, how in lives:
            flash.cut_at = flash.operations + cut_after
            flash.cut_how = how
            try:
                ring = ring_on(flash, 3, size)
                for number in range(max(0, ring.last - ring.capacity + 1), ring.last + 1):
                    buf = bytearray(size)
                    held = ring.read(number, buf)
                    assert held == (number in records), number
                    assert not held or buf == records[number]
                for _ in range(appends):
                    body = payload(len(records) * 7, size)
                    records[ring.append(body)] = body
                    if tends:
                        ring.tend()
            except PowerCut:
                ring = ring_on(flash, 3, size)
                buf = bytearray(size)
                if ring.last not in records and ring.read(ring.last, buf):
                    records[ring.last] = bytes(buf)  # written whole, but never acknowledged
            assert max(records, default=-1) <= ring_on(flash, 3, size).last
