// OSGP end device on a Pyboard D SF6: what differs from the port's own PYBD_SF6. Put before every file (-include).

// _boot.py mounts the file system. The port would make a FAT one over whatever it does not know.
#define MICROPY_HW_FLASH_MOUNT_AT_BOOT (0)
#define MICROPY_BOARD_FROZEN_BOOT_FILE "_boot.py"

// No USB drive: to a computer our flash is a disk that wants formatting.
#define MICROPY_HW_USB_MSC (0)
