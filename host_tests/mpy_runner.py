"""Runs one unit test file under MicroPython: micropython mpy_runner.py unit/test_NAME.py

Calls every function test_* of the file, in order of name. Exits 1 when one of them raised, after
printing each traceback. A test leaves by `support.skip(reason)`: printed as "SKIP name: reason". A
file that does so at its top level is skipped as a whole: "SKIP reason", exit 0. The modules that
the file imports are found through MICROPYPATH.
"""

import sys

from support import Skipped


def run(module) -> int:
    """Calls the tests of a module and prints what came out. Returns how many failed."""
    passed = skipped = failed = 0
    for name in sorted(dir(module)):
        if not name.startswith("test_"):
            continue
        try:
            getattr(module, name)()
            passed += 1
        except Skipped as reason:
            skipped += 1
            print("SKIP", name + ":", reason)
        except Exception as error:
            failed += 1
            print("FAIL", name)
            sys.print_exception(error, sys.stdout)
    print(passed, "passed,", skipped, "skipped,", failed, "failed")
    if passed + skipped + failed == 0:
        print("FAIL: no function test_* in this file")
        return 1
    return failed


def load(path: str):
    """The test file as a module. Its folder goes to the front of sys.path."""
    folder, _, name = path.rpartition("/")
    sys.path.insert(0, folder or ".")
    return __import__(name[: -len(".py")])


def main(path: str) -> int:
    """Exit status: 0 passed or skipped, 1 failed."""
    try:
        module = load(path)
    except Skipped as reason:
        print("SKIP", reason)
        return 0
    return 1 if run(module) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
