# OSGP end device on an ESP32-S3. Flash map: ../common/partitions.csv.
set(IDF_TARGET esp32s3)
set(SDKCONFIG_DEFAULTS boards/sdkconfig.base boards/sdkconfig.usb)
include(${MICROPY_BOARD_DIR}/../common/esp32.cmake)
