# SPDX-License-Identifier: Apache-2.0
"""report - tables and plot of the relay bench's samples."""
import collections
import shutil
import statistics
import subprocess

OWN = ("paravox", "ceiling")
BUSY_MOST = 0.8


def row(*cells):
    return "| " + " | ".join(str(c) for c in cells) + " |"


def spread(values, scale=1.0, digits=0):
    """Median (least to most)."""
    values = [v * scale for v in values]
    text = f"{{:,.{digits}f}}"
    return (text + " (" + text + " to " + text + ")").format(
        statistics.median(values), min(values), max(values))


class Results:
    """Samples by workload and contestant, in the order of the rounds."""

    def __init__(self, samples):
        self.of = collections.defaultdict(dict)
        self.faults = []
        for s in samples:
            if "fault" in s:
                self.faults.append(s)
                continue
            rounds = self.of[s["workload"], s["contestant"]]
            rounds[s["round"]] = s

    def values(self, workload, contestant, field):
        return [s[field] for s in self.of[workload, contestant].values()]

    def names(self, workload):
        return [c for w, c in self.of if w == workload
                and self.of[w, c]]

    def ratios(self, workload, a, b, field, other=None):
        """Round by round: neighbours in time, so that a slow moment of the
        machine weighs on both. `other`: b's workload, if another."""
        one, two = self.of[workload, a], self.of[other or workload, b]
        return [one[r][field] / two[r][field] for r in one
                if r in two and two[r][field]]

    def best_peer(self, workload, field, least=False):
        peers = [n for n in self.names(workload) if n.split("+")[0] not in OWN]
        pick = min if least else max
        return pick(peers, default=None, key=lambda n: statistics.median(
            self.values(workload, n, field)))


def table(results, workload):
    yield ""
    yield workload.title + "."
    yield ""
    yield row("server", "deliveries/s in thousands", "p50 us", "p99 us",
              "p99.9 us", "server CPU ns a delivery", "server busy",
              "generator busy", "memory KiB")
    yield row(*["---"] * 9)
    for name in results.names(workload.name):
        def field(key, scale=1.0, digits=0, name=name):
            return spread(results.values(workload.name, name, key), scale,
                          digits)

        def middle(key, digits=2, name=name):
            value = statistics.median(results.values(workload.name, name, key))
            return f"{value:,.{digits}f}"

        busy = statistics.median(
            results.values(workload.name, name, "own_busy"))
        mark = " (!)" if busy > BUSY_MOST else ""
        yield row(name, field("rate_out", 1e-3), middle("p50_us", 0),
                  field("p99_us"), middle("p999_us", 0),
                  field("cpu_ns", 1, 1), middle("busy"),
                  middle("own_busy") + mark, middle("most_kib", 0))


def contestants_of(results, workload):
    """Ours, and the two quickest peers."""
    names = results.names(workload.name)
    peers = sorted((n for n in names if n.split("+")[0] not in OWN),
                   key=lambda n: -statistics.median(
                       results.values(workload.name, n, "rate_out")))
    return [n for n in names if n not in peers[2:]]


def summary(results, workloads, verdicts, about):
    """What docs/performance.md tells: two tables, as lines."""
    kernel = ".".join(about["kernel"].split(".")[:2])
    yield (f"{about['cpus']} CPUs, Linux {kernel}, {about['date']}, load "
           f"{about['load'][0]:.1f}: `--rounds={about['rounds']} "
           f"--ms={about['ms']}{' --realtime' if about['realtime'] else ''}`.")
    yield "Median (least to most)."
    yield ""
    yield row("load", "server", "deliveries/s, thousands", "CPU ns a delivery",
              "p50 us", "p99 us", "generator busy", "MiB")
    yield row(*["---"] * 8)
    for w in workloads:
        for name in contestants_of(results, w):
            def values(key, w=w, name=name):
                return results.values(w.name, name, key)

            busy = statistics.median(values("own_busy"))
            yield row(w.name, name, spread(values("rate_out"), 1e-3),
                      spread(values("cpu_ns")),
                      f"{statistics.median(values('p50_us')):,.0f}",
                      spread(values("p99_us")),
                      f"{busy:.2f}{' (!)' if busy > BUSY_MOST else ''}",
                      f"{statistics.median(values('most_kib')) / 1024:,.0f}")
    yield ""
    yield row("target", "", "measured")
    yield row(*["---"] * 3)
    for v in verdicts:
        yield row(v.target, f"**{v.word}**" if v.holds is False else v.word,
                  v.text)


BEGIN, END = "<!-- bench-relay: begin -->", "<!-- bench-relay: end -->"


def document(path, lines):
    """Put the lines between the two marks of a file."""
    text = path.read_text()
    head, rest = text.split(BEGIN)
    tail = rest.split(END)[1]
    path.write_text("\n".join([head + BEGIN, "", *lines, "", END + tail]))


def plot(results, workloads, folder):
    if not shutil.which("gnuplot"):
        return "no gnuplot: no plot"
    names = []
    for w in workloads:
        names += [n for n in results.names(w.name) if n not in names]
    if not names:
        return "nothing to plot"
    data = folder / "plot.dat"
    with data.open("w") as out:
        out.write("workload " + " ".join(names) + "\n")
        for w in workloads:
            cells = []
            for name in names:
                values = results.values(w.name, name, "rate_out")
                cells.append(f"{statistics.median(values) / 1e6:.4f}"
                             if values else "?")
            out.write(w.name + " " + " ".join(cells) + "\n")
    commands = f"""
set terminal svg size 1000,480 background "white"
set output "{folder}/plot.svg"
set datafile missing "?"
set style data histogram
set style fill solid 0.7
set logscale y
set ylabel "million deliveries/s"
set xtics rotate by -30
set key outside
set grid ytics
plot for [i=2:{len(names) + 1}] "{data}" using i:xtic(1) \\
    title columnheader(i)
"""
    subprocess.run(["gnuplot"], input=commands, text=True, check=True)
    return f"plot: {folder}/plot.svg"
