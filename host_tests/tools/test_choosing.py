"""What a start makes of the code banks: firmware/boot.py under the real MicroPython, 64 and 32
bits, on a board.py of a few lines.

The rules one by one are in host_tests/unit/test_bank_choice.py.
"""

import ast

import pyhsslms
import pytest
import stub_firmware
from start_rig import RAW, Start
from test_image import EMPTY, FIRMWARE, board_names, changed, flipped

from osgp_tools import flash, image
from test_on_micropython import RUNS, interpreter

SAFE_MODE = "boot: no code bank to run, safe mode"


@pytest.fixture(scope="module")
def bank(tmp_path_factory) -> bytes:
    return image.build_bank(firmware=stub_firmware.write(tmp_path_factory.mktemp("fw") / "a"))


@pytest.fixture(scope="module")
def newer(tmp_path_factory) -> bytes:
    folder = stub_firmware.write(tmp_path_factory.mktemp("fw") / "b", "newer")
    return image.build_bank(2, firmware=folder)


@pytest.fixture(params=["64-bit", "32-bit"])
def boot(request, tmp_path):
    micropython = interpreter(RUNS[request.param][0])
    if micropython is None:
        pytest.skip(f"no {request.param} MicroPython")
    return Start(tmp_path, micropython, int(request.param[:2]) - 1)


STATE = "import application.state as s; print(s.STATE, s.__file__)"


def running(bank: str, state: str = "running") -> str:
    return f"{state} /bank{bank}/application/state.mpy"


def identities(*images: bytes) -> list[bytes]:
    return [image.identity(one) for one in images]


# ---- a first start


def test_a_bank_is_mounted_and_imported_from(boot, bank):
    assert boot(bank, then=STATE) == [running("A")]
    assert boot(EMPTY, bank, then=STATE) == [running("B")]


def test_the_firmware_imports_from_its_bank(boot):
    names = [name.removesuffix(".py").replace("/", ".") for name in image.sources(image.FIRMWARE)]
    modules = [name.removesuffix(".__init__") for name in names]
    then = f"[__import__(name) for name in {modules!r}]; import device; print(device.__file__)"
    assert boot(image.build_bank(), then=then) == ["/bankA/device.mpy"]


def test_the_higher_version_wins(boot, bank, newer):
    assert boot(bank, newer, then=STATE) == [running("B", "newer")]
    assert boot.selected() == (1, 0, 0, 0, 0, 0, 0)
    assert boot(newer, bank, then=STATE) == [running("A", "newer")]


FAULTS = {
    "no magic": (lambda bank: b"X" + bank[1:], "has no header that is known here"),
    "rom first": (lambda bank: bank[flash.SECTOR :], "has no header that is known here"),
    "format 2": (lambda bank: flipped(bank, 8, 3), "has no header that is known here"),
    "longer than a bank": (lambda bank: changed(bank, length=188097), "is cut short"),
    "no length": (lambda bank: changed(bank, length=0), "is cut short"),
    "huge length": (lambda bank: changed(bank, length=0xFFFFFFFF), "is cut short"),
    "cut short": (lambda bank: bank[: flash.SECTOR + 100], "is damaged: its SHA-256 differs"),
    "first bit": (lambda bank: flipped(bank, flash.SECTOR), "is damaged: its SHA-256 differs"),
    "last bit": (lambda bank: flipped(bank, len(bank) - 1), "is damaged: its SHA-256 differs"),
    "digest bit": (lambda bank: flipped(bank, 44), "is damaged: its SHA-256 differs"),
    "foreign board": (
        lambda bank: changed(bank, family="other"),
        "is for a board of the family b'other'",
    ),
    "older .mpy": (
        lambda bank: changed(bank, mpy=5),
        "holds .mpy files of version 5 for small ints of 31 bits",
    ),
    "larger ints": (
        lambda bank: changed(bank, small_int_bits=64),
        "holds .mpy files of version 6 for small ints of 64 bits",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_bad_bank_is_named_and_the_other_taken(boot, bank, newer, fault):
    spoil, message = FAULTS[fault]
    assert boot(spoil(newer), bank, then=STATE) == [f"boot: bank A {message}", running("B")]
    assert boot(EMPTY, spoil(newer)) == [f"boot: bank B {message}", SAFE_MODE]


def test_small_ints_of_this_vm_are_taken(boot, bank):
    limit = boot.small_int_bits
    assert boot(changed(bank, small_int_bits=limit), then=STATE) == [running("A")]
    assert SAFE_MODE in boot(changed(bank, small_int_bits=limit + 1))


def test_the_board_family_is_taken(boot, bank):
    assert boot(changed(bank, family="stub"), then=STATE) == [running("A")]


def test_safe_mode_leaves_path_and_flash_alone(boot, bank):
    damaged = flipped(bank, len(bank) - 1)
    assert boot(damaged, then="print(sys.path)")[-2:] == [SAFE_MODE, "['', 'vm']"]
    assert boot.content() == [RAW, flash.whole_bank(damaged), EMPTY]


def test_boot_leaves_nothing(boot, tmp_path):
    """Nor does main.py, when it runs the device: no module, and no name of one."""
    (tmp_path / "fw").mkdir()
    source = "def run(board):\n    import sys\n    print(sorted(sys.modules))\n"
    (tmp_path / "fw/device.py").write_text(source)
    main = f"execfile({str(FIRMWARE / 'main.py')!r}, scope); print(sorted(scope))"
    modules, names = boot(image.build_bank(firmware=tmp_path / "fw"), then=main)
    assert modules == "['board', 'device']"
    assert "bank" not in names


def test_a_start_writes_once(boot, bank, newer):
    boot(bank, newer)
    before = boot.content()
    for _ in range(10):
        assert boot.again(STATE) == [running("B", "newer")]
    assert boot.content() == before


# ---- put there by cable


def test_what_a_cable_put_there_wins(boot, bank, newer):
    """Also when it is older, and when it is what was there before."""
    boot(bank, newer)
    boot.put(a=bank)
    assert boot.again(STATE) == [running("A")]
    boot.put(b=newer)
    assert boot.again(STATE) == [running("B", "newer")]
    assert boot.again(STATE) == [running("B", "newer")]


def test_a_cable_ends_a_trial(boot, bank, newer):
    boot(bank, newer)
    boot.select(0, identities(bank, newer), tries=2, why=1)
    assert boot.again(STATE) == [running("B", "newer")]
    boot.put(a=bank)
    assert boot.again(STATE) == [running("A")]
    assert boot.selected() == (0, 0, 0, 0, 0, 0, 0)


def test_a_cable_that_is_pulled_early_changes_nothing(boot, bank, newer):
    """The mark is what is written last."""
    boot(bank)
    whole = flash.whole_bank(newer)
    for written in (0, 76, 2000, flash.SECTOR - 16, flash.SECTOR - 1):
        first = whole[:written].ljust(flash.SECTOR, b"\xff")
        boot.put_raw(b=first + whole[flash.SECTOR :])
        assert boot.again(STATE) == [running("A")]
    boot.put_raw(b=whole)
    assert boot.again(STATE) == [running("B", "newer")]


# ---- who vouches for a bank


@pytest.fixture(scope="module")
def signer():
    kind = pyhsslms.lms_sha256_m32_h5, pyhsslms.lmots_sha256_n32_w4
    return pyhsslms.HssPrivateKey(levels=1, lms_type=kind[0], lmots_type=kind[1])


def signed(bank: bytes, signer) -> bytes:
    octets = bank[: image.SIGNATURE] + signer.sign(bank[: image.SIGNATURE])
    return octets.ljust(flash.SECTOR, b"\xff") + bank[flash.SECTOR :]


def test_nobody_vouches_for_a_bank(boot, bank):
    boot()
    boot.put_raw(a=bank)
    why = "boot: bank A is not signed, and no cable put it there"
    assert boot.again() == [why, SAFE_MODE]


def test_a_signature_does(boot, bank, newer, signer):
    boot()
    boot.key(signer.publicKey().serialize())
    good = signed(newer, signer)
    boot.put_raw(a=signed(bank, signer), b=flipped(good, 2000))
    assert boot.again(STATE)[-1] == running("A")
    boot.forget()
    boot.put_raw(b=good)
    assert boot.again(STATE) == [running("B", "newer")]
    boot.forget()
    boot.key(bytes(60))
    assert boot.again()[-1] == SAFE_MODE


def test_the_other_bank_in_place_of_a_damaged_one(boot, bank, newer, signer):
    """When it is known, marked or signed; a stranger is not taken."""
    boot()
    boot.key(signer.publicKey().serialize())
    for other in (newer, signed(newer, signer), flash.whole_bank(newer)):
        boot.select(0, identities(bank, bank))
        boot.put_raw(a=flipped(bank, len(bank) - 1), b=other)
        if other is newer:
            assert boot.again()[-1] == SAFE_MODE
            boot.select(0, identities(bank, newer))
        assert boot.again(STATE)[-1] == running("B", "newer")
        assert boot.selected()[0] == 1


# ---- a trial


def test_a_trial_and_its_tries(boot, bank, newer):
    boot()
    boot.put_raw(a=bank, b=newer)
    for cause, tries in (("power on", 2), ("reset", 1), ("watchdog", 1)):
        boot.select(0, identities(bank, newer), tries=2, why=1, open=1)
        assert boot.again(STATE, cause) == [running("B", "newer")]
        assert boot.selected() == (0, 1, 0, tries, 0, 1, 0)
    boot.select(0, identities(bank, newer), tries=1, why=1, open=1)
    over = "boot: the trial of bank B is over: its tries are used up"
    assert boot.again(STATE) == [over, running("A")]
    assert boot.selected() == (0, 0, 0, 0, 0, 3, 0)
    assert boot.again(STATE) == [running("A")]


# ---- the board


def test_no_board(boot, bank):
    boot.board("")
    assert boot(bank) == ["boot: there is no board.py on this device", SAFE_MODE]


@pytest.mark.parametrize(
    ("source", "error"),
    [
        ("import rp2", "ImportError(\"no module named 'rp2'\",)"),
        ("1/0", "ZeroDivisionError('divide by zero',)"),
    ],
)
def test_a_board_of_other_hardware(boot, bank, source, error):
    boot.board(source)
    first, *rest = boot(bank)
    assert first.startswith("boot: board.py does not fit this device: ")
    assert error.split("(")[0] in first
    assert rest == [SAFE_MODE]


def test_an_incomplete_board(boot, bank):
    names = [name for name in board_names() if name not in ("plc", "flash")]
    boot.board("".join(f"{name} = None\n" for name in names))
    message = "boot: board.py is not complete, it lacks flash, plc"
    assert boot(bank) == [message, SAFE_MODE]


def test_what_comes_before_a_bank_imports_nothing_of_one():
    ours = {name.removesuffix(".py") for name in image.BEFORE_A_BANK} | {"board", "device"}
    built_in = {"binascii", "hashlib", "micropython", "os", "struct", "sys", "vfs"}
    names = set()
    for file in image.BEFORE_A_BANK:
        for node in ast.walk(ast.parse((FIRMWARE / file).read_text())):
            if isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                names.add(node.module)
    assert names <= ours | built_in
