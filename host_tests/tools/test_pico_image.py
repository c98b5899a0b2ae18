"""What is put into a Pico's flash, read back by the UF2 specification's own offsets."""

import sys
from pathlib import Path

import pytest
import stub_firmware

from osgp_tools import flash, image, pico_image

VM = bytes(range(1, 256)) * 40  # 10,200 octets: not a whole sector


@pytest.fixture(scope="module")
def bank(tmp_path_factory) -> bytes:
    return image.build_bank(firmware=stub_firmware.write(tmp_path_factory.mktemp("fw") / "a"))


def word(block: bytes, at: int) -> int:
    return int.from_bytes(block[at : at + 4], "little")


def load(uf2: bytes, content: bytearray) -> list[int]:
    """Do what the RP2040's boot ROM does with a UF2. Returns the sectors that it erased."""
    erased: list[int] = []
    blocks = [uf2[at : at + 512] for at in range(0, len(uf2), 512)]
    for number, block in enumerate(blocks):
        assert len(block) == 512
        assert (word(block, 0), word(block, 4)) == (0x0A324655, 0x9E5D5157)
        assert word(block, 508) == 0x0AB16F30
        assert word(block, 8) == 0x2000  # a family is given
        assert word(block, 28) == 0xE48BFF56  # RP2040
        assert (word(block, 20), word(block, 24)) == (number, len(blocks))
        assert word(block, 16) == 256
        at = word(block, 12) - 0x10000000
        assert at % 256 == 0
        sector = at // 4096 * 4096
        if sector not in erased:
            content[sector : sector + 4096] = b"\xff" * 4096
            erased.append(sector)
        content[at : at + 256] = block[32 : 32 + 256]
    return erased


def test_device_uf2_makes_the_flash_image(bank):
    content = bytearray(b"\xff" * flash.SIZE)
    load(pico_image.uf2(pico_image.parts(VM, {0: bank})), content)
    assert content == pico_image.flash_image(VM, {0: bank})
    assert content.startswith(VM)
    assert content[flash.BANKS[0] :].startswith(flash.whole_bank(bank))


def test_a_bank_alone_leaves_everything_else(bank):
    content = bytearray(b"\x5a" * flash.SIZE)
    erased = load(pico_image.uf2(pico_image.parts(None, {1: bank})), content)
    start, end = flash.BANKS[1], flash.BANKS[1] + flash.BANK_SIZE
    assert content[start:].startswith(flash.whole_bank(bank))
    assert min(erased) == start and max(erased) < end
    assert set(content[:start]) == set(content[end:]) == {0x5A}


def test_no_old_octets_are_left_in_a_sector_that_was_erased():
    """The boot ROM erases with the first block of a sector: the last one has to be filled up."""
    content = bytearray(b"\x5a" * flash.SIZE)
    load(pico_image.uf2([(0, VM)]), content)
    assert content[len(VM) : 3 * flash.SECTOR] == b"\xff" * (3 * flash.SECTOR - len(VM))
    assert content[3 * flash.SECTOR] == 0x5A


def test_what_does_not_fit_is_refused():
    with pytest.raises(image.ImageError, match="there is room for 655360"):
        pico_image.parts(bytes(flash.BANKS[0] + 1), {})
    with pytest.raises(ValueError, match="start of a sector"):
        pico_image.uf2([(256, VM)])


def test_files_of_an_image_can_be_read(tmp_path):
    files = {"/installation.key": bytes(range(16)), "/settings/member": b"x" * 600}
    path = tmp_path / "flash.bin"
    path.write_bytes(pico_image.flash_image(VM, {}, files))
    assert path.stat().st_size == flash.SIZE
    assert flash.files(path) == files


def test_command_writes_what_it_says(tmp_path, monkeypatch, capsys):
    (tmp_path / "firmware.bin").write_bytes(VM)
    monkeypatch.setattr(sys, "argv", ["pico_image", str(tmp_path), "--version", "7"])
    assert pico_image.main() == 0
    assert "VM 10200 octets of 655360" in capsys.readouterr().out
    content = bytearray(b"\xff" * flash.SIZE)
    load((tmp_path / "bank.uf2").read_bytes(), content)
    assert image.Header.decode(bytes(content[flash.BANKS[0] :])).version == 7
    load((tmp_path / "firmware.uf2").read_bytes(), content)
    assert content == (tmp_path / "flash.bin").read_bytes()
    assert (tmp_path / "device.uf2").stat().st_size == sum(
        (tmp_path / name).stat().st_size for name in ("bank.uf2", "firmware.uf2")
    )


def test_command_without_a_vm(tmp_path: Path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["pico_image", str(tmp_path)])
    assert pico_image.main() == 1
    assert "firmware.bin" in capsys.readouterr().err
