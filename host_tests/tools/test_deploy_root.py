"""What `osgp deploy` puts into the root of a board with MicroPython as it comes."""

import ast

from osgp_tools import deploy_folders

START = {"/banks.py", "/bank_folders.py", "/bank_choice.py", "/boot.py", "/main.py"}


def test_the_root_of_a_pico():
    """All that its stock.py imports of ours, and kernels in its machine code."""
    files = deploy_folders.root_files("rpi_pico", 4 << 10 | 0x106)
    assert START | {"/board.py", "/rpi_pico.py", "/files_flash.py"} <= set(files)
    assert list(files)[: len(START)] == deploy_folders.OWNED, "each behind those that it imports"
    assert {"/common/rp2_parts.py", "/common/service.py"} <= set(files)  # from common import ...
    assert "/kernels.mpy" in files
    boards = deploy_folders.BOARDS
    ours = {path.stem for path in boards.glob("*.py")}
    ours |= {f"common.{path.stem}" for path in boards.glob("common/*.py")}
    for path, content in files.items():
        if path.endswith(".py"):
            for node in ast.walk(ast.parse(content)):
                if isinstance(node, ast.ImportFrom) and node.module in ours:
                    name = "/" + node.module.replace(".", "/")
                    assert {f"{name}.py", f"{name}.mpy"} & set(files)


def test_kernels_are_in_the_machine_code_of_the_vm():
    for number in deploy_folders._MARCH:
        code = deploy_folders.kernels(number << 10)["/kernels.mpy"]
        assert code[2] >> 2 == number
    assert deploy_folders.kernels(0) == deploy_folders.kernels(2 << 10) == {}  # none; x64
