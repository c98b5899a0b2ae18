"""The house's own rules (CONTRIBUTING.md), held by looking at the imports and the sizes."""

import ast
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
FIRMWARE = REPOSITORY / "firmware"
SANS_IO = sorted(
    path for part in ("osgp", "tables", "meter") for path in (FIRMWARE / part).rglob("*.py")
)
# Definitions are read on the host and by tests; the bank ships what they were compiled to.
HOST_ONLY = {"schema.py", "datatypes.py", "dimensions.py", "definitions.py", "layout.py"}
RESIDENT_FUNCTIONS = 475

# The security suites: that of the member's mode is loaded, by `rare`, and stays until the mode
# changes.
SUITES = [FIRMWARE / "osgp" / "security" / name for name in ("legacy.py", "aes.py")]

FORBIDDEN = {"machine", "os", "io", "time", "socket", "select", "vfs", "asyncio", "board"}
BELOW_ALL = "osgp.kernels"  # the work per octet
# a module under the key may not import one under the values
DIRECTION = {
    "tables": (
        "osgp.lon",
        "osgp.services",
        "osgp.envelope",
        "osgp.procedures",
        "osgp.system",
        "meter",
        "device",
    ),
    "meter": ("osgp", "device", "scheduler"),
    "osgp/lon": (
        "tables",
        "meter",
        "osgp.services",
        "osgp.envelope",
        "osgp.commissioning",
        "device",
    ),
    "osgp": ("device", "scheduler", "settings"),
}


def name(path: Path) -> str:
    return path.relative_to(FIRMWARE).as_posix()


def imports(path: Path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


@pytest.mark.parametrize("path", SANS_IO, ids=name)
def test_no_io(path):
    assert not FORBIDDEN & {module.split(".")[0] for module in imports(path)}
    calls = (
        node.func for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)
    )
    assert "open" not in {call.id for call in calls if isinstance(call, ast.Name)}


@pytest.mark.parametrize("path", SANS_IO, ids=name)
def test_one_direction(path):
    for folder, others in DIRECTION.items():
        if name(path).startswith(folder + "/"):
            for module in imports(path):
                assert module == BELOW_ALL or not module.startswith(others), (
                    f"{name(path)} imports {module}"
                )


@pytest.mark.parametrize("path", SANS_IO, ids=name)
def test_no_state_in_modules(path):
    """A device is an object: no module-level bytearray, list or dict that somebody could write
    to."""
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Assign):
            value = node.value
            mutable = isinstance(value, (ast.List, ast.Dict, ast.Set)) or (
                isinstance(value, ast.Call)
                and isinstance(value.func, ast.Name)
                and value.func.id == "bytearray"
            )
            assert not mutable, f"{name(path)}:{node.lineno}"


LINKS = {"osgp.lon.mip", "osgp.lon.cnip"}


def test_nobody_above_the_link_knows_it():
    """device.py makes the one of the line, a board another; no module imports one beside them."""
    knowing = {
        name(path)
        for path in FIRMWARE.rglob("*.py")
        if LINKS & (set(imports(path)) | {f"osgp.lon.{one}" for one in names_of("osgp.lon", path)})
    }
    assert knowing == {"device.py"}
    assert FIRMWARE / "osgp" / "lon" / "cnip.py" not in resident()


def names_of(package: str, path: Path) -> set[str]:
    """What a module takes from a package by `from package import ...`."""
    return {
        alias.name
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and node.module == package
        for alias in node.names
    }


def is_rare(path: Path) -> bool:
    """Whether it is loaded by `rare` alone, and let go of."""
    return (ast.get_docstring(ast.parse(path.read_text())) or "").startswith("Rare:")


def resident() -> set[Path]:
    """The modules that are loaded in every device: what a start imports, and what that does.

    Not those that choose the bank: boot.py and main.py let go of them (`test_boot_leaves_nothing`
    of test_choosing.py).
    """
    found: set[Path] = set()
    waiting = [FIRMWARE / "device.py"]
    while waiting:
        path = waiting.pop()
        if path not in found and path.exists():
            found.add(path)
            for module in imports(path):
                folder = FIRMWARE / module.replace(".", "/")
                waiting += [folder.with_suffix(".py"), folder / "__init__.py"]
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.ImportFrom):  # from osgp import events
                    folder = FIRMWARE / (node.module or "").replace(".", "/")
                    waiting += [folder / (alias.name + ".py") for alias in node.names]
    return found | {FIRMWARE / "meter" / "element.py"}  # which boards import


def test_rare_modules_are_loaded_by_rare_alone():
    """What a resident module imports is resident, and what a rare one brings along would stay."""
    loaded = resident()
    assert not [name(path) for path in loaded if is_rare(path) or path in SUITES]
    brought = {
        (name(path), module)
        for path in SANS_IO
        if is_rare(path) or path in SUITES
        for module in imports(path)
        if (FIRMWARE / (module.replace(".", "/") + ".py")).exists()
        and FIRMWARE / (module.replace(".", "/") + ".py") not in loaded
    }
    assert not brought


def test_resident_functions():
    """Some 90 octets of heap each (boards.md I): what is always loaded has to stay few."""
    count = sum(map(functions, resident())) + max(map(functions, SUITES))
    assert 100 < count <= RESIDENT_FUNCTIONS


def functions(path: Path) -> int:
    return sum(
        isinstance(node, (ast.FunctionDef, ast.Lambda))
        for node in ast.walk(ast.parse(path.read_text()))
    )
