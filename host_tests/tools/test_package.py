"""package.json: `mpremote mip install` from a checkout, with the network off."""

import ast
import json
import subprocess
import sys

import pytest
from stock_board import StockBoard

from osgp_tools import package
from osgp_tools.repl import Repl

# mpremote in a process that can open terminals and files, and no connection
MPREMOTE = """
import socket, sys
class Off(socket.socket):
    def connect(self, *_):
        raise OSError("the network is off")
    connect_ex = connect
def off(*_, **__):
    raise socket.gaierror("the network is off")
socket.socket = Off
socket.getaddrinfo = socket.create_connection = off
from mpremote.main import main
sys.exit(main())
"""
# Of the standard: what a MicroPython has.
BUILT_IN = {"binascii", "cryptolib", "gc", "io", "micropython", "os", "select", "struct", "sys"}
BUILT_IN |= {"array", "hashlib", "time"}
KERNELS = "kernels"  # a board may have them; without them the plain ones are used


def listed() -> dict[str, str]:
    """Where to, from where."""
    return dict(json.loads(package.PACKAGE.read_text())["urls"])


def test_it_is_up_to_date():
    assert package.PACKAGE.read_text() == package.package()


def test_every_file_is_there_and_none_is_fetched():
    content = json.loads(package.PACKAGE.read_text())
    assert not content.get("deps")
    for place, source in listed().items():
        assert (package.ROOT / source).is_file()
        assert source == f"firmware/{place}"


def test_nothing_that_is_imported_is_missing():
    places = set(listed())
    for source in listed().values():
        for node in ast.walk(ast.parse((package.ROOT / source).read_text())):
            names = []
            if isinstance(node, ast.ImportFrom) and node.module:
                names = [node.module]
            elif isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            for name in names:
                path = name.replace(".", "/")
                ours = {path + ".py", path + "/__init__.py"} & places
                assert ours or name in BUILT_IN | {KERNELS}, f"{source} imports {name}"


@pytest.fixture(scope="module")
def board(tmp_path_factory):
    with StockBoard(tmp_path_factory.mktemp("mip")) as board:
        with Repl(board.where) as link:  # as the ports have it; mip installs there
            link.run("import os; os.mkdir('/lib')")
            link.end()
        yield board


def install(board, *arguments: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-c", MPREMOTE, "connect", board.where, "resume", "mip", *arguments]
    return subprocess.run(
        command, cwd=package.ROOT, check=False, capture_output=True, text=True, timeout=100
    )


def test_install_from_a_checkout_without_a_network(board):
    done = install(board, "install", "./package.json")
    assert done.returncode == 0, done.stdout + done.stderr
    sources = {f"/lib/{to}": (package.ROOT / of).read_bytes() for to, of in listed().items()}
    assert board.files() == sources
    with Repl(board.where) as link:
        link.run("import gc; from device import Device; from osgp.lon.mip import Mip", patience=30)
        assert link.ask("__import__('device').__file__") == "/lib/device.py"
        link.end()


def test_the_network_was_off(board):
    done = install(board, "install", "hmac")
    assert done.returncode != 0
    assert "the network is off" in done.stdout + done.stderr
