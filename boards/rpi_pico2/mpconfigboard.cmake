# OSGP end device on a Raspberry Pi Pico 2. Flash map: board.md; mpconfigboard.h and board.py have the same numbers.
set(PICO_BOARD "pico2")
set(PICO_PLATFORM "rp2350")

# From MicroPython 1.27 on the build takes these two from here, before that from mpconfigboard.h.
set(MICROPY_HW_ROMFS_BYTES 409600)
set(MICROPY_HW_FLASH_STORAGE_BYTES 3129344)

set(MICROPY_FROZEN_MANIFEST ${MICROPY_BOARD_DIR}/manifest.py)
