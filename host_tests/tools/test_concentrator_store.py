"""What the concentrator keeps: numbers never twice, keys never shown, readings for everybody."""

import sqlite3
import stat
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from osgp_tools.client import Exchange, Target
from osgp_tools.readings import Readings
from osgp_tools.sequence import BLOCK
from osgp_tools.store import StoreError, Vault

A, B = b"\x04\0\0\0\0\x01", b"\x04\0\0\0\0\x02"


def admit(vault, unique_id=A):
    return vault.admit(unique_id, vault.new_place(unique_id))


def abandon(vault):
    """The process dies: nothing is given back."""
    vault._numbers.clear()
    vault.close()


def test_the_vault_is_for_its_owner_only(tmp_path):
    path = tmp_path / "deep" / "concentrator.db"
    vault = Vault(path)
    admit(vault)
    for file in path.parent.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
    vault.close()


def test_a_vault_that_others_could_read_is_closed_to_them(tmp_path):
    path = tmp_path / "concentrator.db"
    path.touch(0o644)
    Vault(path).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_places_differ_and_stay_and_keys_are_new_each_time(tmp_path):
    vault = Vault(tmp_path / "v.db")
    first = vault.new_place(A)
    vault.admit(A, first)
    other = vault.new_place(B)
    vault.admit(B, other)
    again = vault.new_place(A)
    assert (first.subnet, first.node) == (again.subnet, again.node) != (other.subnet, other.node)
    assert len({first.unicast_key, other.unicast_key, again.unicast_key}) == 3
    assert first.broadcast_key == other.broadcast_key
    vault.close()


def test_members_are_found_by_either_name(tmp_path):
    vault = Vault(tmp_path / "v.db")
    member = admit(vault)
    assert vault.find("040000000001") == vault.find("1/1") == member
    assert member.key.hex() not in repr(member) and repr(member.key) not in repr(member)
    with pytest.raises(StoreError, match="1/2 is not a member"):
        vault.find("1/2")
    vault.close()


def test_a_block_is_on_disk_before_its_first_number_is_used(tmp_path):
    path = tmp_path / "v.db"
    vault = Vault(path)
    admit(vault)
    number = vault.numbers(A).take()
    other = sqlite3.connect(path)
    assert other.execute("SELECT reserved FROM device").fetchone()[0] == number + BLOCK
    other.close()
    vault.close()


def test_numbers_go_on_after_a_clean_end_and_skip_the_block_after_a_crash(tmp_path):
    path = tmp_path / "v.db"
    vault = Vault(path)
    admit(vault)
    numbers = vault.numbers(A)
    taken = [numbers.take() for _ in range(3)]
    assert taken == [1, 2, 3]
    vault.close()
    vault = Vault(path)
    assert vault.numbers(A).take() == 4
    abandon(vault)
    vault = Vault(path)
    assert vault.numbers(A).take() == 4 + BLOCK
    vault.close()


def test_numbers_are_raised_never_lowered(tmp_path):
    vault = Vault(tmp_path / "v.db")
    admit(vault)
    numbers = vault.numbers(A)
    numbers.take()
    assert numbers.raise_to(100) and numbers.take() == 100
    assert numbers.raise_to(70000) and numbers.take() == 70000
    assert not numbers.raise_to(70000) and numbers.take() == 70001
    vault.close()


def test_two_processes_do_not_share_a_number(tmp_path):
    path = tmp_path / "v.db"
    one = Vault(path)
    admit(one)
    two = Vault(path)
    a, b = one.numbers(A), two.numbers(A)
    taken = [n.take() for _ in range(BLOCK + 5) for n in (a, b)]
    assert len(set(taken)) == len(taken)
    one.close()
    two.close()
    three = Vault(path)
    assert three.numbers(A).take() > max(taken)
    three.close()


@settings(max_examples=25, deadline=None)
@given(st.lists(st.sampled_from(["take", "raise", "close", "crash"]), max_size=30))
def test_whatever_happens_no_number_comes_twice(tmp_path_factory, events):
    path = tmp_path_factory.mktemp("vault") / "v.db"
    vault = Vault(path)
    admit(vault)
    numbers = vault.numbers(A)
    last = 0
    for event in events:
        if event == "take":
            number = numbers.take()
            assert number > last
            last = number
        elif event == "raise":
            numbers.raise_to(last + 7)
        else:
            vault.close() if event == "close" else abandon(vault)
            vault = Vault(path)
            numbers = vault.numbers(A)
    vault.close()


def test_an_old_key_s_numbers_end_with_a_new_commissioning(tmp_path):
    vault = Vault(tmp_path / "v.db")
    admit(vault)
    old = vault.numbers(A)
    admit(vault)
    with pytest.raises(StoreError, match="commissioned again"):
        old.take()
    assert vault.numbers(A).take() == 1
    vault.close()


def test_procedure_numbers_go_round_over_restarts_and_commissionings(tmp_path):
    path = tmp_path / "v.db"
    vault = Vault(path)
    admit(vault)
    numbers = vault.numbers(A)
    assert [numbers.next_procedure() for _ in range(2)] == [10, 11]
    admit(vault)
    vault.close()
    vault = Vault(path)
    numbers = vault.numbers(A)
    drawn = [numbers.next_procedure() for _ in range(225)]
    assert drawn[:2] == [12, 13] and drawn[-3:] == [234, 10, 11]
    vault.close()


OLD = """
CREATE TABLE network
    (domain BLOB NOT NULL, broadcast_key BLOB NOT NULL, broadcast INTEGER NOT NULL);
CREATE TABLE device (unique_id BLOB PRIMARY KEY, domain BLOB NOT NULL, subnet INTEGER NOT NULL,
    node INTEGER NOT NULL, mode INTEGER NOT NULL, unicast_key BLOB NOT NULL,
    reserved INTEGER NOT NULL, psn INTEGER NOT NULL DEFAULT 0, UNIQUE (subnet, node));
INSERT INTO network VALUES ('OSG', X'0102030405060708090A0B0C0D0E0F10', 3);
INSERT INTO device VALUES
    (X'040000000001', 'OSG', 1, 7, 0, X'1112131415161718191A1B1C1D1E1F20', 257, 12);
"""


def test_a_store_of_before_security_mode_2_goes_on(tmp_path):
    path = tmp_path / "v.db"
    base = sqlite3.connect(path)
    base.executescript(OLD)
    base.close()
    for _ in range(2):
        vault = Vault(path)
        member = vault.find("1/7")
        assert (member.mode, member.key, member.next_key) == (0, bytes(range(0x11, 0x1D)), None)
        assert vault.numbers(A).take() >= 257
        assert not vault.without_broadcast_key()
        keys = vault.broadcast()
        assert keys.of(0) == bytes(range(1, 17)) and len(keys.of(2)) == 16
        vault.close()


def test_a_store_of_a_newer_program_is_left_alone(tmp_path):
    path = tmp_path / "v.db"
    Vault(path).close()
    base = sqlite3.connect(path)
    base.execute("PRAGMA user_version = 99")
    base.close()
    with pytest.raises(OSError, match="version 99"):
        Vault(path)


def test_a_full_subnet_is_followed_by_the_next(tmp_path):
    vault = Vault(tmp_path / "v.db")
    ids = [bytes((4, 0, 0, 0, number >> 8, number & 0xFF)) for number in range(300)]
    members = [admit(vault, unique_id) for unique_id in ids]
    places = [(one.subnet, one.node) for one in members]
    assert places[0] == (1, 1) and places[125:127] == [(1, 126), (2, 1)] and places[-1] == (3, 48)
    assert len(set(places)) == 300
    assert vault.find("3/48").unique_id == ids[-1] and vault.member(ids[200]) == members[200]
    assert vault.member(bytes(6)) is None
    vault.close()


def test_two_that_are_being_commissioned_get_two_places(tmp_path):
    vault = Vault(tmp_path / "v.db")
    one, other = vault.new_place(A), vault.new_place(B)
    assert (one.subnet, one.node) != (other.subnet, other.node)
    assert vault.admit(B, other).node == other.node and vault.admit(A, one).node == one.node
    vault.close()


@pytest.mark.parametrize(("mode", "size"), [(0, 12), (2, 16)])
def test_keys_have_the_length_of_their_mode(tmp_path, mode, size):
    vault = Vault(tmp_path / "v.db")
    member = vault.admit(A, vault.new_place(A, mode))
    offered = vault.offer_key(A)
    assert offered.next_key and (len(member.key), len(offered.next_key)) == (size, size)
    assert vault.offer_key(A) == offered  # the one that is offered already
    assert offered.next_key.hex() not in repr(offered)
    vault.take_key(offered)
    assert vault.find("1/1") == vault.member(A) != member
    assert vault.find("1/1").key == offered.next_key
    vault.take_key(offered)  # once
    assert vault.find("1/1").key == offered.next_key
    vault.close()


def test_a_key_change_does_not_begin_the_numbers_anew_and_a_commissioning_ends_it(tmp_path):
    vault = Vault(tmp_path / "v.db")
    admit(vault)
    numbers = vault.numbers(A)
    first = numbers.take()
    vault.take_key(vault.offer_key(A))
    assert vault.numbers(A) is numbers and numbers.take() == first + 1
    vault.offer_key(A)
    assert admit(vault).next_key is None
    assert vault.numbers(A) is not numbers
    vault.close()


@settings(max_examples=25, deadline=None)
@given(st.lists(st.sampled_from(["send", "rekey", "admit", "crash"]), max_size=30))
def test_no_key_ever_has_a_number_twice(tmp_path_factory, events):
    """In mode 2 that would be a nonce: the same two octet strings would undo each other's cipher.

    A crash comes between the reservation and the sending, or after it: nothing is given back.
    """
    path = tmp_path_factory.mktemp("vault") / "v.db"
    vault = Vault(path)
    vault.admit(A, vault.new_place(A, 2))
    used = set()
    for event in events:
        if event == "send":
            nonce = vault.find(A.hex()).key, vault.numbers(A).take()
            assert nonce not in used
            used.add(nonce)
        elif event == "rekey":
            vault.take_key(vault.offer_key(A))
        elif event == "admit":
            vault.admit(A, vault.new_place(A, 2))
        else:
            abandon(vault)
            vault = Vault(path)
    vault.close()


def test_a_broadcast_number_is_used_up_before_it_is_given_out(tmp_path):
    path = tmp_path / "v.db"
    vault = Vault(path)
    admit(vault)
    first = vault.broadcast()
    abandon(vault)
    vault = Vault(path)
    assert vault.broadcast().number == first.number + 1
    assert first.key.hex() not in repr(first) and repr(first.key) not in repr(first)
    vault.close()


def test_who_joins_during_a_change_of_the_broadcast_key_gets_the_new_one(tmp_path):
    vault = Vault(tmp_path / "v.db")
    old = admit(vault)
    new = vault.offer_broadcast_key()
    place = vault.new_place(B)
    assert place.broadcast_key == new.of(0) != vault.new_place(B, 2).broadcast_key == new.of(2)
    vault.admit(B, place)
    assert vault.without_broadcast_key() == [old]
    vault.take_broadcast_key()
    assert vault.without_broadcast_key() == [old] and vault.offer_broadcast_key().key == new.key
    vault.give_broadcast_key(A)
    assert vault.offer_broadcast_key().key != new.key
    vault.close()


def test_a_broadcast_key_that_a_member_was_given_is_not_replaced_by_another_offer(tmp_path):
    """Offered when nobody was a member, and not taken: who joins then has only that one."""
    vault = Vault(tmp_path / "v.db")
    new = vault.offer_broadcast_key()
    admit(vault)
    assert vault.offer_broadcast_key().key == new.key
    vault.take_broadcast_key()
    assert vault.broadcast().of(0) == new.of(0) == vault.new_place(B).broadcast_key
    vault.close()


def test_numbers_end_before_they_begin_anew(tmp_path):
    vault = Vault(tmp_path / "v.db")
    admit(vault)
    numbers = vault.numbers(A)
    assert numbers.raise_to(0xFFFFFFFE) and numbers.take() == 0xFFFFFFFE
    with pytest.raises(StoreError, match="used up"):
        numbers.take()
    vault.close()


def test_readings_are_kept_with_times_in_utc(tmp_path):
    path = tmp_path / "readings.db"
    vault = Vault(tmp_path / "v.db")
    member = admit(vault)
    readings = Readings(path)
    at = datetime(2026, 11, 21, 22, 30, 5, tzinfo=UTC)
    columns = ("manufacturer", "model", "hardware", "firmware", "serial", "identity", "utility")
    readings.device(member, at, dict.fromkeys(columns, "x"))
    readings.registers(A, at, [(-1, "forward_wh", 12, "Wh"), (0, "forward_wh", 12, "Wh")])
    readings.instantaneous(A, at, [("voltage_l1", 230000, "mV")])
    readings.intervals(A, [(at, "forward_wh", 12, 3, 0, "Wh")])
    readings.exchange(Exchange(Target(b"OSG", 1, 1), 2, 0.61234567, 24, 0))
    readings.close()
    base = sqlite3.connect(path)
    assert base.execute("SELECT * FROM interval").fetchall() == [
        ("040000000001", "2026-11-21T22:30:05Z", "forward_wh", 12, 3, 0, "Wh")
    ]
    assert base.execute("SELECT COUNT(*) FROM register").fetchone() == (2,)
    assert base.execute("SELECT target, sent, seconds FROM exchange").fetchone() == (
        "1/1",
        2,
        0.6123,
    )
    assert member.key not in path.read_bytes()
    base.close()
    vault.close()
