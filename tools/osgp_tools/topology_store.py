"""The topology, kept in the concentrator's database beside its members.

What is kept is what was found and learned; who is a member says the vault.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from osgp_tools.client import Client
from osgp_tools.database import open_database
from osgp_tools.exchange import Target
from osgp_tools.links import Failures, Link
from osgp_tools.store import Vault
from osgp_tools.topology import Topology

_SCHEMA = """
CREATE TABLE IF NOT EXISTS topology (
    epoch       INTEGER NOT NULL            -- of the last discovery
);
CREATE TABLE IF NOT EXISTS topology_node (
    unique_id   BLOB PRIMARY KEY,
    program     BLOB NOT NULL,
    phase       INTEGER,
    seen        REAL NOT NULL,              -- all times: seconds since 1970
    failures    INTEGER NOT NULL,
    failed_at   REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS topology_link (
    a           BLOB NOT NULL,              -- a < b; the concentrator is empty
    b           BLOB NOT NULL,
    margin_a    REAL,                       -- dB, of what a sends and b hears
    margin_b    REAL,
    strength_a  REAL,
    strength_b  REAL,
    seen        REAL NOT NULL,
    tries       REAL NOT NULL,
    lost        REAL NOT NULL,
    failures    INTEGER NOT NULL,
    failed_at   REAL NOT NULL,
    PRIMARY KEY (a, b)
);
"""


@contextmanager
def kept(client: Client, path: Path, vault: Vault) -> Iterator[Topology]:
    """The client goes the ways of the topology that is kept, and what it learns is kept."""
    topology = load(path, vault)
    client.routes = topology
    client.exchanged.append(topology.learn)
    try:
        yield topology
    finally:
        client.exchanged.remove(topology.learn)
        save(path, topology)


def load(path: Path, vault: Vault) -> Topology:
    """The topology as it was saved, an empty one if it never was, with the vault's members."""
    topology = Topology()
    base = open_database(path, _SCHEMA)
    try:
        for row in base.execute("SELECT * FROM topology"):
            topology.epoch = row["epoch"]
        for row in base.execute("SELECT * FROM topology_node ORDER BY rowid"):
            node = topology.node(row["unique_id"])
            node.program, node.phase, node.seen = row["program"], row["phase"], row["seen"]
            node.failures = Failures(row["failures"], row["failed_at"])
        for row in base.execute("SELECT * FROM topology_link ORDER BY rowid"):
            topology.put(row["a"], row["b"], _link(row))
    finally:
        base.close()
    for member in vault.members():
        target = Target(member.domain, member.subnet, member.node)
        topology.admit(member.unique_id, target)
    return topology


def save(path: Path, topology: Topology) -> None:
    """All of it, in the place of what was saved before."""
    base = open_database(path, _SCHEMA)
    try:
        base.execute("BEGIN IMMEDIATE")
        for table in ("topology", "topology_node", "topology_link"):
            base.execute(f"DELETE FROM {table}")
        base.execute("INSERT INTO topology VALUES (?)", (topology.epoch,))
        base.executemany(
            "INSERT INTO topology_node VALUES (?, ?, ?, ?, ?, ?)",
            [
                (
                    *(node.unique_id, node.program, node.phase, node.seen),
                    *(node.failures.count, node.failures.last),
                )
                for node in topology.nodes()
            ],
        )
        base.executemany(
            "INSERT INTO topology_link VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [_row(min(a, b), max(a, b), link) for a, b, link in topology.links()],
        )
        base.execute("COMMIT")
    finally:
        base.close()


def _row(a: bytes, b: bytes, link: Link) -> tuple:
    return (
        *(a, b, link.margins.get(a), link.margins.get(b)),
        *(link.strengths.get(a), link.strengths.get(b)),
        *(link.seen, link.tries, link.lost, link.failures.count, link.failures.last),
    )


def _link(row) -> Link:
    def known(what: str) -> dict[bytes, float]:
        values = {row[end]: row[f"{what}_{end}"] for end in ("a", "b")}
        return {end: value for end, value in values.items() if value is not None}

    failures = Failures(row["failures"], row["failed_at"])
    margins, strengths = known("margin"), known("strength")
    return Link(margins, strengths, row["seen"], row["tries"], row["lost"], failures)
