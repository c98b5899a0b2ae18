"""What a board keeps in its file system: settings, keys, measured source."""

from micropython import const

_KEY = const(16)
_UPDATE_KEY = const(60)

# A house: its power by hour of the UTC day, in units of 10 W, the same on every day.
_HOUSE = (
    b"\x12\x0e\x0c\x0b\x0b\x0e\x19\x28\x26\x20\x1e\x22"
    b"\x2c\x28\x20\x1e\x20\x2a\x38\x40\x3c\x34\x28\x1c"
)
_EVERY_DAY = b"OSGPMEAS\x01\x01\0\0\xff\xff"  # header of a source: one direction, 2000-01-01 on


def settings():
    """The settings, in a folder of their own."""
    from settings import Settings

    return Settings("/settings")


def installation_key(_):
    """The 16 octets of /installation.key. None: nobody can commission."""
    return _key("/installation.key", _KEY)


def update_key():
    """The 60 octets of /update.pub, under which images are signed. None: there are no
    downloads."""
    return _key("/update.pub", _UPDATE_KEY)


def _key(path: str, size: int):
    try:
        with open(path, "rb") as file:
            key = file.read()
    except OSError:
        return None
    return key if len(key) == size else None


def element():
    """What measures: simulated, on the measured source in /source if there is one.

    A meter has the driver of its metering chip here (interface: meter/element.py).
    """
    from meter.element import SimulatedElement

    try:
        source = open("/source", "rb")  # noqa: SIM115  as long as the device lives
    except OSError:
        return SimulatedElement(_read_house)

    def read(offset, buf):
        source.seek(offset)
        source.readinto(buf)

    return SimulatedElement(read)


def _read_house(offset: int, buf):
    """A measured source for everyday use: _HOUSE on every day that there is."""
    if offset < len(_EVERY_DAY):
        buf[:] = _EVERY_DAY
        return
    quarter = (offset - len(_EVERY_DAY)) // 3
    buf[:] = (_HOUSE[quarter // 4 % 24] * 2500).to_bytes(3, "little")
