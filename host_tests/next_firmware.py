"""The firmware of the next version: this one with other layouts of some tables, in a folder.

For tests of an update: `build_bank(2, firmware=next_firmware.make(folder))`. What stands where in
both versions: `PLACES` of faults/migration_life.py.

    BT06   `feeder` inserted, `coordinate_3` dropped, `software_1_version` grown to 16 bits
    ET04   `line_segment` inserted before the MEP's sequence numbers
    BT53   `zone_name` added (it has a pending table and lies in RAM)
    ET47   `reason` inserted before `calendar_id` (it has a pending table and lies in flash alone)

and the demands that are kept ("DM") have four octets more.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
FIRMWARE = REPOSITORY / "firmware"

# (file, what stands there once, what stands there in the next version)
EDITS = (
    ("tables/basic/general.py", "    Table,\n", "    Earlier,\n    Table,\n    uint16,\n"),
    (
        "tables/basic/general.py",
        """    source=kept(),
    origin=C12_19,
    doc="For the utility""",
        """    source=kept(),
    earlier=(
        Earlier(
            200, (0, 0, 40), (40, 42, 90), (140, 132, 12), (152, 144, 1), (None, 145, 1),
            (153, 146, 47),
        ),
    ),
    origin=C12_19,
    doc="For the utility""",
    ),
    (
        "tables/basic/general.py",
        '            text("service_point_id", 20, "H"),\n',
        '            uint16("feeder", "H", default=0x1234),\n'
        '            text("service_point_id", 20, "H"),\n',
    ),
    ("tables/basic/general.py", '            octets("coordinate_3", 10, "H"),\n', ""),
    (
        "tables/basic/general.py",
        'uint8("software_1_version", "H")',
        'uint16("software_1_version", "H", default=0x0505)',
    ),
    ("tables/extended/system.py", "    Table,\n", "    Earlier,\n    Table,\n"),
    (
        "tables/extended/system.py",
        '    source=kept("system"),\n    doc="Address, ratings',
        '    source=kept("system"),\n    earlier=(Earlier(140, (0, 0, 129), (129, 131, 11)),),\n'
        '    doc="Address, ratings',
    ),
    (
        "tables/extended/system.py",
        '        array("mep_sequence"',
        '        uint16("line_segment", "H", default=7),\n        array("mep_sequence"',
    ),
    ("meter/quality_limits.py", "_REVERSE_TIME = const(137)", "_REVERSE_TIME = const(139)"),
    ("tables/basic/clock.py", "    Table,\n", "    Earlier,\n    Table,\n    text,\n"),
    (
        "tables/basic/clock.py",
        '    pending=True,\n    fields=(\n        cited(\n            "MEP p.225",\n',
        "    pending=True,\n    earlier=(Earlier(6, (0, 0, 6)),),\n"
        '    fields=(\n        cited(\n            "MEP p.225",\n',
    ),
    (
        "tables/basic/clock.py",
        '"-12 h to +14 h", unit="min", default=60),\n',
        '"-12 h to +14 h", unit="min", default=60),\n'
        '            text("zone_name", 4, "H", default="CET"),\n',
    ),
    ("tables/extended/tariff.py", "    Table,\n", "    Earlier,\n    Table,\n"),
    (
        "tables/extended/tariff.py",
        "    pending=True,\n",
        "    pending=True,\n    earlier=(Earlier(16, (0, 0, 12), (12, 13, 4)),),\n",
    ),
    (
        "tables/extended/tariff.py",
        '            uint32("calendar_id"',
        '            uint8("reason", "HD", default=3),\n            uint32("calendar_id"',
    ),
    ("meter/override.py", "et47[12:16]", "et47[13:17]"),
    ("meter/demand_state.py", "_IMAGE = const(486)", "_IMAGE = const(490)"),
    ("meter/demand_state.py", "load(_NAME, image) == _IMAGE", "load(_NAME, image) >= 486"),
)
_COMPILE = """
import pathlib, sys
from osgp_tools import model
pathlib.Path(sys.argv[1], "tables", "compiled.py").write_text(model.source_text())
"""


def make(folder: Path, edits: tuple[tuple[str, str, str], ...] = EDITS) -> Path:
    """A whole firmware folder, `folder`, which is made: this tree's with the edits, its
    compiled.py made anew. AssertionError: an edit does not fit this tree any more."""
    shutil.copytree(FIRMWARE, folder, ignore=shutil.ignore_patterns("__pycache__"))
    for name, old, new in edits:
        text = (folder / name).read_text()
        assert text.count(old) == 1, f"{name} has {text.count(old)} of {old!r}"
        (folder / name).write_text(text.replace(old, new))
    path = (folder, REPOSITORY / "tools", REPOSITORY / "tools" / "shims")
    subprocess.run(
        [sys.executable, "-c", _COMPILE, str(folder)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, path))},
        check=True,
        timeout=60,
    )
    return folder
