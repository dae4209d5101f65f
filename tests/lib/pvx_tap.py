# SPDX-License-Identifier: Apache-2.0
"""pvx_tap - run the test_ functions of a module and print TAP.

    if __name__ == "__main__":
        pvx_tap.main(globals())

One function per claim; its name is the claim. Skip(reason) skips it. Names on
the command line run only those.
"""
import sys
import time
import traceback


class Skip(Exception):
    pass


def main(names):
    wanted = sys.argv[1:]
    tests = [(name, thing) for name, thing in names.items()
             if name.startswith("test_") and callable(thing)
             and (not wanted or name in wanted)]
    missing = set(wanted) - {name for name, _ in tests}
    if missing:
        sys.exit(f"Bail out! no such claim: {' '.join(sorted(missing))}")
    failed = 0
    print(f"1..{len(tests)}", flush=True)
    for number, (name, function) in enumerate(tests, 1):
        start = time.monotonic()
        try:
            function()
            line = f"ok {number} - {name}"
        except Skip as reason:
            line = f"ok {number} - {name} # SKIP {reason}"
        except Exception:
            for text in traceback.format_exc().splitlines():
                print("#", text)
            line = f"not ok {number} - {name}"
            failed += 1
        print(line, flush=True)
        print(f"# {time.monotonic() - start:.2f} s", flush=True)
    sys.exit(1 if failed else 0)
