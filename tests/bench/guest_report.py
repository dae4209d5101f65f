# SPDX-License-Identifier: Apache-2.0
"""guest_report - tables, targets and plot of tools/bench-guest."""
import statistics

from tables import Values, check, head, number, plot, row, spread

UML, QEMU = "uml", "qemu"
NATIVE = "native"
CBC = "aes-128-cbc"
DEPTH = 32
COUNTS = "kicks", "interrupts"
# A round trip of a driver that does nothing else, pinned likewise, was 50 to
# 60 us.
ECHO_US = 50


class Results:
    """In us for each operation, in CPU time of all that takes part and in
    time; keys are (rig, way, algorithm, bytes, depth, threads)."""

    def __init__(self, samples):
        self.cpu, self.wall = Values(), Values()
        self.counts = {name: Values() for name in COUNTS}
        self.keys, self.errors = [], {}
        for s in samples:
            key = tuple(s[name] for name in ("rig", "way", "algorithm",
                                             "bytes", "depth", "threads"))
            if key not in self.keys:
                self.keys.append(key)
            if "error" in s:
                self.errors[key] = s["error"]
            if not s.get("ops"):
                continue
            self.cpu.add(s["cpu_ns"] / s["ops"] / 1e3, *key)
            self.wall.add(s["wall_ns"] / s["ops"] / 1e3, *key)
            for name, values in self.counts.items():
                if s.get("requests"):
                    values.add(s[name] / s["requests"], *key)

    def notifications(self, key):
        """Of both sides, for a request."""
        parts = [values.median(*key) for values in self.counts.values()]
        return sum(parts) if None not in parts else None

    def ratio(self, values, key, other):
        """How much quicker `key` is than `other`."""
        return values.ratios(other, key)


def title_of(key):
    way, threads = key[1], key[5]
    return way + (f", {threads} threads" if threads > 1 else "")


def table(results, rig):
    yield from head("way", "algorithm", "bytes", "depth", "CPU us",
                    "us", "operations/s", "GB/s", "notifications")
    for key in results.keys:
        if key[0] != rig:
            continue
        _, _, algorithm, size, depth, _ = key
        if key in results.errors:
            yield row(title_of(key), algorithm, size, depth,
                      results.errors[key], *["-"] * 4)
            continue
        wall = results.wall.median(*key)
        rate = None if wall is None else 1e6 / wall
        yield row(title_of(key), algorithm, size, depth,
                  number(results.cpu.median(*key), 1), number(wall, 1),
                  number(rate), number(rate and rate * size / 1e9, 3),
                  number(results.notifications(key), 3))


def key_of(rig, way, size, depth=1):
    return rig, way, CBC, size, depth, 1


def compare(results):
    """CPU time of the others by the device's."""
    sizes = sorted({k[3] for k in results.keys if k[:2] == (UML, "device")
                    and k[2] == CBC})
    yield from head("bytes", "native / device", "AF_ALG / device",
                    "libcrypto / device", f"native / {DEPTH} jobs")
    for size in sizes:
        device = key_of(UML, "device", size)
        yield row(size, *(
            spread(results.ratio(results.cpu, device, key_of(UML, way, size)))
            for way in (NATIVE, "afalg", "libcrypto")),
            spread(results.ratio(results.cpu, key_of(UML, "jobs", size, DEPTH),
                                 key_of(UML, NATIVE, size, DEPTH))))


def tables(results):
    rigs = {key[0] for key in results.keys}
    if UML in rigs:
        yield ("User-Mode Linux, guest and device on one CPU, medians. CPU: of "
               "guest and device together; native: of our own front end and "
               "device, without a guest, on one CPU.")
        yield ""
        yield from table(results, UML)
        yield ""
        yield ("CPU time of an operation by that of the device's, which is the "
               "ratio of rates on one quiet CPU; median (least to most).")
        yield ""
        yield from compare(results)
        yield ""
    if QEMU in rigs:
        yield ("QEMU without KVM, two CPUs, medians; virtio-crypto is QEMU's "
               "own device with the builtin backend, by AF_ALG.")
        yield ""
        yield from table(results, QEMU)
        yield ""


def ratio_target(results, what, key, other, wanted, values=None):
    values = values or results.cpu
    ratios = results.ratio(values, key, other)
    if not ratios:
        return
    of_time = results.ratio(results.wall, key, other)
    if wanted is None:
        yield f"besides: {what}: {spread(ratios)}"
        return
    yield check(statistics.median(ratios) >= wanted,
                f"{what}: {spread(ratios)}, wanted {wanted}"
                + ("" if values is results.wall else
                   f"; by time {spread(of_time)}"))


def targets(results):
    large = 65536
    device = key_of(UML, "device", large)
    yield from ratio_target(
        results, "UML, 64 KiB, one at a time, of the native front end",
        device, key_of(UML, NATIVE, large), 0.4)
    yield from ratio_target(
        results, "UML, 64 KiB, one at a time, of AF_ALG in the guest",
        device, key_of(UML, "afalg", large), 1)
    yield from ratio_target(
        results, f"UML, 64 KiB, {DEPTH} jobs, of the native front end",
        key_of(UML, "jobs", large, DEPTH),
        key_of(UML, NATIVE, large, DEPTH), 0.7)
    small = results.cpu.median(*key_of(UML, "device", 16))
    if small:
        yield check(small <= 1.5 * ECHO_US,
                    f"UML, 16 bytes, one at a time: {small:.1f} us of CPU "
                    f"({number(results.wall.median(*key_of(UML, 'device', 16)), 1)}"
                    f" us), wanted 1.5 times {ECHO_US}")
    for size in 64, 4096, large:
        yield from ratio_target(
            results, f"QEMU, {size} bytes, of virtio-crypto",
            key_of(QEMU, "device", size), key_of(QEMU, "virtio-crypto", size),
            2 if size > 64 else None, results.wall)
    for rig in UML, QEMU:
        for way, depth, wanted in ("device", 1, 2), ("jobs", DEPTH, 0.2):
            most = [(results.notifications(key), key[3])
                    for key in results.keys
                    if key[:3] == (rig, way, CBC) and key[5] == 1
                    and results.notifications(key) is not None]
            if most:
                yield check(max(most)[0] <= wanted,
                            f"{rig}, depth {depth}: at most {max(most)[0]:.3f} "
                            f"notifications for a request ({max(most)[1]} "
                            f"bytes), wanted {wanted}")


def draw(results, folder):
    ways = [("device", 1), ("jobs", DEPTH), (NATIVE, 1), (NATIVE, DEPTH),
            ("afalg", 1), ("libcrypto", 1)]
    data = folder / "plot.dat"
    with data.open("w") as out:
        for way, depth in ways:
            out.write(f'"{way}, depth {depth}"\n')
            for key in sorted(results.keys, key=lambda key: key[3]):
                cpu = results.cpu.median(*key)
                if key == key_of(UML, way, key[3], depth) and cpu:
                    out.write(f"{key[3]} {key[3] / cpu / 1e3}\n")
            out.write("\n\n")
    if not any(k[0] == UML for k in results.keys):
        return "no User-Mode Linux: no plot"
    return plot(folder, f"""
set logscale y
set ylabel "GB a second of CPU"
set key bottom right
set title "AES-128-CBC in User-Mode Linux"
plot for [i=0:{len(ways) - 1}] "{data}" index i using 1:2 \\
    with linespoints title columnheader(1)
""")
