// OSGP end device on an ESP32.
#define MICROPY_HW_BOARD_NAME "OSGP end device on ESP32"
#define MICROPY_HW_MCU_NAME "ESP32"

// The partition `romfs` is our two code banks. Their headers are not its magic, so the port mounts neither.
#define MICROPY_VFS_ROM (1)

// Not needed; the sdkconfig has none either.
#define MICROPY_PY_BLUETOOTH (0)
