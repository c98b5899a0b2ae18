"""Extended decade 5: transactions of the MEP port (OSGP ET52, ET53).

ET27 and ET28 are the same for the power line.
"""

from tables.dimensions import ET11_TRANSACTION_REQUEST, ET11_TRANSACTION_RESPONSE
from tables.schema import READ, Table, cited, octets, served, uint8, uint16

_HEAD = 5  # octets before the records


def _transaction(size, who):
    """The layout of both tables: what follows the head is records, and the number again.

    A record is a length (UINT16) and a message of that many octets. Type 3 has its groups before
    the first record: their count (UINT8) and their ids (UINT16).
    """
    return (
        cited("MEP p.130", uint16("size", who, "octets of the whole, with this field")),
        cited(
            "MEP p.131",
            uint8("type", who, "0 requests, 1 responses, 2 partial, 3 to groups, 4 denied"),
            uint16("number", who, "and again behind the last record"),
        ),
        cited("MEP p.131-132", octets("records", size - _HEAD, who, "{length 2, message}, ...")),
    )


ET52 = Table(
    "ET52",
    "MEP transaction request",
    read=READ,
    write=READ,
    source=served("MEP transactions"),
    doc="Requests that are carried out together, once both transaction numbers are there and "
    "equal. Written from its start to its end. Octets behind the written ones are not defined.",
    fields=_transaction(ET11_TRANSACTION_REQUEST, "H"),
)

ET53 = Table(
    "ET53",
    "MEP transaction response",
    read=READ,
    write=None,
    source=served("MEP transactions"),
    doc="The responses to the requests of ET52, in its layout.",
    departs="ET11.9 octets, where the guide has 1785.",
    fields=_transaction(ET11_TRANSACTION_RESPONSE, "M"),
)

TABLES = (ET52, ET53)
PROCEDURES = ()
