# OSGP end device on an ESP32. Flash map: ../common/partitions.csv.
set(IDF_TARGET esp32)
set(SDKCONFIG_DEFAULTS boards/sdkconfig.base)
include(${MICROPY_BOARD_DIR}/../common/esp32.cmake)
