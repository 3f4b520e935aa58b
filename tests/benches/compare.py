#!/usr/bin/env python3
"""Measures topo and OpenTofu on the same configurations, side by side: see README.md."""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

# Nothing is left beside the sources.
sys.dont_write_bytecode = True
import shapes  # noqa: E402

MODULE = "github.com/opentofu/opentofu"
VERSION = "v1.11.0"
# OpenTofu's go.mod replaces its parser, which whoever builds it must repeat.
REPLACED = "github.com/hashicorp/hcl/v2 v2.20.1"
REPLACEMENT = "github.com/opentofu/hcl/v2 v2.20.2-0.20251021132045-587d123c2828"

# What is measured, in the order of a life: name, arguments, what must have gone well before.
COMMANDS = [
    ("validate", ["validate"], None),
    ("plan create", ["plan", "-input=false"], None),
    ("apply", ["apply", "-auto-approve", "-input=false"], None),
    ("plan no-op", ["plan", "-input=false"], "apply"),
    ("destroy", ["destroy", "-auto-approve", "-input=false"], "apply"),
]
TOOLS = ["topo", "peer"]


def main():
    options = arguments()
    programs = {"topo": options.topo or build_topo()}
    if not options.alone:
        programs["peer"] = options.peer or shutil.which("tofu") or build_peer()
    for tool, program in programs.items():
        print(f"{tool}: {program} ({version(program)})")
    results = {}
    for shape in options.shapes:
        for size in options.sizes:
            rounds = options.repeat or (3 if size <= 1000 else 1)
            results[shape, size] = measure(programs, shape, size, rounds, options)
            print_ratios(shape, size, results[shape, size])
        print_growth(shape, options.sizes, results)
    if options.json:
        rows = [
            {"shape": shape, "size": size, "command": command, "program": tool, **figures}
            for (shape, size), found in results.items()
            for (command, tool), figures in found.items()
        ]
        Path(options.json).write_text(json.dumps(rows, indent=1) + "\n")


def arguments():
    def words(text):
        return text.split(",")

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shapes", type=words, default=list(shapes.SHAPES), metavar="A,B")
    parser.add_argument("--sizes", type=words, default=["1000", "10000"], metavar="N,M")
    parser.add_argument("--commands", type=words, metavar="A,B", help="all by default; what others need runs too")
    parser.add_argument("--limit", type=float, default=300, help="seconds after which a program is stopped")
    parser.add_argument("--repeat", type=int, help="rounds, of which the best counts (3 up to 1000 instances, else 1)")
    parser.add_argument("--alone", action="store_true", help="without the peer")
    parser.add_argument("--topo", help="the program; built in release mode by default")
    parser.add_argument("--peer", help="the program; `tofu` by default, which is built where it is missing")
    parser.add_argument("--json", metavar="FILE", help="where to write all figures")
    options = parser.parse_args()
    options.sizes = sorted(int(size) for size in options.sizes)
    names = [name for name, _, _ in COMMANDS]
    for given, known in [(options.shapes, shapes.SHAPES), (options.commands or [], names)]:
        for name in given:
            if name not in known:
                parser.error(f"{name!r} is none of: {', '.join(known)}")
    return options


def measure(programs, shape, size, rounds, options):
    """The best figures of some rounds, by command and program."""
    best = {}
    for _ in range(rounds):
        with tempfile.TemporaryDirectory(prefix="topo-bench-") as scratch:
            for key, figures in one_round(programs, shape, size, Path(scratch), options).items():
                before = best.get(key)
                if before is None or figures["seconds"] < before["seconds"]:
                    best[key] = figures
    return best


def one_round(programs, shape, size, scratch, options):
    """One life in a fresh directory for each program, command by command in turn."""
    for tool, program in programs.items():
        shapes.SHAPES[shape](size, scratch / tool)
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        subprocess.run([program, "init", "-input=false"], cwd=scratch / tool, env=environment(), check=True, **quiet)
    found, failed = {}, set()
    for name, arguments, needs in COMMANDS:
        wanted = options.commands is None or name in options.commands
        if not wanted and not any(n in options.commands for n, _, need in COMMANDS if need == name):
            continue
        for tool, program in programs.items():
            if (needs, tool) in failed:
                continue
            figures = timed([program, *arguments], scratch / tool, options.limit)
            if figures["state"] != "done":
                failed.add((name, tool))
            if wanted:
                found[name, tool] = figures
    return found


def environment():
    """Without what would change how the programs run."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("TF_", "TOPO_"))}
    return kept | {"CHECKPOINT_DISABLE": "1", "NO_COLOR": "1"}


def timed(command, directory, limit):
    """Runs a program to its end, or to the limit."""
    with tempfile.TemporaryFile() as errors:
        start = time.monotonic()
        child = subprocess.Popen(
            command,
            cwd=directory,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            start_new_session=True,
        )
        late = threading.Event()

        def stop():
            late.set()
            os.killpg(child.pid, signal.SIGKILL)

        alarm = threading.Timer(limit, stop)
        alarm.start()
        _, status, usage = os.wait4(child.pid, 0)
        alarm.cancel()
        seconds = time.monotonic() - start
        child.returncode = os.waitstatus_to_exitcode(status)
        figures = {
            "state": "done",
            "seconds": seconds,
            "cpu": usage.ru_utime + usage.ru_stime,
            "mebibytes": usage.ru_maxrss / 1024,
        }
        if late.is_set():
            return figures | {"state": "late", "seconds": limit}
        if child.returncode != 0:
            errors.seek(0)
            text = errors.read().decode(errors="replace").strip()
            print(f"{' '.join(command)}: exit code {child.returncode}\n{text[-2000:]}", file=sys.stderr)
            return figures | {"state": "failed"}
        return figures


def print_ratios(shape, size, found):
    print(f"\n{shape}, {size:,} instances")
    print(f"  {'':12} {'topo':>26}   {'peer':>26}   {'times faster':>14} {'of its memory':>14}")
    for name, _, _ in COMMANDS:
        topo, peer = (found.get((name, tool)) for tool in TOOLS)
        if topo or peer:
            print(f"  {name:12} {shown(topo):>26}   {shown(peer):>26}   {faster(topo, peer):>14} {lighter(topo, peer):>14}")
    sys.stdout.flush()


def shown(figures):
    if figures is None:
        return "-"
    if figures["state"] == "late":
        return f"> {figures['seconds']:.0f} s"
    if figures["state"] == "failed":
        return "failed"
    return f"{figures['seconds']:.2f} s {figures['cpu']:.2f} cpu {figures['mebibytes']:.0f} MiB"


def faster(topo, peer):
    if not topo or not peer or topo["state"] != "done" or peer["state"] == "failed":
        return "-"
    sign = "> " if peer["state"] == "late" else ""
    # By CPU time as well: others may use the machine.
    return f"{sign}{peer['seconds'] / topo['seconds']:.1f} ({peer['cpu'] / topo['cpu']:.1f})"


def lighter(topo, peer):
    if not topo or not peer or topo["state"] != "done" or peer["state"] == "failed":
        return "-"
    sign = "< " if peer["state"] == "late" else ""
    return f"{sign}{topo['mebibytes'] / peer['mebibytes']:.2f}"


def print_growth(shape, sizes, results):
    """By how much more than the number of instances each grows."""
    if len(sizes) < 2:
        return
    least, most = sizes[0], sizes[-1]
    print(f"\n{shape}: from {least:,} to {most:,} instances, time, CPU time and memory per instance grow by")
    for tool in TOOLS:
        parts = []
        for name, _, _ in COMMANDS:
            a, b = (results[shape, size].get((name, tool)) for size in (least, most))
            if a is None:
                continue
            if b is None or a["state"] != "done" or b["state"] != "done":
                parts.append(f"{name} -")
                continue
            factors = (b[k] / a[k] * least / most for k in ("seconds", "cpu", "mebibytes"))
            parts.append(f"{name} " + "/".join(f"{f:.2f}" for f in factors))
        if parts:
            print(f"  {tool}: " + ", ".join(parts))
    sys.stdout.flush()


def version(program):
    shown = subprocess.run([program, "version"], env=environment(), capture_output=True, text=True, check=True)
    return shown.stdout.splitlines()[0]


def build_topo():
    """The release binary of this checkout."""
    root = Path(__file__).resolve().parents[2]
    target = Path(os.environ.get("CARGO_TARGET_DIR") or cache() / "target")
    command = ["cargo", "build", "--release", "--locked", "--workspace", "--bin", "topo"]
    subprocess.run(command, cwd=root, env=os.environ | {"CARGO_TARGET_DIR": str(target)}, check=True)
    return str(target / "release" / "topo")


def build_peer():
    """OpenTofu, built from its module outside of the checkout; once."""
    if shutil.which("go") is None:
        sys.exit("compare.py: OpenTofu is not on the path, and Go to build it is missing")
    place = Path(os.environ.get("TOPO_TEST_CACHE") or cache() / "tests") / f"opentofu-{VERSION}"
    program = place / "tofu"
    if not program.exists():
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        steps = [
            ["go", "mod", "init", "peer"],
            ["go", "mod", "edit", f"-require={MODULE}@{VERSION}", f"-replace={REPLACED.replace(' ', '@')}={REPLACEMENT.replace(' ', '@')}"],
            ["go", "get", f"{MODULE}/cmd/tofu@{VERSION}"],
            ["go", "build", "-o", "tofu.part", f"{MODULE}/cmd/tofu"],
        ]
        for step in steps:
            subprocess.run(step, cwd=place, env=os.environ | {"GOFLAGS": "-mod=mod"}, check=True)
        (place / "tofu.part").rename(program)
    return str(program)


def cache():
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "topo"


if __name__ == "__main__":
    main()
