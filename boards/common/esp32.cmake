# What both ESP32 boards set. The partition table stands beside this file; the IDF wants its path in the sdkconfig.
set(_partitions ${CMAKE_BINARY_DIR}/sdkconfig.partitions)
file(WRITE ${_partitions} "
CONFIG_PARTITION_TABLE_CUSTOM=y
CONFIG_PARTITION_TABLE_CUSTOM_FILENAME=\"${CMAKE_CURRENT_LIST_DIR}/partitions.csv\"
")
list(APPEND SDKCONFIG_DEFAULTS ${CMAKE_CURRENT_LIST_DIR}/sdkconfig.osgp ${_partitions})
set(MICROPY_FROZEN_MANIFEST ${MICROPY_BOARD_DIR}/manifest.py)
