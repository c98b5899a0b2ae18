"""`osgp flash`: a folder plays the drive."""

import pytest

from osgp_tools import uf2_drive
from osgp_tools.repl import BoardError

INFO = "UF2 Bootloader v2.0\r\nModel: Raspberry Pi RP2\r\nBoard-ID: {}\r\n"


class FakeRepl:
    """Keeps what it is told."""

    sent: list[str]

    def __init__(self, where):
        FakeRepl.sent = [where]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def leave(self, code):
        FakeRepl.sent.append(code)


@pytest.fixture
def build(tmp_path):
    folder = tmp_path / "build"
    (folder / "rpi_pico").mkdir(parents=True)
    (folder / "rpi_pico" / "firmware.uf2").write_bytes(bytes(range(256)) * 20)
    return folder


def drive(folder, chip):
    folder.mkdir(parents=True)
    (folder / "INFO_UF2.TXT").write_text(INFO.format(chip))
    return folder


def test_to_a_drive_that_is_there(tmp_path, build):
    there = drive(tmp_path / "RPI-RP2", "RPI-RP2")
    assert uf2_drive.flash("unused", "rpi_pico", there, build) == there
    assert (there / "firmware.uf2").read_bytes() == bytes(range(256)) * 20


def test_to_a_board_that_runs(tmp_path, build, monkeypatch):
    class Board(FakeRepl):
        def leave(self, code):
            super().leave(code)
            drive(tmp_path / "media" / "me" / "RPI-RP2", "RPI-RP2")

    monkeypatch.setattr(uf2_drive, "Repl", Board)
    monkeypatch.setattr(uf2_drive, "PLACES", (f"{tmp_path}/media/*", f"{tmp_path}/media/*/*"))
    drive(tmp_path / "media" / "stick", "another")
    there = uf2_drive.flash("/dev/ttyACM0", "rpi_pico", build=build)
    assert FakeRepl.sent == ["/dev/ttyACM0", "import machine\nmachine.bootloader()\n"]
    assert (there / "firmware.uf2").exists()
    assert not (tmp_path / "media" / "stick" / "firmware.uf2").exists()


@pytest.mark.parametrize(
    ("family", "chip", "complaint"),
    [
        ("rpi_pico", "RP2350", "is not the drive of a rpi_pico: RP2350"),
        ("rpi_pico", "", "is not the drive of a rpi_pico"),
        ("rpi_pico2", "RP2350", "make firmware BOARD=rpi_pico2"),
        ("esp32", "RPI-RP2", "esp32 is not flashed as a drive"),
    ],
)
def test_what_does_not_fit_is_not_written(tmp_path, build, family, chip, complaint):
    there = drive(tmp_path / "drive", chip)
    with pytest.raises(BoardError, match=complaint):
        uf2_drive.flash("unused", family, there, build)
    assert [path.name for path in there.iterdir()] == ["INFO_UF2.TXT"]


def test_a_drive_that_does_not_appear(build, monkeypatch, tmp_path):
    monkeypatch.setattr(uf2_drive, "Repl", FakeRepl)
    monkeypatch.setattr(uf2_drive, "PLACES", (f"{tmp_path}/media/*",))
    monkeypatch.setattr(uf2_drive, "_APPEARS", 0.1)
    with pytest.raises(BoardError, match="name it with --drive"):
        uf2_drive.flash("/dev/ttyACM0", "rpi_pico", build=build)
