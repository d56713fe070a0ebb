"""docs/performance.md, and the table that a run prints, from a run's results alone."""

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any, NamedTuple

from benchmarks import busy, figures, lanes
from benchmarks.drive import PEERS
from benchmarks.figures import Result, Timing

Run = Mapping[str, Any]

TRIED: dict[str, str] = {
    "W1": "blocks of 64 steps, their two large products in two processes",
    "W2": "two processes, each with half of the inputs of the first layer, half of the samples after it, and half of "
    "Adam, whose slots are sums, which saves two of its passes. Its two large products run at what OpenBLAS reaches; "
    "the ten passes that are left of Adam would be one in a compiled kernel, which NumPy has not. Samples as rows and "
    "large pages of memory gained nothing",
    "W3-1": "folded bias, pool before bias, phases that a pool compares without gaps, memory aligned with the cache, "
    "the outer product of a sample as a sum of two; about forty short calls remain, of which four passes of momentum "
    "take a sixth of the step",
    "W3-64": "two processes; windows gathered along one axis, products by rows of the image; masks, maxima and copies "
    "of the pool, which run at the speed of the cache, are two fifths of it. Masks of bits instead of truth values "
    "are faster alone, and slower where they leave the cache",
    "W4": "Winograd's F(2x2, 3x3), whose transforms are products with small matrices for all tiles at once, in the "
    "order of the pool; products of blocks that OpenBLAS reads without packing. Larger tiles round too much. The "
    "products of the second convolution are a third of the step",
    "W5-1": "inputs looked up, one product a step, Adam in halves in two processes; fifty products of a vector and the "
    "recurrent weight read it at the speed of the cache. Input, state and bias as one row gained a few percent for "
    "one sample and lost more for many",
    "W5-32": "two processes that do not meet within a step; products cut to what OpenBLAS reads without copying. The "
    "fifty products of a state and the recurrent weight and the weight's gradient are half of a lane, at two thirds of "
    "the peak: weights padded to whole vectors, the samples innermost, blocks and parts of the sum gain at "
    "most a twenty-fifth of it",
    "W6": "incremental patches, whose steps are passes over six million numbers, some of them in place. Two threads "
    "help only operations of a quarter of a millisecond or more, since shorter ones contend for the interpreter lock: "
    "parts that fit the cache, one row of the patches after the other, and half of the images for each thread cost "
    "more calls than they save. A third of the windows of digits cover anything at all, but the smallest rectangles "
    "around these leave out only a seventh",
    "W7-mlp-1": "samples as rows, read where they are, the softmax in Python floats, no calls that set or query BLAS, "
    "one copy of the answer. The first product, which reads 1.6 MB of weights at the speed of the second cache, is two "
    "thirds of it; half of the weights on each core would save what handing over costs",
    "W7-mlp-256": "two lanes in threads, each of which reads its samples where they are. The first product is "
    "four fifths of it and runs as fast as OpenBLAS multiplies large square matrices; samples as rows, units instead "
    "of samples split over the threads, weights transposed, and blocks that OpenBLAS does not pack gain nothing",
    "W7-cnn-1": "samples read where they are, one strided copy, phases, the softmax in Python floats, no calls that "
    "set or query BLAS",
    "W7-cnn-256": "pool phases, windows gathered along one axis, lanes of 32 samples whose outputs stay in the cache, "
    "in the same buffers",
    "W9": "as W10; each batch is also changed at random before the lanes begin",
    "W10": "windows gathered along one axis, slabs in one memory, gathered again in the backward pass; its lanes meet "
    "at two barriers for each of ten normalizations",
    "W8 first loss": "parse tables and an index of the words that come with the package, so that a page imports the "
    "words that it names; late imports, h5py among them, and no garbage collection meanwhile. NumPy and Pydantic with "
    "one class are half of it, a hundred dataclasses and a hundred classes of Pydantic a fifth",
    "W8 predict": "as the first loss; nothing of training, data sets or tables is imported, and the collection at the "
    "end of a process has nothing to traverse. NumPy, Pydantic with one class, h5py, Pillow and Click are two thirds "
    "of it. A decorator that makes dataclasses with less to compile would save a fourteenth",
    "W8 arrays": "shared memory without needless copies, workers that end while the run evaluates, a baseline that is "
    "measured once. The epoch's 16 steps are half of it; the first weights, a fork, and the pages of memory that the "
    "system clears for parameters, slots and buffers are most of the rest",
    "W8 file": "two images of checkpoints instead of three, each array hashed once and compared after that; two images "
    "of 5 and 7 MB, whose SHA-256 the format has twice, and six fsyncs, which the promises of a run need, remain",
    "W8 train": "as the first loss, and an image less for each best epoch; nine images of 38 arrays and texts are "
    "a quarter of it, and the fsyncs of thirteen files a sixth",
}
"""What was tried for each goal that is missed, by workload: the only text here that is not derived from a run."""


def document(run: Run) -> str:
    """The whole page."""
    parts = [
        "# How fast it is",
        "`python -m benchmarks` writes this page from one run; `make bench` creates an environment with all peers and "
        "runs it.",
        _measured_on(run),
        "## Side by side",
        comparison(run["results"]),
        LEGEND,
        "![Time of a step in every workload, as a multiple of nnspec's](performance.png)",
        _workloads(run["results"]),
        _missed(run),
        _cold(run),
        _accuracy(run),
        _gains(run["results"]),
        _profiles(run),
        _growths(run),
        lanes.section(run["lanes"], run["results"]) if run.get("lanes") else "",
        busy.section(run["busy"]) if run.get("busy") else "",
        _settings(run),
        HOW,
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


LEGEND = """Microseconds of a step: the median of the rounds, the best of each peer's settings. *planned* is the step
alone over prepared batches, as the peers have them; *as used* is `nnspec train`, which also draws its batches from
bytes, normalizes them and logs the loss, or `network.predict` or `nnspec.occlude`. Ratios are medians over pairs of
the same round, *as used* against the best of PyTorch. The share of the peak is the rate of matrix product operations
divided by that of a 1024×1024 product in the same rounds."""

STARTING = """Every figure is from a new process. `import nnspec` imports its modules on first use, so the second row
includes all that training needs. The calls of an epoch are repeated in one process; PyTorch builds its network and
optimizer in each too. A process that predicts loads quickstart's network and one picture. nnspec's epoch in the row of
memory is a complete `nnspec train` that reads the samples from a file; the peers have the 60,000 images as bytes in
memory, and draw, normalize and log as nnspec does."""

REACHING = """## Time to 99 %

Seconds of training until `benchmarks/small_cnn.nnspec` first classifies 99 % of the 10,000 test digits correctly,
measured after each epoch, for each of three seeds; and the same network in PyTorch with its fused Adam on two threads,
channels last, its samples normalized beforehand. `python -m benchmarks.accuracy nnspec 1` repeats one of these runs."""

GAINING = """## What each rewrite gains

The time of the planned step without one rewrite, divided by its time with all of them: the median over pairs of the
same round. A figure of 1.00 means that the rewrite does not help this workload. `nnspec plan` shows which rewrites are
applied, and `--without` leaves one out."""

SPENDING = """## Where the time goes

The most expensive parts of a training step, each timed separately, in the fastest tenth of many steps; with two lanes,
the mean of both, each run by itself. `python -m benchmarks.profile W4` lists the lines of the program."""

GROWING = """## As work grows

![Time against batch, width, image, channels, sequence and data, with slopes](scaling.png)

The slope is the exponent b of time = a · sizeᵇ over the larger half of the sizes: 1 is proportional, and less than 1
means that a fixed cost still contributes."""

HOW = """## How it is measured

Each peer runs in its own process and receives its tasks over a pipe. All start from the same weights and see the same
batches of real digits in the same order. The losses of the first steps (the outputs, where nothing is trained) are
compared; a setting that differs by more than 0.1 % is excluded and fails the run. A trial measures how many steps fill
a round and drops settings that are much slower than their peer's best. Then every setting is timed once a round, after
a pause in which other threads become idle. PyTorch runs eagerly, with its fused and its default optimizer, channels
last and first, on one and on two threads; JAX runs compiled, step by step and for single samples as a scan over them,
in both layouts. Their batches are prepared as tensors. `OPENBLAS_CORETYPE` and `OPENBLAS_L2_SIZE` are removed from the
peers' environment.

On Linux nnspec trains in two processes where that pays for a step, each on one core, with half of a batch; PyTorch and
JAX have two threads. The first step of a run, in which nnspec allocates the buffers of its program, is never timed."""


def comparison(results: Sequence[Result]) -> str:
    """The table of all workloads: what each peer takes, how many times as fast nnspec is, and the goal."""
    peers = [peer for peer in PEERS if peer != "nnspec" and any(figures.best(result, peer) for result in results)]
    rows = []
    for result in results:
        planned, used = figures.way(result, "nnspec", "planned"), figures.as_used(result)
        inner, factor = figures.reached(result, planned) if planned else None, figures.reached(result, used)
        share = figures.share_of_peak(result, used) if used is not None else None
        rows.append(
            [
                result["name"],
                *(microseconds(figures.best(result, peer)) for peer in peers),
                microseconds(planned),
                microseconds(used),
                "" if inner is None else f"{inner:.3g}",
                "" if factor is None else f"**{factor:.3g}**",
                f"≥ {result['goal']:g}" if result.get("goal") else "",
                verdict(result, factor),
                "" if share is None else f"{share:.0%}",
            ]
        )
    titles = [PEERS[peer].title for peer in peers]
    head = ["", *titles, "planned", "as used", "times: planned", "as used", "goal", "", "of the peak"]
    return table(head, rows)


def verdict(result: Result, factor: float | None) -> str:
    """Whether a goal is reached; empty where there is none, or nothing to hold against it."""
    goal = result.get("goal")
    if factor is None or goal is None:
        return ""
    return "reached" if factor >= goal else "missed"


def microseconds(timing: Timing | None) -> str:
    """The median of a timing; empty where there is none."""
    if timing is None:
        return ""
    value = timing.median * 1e6
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def table(head: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1) -> str:
    """A Markdown table, its first columns to the left and the others to the right."""
    widths = [max(len(row[i]) for row in (head, *rows)) for i in range(len(head))]

    def line(cells: Sequence[str]) -> str:
        sides = [str.ljust] * left + [str.rjust] * (len(head) - left)
        return f"| {' | '.join(side(cell, width) for side, cell, width in zip(sides, cells, widths, strict=True))} |"

    rule = ["-" * (width + 2) if i < left else "-" * (width + 1) + ":" for i, width in enumerate(widths)]
    return "\n".join([line(head), f"|{'|'.join(rule)}|", *map(line, rows)])


def _measured_on(run: Run) -> str:
    here, effort = run["machine"], run["effort"]
    versions = [f"{name} {version}" for about in run["versions"].values() for name, version in about.items()]
    absent = "".join(f" {PEERS[peer].title} was not measured ({why})." for peer, why in run["absent"].items())
    return (
        f"{run['when']} on {here['processor']}, {here['cores']} cores with {here['instructions']}, "
        f"{here['memory']} of memory, {here['system']}; Python {here['python']}, {', '.join(versions)}. "
        f"{effort['rounds']} interleaved rounds of {effort['seconds']} s each; other processes used "
        f"{run['others']:.1%} of the machine meanwhile.{absent}"
    )


def _workloads(results: Sequence[Result]) -> str:
    verbs = {"train": "training, ", "predict": "prediction", "occlude": "occlusion, 3x3 at all places of"}
    rows = []
    for result in results:
        size = f"{result['batch']} images" if result["kind"] == "occlude" else f"batch {result['batch']}"
        rows.append(
            [
                result["name"],
                f"`{result.get('file') or result['network']}`",
                f"{verbs[result['kind']]}{result['optimizer']}",
                size,
            ]
        )
    return table(["", "network", "what", "size"], rows, left=4)


def _missed(run: Run) -> str:
    goals = [(result["name"], figures.reached(result), result["goal"]) for result in run["results"] if result["goal"]]
    rows = [
        [name, f"{factor:.3g}", f"≥ {goal:g}", f"{1 - factor / goal:.0%}", TRIED.get(name, "")]
        for name, factor, goal in [*goals, *cold_ratios(run)]
        if goal and factor is not None and factor < goal
    ]
    for key, timing in _starts(run, "nnspec").items():
        _, unit, _, most = COLD[key]
        if most is not None and (taken := timing.median * unit) > most:
            name = f"W8 {key.replace('_', ' ')}"
            rows.append([name, f"{taken:,.0f} ms", f"≤ {most:g} ms", f"{1 - most / taken:.0%}", TRIED.get(name, "")])
    head = ["", "times PyTorch, or ms", "goal", "short by", "what was tried"]
    return f"## Goals missed\n\n{table(head, rows) if rows else 'None.'}"


class Start(NamedTuple):
    """A measure of W8: its title, the factor to its unit, the goals in times PyTorch and in the unit, if any."""

    title: str
    unit: float
    times: float | None = None
    most: float | None = None


COLD = {
    "import": Start("import, ms", 1e3, times=10.0),
    "import_all": Start("import with all that trains, ms", 1e3),
    "first_loss": Start("from nothing to the first loss of W2, ms", 1e3, most=350),
    "arrays": Start("a call for an epoch of W2 on 2,000 samples in arrays, ms", 1e3, most=45),
    "file": Start("the same from a file, with the folder of a run, ms", 1e3, most=120),
    "predict": Start("a process that predicts the class of a picture, ms", 1e3, most=350),
    "train": Start("`nnspec train` of quickstart less its training, ms", 1e3, most=600),
    "memory": Start("most memory in an epoch of W2, MB", 1e-6, times=2.0),
}


def _starts(run: Run, peer: str) -> dict[str, Timing]:
    """W8's measures of a peer in the order of the table; those that an older run lacks are left out."""
    found = run["cold"]["peers"].get(peer, {}) if run["cold"] else {}
    return {key: Timing(peer, key, tuple(found[key])) for key in COLD if key in found}


def cold_ratios(run: Run) -> list[tuple[str, float, float | None]]:
    """W8's measures, how many times as much PyTorch needs, and the goals; those that both peers have."""
    ours, theirs = _starts(run, "nnspec"), _starts(run, "torch")
    return [
        (f"W8 {key.replace('_', ' ')}", figures.times_as_fast(theirs[key], ours[key]), COLD[key].times)
        for key in ours
        if key in theirs
    ]


def cold_results(run: Run) -> list[Result]:
    """The times of W8 as results, for the picture: those that more than one peer has."""
    shown = [key for key in COLD if key != "memory"]
    peers = {peer: _starts(run, peer) for peer in (run["cold"]["peers"] if run["cold"] else ())}
    return [
        {
            "name": f"W8 {key.replace('_', ' ')}",
            "kind": "cold",
            "goal": COLD[key].times,
            "ways": [
                {"peer": p, "way": key, "seconds": found[key].seconds} for p, found in peers.items() if key in found
            ],
        }
        for key in shown
        if sum(key in found for found in peers.values()) > 1 and key in peers.get("nnspec", {})
    ]


def _cold(run: Run) -> str:
    if not run["cold"]:
        return ""
    peers = {peer: _starts(run, peer) for peer in run["cold"]["peers"]}
    ratios = {name: factor for name, factor, _ in cold_ratios(run)}
    rows = []
    for key, (title, unit, times, most) in COLD.items():
        if not any(key in found for found in peers.values()):
            continue
        values = [f"{found[key].median * unit:,.0f}" if key in found else "" for found in peers.values()]
        factor = ratios.get(f"W8 {key.replace('_', ' ')}")
        goal = f"≥ {times:g} times" if times is not None else f"≤ {most:g}" if most is not None else ""
        rows.append([title, *values, "" if factor is None else f"**{factor:.3g}**", goal])
    head = ["W8", *(PEERS[peer].title for peer in peers), "times PyTorch", "goal"]
    return f"## Cold start and memory\n\n{table(head, rows)}\n\n{STARTING}"


def _accuracy(run: Run) -> str:
    if not run["accuracy"]:
        return ""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for one in run["accuracy"]:
        found.setdefault(one["peer"], []).append(one)
    rows = []
    for peer, ones in found.items():
        seconds = [one["seconds"] for one in ones if one["seconds"] is not None]
        times = [f"{one['seconds']:.1f}" if one["seconds"] is not None else "never" for one in ones]
        epochs = [str(one["epochs"] or "never") for one in ones]
        middle = f"{median(seconds):.1f}" if len(seconds) == len(ones) else ""
        rows.append([PEERS[peer].title, ", ".join(epochs), ", ".join(times), middle])
    return f"{REACHING}\n\n{table(['', 'epochs', 'seconds', 'median'], rows)}"


def _gains(results: Sequence[Result]) -> str:
    found = {result["name"]: figures.gains(result) for result in results}
    names = list(dict.fromkeys(name for gains in found.values() for name in gains))
    if not names:
        return ""
    shown = [workload for workload, gains in found.items() if gains]
    rows = [[name, *(f"{found[w][name]:.2f}" if name in found[w] else "" for w in shown)] for name in sorted(names)]
    return f"{GAINING}\n\n{table(['without', *shown], rows)}"


def _profiles(run: Run) -> str:
    parts = []
    for found in run["profiles"]:
        rows = sorted(found["parts"].items(), key=lambda part: -part[1])[:8]
        body = table(
            [found["name"], "µs", "share"],
            [[part, f"{value:,.1f}", f"{value / found['step']:.0%}"] for part, value in rows],
        )
        parts.append(body)
    return "\n\n".join([SPENDING, *parts]) if parts else ""


def _growths(run: Run) -> str:
    if not run["growths"]:
        return ""
    rows = []
    for growth in run["growths"]:
        slopes = [figures.growing(growth, peer) for peer in ("nnspec", "torch")]
        sizes = ", ".join(f"{size:,}" for size in growth["sizes"])
        rows.append([growth["name"], growth["about"], sizes, *("" if b is None else f"{b:.2f}" for b in slopes)])
    body = table(["", "what grows", "sizes", "nnspec's slope", "PyTorch's slope"], rows, left=3)
    left_out = [
        f"- {result['name']}: {PEERS[way['peer']].title}, {way['why']}"
        for growth in run["growths"]
        for result in growth["results"]
        for way in result["failed"]
    ]
    return "\n\n".join([GROWING, body, *(["Left out of it:", "\n".join(left_out)] if left_out else [])])


def _settings(run: Run) -> str:
    rows = []
    for result in run["results"]:
        for peer in PEERS:
            for timing in figures.timings(result, peer):
                rows.append(
                    [
                        result["name"],
                        PEERS[peer].title,
                        timing.way,
                        microseconds(timing),
                        f"{timing.fastest * 1e6:,.1f}",
                    ]
                )
    return "## Every setting that was timed\n\n" + table(["", "", "way", "median µs", "fastest µs"], rows, left=3)
