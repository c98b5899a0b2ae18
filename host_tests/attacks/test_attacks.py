"""The published attack finds keys of mode 0, here and on a device, and none of mode 2."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attacks import oma, run
from osgp.kernels import digest
from osgp.security.digest import oma_digest
from osgp.services import command_length
from osgp_tools.suites import AES_PSK, LEGACY, Sealed

SUBNET, NODE = 5, 9
ADDRESS = bytes((SUBNET, NODE))
KEYS = st.binary(min_size=12, max_size=12)


@given(KEYS, st.binary(min_size=8, max_size=8), st.binary(min_size=8, max_size=8))
def test_a_round_is_taken_back(key, start, message):
    state = bytearray(start)
    digest(state, key, 0, message, 0, 8)
    assert oma.undo_round(bytes(state), key[0], message) == start


@given(KEYS)
def test_thirteen_chosen_digests_give_any_key(key):
    asked = []

    def oracle(block):
        asked.append(block)
        return oma_digest(key, block)

    assert oma.chosen(oracle) == key
    assert len(asked) == 13


def forged(key: bytes, chance: random.Random) -> tuple[bytes | None, int]:
    """The key that forging finds against a device of a few lines, and how often it asked."""
    commands = [b"\x30\x00\x03", run.READ_BT01, run.ET27 + chance.randbytes(75)]
    captured = [Sealed(key, SUBNET, NODE, 70 + k, c).apdu for k, c in enumerate(commands)]
    asked = 0

    def takes(apdu):
        nonlocal asked
        asked += 1
        text = oma._decrypt(key, apdu)
        length = command_length(text, 0, len(text) - 4)
        digest_holds = oma_digest(key, ADDRESS + apdu[:1] + text) == apdu[-8:]
        return digest_holds and length in (-1, len(text) - 4)

    return oma.Forgery(ADDRESS, captured, takes).recover(), asked


@settings(max_examples=5, deadline=None)
@given(KEYS, st.integers(0, 1000))
def test_forgeries_give_the_key_in_fewer_than_170_questions(key, seed):
    found, asked = forged(key, random.Random(seed))
    assert found == key
    assert 78 < asked < 170  # one or two for each of 78 bits, ten at most for the first


def test_what_is_too_short_gives_no_key():
    short = [Sealed(bytes(12), SUBNET, NODE, 1, b"\x30\x00\x03").apdu]
    assert oma.Forgery(ADDRESS, short, lambda apdu: False).recover() is None


@pytest.mark.parametrize("attack", run.ATTACKS, ids=lambda attack: attack.__name__)
def test_a_device_in_mode_0_loses_its_key(attack):
    outcome = run.run(LEGACY, attack, 1)
    assert outcome.broken and outcome.alive
    assert outcome.queries <= 170


@pytest.mark.parametrize("attack", run.ATTACKS, ids=lambda attack: attack.__name__)
def test_a_device_in_mode_2_keeps_it_and_goes_on_answering(attack):
    outcome = run.run(AES_PSK, attack, 1)
    assert not outcome.broken and outcome.alive
    assert outcome.queries >= 13


def test_the_same_seed_tells_the_same():
    one, other = (run.run(LEGACY, run.forgeries, 7) for _ in range(2))
    assert (one.queries, one.key, one.line_seconds) == (
        other.queries,
        other.key,
        other.line_seconds,
    )
