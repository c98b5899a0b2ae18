"""Power goes at each write that a broadcast makes, and once more at each that the start makes.

Whatever the power does: no procedure of a broadcast begins twice, none begins outside the groups,
and a replay does nothing, before the cut and after it. It does not happen at all in two places
only: when the number was kept and the request was not, and when the procedure had been kept as
begun.
"""

from broadcast_support import BASE, House, initiate, request, sealed, write
from control_support import Cut
from support import MICROPYTHON, unhex

ET47 = b"\x03\x02" + bytes(14)
WRITE_ET47 = b"\x40\x08\x2f\x00\x10" + ET47
OPEN = initiate(unhex("0208 C8 0100"))  # EP02: relay 1, open
READ_BT08 = unhex("30 0008")


class Power:
    """Goes at the n-th write, before it is done or after; over all lives it counts the procedures
    that began."""

    def __init__(self, house, operation, after):
        self.house = house
        self.settings = house.settings
        self.replace = house.settings.replace
        self.began = 0
        self.arm(operation, after)
        self.watch()

    def arm(self, operation, after):
        self.operation = operation
        self.after = after
        self.settings.replace = self.keep

    def keep(self, name, buf, n):
        self.operation -= 1
        if self.operation == 0 and not self.after:
            raise Cut
        self.replace(name, buf, n)
        if self.operation == 0:
            raise Cut

    def watch(self):
        self.house.procedures.on_initiated = self.count

    def count(self, number):
        self.began += 1

    def back(self, operation=0, after=False):
        """Power comes; it goes again at that operation of the start. True: it did."""
        self.arm(operation, after)
        try:
            start(self.house, self)
        except Cut:
            return True
        return False


def start(house, power):
    """As `House.start`, but that the start's own procedures are counted, too."""
    begin = house.begin
    house.begin = power.watch
    try:
        house.start()
    finally:
        house.begin = begin


def story(operation, after, second=0, second_after=False, groups=(0x0102,)):
    """(whether power went, and went again, the house, the times that the procedure began)"""
    house = House()
    apdu = sealed(write(request(WRITE_ET47, OPEN, READ_BT08, groups=groups)), BASE)
    power = Power(house, operation, after)
    went = False
    try:
        house.hear(apdu)
        house.hear(apdu)
        house.run(1)
        house.hear(apdu)
        house.run(1)
    except Cut:
        went = True
    kept = dict(house.settings.kept)
    again = power.back(second, second_after) if went else False
    if again:
        kept = dict(house.settings.kept)
        power.back()
    power.arm(0, False)
    once = power.began
    first = house.base == BASE  # the number is good still
    for _ in range(2):
        house.hear(apdu)
        house.run(2)
    assert power.began == once + (first and groups == (0x0102,)), "a replay"
    assert house.base == BASE + 1
    return went, again, house, power.began, kept


def begun(kept):
    """Whether BT08 says that the procedure had begun."""
    return kept.get("procedure", b"\0\0\xff")[2] == 0xC8


def check(house, began, kept):
    assert began <= 1
    if kept["member"][57] == BASE & 0xFF:  # nothing had been used up: a copy was taken
        assert began == 1
    elif "TQ2075" not in kept:
        assert began == 0, "at most once"
    elif not begun(kept):
        assert began == 1
    if "TQ2075" in house.settings.kept:
        assert house.read(2095, 0, 16)[:2] == ET47[:2]
        kind, responses = house.answer()
        assert kind == 1 and responses[2][3:6] == b"\x02\x08\xc8"
        if began and responses[1] == b"\0":
            assert house.relays == 1 and responses[2][6] == 0
    if began == 0:
        assert house.relays == 0


def test_a_cut_at_every_write():
    lives = 0
    for after in (False, True):
        operation = 0
        went = True
        while went:
            operation += 1
            went, _, house, began, kept = story(operation, after)
            check(house, began, kept)
            lives += 1
        assert began == 1 and house.relays == 1
        assert operation > 6
    assert lives > 14


def test_and_another_at_every_write_of_the_start():
    again = 0
    for operation in range(1, 5 if MICROPYTHON else 12):
        for after in (False, True):
            second = 0
            went = True
            while went:
                second += 1
                _, went, house, began, kept = story(operation, after, second, second % 2 == 0)
                check(house, began, kept)
                again += went
    assert again > (8 if MICROPYTHON else 20)


def test_outside_the_group_at_every_write():
    for after in (False, True):
        operation = 0
        went = True
        while went:
            operation += 1
            went, _, house, began, _ = story(operation, after, groups=(0x0777,))
            assert began == 0 and house.relays == 0
            assert "ET47" not in house.settings.kept
        assert operation > 3
