"""Signed images: what is checked of them, and the commands `osgp image`."""

import dataclasses
import hashlib
import subprocess
import sys
from pathlib import Path

import pytest
import stub_firmware
from signing_support import HEIGHT, number_of, small_image

from osgp_tools import cli, image, image_check, signing
from osgp_tools.flash import MARK, SECTOR
from osgp_tools.image_check import CheckError, Signed, signed_with

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    """(private key's file, public key, an image that it signed)."""
    folder = tmp_path_factory.mktemp("keys")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(folder / "state"))
        public = signing.make(folder / "update-key.prv", HEIGHT)
        yield (
            folder / "update-key.prv",
            public,
            signing.sign(small_image(), folder / "update-key.prv"),
        )


@pytest.fixture
def public(keys):
    return keys[1]


@pytest.fixture
def signed(keys):
    return keys[2]


def flipped(content: bytes, place: int) -> bytes:
    out = bytearray(content)
    out[place] ^= 0x10
    return bytes(out)


def changed(content: bytes, **changes) -> bytes:
    """With other values in its header; the signature stays."""
    header = dataclasses.replace(image.Header.decode(content), **changes)
    return header.encode() + content[image.SIGNATURE :]


# --------------------------------------------------------------------------------------- the check


def test_a_signed_image_is_good(signed, public):
    assert image_check.verify(signed, public) == image.Header.decode(signed)
    assert image_check.check(signed) == image_check.check(small_image())


def test_any_octet_of_what_counts(signed, public):
    """Header, signature, what follows it to the end of the sector, modules."""
    places = [*range(0, 76, 3), *range(76, 2428, 97), 2427, 2428, 4000, 4080, 4095]
    for place in [*places, *range(SECTOR, len(signed))]:
        with pytest.raises(CheckError):
            image_check.verify(flipped(signed, place), public)


def test_any_other_length(signed, public):
    for content in (b"", signed[:75], signed[:SECTOR], signed[:-1], signed + b"\xff"):
        with pytest.raises(CheckError):
            image_check.verify(content, public)


FAULTS = {
    "not signed": (lambda _: small_image(), "it is not signed"),
    "no bank": (lambda good: b"X" + good[1:], "no bank"),
    "another format": (lambda good: flipped(good, 8), "a bank of format 17"),
    "bytecode": (lambda good: changed(good, mpy=5), "bytecode of version 5"),
    "small ints": (lambda good: changed(good, small_int_bits=63), "small ints of 63 bits"),
    "modules": (lambda good: good[:-1] + b"?", "damaged: the SHA-256 differs"),
    "length": (lambda good: changed(good, length=5), r"by its header 4101"),
    "no length": (lambda good: changed(good[:SECTOR], length=0), "by its header 4096"),
    "version": (lambda good: changed(good, version=9), "signature is not good"),
    "counter": (lambda good: changed(good, security=1), "signature is not good"),
    "family": (lambda good: changed(good, family="pico"), "signature is not good"),
    "another's": (lambda good: flipped(good, 80), "signature is not good"),
    "no signature": (lambda good: signed_with(good, b"nothing"), "that is no signature"),
    "a cable's": (lambda good: good[:4080] + MARK + good[SECTOR:], "does not belong there"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_named(signed, public, fault):
    spoil, message = FAULTS[fault]
    with pytest.raises(CheckError, match=message):
        image_check.verify(spoil(signed), public)


def test_the_largest(public):
    image_check.check(small_image(content=bytes(image.LARGEST - SECTOR)))
    with pytest.raises(CheckError, match="192193 octets; a download has 192192"):
        image_check.check(small_image(content=bytes(image.LARGEST - SECTOR + 1)))
    assert image.packets(bytes(image.LARGEST)) == 3432
    assert image.packets(bytes(57)) == 2


def test_the_family_of_the_board(keys):
    private, public, _ = keys
    made = signing.sign(small_image(family="rpi_pico"), private)
    for family in ("", "rpi_pico"):
        image_check.verify(made, public, family)
    with pytest.raises(CheckError, match="family rpi_pico"):
        image_check.verify(made, public, "esp32")


def test_another_key(keys, tmp_path):
    _, _, signed = keys
    with pytest.raises(CheckError, match="not good under this key"):
        image_check.verify(signed, signing.make(tmp_path / "other.prv", HEIGHT))


def test_identity(signed):
    """As EP10 has it, whether or not the image is signed."""
    expected = hashlib.sha256(signed[:76]).digest()[:8]
    assert image.identity(signed) == image.identity(small_image()) == expected
    assert image.identity(small_image(2)) != expected


def test_a_family_of_any_length_is_not_cut_short():
    with pytest.raises(image.ImageError, match="16 octets"):
        small_image(family="a" * 17)
    assert image.Header.decode(small_image(family="a" * 16)).family == "a" * 16


# ------------------------------------------------------------------------------------ the commands


@pytest.fixture
def osgp(tmp_path, monkeypatch, capsys):
    """Run a command as from a shell: (exit code, standard output, standard error)."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["osgp", "image", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = capsys.readouterr()
        return ended.value.code or 0, out, err

    return run


def test_from_source_to_a_signed_image(osgp, tmp_path):
    stub_firmware.write(tmp_path / "firmware")
    options = ("--version", "2", "--family", "rpi_pico", "--security", "7")
    build = ("build", "build/next.img", *options, "--firmware", "firmware")
    assert osgp(*build)[0] == 0
    plain = Path("build/next.img").read_bytes()
    assert osgp("show", "build/next.img")[1].endswith("not signed\n")
    code, out, _ = osgp("keygen", "--height", "5")
    assert code == 0
    assert out.splitlines() == [
        "build/update-key.prv: signs 32 times; keep it to yourself",
        "build/update-key.pub: for devices",
    ]
    first = (0, "build/next.img: signed, by one-time key 0 of 32\n", "")
    assert osgp("sign", "build/next.img") == first
    again = "build/next.img: was signed by this key already, by one-time key 0 of 32\n"
    assert osgp("sign", "build/next.img") == (0, again, "")
    good = "build/next.img: good. For rpi_pico, security counter 7\n"
    assert osgp("verify", "build/next.img") == (0, good, "")
    assert osgp("verify", "build/next.img", "--family", "esp32")[0] == cli.DEVICE
    lines = osgp("show", "build/next.img")[1].splitlines()
    header = image.Header.decode(plain)
    assert lines == [
        f"version 2, for rpi_pico, {header.length:,} octets",
        "security counter 7",
        "bytecode 6, small ints of 31 bits",
        f"SHA-256 {header.digest.hex()}",
        f"id {image.identity(plain).hex()}, {-(-len(plain) // 56):,} packets",
        "signed by one-time key 0 of 32",
    ]
    assert [path.name for path in Path("build").iterdir() if ".new" in path.name] == []
    assert osgp(*build)[0] == 0  # the same octets as before it was signed
    assert Path("build/next.img").read_bytes() == plain


def test_errors_are_one_line(osgp, tmp_path):
    Path("plain.img").write_bytes(small_image())
    assert osgp("keygen", "--height", "5")[0] == 0
    for arguments, expected, text in (
        (("keygen",), cli.SYSTEM, "keys are not overwritten"),
        (("keygen", "new.prv", "--height", "20"), cli.USAGE, "5, 10 or 15"),
        (("verify", "plain.img"), cli.DEVICE, "it is not signed"),
        (("verify", "plain.img", "--key", "plain.img"), cli.SYSTEM, "is no public key"),
        (("verify", "plain.img", "--key", "none.pub"), cli.SYSTEM, "none.pub"),
        (("sign", "plain.img", "--key", "none.prv"), cli.SYSTEM, "none.prv"),
        (("sign", "plain.img", "--key", "plain.img"), cli.SYSTEM, "is no signing key"),
        (("sign", "build/update-key.pub"), cli.DEVICE, "no bank"),
    ):
        code, out, err = osgp(*arguments)
        assert (code, out) == (expected, ""), arguments
        assert text in err
        assert len(err.splitlines()) == 1
    assert Path("plain.img").read_bytes() == small_image()
    assert osgp("sign", "plain.img")[0] == 0
    assert number_of(Path("plain.img").read_bytes()) == 0
    assert Signed.of(Path("plain.img").read_bytes()).keys == 32


def test_make_clean_leaves_the_key(tmp_path):
    (tmp_path / "build" / "run").mkdir(parents=True)
    names = ["update-key.prv", "update-key.pub", "next.img"]
    for name in names:
        (tmp_path / "build" / name).write_text("")
    (tmp_path / "requirements.txt").write_text("")
    makefile = str(REPOSITORY / "Makefile")
    subprocess.run(["make", "-s", "-f", makefile, "clean"], cwd=tmp_path, check=True)
    left = sorted(path.name for path in (tmp_path / "build").iterdir())
    assert left == ["update-key.prv", "update-key.pub"]
