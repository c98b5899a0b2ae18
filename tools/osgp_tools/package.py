"""package.json: the firmware's modules for mip, which takes them from a checkout, no network.

usage: python -m osgp_tools.package [--check]
"""

import argparse
import json
import sys
import tomllib

from osgp_tools.image import FIRMWARE, sources

ROOT = FIRMWARE.parent
PACKAGE = ROOT / "package.json"


def package() -> str:
    """What package.json has to say: [where to, from where] of each module of a device."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    urls = [json.dumps([name, f"firmware/{name}"]) for name in sources(FIRMWARE)]
    lines = ",\n    ".join(urls)
    return f'{{\n  "urls": [\n    {lines}\n  ],\n  "version": "{project["version"]}"\n}}\n'


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description="Write package.json")
    parser.add_argument("--check", action="store_true", help="only say whether it is up to date")
    if not parser.parse_args().check:
        PACKAGE.write_text(package())
    elif PACKAGE.read_text() != package():
        print("package.json is not up to date: python -m osgp_tools.package", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
