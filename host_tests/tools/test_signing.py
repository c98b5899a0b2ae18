"""The signing key: what it signs is good, and it signs with no one-time key twice."""

import json
import random
import shutil
import stat
from dataclasses import replace

import hsslms
import pyhsslms.pyhsslms as lms
import pytest
from signing_support import HEIGHT, KEYS, number_of, small_image, spend

import signature
from osgp_tools import entropy, signing
from osgp_tools.image import SIGNATURE
from osgp_tools.image_check import CheckError, Signed, signed_with, verify
from osgp_tools.signing import SigningError

IMAGE = small_image()


@pytest.fixture(autouse=True)
def state(tmp_path, monkeypatch):
    """Where the records are."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state" / "osgp" / "signing"


@pytest.fixture
def key(tmp_path):
    signing.make(tmp_path / "keys" / "update-key.prv", HEIGHT)
    return tmp_path / "keys" / "update-key.prv"


def record(state):
    (path,) = state.glob("*.json")
    return path


# ----------------------------------------------------------------------------------- what it makes


def test_two_libraries_and_the_device_find_it_good(key):
    public = key.with_suffix(".pub").read_bytes()
    header = IMAGE[:SIGNATURE]
    for k in range(3):
        octets = Signed.of(signing.sign(small_image(k), key)).octets
        header = small_image(k)[:SIGNATURE]
        assert lms.HssPublicKey.deserialize(public).verify(header, octets)
        hsslms.HSS_Pub(public).verify(header, octets)  # raises INVALID
        assert signature.check(public, header, octets)
        with pytest.raises(hsslms.INVALID):
            hsslms.HSS_Pub(public).verify(header + b"\0", octets)


def test_the_device_and_a_library_agree_on_what_is_wrong(key):
    public = key.with_suffix(".pub").read_bytes()
    header = IMAGE[:SIGNATURE]
    octets = Signed.of(signing.sign(IMAGE, key)).octets
    chance = random.Random(1)
    wrong = [octets[:-1], octets + b"\0", octets[:2000], octets + octets, octets[4:]]
    for _ in range(150):
        content = bytearray(octets)
        place = chance.choice((chance.randrange(12), chance.randrange(len(octets))))
        content[place] = chance.randrange(256)
        wrong.append(bytes(content))
    verdicts = [good_by_library(public, header, content) for content in wrong]
    assert verdicts == [signature.check(public, header, content) for content in wrong]
    assert verdicts == [content == octets for content in wrong]


def good_by_library(public, header, octets):
    try:
        hsslms.HSS_Pub(public).verify(header, octets)
    except (hsslms.INVALID, ValueError):  # ValueError: of a type that is none
        return False
    return True


def test_the_heights_a_device_takes(tmp_path):
    for height in (5, 10):
        path = tmp_path / f"{height}.prv"
        public = signing.make(path, height)
        signed = signing.sign(IMAGE, path)
        assert Signed.of(signed).keys == 1 << height
        assert len(Signed.of(signed).octets) == signature.size(public) == 2192 + 32 * height
        verify(signed, public)


def test_only_the_signature_is_added(key):
    signed = signing.sign(IMAGE, key)
    end = SIGNATURE + 2352
    assert len(signed) == len(IMAGE)
    assert signed[:SIGNATURE] == IMAGE[:SIGNATURE]
    assert signed[end:] == IMAGE[end:]


def test_numbers_are_taken_in_order(key):
    assert spend(key, 5) == [0, 1, 2, 3, 4]


def test_an_image_that_was_signed_costs_nothing(key):
    signed = signing.sign(IMAGE, key)
    before = key.read_bytes()
    assert signing.sign(signed, key) == signed
    assert key.read_bytes() == before


def test_a_signature_by_another_key_is_replaced(key, tmp_path):
    other = tmp_path / "other.prv"
    signing.make(other, HEIGHT)
    signed = signing.sign(signing.sign(IMAGE, other), key)
    verify(signed, key.with_suffix(".pub").read_bytes())


def test_what_is_no_image_costs_nothing(key):
    damaged = IMAGE[:-1] + b"?"
    for content in (b"", IMAGE[:100], IMAGE[:-1], damaged, signed_with(IMAGE, b"no signature")):
        with pytest.raises(CheckError):
            signing.sign(content, key)
    assert spend(key, 1) == [0]


# --------------------------------------------------------------------------------------- the files


def test_the_file_of_a_key_is_the_librarys(key):
    """And holds seed and number as it reads them."""
    spend(key, 2)
    private = lms.HssPrivateKey.deserialize(key.read_bytes())
    assert private.publicKey().serialize() == key.with_suffix(".pub").read_bytes()
    assert private.prv[0].q == 2
    assert private.remaining() == KEYS - 2


def test_the_seed_is_the_operating_systems(tmp_path, monkeypatch):
    drawn = []

    def octets(count):
        drawn.append(bytes((len(drawn) + 1,)) * count)
        return drawn[-1]

    monkeypatch.setattr(entropy, "octets", octets)
    signing.make(tmp_path / "a.prv", HEIGHT)
    assert sorted(map(len, drawn)) == [16, 32]
    assert all(part in (tmp_path / "a.prv").read_bytes() for part in drawn)


def test_nobody_else_reads_the_key(key, state):
    spend(key, 1)
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert stat.S_IMODE(state.stat().st_mode) == 0o700
    seed = key.read_bytes()[20:52]
    assert len(set(seed)) > 8
    for path in [*state.iterdir(), key.with_suffix(".pub")]:
        assert seed not in path.read_bytes()
        assert seed.hex() not in path.read_bytes().decode("latin-1")
    assert seed.hex() not in repr(signing.Key.read(key))
    assert repr(seed)[2:-1] not in repr(signing.Key.read(key))


def test_a_key_is_not_overwritten(key):
    before = key.read_bytes()
    with pytest.raises(SigningError, match="not overwritten"):
        signing.make(key, HEIGHT)
    assert key.read_bytes() == before
    moved = key.rename(key.with_name("kept in a safe"))
    with pytest.raises(SigningError, match=r"update-key\.pub is there"):
        signing.make(key, HEIGHT)
    assert moved.read_bytes() == before


def test_a_link_to_the_key_stays_one(key, tmp_path):
    link = tmp_path / "link.prv"
    link.symlink_to(key)
    assert spend(link, 2) == [0, 1]
    assert link.is_symlink()
    assert spend(key, 1) == [2]


# --------------------------------------------------------------------------------- what is refused


def test_a_restored_key_is_refused(key, tmp_path):
    copy = shutil.copy(key, tmp_path / "backup")
    assert spend(key, 3) == [0, 1, 2]
    shutil.copy(copy, key)
    with pytest.raises(
        SigningError, match=r"older copy: its next .* number 0, and 2 has been used"
    ):
        signing.sign(IMAGE, key)


def test_a_second_copy_is_refused(key, tmp_path):
    copy = tmp_path / "copy.prv"
    shutil.copy(key, copy)
    assert spend(copy, 1) == [0]
    with pytest.raises(SigningError, match="older copy"):
        signing.sign(IMAGE, key)
    assert spend(copy, 1) == [1]


def test_a_restored_record_does_no_harm(key, state):
    before = record(state).read_bytes()
    assert spend(key, 3) == [0, 1, 2]
    record(state).write_bytes(before)
    assert spend(key, 2) == [3, 4]
    assert json.loads(record(state).read_bytes())["next"] == 5


def test_a_key_without_a_record_is_refused(key, monkeypatch, tmp_path):
    """On another machine, or as another user."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "elsewhere"))
    with pytest.raises(SigningError, match="no record of this key"):
        signing.sign(IMAGE, key)


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"next": 1}', b'{"next": 1, "public": 5}']
)
def test_a_damaged_record_is_refused(key, state, content):
    record(state).write_bytes(content)
    with pytest.raises(SigningError, match="damaged"):
        signing.sign(IMAGE, key)


def test_a_used_up_key_says_so(key):
    key.write_bytes(replace(signing.Key.read(key), number=KEYS - 2).encode())
    assert spend(key, 2) == [KEYS - 2, KEYS - 1]
    for _ in range(2):
        with pytest.raises(SigningError, match="used up: it has signed 32 times"):
            signing.sign(IMAGE, key)


@pytest.mark.parametrize("place", [0, 4, 8, 12, 16])
def test_what_is_no_key_is_refused(key, place):
    content = bytearray(key.read_bytes())
    content[place] ^= 0x40
    for octets in (bytes(content), b"", bytes(content)[:-1], bytes(72)):
        key.write_bytes(octets)
        with pytest.raises(SigningError, match="no signing key"):
            signing.sign(IMAGE, key)


def test_a_damaged_seed_signs_nothing(key):
    content = bytearray(key.read_bytes())
    content[30] ^= 1
    key.write_bytes(content)
    with pytest.raises(SigningError, match="damaged"):
        signing.sign(IMAGE, key)


def test_no_key_at_all(tmp_path):
    with pytest.raises(FileNotFoundError):
        signing.sign(IMAGE, tmp_path / "none.prv")


def test_a_key_that_cannot_be_written_signs_nothing(key, state, monkeypatch):
    """The number does not leave before it is kept: a full disk, a folder one may only read."""

    def full(*_):
        raise OSError(28, "No space left on device")

    made = []
    monkeypatch.setattr(lms.LmotsPrivateKey, "sign", lambda *_: made.append(1))
    for name in ("write", "fsync", "rename"):
        with monkeypatch.context() as patch:
            patch.setattr(signing.os, name, full)
            with pytest.raises(OSError, match="space"):
                signing.sign(IMAGE, key)
    assert not made


def test_records_are_where_the_standard_has_them(monkeypatch, tmp_path):
    assert signing.records() == tmp_path / "state" / "osgp" / "signing"
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for base in ("", "relative"):
        monkeypatch.setenv("XDG_STATE_HOME", base)
        assert signing.records() == tmp_path / "home" / ".local/state/osgp/signing"


def test_the_numbers_of_what_was_signed(key):
    assert [number_of(signing.sign(small_image(k), key)) for k in range(3)] == [0, 1, 2]
    assert Signed.of(IMAGE) is None
