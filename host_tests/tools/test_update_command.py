"""`osgp update` before it says anything on the line: what it does not begin with, and why."""

import sys

import pytest

from osgp_tools import cli
from osgp_tools.simulation import banks
from osgp_tools.simulation.street import public_key, signed
from osgp_tools.store import Vault

DEVICE, USAGE, SYSTEM = 1, 2, 4


@pytest.fixture
def osgp(monkeypatch, capsys, tmp_path):
    def run(*words):
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "argv", ["osgp", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return ended.value.code, capsys.readouterr().err

    return run


@pytest.fixture
def image(tmp_path):
    path = tmp_path / "next.img"
    path.write_bytes(signed(2).octets)
    return path


def test_no_image(osgp, tmp_path):
    assert osgp("update", "--line", "tcp:1") == (USAGE, "osgp: which image?\n")
    assert osgp("update", tmp_path / "none.img", "--line", "tcp:1")[0] == SYSTEM


def test_an_image_that_no_device_would_take(osgp, tmp_path, image):
    unsigned = tmp_path / "unsigned.img"
    unsigned.write_bytes(banks.image(5000, 2))
    code, said = osgp("update", unsigned, "--line", "tcp:1")
    assert (code, said) == (DEVICE, "osgp: it is not signed: osgp image sign\n")
    octets = bytearray(image.read_bytes())
    octets[-1] ^= 1
    image.write_bytes(octets)
    assert "damaged" in osgp("update", image, "--line", "tcp:1")[1]
    image.write_bytes(octets[:-1])
    assert "octets; by its header" in osgp("update", image, "--line", "tcp:1")[1]


def test_a_signature_by_somebody_else(osgp, tmp_path, image):
    key = tmp_path / "key.pub"
    key.write_bytes(public_key()[:-1] + b"\0")
    code, said = osgp("update", image, "--line", "tcp:1", "--key", key)
    assert (code, said) == (DEVICE, "osgp: its signature is not good under this key\n")
    (tmp_path / "build").mkdir()
    key.rename(tmp_path / "build" / "update-key.pub")
    assert "not good" in osgp("update", image, "--line", "tcp:1")[1]


def test_nobody_to_update(osgp, tmp_path, image):
    store = tmp_path / "store.db"
    code, said = osgp("update", image, "--line", "tcp:1", "--store", store)
    assert code == DEVICE and "no store" in said
    Vault(store).close()
    code, said = osgp("update", image, "--line", "tcp:1", "--store", store)
    assert code == DEVICE and "nobody is a member" in said
    code, said = osgp("update", image, "1/9", "--line", "tcp:1", "--store", store)
    assert code == DEVICE and "1/9 is not a member" in said
    code, said = osgp("update", image, "--group", "1", "--line", "tcp:1", "--store", store)
    assert code == USAGE and "no group" in said
