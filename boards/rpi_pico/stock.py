"""The Pico with MicroPython as it comes: files for the raw region, folders for the code banks.

`osgp deploy` puts this into the root as board.py, and the board.py beside it as rpi_pico.py.
"""

from files_flash import FilesFlash
from rpi_pico import *  # noqa: F403  all of it, but for what follows

flash = FilesFlash("/raw")


def bank(_):
    """Returns None: this VM has no banks in flash."""


bank_flash = bank
