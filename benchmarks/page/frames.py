"""Results as pandas frames, with what is worked out from each row and from many."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import gmean

from benchmarks.measure.driver_call import ALONE
from benchmarks.measure.our_kernel import SWITCHES
from benchmarks.paper.array import ENTRY_BITS
from benchmarks.paper.layers import CLOCK_MHZ, LAYERS, PES
from benchmarks.results import Results

#: The paper's layers, indexed by name.
PAPER = pd.DataFrame(LAYERS).rename(columns={"name": "layer"}).set_index("layer")
PAPER["weights"], PAPER["ratio"] = (
    PAPER.inputs * PAPER.outputs,
    PAPER.actual_us / PAPER.theoretical_us,
)
#: Times of the paper's other platforms, one vector.
PLATFORMS = PAPER[[name for name in PAPER if name.startswith(("cpu", "gpu", "mobile"))]].set_axis(
    ["CPU, dense", "CPU, sparse", "GPU, dense", "GPU, sparse", "mobile GPU, dense"], axis=1
)

#: Columns worked out from those of a part.
_DERIVED: Mapping[str, Callable[[pd.DataFrame], dict[str, Any]]] = {
    "layers": lambda rows: {
        "own_density": rows.weight_density == rows.layer.map(PAPER.weight_density),
        "padding": rows.entries / rows.weights - 1,
        "unpadded_us": rows.weights_met / PES / CLOCK_MHZ,
        "theoretical_us": rows.entries_met / PES / CLOCK_MHZ,
        "actual_us": rows.cycles / CLOCK_MHZ,
        "balance": rows.entries_met / PES / rows.cycles,
        "ratio": rows.cycles * PES / rows.entries_met,
        "kernel_ratio": rows.cycles / rows.kernel_cycles,
    },
    "skew": lambda rows: {"ratio": rows.cycles * PES / rows.entries_met},
    "queue": lambda rows: {"balance": rows.entries_met / PES / rows.cycles},
    "width": lambda rows: {"used": rows.entries_met * ENTRY_BITS / rows.reads / rows.width},
    "pes": lambda rows: {
        "speedup": rows.groupby(["layer", "pattern"]).cycles.transform("first") / rows.cycles,
        "balance": rows.entries_met / rows.pes / rows.cycles,
        "padding": rows.entries / rows.weights - 1,
    },
    "improvements": lambda rows: {
        "goal": rows.pattern.map({"uniform": 1.05, "log-normal": 1.10, "blocks": 1.10}),
        "ratio": rows.batch_cycles / rows.batch_ideal,
        "bound": rows[["broadcasts", "beats", "busiest"]].max(axis=1) / rows.batch_ideal,
        "bits": rows.matrix_bits + rows.pointer_bits,
    },
    "cpu": lambda rows: {"us": rows.median_us / rows.batch},
    "host": lambda rows: {"rate": rows["size"] / rows.best_us},
}


def percent(share: float, digits: int = 0) -> str:
    """Show a share of 0 to 1."""
    return f"{100 * share:.{digits}f} %"


def short(value: float) -> str:
    """Three digits, without an exponent."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def frames(results: Results) -> dict[str, pd.DataFrame]:
    """Rows of parts by layer, if there is one, with columns worked out from the others."""
    found = {name: pd.DataFrame(part.rows) for name, part in results.parts.items() if part.rows}
    for name in found:
        if name in _DERIVED:
            found[name] = found[name].assign(**_DERIVED[name](found[name]))
        if "layer" in found[name]:
            found[name] = found[name].set_index("layer")
    return found


def grid(rows: pd.DataFrame, columns: str, values: str) -> pd.DataFrame:
    """Values by layer, and by what another column holds; both in the order of the rows."""
    rows = rows.reset_index()
    wide = rows.pivot(index="layer", columns=columns, values=values)
    wide = wide.reindex(index=rows.layer.unique(), columns=rows[columns].unique())
    if wide.isna().any(axis=None):
        raise KeyError(f"{values} must be there for every layer and {columns}")
    return wide


def add(values: Any, name: str = "geometric mean", by: Any = gmean) -> Any:
    """Add a line to a column, or to all columns of a frame: what `by` makes of them."""
    extended = values.copy()
    extended.loc[name] = values.agg(by)
    return extended


def texts(rows: pd.DataFrame, text: str) -> pd.Series:
    """Fill the columns of each row into `text`."""
    filled = [text.format(**row) for row in rows.reset_index().to_dict("records")]
    return pd.Series(filled, rows.index).map(_formatted())


def rounding(layers: pd.DataFrame) -> pd.DataFrame:
    """Theoretical times that the paper's rounded densities allow, by layer.

    ``residue`` is the share by which its own time is outside of that, 0 if it is not; ``size``
    and ``side`` say the same.
    """
    times = layers[~layers.own_density].groupby("layer", sort=False).theoretical_us
    low, high, papers = times.min(), times.max(), PAPER.theoretical_us
    # The paper rounds its times to a tenth of a microsecond.
    outside = [papers - 0.05 > high, papers + 0.05 < low]
    residue = np.select(outside, [papers / high - 1, papers / low - 1], 0.0)
    allowed = {"low": low, "high": high, "residue": residue, "size": abs(residue)}
    return pd.DataFrame(allowed).assign(side=np.where(residue > 0, "above", "below"))


def matching_sigma(skew: pd.DataFrame) -> tuple[float, float] | None:
    """Between which of the swept skews the mean ratio is the paper's."""
    means = skew.query("assignment == 'natural'").groupby("sigma").ratio.apply(gmean)
    below, above = means[means <= gmean(PAPER.ratio)], means[means >= gmean(PAPER.ratio)]
    return (below.index[-1], above.index[0]) if len(below) and len(above) else None


def fastest(cpu: pd.DataFrame) -> pd.DataFrame:
    """Microseconds of a vector by layer and way on this processor, and the better threads."""
    cpu = cpu.reset_index()
    best = cpu.loc[cpu.groupby(["layer", "batch", "contender"], sort=False).median_us.idxmin()]
    title = best.contender + ", batch " + best.batch.astype(str)
    cell = best.us.map(short) + " (" + best.threads.astype(str) + ")"
    return grid(best.assign(title=title, cell=cell), "title", "cell")


def times_here(cpu: pd.DataFrame) -> pd.DataFrame:
    """Microseconds of a vector on this processor by layer: dense and sparse, one and many."""
    way = cpu.contender.where(cpu.contender == "torch dense", "sparse").str.removeprefix("torch ")
    titled = cpu.assign(title=way + ", batch " + cpu.batch.astype(str))
    best = titled.groupby(["layer", "title"], sort=False).us.min().reset_index()
    return grid(best, "title", "us")


def read_cost_bounds(reads: Any) -> tuple[Any, Any]:
    """Fixed costs of a read, in bits, between which 64 bits takes the least energy.

    A read of w bits is taken to cost ``a + w``. `reads` are words by width: numbers, or columns.
    """
    # The cost at which two widths take the same energy; above it the wide one is better.
    equal = {
        width: (64 * reads[64] - width * reads[width]) / (reads[width] - reads[64])
        for width in reads
        if width != 64
    }
    low = reduce(np.maximum, [cost for width, cost in equal.items() if width < 64])
    return low, reduce(np.minimum, [cost for width, cost in equal.items() if width > 64])


def width_cells(width: pd.DataFrame) -> pd.DataFrame:
    """Thousand words read by layer and width, and the share that is used; and their sums."""
    cell = texts(width.assign(reads=width.reads / 1000), "{reads:.0f} ({used:.0%})")
    sums = (grid(width, "width", "reads").sum() / 1000).map("{:.0f}".format)
    cells = grid(width.assign(cell=cell), "width", "cell")
    cells.loc["sum"] = sums
    return cells


def bold(ratio: pd.Series) -> pd.Series:
    """Show ratios in bold face, and their geometric mean."""
    shown = ratio.map("**{:.3f}**".format)
    shown.loc["geometric mean"] = f"{gmean(ratio):.3f}"
    return shown


def switches(rows: pd.DataFrame) -> pd.DataFrame:
    """Geometric means by what is turned off: ratio for each pattern, and bits over those of all."""
    titles = {off: f"without {text}" for off, text in SWITCHES.items()}
    titles = {"": "all on", **titles, "all": "all off"}
    means = rows.groupby(["off", "pattern"]).ratio.agg(gmean).unstack()[rows.pattern.unique()]
    bits = grid(rows.query("pattern == 'uniform'"), "off", "bits")
    means["bits"] = bits.div(bits[""], axis=0).agg(gmean)
    return means.reindex(titles).rename(index=titles)


def steps(recurrent: pd.DataFrame) -> pd.DataFrame:
    """Cycles of a step by board, PEs and cell units, and by sequences under way."""
    titled = recurrent.assign(layer=texts(recurrent, "{pes} PEs, {cell_units} cell units"))
    own = titled.board != "no board"
    titled.loc[own, "layer"] = titled.board + ", " + titled.layer
    titled["layer"] = titled.layer.str.replace(" 1 cell units", " 1 cell unit")
    return grid(titled, "lanes", "cycles")


def lanes_shown(cycles: pd.DataFrame) -> pd.DataFrame:
    """Name the columns of :func:`steps`."""
    return cycles.rename(columns=lambda lanes: f"{lanes} sequence{'s' if lanes > 1 else ''}")


def whose_time(host: pd.DataFrame) -> pd.DataFrame:
    """Microseconds of a call by side, ``clocked`` in the call and ``alone``; and some together."""
    best = host[host.group == "call"].set_index("what").best_us
    alone = {side: sum(best[f"alone: {part}"] for part in parts) for side, parts in ALONE.items()}
    times = pd.DataFrame({"clocked": best[list(ALONE)], "alone": alone})
    times.loc["all"], times.loc["own"] = times.sum(), times.loc[["eie", "pynq"]].sum()
    return times


def whose_time_shown(times: pd.DataFrame) -> pd.DataFrame:
    """Show what :func:`whose_time` gives, and pynq's share of what a board has as well."""
    titles = ["eie", "pynq", "emulated device and prepared answer", "all three", "eie and pynq"]
    shown = times.map("{:.1f}".format).set_axis(titles)
    shown.loc["pynq's share of these two"] = (times.loc["pynq"] / times.loc["own"]).map(percent)
    return shown.set_axis(["in the call", "alone"], axis=1)


def packets(host: pd.DataFrame) -> pd.DataFrame:
    """Packets written and answers read: best times and rates by what was done, and size."""
    keys = ["group", "width", "batch", "size"]
    moved = host[host.group.isin(["write", "read"])]
    wide = moved.pivot(index=keys, columns="what", values=["best_us", "rate"])
    wide.columns = [f"{what}_{value}" for value, what in wide]
    wide["crc_share"] = wide.crc_best_us / wide.int16_best_us
    found = pd.concat([wide.loc[["write"]], wide.loc[["read"]]]).reset_index()
    way = found.group.map({"write": "packet written", "read": "answer read"})
    return found.set_index(way + texts(found, ", {batch:,} x {width:,}"))


def table(corner: str, *columns: tuple[Any, ...]) -> str:
    """Lay out a table in Markdown, all columns but the first aligned to the right.

    `corner` is the head of the first column, which is the index. `columns` are heads, values and
    formats (format strings or functions; without one, as they are). Where values have no line of
    the index the cell is empty. A frame is many columns, whose names go into the head.
    """
    heads, cells = [corner], []
    for head, values, *show in columns:
        for name, column in values.items() if values.ndim > 1 else [("", values)]:
            heads.append(head.format(name))
            cells.append(column.map(_formatted(*show), na_action="ignore"))
    body = pd.concat(cells, axis=1).fillna("")
    lines = [heads, ["---", *["---:"] * len(cells)], *body.itertuples()]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


def _formatted(show: Any = "{}") -> Callable[[Any], str]:
    text = show if callable(show) else show.format
    return lambda value: re.sub(r"(?<! )%", " %", text(value))
