"""Which pins the ports have, and which of them UART1 can be on.

Extracted from MicroPython 1.25.0; `test_other_boards` compares with the source where there is one.
Imported by the fakes as well, so it holds nothing but these values.
"""

# ports/rp2/boards/RPI_PICO2/pins.csv; of those, UART1 by ports/rp2/boards/rp2_af.csv
RP2 = (
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22,
    25, 26, 27, 28,
)  # fmt: skip
RP2_UART1_TX = (4, 8, 20)
RP2_UART1_RX = (5, 9, 21)

# ports/esp32/machine_pin.h (MICROPY_HW_ENABLE_GPIOn)
ESP32 = (
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23,
    25, 26, 27, 32, 33, 34, 35, 36, 37, 38, 39,
)  # fmt: skip
ESP32S3 = (
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 26,
    33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48,
)  # fmt: skip
# Not for us, by Espressif's datasheets: strapping pins, the console's UART, flash (6 to 11; S3: 26
# to 32), PSRAM (16, 17; S3: 33 to 37), USB of the S3 (19, 20), and what cannot be an output.
ESP32_TAKEN = (
    0, 2, 5, 12, 15, 1, 3, 6, 7, 8, 9, 10, 11, 16, 17, 34, 35, 36, 37, 38, 39,
)  # fmt: skip
ESP32S3_TAKEN = (
    0, 3, 45, 46, 43, 44, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 19, 20,
)  # fmt: skip

# ports/stm32/boards/PYBD_SF6/pins.csv, and PYBD_SF2/mpconfigboard.h (MICROPY_HW_UARTn_TX, _RX)
PYBD = {"Y1": "PA9", "Y2": "PA10", "Y9": "PB10", "Y10": "PB11", "Y12": "PB1", "EN_3V3": "PF2"}
PYBD_UARTS = {1: ("Y1", "Y2"), 3: ("Y9", "Y10")}
