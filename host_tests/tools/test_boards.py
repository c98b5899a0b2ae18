"""Boards, as far as a host can tell: names, pins, flash maps, what is frozen."""

import ast
import re
import runpy
from pathlib import Path

import pytest
from test_image import board_names, constants

from meter.profiles import SECTORS
from osgp_tools import flash, image

BOARDS = Path(__file__).parents[2] / "boards"
PICO = BOARDS / "rpi_pico"
COMMON = BOARDS / "common"
NAMES = "osgp_names.py"  # made before a VM is built: osgp_tools/vm_names.py
KERNELS = BOARDS.parent / "firmware" / "osgp" / "kernels.py"

# The arguments with which the firmware calls what a board gives (boards/unix/board.md)
CALLS = {
    "aes": 1,
    "bank": 1,
    "bank_flash": 1,
    "element": 0,
    "installation_key": 1,
    "random": 1,
    "reset": 0,
    "settings": 0,
    "update_key": 0,
}
FLASH_CALLS = {"read": 2, "program": 2, "erase": 1}

# RP2040 datasheet, table 2 (GPIO functions): where UART1 can be
UART1_TX = {4, 8, 20, 24}
UART1_RX = {5, 9, 21, 25}
# Pico datasheet, section 2: GPIO 23, 24, 25 and 29 are inside the board
HEADER_PINS = set(range(29)) - {23, 24, 25}


def module(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def defined(tree: ast.Module | ast.ClassDef) -> set[str]:
    """Every name that a module's or a class's own lines bind, or take from boards/common."""
    names = set()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign):
            names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return names | set(from_common(tree))


def from_common(tree: ast.Module | ast.ClassDef) -> dict[str, Path]:
    """What a module takes out of those of boards/common, and which of them has it."""
    return {
        alias.name: BOARDS / (node.module.replace(".", "/") + ".py")
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("common.")
        for alias in node.names
    }


def functions(tree: ast.Module | ast.ClassDef) -> dict[str, int]:
    """The functions there, and how many arguments each takes, without self."""
    method = isinstance(tree, ast.ClassDef)
    return {
        node.name: len(node.args.args) - method
        for node in tree.body
        if isinstance(node, ast.FunctionDef)
    }


def a_class(tree: ast.Module, name: str) -> ast.ClassDef:
    return next(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == name)


def port_numbers(text: str, pattern: str) -> dict[str, int]:
    """Flash sizes as a port's configuration file states them."""
    return {name: int(value) for name, value in re.findall(pattern, text)}


# ---- what a board.py gives


@pytest.mark.parametrize("board", ["unix", "rpi_pico"])
def test_board_gives_what_boot_asks_for(board):
    tree = module(BOARDS / board / "board.py")
    assert set(board_names()) <= defined(tree)
    found = functions(tree)
    found |= {name: functions(module(path)).get(name) for name, path in from_common(tree).items()}
    assert {name: found[name] for name in CALLS} == CALLS


@pytest.mark.parametrize(
    ("path", "name"),
    [(BOARDS / "unix" / "board.py", "Flash"), (COMMON / "raw_flash.py", "RawFlash")],
)
def test_raw_flash_has_the_interface_of_the_store(path, name):
    flash_class = a_class(module(path), name)
    found = functions(flash_class)
    assert {name: found[name] for name in FLASH_CALLS} == FLASH_CALLS
    assert "unit" in defined(flash_class)


@pytest.mark.parametrize("board", ["unix", "rpi_pico"])
def test_board_is_named_after_its_folder(board):
    tree = module(BOARDS / board / "board.py")
    values = {
        node.targets[0].id: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
    }
    assert values["NAME"] == board
    assert len(values["NAME"]) <= 16
    assert values["INSECURE"] is (board == "unix")
    assert values["OPEN_NM"] is False


# ---- flash map of the Pico


def test_flash_map_fills_the_chip_sector_by_sector():
    areas = [
        (0, flash.BANKS[0]),
        (flash.BANKS[0], flash.BANK_SIZE),
        (flash.BANKS[1], flash.BANK_SIZE),
        (flash.RAW, constants(PICO / "board.py")["_RAW_SIZE"]),
        (flash.FILES, constants(PICO / "_boot.py")["_SIZE"]),
    ]
    end = 0
    for start, size in areas:
        assert start == end, "a gap or an overlap"
        assert size > 0 and size % flash.SECTOR == 0
        end = start + size
    assert end == flash.SIZE == 2 << 20


def test_port_configuration_means_the_same_map():
    """The port counts from the end of flash: storage, before it the ROM file system."""
    header = port_numbers(
        (PICO / "mpconfigboard.h").read_text(), r"#define (MICROPY_HW_\w+_BYTES) \((\d+)\)"
    )
    cmake = port_numbers(
        (PICO / "mpconfigboard.cmake").read_text(), r"set\((MICROPY_HW_\w+_BYTES) (\d+)\)"
    )
    assert header == cmake
    storage = flash.SIZE - header["MICROPY_HW_FLASH_STORAGE_BYTES"]
    assert storage == flash.RAW
    assert storage - header["MICROPY_HW_ROMFS_BYTES"] == flash.BANKS[0]


def test_device_and_tools_mean_the_same_map():
    board, boot = constants(PICO / "board.py"), constants(PICO / "_boot.py")
    parts = constants(COMMON / "rp2_parts.py")
    assert parts["_BANK_SIZE"] == flash.BANK_SIZE == flash.BANKS[1] - flash.BANKS[0]
    for name in ("raw_flash.py", "mount.py"):
        assert constants(COMMON / name)["_SECTOR"] == flash.SECTOR
    assert flash.RAW + board["_RAW"] == flash.RAW
    assert board["_RAW"] + board["_RAW_SIZE"] == boot["_START"]
    assert flash.RAW + boot["_START"] == flash.FILES


def test_rings_fit_into_the_raw_region():
    """No sector has two owners, and none lies outside."""
    device = constants(BOARDS.parent / "firmware" / "device.py")
    rings = [value for value in device.values() if isinstance(value, tuple)]
    sets = [device["_PROFILE"]]
    sets += [device["_MORE_PROFILES"] + SECTORS[k] * (k - 1) for k in range(1, len(SECTORS))]
    rings += list(zip(sets, SECTORS))
    taken = [sector for first, count in rings for sector in range(first, first + count)]
    assert len(rings) == 9
    assert len(set(taken)) == len(taken)
    assert (max(taken) + 1) * flash.SECTOR <= constants(PICO / "board.py")["_RAW_SIZE"]


# ---- pins of the Pico


def test_pins_exist_and_can_do_what_they_are_for():
    pins = {name: value for name, value in constants(PICO / "board.py").items() if name[1:] in
            {"PLC_TX", "PLC_RX", "SERVICE"}}  # fmt: skip
    assert pins["_PLC_TX"] in UART1_TX
    assert pins["_PLC_RX"] in UART1_RX
    assert set(pins.values()) <= HEADER_PINS
    assert len(set(pins.values())) == len(pins)
    named = dict(line.split(",") for line in (PICO / "pins.csv").read_text().splitlines())
    assert {f"_{name}": pin for name, pin in named.items() if name != "LED"} == {
        name: f"GPIO{pin}" for name, pin in pins.items()
    }
    drawing = (PICO / "board.md").read_text()
    for name, pin in pins.items():
        assert re.search(rf"\| GP{pin} \| {name[1:]}\b", drawing), "the wiring table differs"


def test_watchdog_is_within_what_the_chip_can():
    assert 1000 <= constants(PICO / "board.py")["_WATCHDOG_MS"] <= 8388


# ---- what is frozen into the VM


def frozen() -> dict[str, Path | str]:
    """What the manifest freezes, by module name. A path of the port's stays a string."""
    found: dict[str, Path | str] = {}

    def freeze(folder, scripts):
        for script in (scripts,) if isinstance(scripts, str) else scripts:
            ports = folder.startswith("$(PORT_DIR)")
            found[script] = f"{folder}/{script}" if ports else (PICO / folder / script).resolve()

    runpy.run_path(str(PICO / "manifest.py"), {"freeze": freeze})
    return found


def test_manifest_freezes_what_comes_before_a_bank():
    files = frozen()
    common = {name for name in files if name.startswith("common/")}
    board = {"_boot.py", "board.py", "kernels.py", "rp2.py", NAMES}
    assert set(files) - common == board | set(image.BEFORE_A_BANK)
    taken = from_common(module(PICO / "board.py")) | from_common(module(PICO / "_boot.py"))
    assert {f"common/{path.name}" for path in taken.values()} <= common
    for name, path in files.items():
        if isinstance(path, Path) and name != NAMES:
            assert path.is_file(), name
    assert files["_boot.py"] == PICO / "_boot.py", "the port's own formats"
    # A name of the firmware's in the VM would hide the one of the bank, or be hidden by it.
    bank = {path.name for path in (BOARDS.parent / "firmware").iterdir()}
    assert set(files) & bank == set(image.BEFORE_A_BANK)


def test_frozen_kernels_are_those_that_the_firmware_takes():
    taken = {
        alias.name
        for node in ast.walk(module(KERNELS))
        if isinstance(node, ast.ImportFrom) and node.module == "kernels"
        for alias in node.names
    }
    assert taken
    assert taken <= set(functions(module(BOARDS / "kernels.py")))
