"""ISO/IEC 14908-1, layers 2 to 6, the device's side."""
