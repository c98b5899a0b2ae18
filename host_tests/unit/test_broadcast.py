"""Messages to all: who takes which, once, and what of them it does."""

from broadcast_support import (
    BASE,
    ET27,
    KEY,
    LIMIT,
    UNICAST,
    WINDOW,
    House,
    initiate,
    opens_relay,
    request,
    sealed,
    write,
)
from control_support import NOON, TODAY, ltime
from osgp.membership import NEXT_BROADCAST
from support import MICROPYTHON, noise, skip, unhex

MODES = (0, 2)
ONE_RELAY = b"\x02\x08\xc8\x01\x00"  # EP02, number 200: relay 1, open


def test_a_group_s_relays_open():
    for mode in MODES:
        house = House(mode)
        house.tell(opens_relay())
        assert house.relays == 1 and house.switch.relays == [False, True]
        kind, responses = house.answer()
        assert kind == 1 and responses[0] == b"\0"
        assert responses[1][:7] == b"\x00\x00\x10\x02\x08\xc8\x00"  # BT08: EP02, 200, done
        assert house.base == BASE + 1
        assert house.read(2052, 76, 6) == ltime(TODAY, NOON + 0)
        assert (house.broadcast.received, house.broadcast.accepted) == (1, 1)
        assert house.read(ET27, 0, 8)[2] == 3


def test_a_copy_does_nothing():
    for mode in MODES:
        house = House(mode)
        apdu = sealed(opens_relay(), BASE, mode=mode)
        house.hear(apdu)
        house.hear(apdu)  # before it is carried out
        house.run(1)
        assert house.relays == 1
        house.tell(opens_relay(201, 2, closed=1))
        assert house.relays == 0
        kept = dict(house.settings.kept)
        for _ in range(3):
            house.hear(apdu)
            house.run(2)
        assert house.relays == 0 and house.settings.kept == kept
        assert house.broadcast.outside == 4
        house.start()
        house.hear(apdu)
        house.run(2)
        assert house.relays == 0 and house.broadcast.outside == 1


def test_the_window():
    for number, good in (
        (BASE - 1, False),
        (0, False),
        (BASE, True),
        (BASE + WINDOW - 1, True),
        (BASE + WINDOW, False),
        (0xFFFFFFFF, False),
    ):
        house = House()
        house.tell(opens_relay(), number)
        assert (house.relays == 1) == good, number
        assert house.base == (number + 1 if good else BASE)
        assert (house.broadcast.accepted, house.broadcast.outside) == (good, not good)


def test_the_end_of_the_numbers():
    house = House()
    draft = house.member.draft()
    draft[54:58] = b"\xff\xff\xff\xf0"
    draft[58:60] = b"\xff\xff"
    house.member.commit(draft)
    house.tell(opens_relay(), 0xFFFFFFFF)
    assert house.relays == 0 and house.broadcast.outside == 1
    house.tell(opens_relay(), 0xFFFFFFFE)
    assert house.relays == 1 and house.base == 0xFFFFFFFF
    house.tell(opens_relay(201, 2, closed=1), 0xFFFFFFFF)
    assert house.relays == 1


def test_no_window_no_broadcast():
    house = House()
    draft = house.member.draft()
    draft[58:60] = b"\0\0"
    house.member.commit(draft)
    house.tell(opens_relay())
    assert house.relays == 0 and house.broadcast.outside == 1


def test_outside_the_group_the_number_is_used_up_too():
    for groups in ((0x0103,), (0x02FF,), (0,), (), (0x0201, 0x0101)):
        house = House()
        house.tell(opens_relay(groups=groups))
        assert house.relays == 0 and house.answer() == (4, [])
        assert house.base == BASE + 1 and house.broadcast.accepted == 1
        house.tell(opens_relay(number=2), BASE)
        assert house.relays == 0, "the same number for its group"


def test_groups_with_wild_cards():
    for groups in ((0x01FF,), (0xFF77,), (0xFFFF,), (0x0809, 0x0305)):
        house = House()
        house.tell(opens_relay(groups=groups))
        assert house.relays == 1, groups


def test_who_is_no_member_ignores_it():
    house = House(member=False)
    house.tell(opens_relay(), 0, key=bytes(16))
    house.tell(opens_relay(), BASE)
    assert house.relays == 0 and house.broadcast.failures == 2
    assert "member" not in house.settings.kept


def test_what_is_not_good():
    """Another key, another mode, an octet changed, cut short: nothing is kept, nothing is done."""
    for mode in MODES:
        house = House(mode)
        kept = dict(house.settings.kept)
        good = sealed(opens_relay(), BASE, mode=mode)
        wrong = [
            sealed(opens_relay(), BASE, UNICAST, mode),
            sealed(opens_relay(), BASE, KEY, 2 - mode),
        ]
        wrong += [good[:n] for n in (1, 2, 9, 15, 16, len(good) - 1)]
        wrong += [good + b"\0"]
        for k in range(1, len(good)):
            wrong.append(good[:k] + bytes((good[k] ^ 1 << k % 8,)) + good[k + 1 :])
        for apdu in wrong:
            house.hear(apdu)
        house.run(1)
        assert house.broadcast.failures == len(wrong)
        assert house.relays == 0 and house.settings.kept == kept
        house.hear(good)
        house.run(1)
        assert house.relays == 1


def test_only_a_request_to_groups_is_carried_out():
    """Everything else that is good uses its number up, and no more."""
    whole = request(initiate(ONE_RELAY))
    commands = (
        initiate(ONE_RELAY),  # a bare BT07
        unhex("30 0008"),
        unhex("3F 0804 000052 0004"),
        b"\x4f\x08\x1b\x00\x00\x00" + len(whole).to_bytes(2, "big") + whole,
        b"\x40\x08\x34" + len(whole).to_bytes(2, "big") + whole,  # ET52
        write(whole[:2] + b"\x00" + whole[3:]),  # not of type 3
        write(whole[:-1] + b"\x01"),  # the number at the end is another
        write(whole[:-2]),
        write(whole + b"\0"),
        write(b""),
        write(whole[:5]),
    )
    house = House()
    for k in range(len(commands)):
        house.tell(commands[k], BASE + k)
        assert house.broadcast.refused == k + 1, k
        assert house.base == BASE + k + 1
        assert house.relays == 0 and house.answer() == (0, [])
    assert house.broadcast.accepted == 0


def test_what_a_board_lets_groups_do():
    supply = b"\x02\x08\xc9\x00\x00"  # EP02, output 0: open
    house = House()
    house.run(10)
    house.tell(write(request(initiate(supply))))
    assert house.answer() == (1, [b"\3"]) and house.state == 1
    house = House(may=("supply",))
    house.run(10)
    house.tell(write(request(initiate(ONE_RELAY), initiate(supply))))
    assert house.answer() == (1, [b"\3", b"\0"]) and house.state != 1 and house.relays == 0


def test_two_in_a_second():
    """The first is carried out before the second takes its place."""
    house = House()
    house.hear(sealed(opens_relay(200, 1), BASE))
    house.hear(sealed(opens_relay(201, 2, relay=2), BASE + 1))
    house.run(1)
    assert house.relays == 3 and house.transactions[0].executed == 2


def test_a_transaction_in_the_same_second():
    house = House()
    house.hear(sealed(opens_relay(200, 1), BASE))
    body = b"\x00\x09\x00" + b"\x03\x00\x30\x00\x08" + b"\x09\x00"
    house.write(ET27, 0, (len(body) + 2).to_bytes(2, "little") + body)
    assert house.relays == 1
    kind, responses = house.answer()
    assert kind == 1 and responses[0][3:7] == b"\x02\x08\xc8\x00"


def test_a_transaction_of_the_same_octets_is_the_same():
    """By which a concentrator finishes those whom it did not reach: in either order, once."""
    whole = request(initiate(ONE_RELAY))
    for unicast_first in (True, False):
        house = House()
        if unicast_first:
            house.write(ET27, 0, whole)
        else:
            house.tell(write(whole))
        assert house.relays == 1
        executed = house.transactions[0].executed
        if unicast_first:
            house.tell(write(whole))
            assert house.base == BASE + 1
        else:
            house.write(ET27, 0, whole)
        assert house.transactions[0].executed == executed == 1


def test_the_key_that_ep20_brought():
    """The first message that is taken under it puts it in force, with its own B."""
    new = bytes(range(0x70, 0x80))
    for mode in MODES:
        house = House(mode)
        offered = bytes(house.member.image[52:54]) + new + b"\0\0\0\7"
        house.settings.replace(NEXT_BROADCAST, offered, len(offered))
        house.start()
        house.tell(opens_relay(), BASE)
        assert house.relays == 1 and house.base == BASE + 1, "the old one is good meanwhile"
        house.tell(opens_relay(201, 2, closed=1), 7 + WINDOW, new)
        assert house.relays == 1 and house.broadcast.outside == 1
        assert house.member.next_broadcast and house.base == BASE + 1
        house.tell(opens_relay(201, 2, closed=1), 9, new)
        assert house.relays == 0 and house.base == 10
        for _ in range(2):
            house.tell(opens_relay(202, 3), BASE + 1)
            assert house.relays == 0 and house.broadcast.failures == 1
            house.tell(opens_relay(202, 3), 9, new)
            assert house.relays == 0 and house.base == 10
            house.start()


def test_without_a_clock_there_is_no_stamp():
    house = House(clock=False)
    house.tell(opens_relay())
    assert house.relays == 1 and house.read(2052, 76, 6) == bytes(6)


def test_flash_that_fails():
    """Nothing that could not be kept is carried out; the number is used up or it is not."""
    house = House()
    house.settings.fails = True
    house.tell(opens_relay())
    assert house.base == BASE and house.relays == 0 and house.broadcast.not_kept == 1
    house.settings.fails = False
    house.tell(opens_relay(), BASE)
    assert house.relays == 1
    house.hear(sealed(opens_relay(201, 2, closed=1), BASE + 1))
    house.settings.fails = True
    house.run(2)
    assert house.relays == 1, "BT08 comes first"
    house.settings.fails = False
    house.run(3)
    assert house.relays == 1 and house.broadcast.not_kept == 2


def test_any_octets():
    if MICROPYTHON:
        skip("as many as CPython can do")
    octets = noise(60000, 7)
    house = House(2)
    for k in range(300):
        n = 1 + octets[k] % 150
        house.hear(bytes(octets[200 * k : 200 * k + n]))
    assert house.broadcast.failures == 300 and house.base == BASE


def test_any_request():
    """Under the right key, whatever stands in it."""
    octets = noise(40000, 11)
    house = House()
    for k in range(60 if MICROPYTHON else 200):
        piece = bytes(octets[150 * k : 150 * k + octets[k] % 90])
        if k % 2:
            piece = request(piece[:20], piece[20:], groups=(0xFFFF,), number=k + 1)
        house.tell(write(piece))
        assert house.base == BASE + k + 1
        assert len(house.read(ET27, 0, LIMIT)) == LIMIT
