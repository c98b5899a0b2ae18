"""Settings in a folder of the host. Under littlefs, with power cuts: host_tests/faults."""

import os

from fakes import retained
from settings import Settings
from support import noise


class Folder:
    """A folder of its own under /tmp, gone at the end."""

    def __enter__(self):
        self.path = "/tmp/osgp-settings-" + os.urandom(6).hex()
        return self

    def __exit__(self, *_):
        for name in os.listdir(self.path):
            os.remove(self.path + "/" + name)
        os.rmdir(self.path)

    def contents(self, name) -> bytes:
        with open(self.path + "/" + name, "rb") as file:
            return file.read()

    def put(self, name, contents):
        with open(self.path + "/" + name, "wb") as file:
            file.write(contents)


def test_a_value_comes_back_after_a_restart():
    with Folder() as folder:
        buf = bytearray(20)
        assert Settings(folder.path).load("BT51", buf) == -1
        Settings(folder.path).replace("BT51", b"0123456789", 7)
        settings = Settings(folder.path)
        assert settings.load("BT51", buf) == 7
        assert buf == b"0123456" + bytes(13)
        assert settings.bad == 0


def test_a_value_is_replaced_as_a_whole():
    with Folder() as folder:
        settings = Settings(folder.path)
        buf = bytearray(507)
        for value in (noise(507), b"", b"short", noise(300, 2)):
            settings.replace("ET03", value, len(value))
            assert settings.load("ET03", buf) == len(value)
            assert buf[: len(value)] == value


def test_file_layout():
    """Version, value, CRC-32 little-endian."""
    with Folder() as folder:
        Settings(folder.path).replace("x", b"123456789", 9)
        assert folder.contents("x") == b"\x01123456789" + bytes.fromhex("c02eb521")


def test_damage_is_noticed_and_counted():
    with Folder() as folder:
        settings = Settings(folder.path)
        value = noise(60)
        settings.replace("BT54", value, 60)
        good = folder.contents("BT54")
        buf = bytearray(60)
        damaged = [good[:n] for n in range(1, len(good))] + [good + b"\0", good + good]
        for i in range(len(good)):
            flipped = bytearray(good)
            flipped[i] ^= 0x04
            damaged.append(bytes(flipped))
        for count, contents in enumerate(damaged):
            folder.put("BT54", contents)
            assert settings.load("BT54", buf) == -1
            assert settings.bad == count + 1
        assert buf == bytes(60)


def test_a_file_that_was_never_finished_is_no_damage():
    with Folder() as folder:
        settings = Settings(folder.path)
        folder.put("new", b"")
        assert settings.load("new", bytearray(4)) == -1
        assert settings.bad == 0


def test_a_value_that_does_not_fit():
    with Folder() as folder:
        settings = Settings(folder.path, largest=10)
        settings.replace("a", b"0123456789", 10)
        try:
            settings.replace("a", b"0123456789A", 11)
            raise AssertionError("taken")
        except ValueError:
            pass
        assert settings.load("a", bytearray(10)) == 10


def test_of_a_longer_value_the_beginning_is_taken():
    with Folder() as folder:
        settings = Settings(folder.path)
        settings.replace("DM", b"0123456789", 10)
        buf = bytearray(b".........")
        assert settings.load("DM", buf) == 9
        assert buf == b"012345678"
        assert settings.load("DM", bytearray()) == 0
        assert settings.bad == 0


def test_the_window_shows_one_value_and_reads_its_file_once():
    with Folder() as folder:
        settings = Settings(folder.path)
        settings.replace("a", b"0123456789", 10)
        settings.replace("b", b"abc", 3)
        buf = bytearray(b"......")
        assert settings.window("a") == 10
        os.remove(folder.path + "/a")  # nothing asks the file again
        assert settings.window("a") == 10
        settings.copy(7, buf, 1, 3)
        assert buf == b".789.."
        assert settings.window("b") == 3
        assert settings.window("a") == -1
        assert settings.bad == 0


def test_what_is_written_is_what_the_window_shows():
    with Folder() as folder:
        settings = Settings(folder.path)
        buf = bytearray(2)
        assert settings.window("a") == -1
        settings.replace("a", b"new", 3)
        assert settings.window("a") == 3
        settings.copy(1, buf, 0, 2)
        assert buf == b"ew"
        settings.remove("a")
        assert settings.window("a") == -1
        settings.remove("a")


def test_a_window_allocates_nothing_while_it_stays():
    with Folder() as folder:
        settings = Settings(folder.path)
        settings.replace("a", b"0123456789", 10)
        buf = bytearray(4)

        def call():
            settings.window("a")
            settings.copy(3, buf, 0, 4)

        assert retained(call) in (None, 0)
