"""Extended decade 2: transactions on the power line (OSGP ET27, ET28)."""

from tables.dimensions import ET11_TRANSACTION_REQUEST, ET11_TRANSACTION_RESPONSE
from tables.schema import READ, Table, cited, octets, served, uint8, uint16

_FORM = (
    "Of type 3 the group ids come first: count UINT8, ids UINT16. A record: length UINT16, a "
    "table command (or the response to one) with its own big-endian fields. The number is "
    "repeated at the end."
)


def _fields(who, size):
    """The layout of ET52, by which the guide names these two (MEP p.128-129)."""
    return cited(
        "MEP p.128-129",
        uint16("size", who, "octets of all of it", unit="octets"),
        uint8("type", who, "0 requests, 1 responses, 2 responses in part, 3 group, 4 denied"),
        uint16("number", who, "of this transaction; repeated behind the last record"),
        octets("records", size - 5, who),
    )


ET27 = Table(
    "ET27",
    "Transaction request",
    read=READ,
    write=READ,
    source=served("transactions"),
    doc="Written from first to last octet, in any number of writes; carried out when its end has "
    "come. " + _FORM,
    departs="ET11 says how long it may be: 768 octets. A record on ET27 or ET28 is refused.",
    fields=(_fields("H", ET11_TRANSACTION_REQUEST),),
)

ET28 = Table(
    "ET28",
    "Transaction response",
    read=READ,
    write=None,
    source=served("transactions"),
    doc="The responses to the last request that was carried out. " + _FORM,
    departs="As long as ET27, where the guides have 1785 octets.",
    fields=(_fields("M", ET11_TRANSACTION_RESPONSE),),
)

TABLES = (ET27, ET28)
