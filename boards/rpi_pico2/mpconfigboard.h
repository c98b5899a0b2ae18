// OSGP end device on a Raspberry Pi Pico 2. Flash map: board.md.
#define MICROPY_HW_BOARD_NAME "OSGP end device on Raspberry Pi Pico 2"

// The port's "ROM file system" is our two code banks. Their headers are not its magic, so it mounts neither.
#ifndef MICROPY_HW_ROMFS_BYTES
#define MICROPY_HW_ROMFS_BYTES (409600)
#endif

// Its "flash storage", which rp2.Flash() gives, is our raw region and the file system after it.
#ifndef MICROPY_HW_FLASH_STORAGE_BYTES
#define MICROPY_HW_FLASH_STORAGE_BYTES (3129344)
#endif
