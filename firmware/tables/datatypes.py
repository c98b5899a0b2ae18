"""How a value lies in octets: the data types of the standard (MEP p.40-42).

Every number is stored least significant octet first. A type turns a Python value into octets and
back without loss, `read(write(value)) == value`, except that text loses its trailing NULs.
Used by the host and by tests; the device walks the compiled model instead.
"""


class Integer:
    """INTn and UINTn. Value: int."""

    def __init__(self, name, size, signed=False):
        self.name = name
        self.size = size
        self.signed = signed
        self.zero = 0

    def write(self, value):
        low = -(1 << (8 * self.size - 1)) if self.signed else 0
        if not low <= value < low + (1 << (8 * self.size)):
            raise ValueError(f"{value} does not fit {self.name}")
        return bytes([(value >> (8 * k)) & 0xFF for k in range(self.size)])

    def read(self, octets):
        value = 0
        for k in range(self.size):
            value |= octets[k] << (8 * k)
        if self.signed and octets[self.size - 1] & 0x80:
            value -= 1 << (8 * self.size)
        return value


class Octets:
    """ARRAY[n] OF UINT8 that is one thing: an id, a key, reserved space. Value: bytes."""

    def __init__(self, size, name="UINT8"):
        self.name = f"{name}[{size}]"
        self.size = size
        self.zero = bytes(size)

    def write(self, value):
        if len(value) != self.size:
            raise ValueError(f"{len(value)} octets for {self.name}")
        return bytes(value)

    def read(self, octets):
        return bytes(octets)


class Text:
    """ARRAY[n] OF CHAR, ISO 646, filled up with NUL. Value: str."""

    def __init__(self, size):
        self.name = f"CHAR[{size}]"
        self.size = size
        self.zero = ""

    def write(self, value):
        octets = bytes([ord(character) for character in value])
        if len(octets) > self.size:
            raise ValueError(f"{len(octets)} characters for {self.name}")
        return octets + bytes(self.size - len(octets))

    def read(self, octets):
        return "".join([chr(octet) for octet in bytes(octets)]).rstrip("\0")


class Bcd:
    """BCD digits, two in an octet, the first digit in the high nibble. Value: str of digits."""

    def __init__(self, size):
        self.name = f"BCD[{2 * size}]"
        self.size = size
        self.zero = "0" * (2 * size)

    def write(self, value):
        if len(value) != 2 * self.size:
            raise ValueError(f"{len(value)} digits for {self.name}")
        return bytes([int(value[k : k + 2], 16) for k in range(0, len(value), 2)])

    def read(self, octets):
        return "".join([f"{octet:02X}" for octet in bytes(octets)])


class Moment:
    """TIME, DATE, STIME_DATE, LTIME_DATE: one octet a part. Value: tuple, year without century."""

    def __init__(self, name, parts):
        self.name = name
        self.parts = parts
        self.size = len(parts)
        self.zero = (0,) * self.size

    def write(self, value):
        if len(value) != self.size:
            raise ValueError(f"{self.name} is {', '.join(self.parts)}")
        return bytes(value)

    def read(self, octets):
        return tuple(bytes(octets))


class Packed:
    """A UINT16 of unsigned parts, the first in the lowest bits. Value: tuple."""

    size = 2

    def __init__(self, name, parts):
        self.name = name
        self.parts = parts
        self.zero = (0,) * len(parts)

    def layout(self, first):
        """The (part, width) pairs that hold when the first part is `first`."""
        return self.parts

    def write(self, value):
        parts = self.layout(value[0])
        if len(value) != len(parts):
            raise ValueError(f"{self.name} has {len(parts)} parts here")
        packed = shift = 0
        for (part, width), number in zip(parts, value):
            if not 0 <= number < 1 << width:
                raise ValueError(f"{self.name}: {part} {number}")
            packed |= number << shift
            shift += width
        return bytes([packed & 0xFF, packed >> 8])

    def read(self, octets):
        packed = octets[0] | octets[1] << 8
        value = []
        for _, width in self.layout(packed & ((1 << self.parts[0][1]) - 1)):
            value.append(packed & ((1 << width) - 1))
            packed >>= width
        return tuple(value)


class RecurringDate(Packed):
    """RDATE. Value: (month, offset, weekday, day), or (15, period, delta) for a period of days.

    Month 0 is unassigned, 13 every month, 14 every week (its offset and day are filler). The
    offsets are in `OFFSETS`; weekday 0 is Sunday.
    """

    periodic = (("month", 4), ("period", 6), ("delta", 6))

    def layout(self, first):
        return self.periodic if first == 15 else self.parts


class Set:
    """SET(n): bit k of octet k // 8, lowest bit first. Value: tuple of the bits that are 1."""

    def __init__(self, size):
        self.name = f"SET({size})"
        self.size = size
        self.zero = ()

    def write(self, value):
        octets = bytearray(self.size)
        for bit in value:
            octets[bit >> 3] |= 1 << (bit & 7)
        return bytes(octets)

    def read(self, octets):
        return tuple([k for k in range(8 * self.size) if octets[k >> 3] >> (k & 7) & 1])


UINT8 = Integer("UINT8", 1)
UINT16 = Integer("UINT16", 2)
UINT32 = Integer("UINT32", 4)
INT8 = Integer("INT8", 1, signed=True)
INT16 = Integer("INT16", 2, signed=True)
INT32 = Integer("INT32", 4, signed=True)
# BT00 octet 2 says that both non-integer formats are four-octet integers in this meter.
NI_FMAT1 = Integer("NI_FMAT1", 4, signed=True)
NI_FMAT2 = Integer("NI_FMAT2", 4, signed=True)
TIME = Moment("TIME", ("hour", "minute", "second"))
DATE = Moment("DATE", ("year", "month", "day"))
STIME = Moment("STIME_DATE", ("year", "month", "day", "hour", "minute"))
LTIME = Moment("LTIME_DATE", ("year", "month", "day", "hour", "minute", "second"))
ANSI_DATE = Packed("ANSI_DATE", (("year", 7), ("month", 4), ("day", 5)))
RDATE = RecurringDate("RDATE", (("month", 4), ("offset", 4), ("weekday", 3), ("day", 5)))
LAST_WEEKDAY = 6  # RDATE offset: the last `weekday` of the month on or after `day`
