"""What retraining keeps of the accuracy: ``python -m benchmarks.retrain``.

Every built-in example at 10 % of the weights and 4 bits a weight, three seeds of data, weights and
training: accuracy after each step, on test data, which chose no density or weight; and whether the
engines give the bits that the accuracy is of. Then masks balanced for 16 PEs. With
`--activation-bits 8` activations are trained in as many, and what is the same at 16 bits is left
out. `--write` keeps what was found in docs/how-to/retrain.json and makes the tables of
docs/how-to/retrain.md of all that is there, so that examples and seeds may be run one by one. Some
minutes on an idle machine.
"""

from __future__ import annotations

import argparse
import copy
import json
import sys
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch

import eie
from benchmarks.sections import markdown_table, write_section
from eie.hls.boundary.atomic import write_whole
from eie.hls.boundary.errors import DoesNotFitError, EieWarning
from eie.hls.spec.fixed_point import ACTIVATION_BITS
from eie.host.retrain import Retrained
from eie.host.retrain.costs import balance_of, cost_of
from eie.host.retrain.datasets import Dataset
from eie.host.retrain.integer_part import part_inputs, still
from eie.host.retrain.masks import keep_mask
from eie.host.retrain.tasks import TASKS, Task, accuracy
from eie.host.retrain.weights import find_matrices

PAGE = Path(__file__).parents[1] / "docs" / "how-to" / "retrain.md"
KEPT = PAGE.with_suffix(".json")
DENSITY, SEEDS, BOARD = 0.1, (0, 1, 2), "pynq-z2"
#: PEs of the balanced masks, and a board that holds as many.
BALANCED, BALANCED_BOARD = 16, "kv260"
#: Bits of activations that the page has figures for, beside the accelerator's own.
FEWER_BITS = 8
#: Points that may be lost.
GOAL = 0.5
_HEADS = (
    "example", "seed", "float", "as long", "pruned at once", "pruned", "shared", "fixed",
    "integer", "loss", "weights kept", "bytes", "cycles", "engines",
)  # fmt: skip
_BITS_HEADS = (
    "example", "seed", "activations", "float", "shared", "fixed", "integer", "loss", "bytes",
    "cycles", "engines",
)  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the tables; returns 1 if an example loses more than the goal, or engines differ."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("examples", nargs="*", metavar="EXAMPLE", help=", ".join(TASKS))
    parser.add_argument("--seeds", default=",".join(map(str, SEEDS)), help="such as 0,1,2")
    parser.add_argument("--no-cpp", action="store_true", help="leave the compiled C++ out")
    parser.add_argument("--no-balance", action="store_true", help="leave balanced masks out")
    parser.add_argument("--activation-bits", type=int, default=ACTIVATION_BITS, help="2 to 16 (16)")
    parser.add_argument("--write", action="store_true", help="rewrite docs/how-to/retrain.md")
    options = parser.parse_args(arguments)
    bits = options.activation_bits
    if options.write and bits not in (ACTIVATION_BITS, FEWER_BITS):
        parser.error(f"--write is for {ACTIVATION_BITS} and {FEWER_BITS} bits")
    torch.set_num_threads(1)
    warnings.simplefilter("ignore", EieWarning)
    tasks = [TASKS[name] for name in options.examples or TASKS]
    seeds = [int(text) for text in options.seeds.split(",")]
    reached = True
    results: dict[str, dict[str, list[list[object]]]] = {}
    for task in tasks:
        design = None
        for seed in seeds:
            begin = time.monotonic()
            data = task.load(seed)
            model = task.trained(data, seed)
            found = task.retrain(
                model,
                data,
                seed=seed,
                total_density=DENSITY,
                board=BOARD,
                activation_bits=bits,
            )
            design, engines, same = _engines(found, task, data, design, cpp=not options.no_cpp)
            reached &= found.loss <= GOAL and same
            if bits == ACTIVATION_BITS:
                row = list(_row(task, seed, data, model, found, engines))
                balance: list[list[object]] = []
                if not options.no_balance and not task.head:
                    balance = [list(each) for each in _balanced(task, seed, data, model, found)]
                results[f"{task.name} {seed}"] = {"goal": [row], "balance": balance}
            else:
                row = list(_fewer_bits_row(task, seed, found, engines))
                results[f"{task.name} {seed} fewer bits"] = {"bits": [row]}
            print(" | ".join(map(str, row)), f"({time.monotonic() - begin:.0f} s)", flush=True)
            if options.write:
                _keep(results)
    print()
    for table in _tables(results).values():
        print(f"{table}\n")
    print(f"within {GOAL} points, and all engines the same: {'yes' if reached else 'NO'}")
    return 0 if reached else 1


def _tables(results: Mapping[str, Mapping[str, list[list[object]]]]) -> dict[str, str]:
    """Tables by name; examples in their order, then seeds."""
    order = list(TASKS)
    keys = sorted(results, key=lambda key: (order.index(key.split()[0]), key))
    heads = {"goal": _HEADS, "bits": _BITS_HEADS, "balance": _BALANCE_HEADS}
    rows = {name: [row for key in keys for row in results[key].get(name, ())] for name in heads}
    return {name: markdown_table(head, rows[name]) for name, head in heads.items() if rows[name]}


def _keep(results: Mapping[str, Mapping[str, list[list[object]]]]) -> None:
    """Add what was found to what is kept, and write the tables of all of it."""
    kept = json.loads(KEPT.read_text(encoding="utf-8")) if KEPT.exists() else {}
    kept |= results
    write_whole(KEPT, json.dumps(kept, indent=1, sort_keys=True) + "\n")
    for name, table in _tables(kept).items():
        write_section(PAGE, name, table)


def _row(
    task: Task, seed: int, data: Dataset, model: torch.nn.Module, found: Retrained, engines: str
) -> tuple[object, ...]:
    steps = found.accuracies
    last = found.reports[-1]
    return (
        task.name,
        seed,
        _percent(steps["float"]),
        _percent(_as_long(task, data, seed)),
        _percent(_at_once(task, data, model, found)),
        _percent(steps["pruned"]),
        _percent(steps["shared, trained"]),
        _percent(steps["fixed point, trained"]),
        _percent(steps["integer"]),
        f"{found.loss:+.2f}",
        f"{100 * last.density:.2f} %",
        f"{last.size:,}",
        last.cycles,
        engines,
    )


def _fewer_bits_row(task: Task, seed: int, found: Retrained, engines: str) -> tuple[object, ...]:
    """What differs from 16 bits: all that comes after weights are shared."""
    steps, last = found.accuracies, found.reports[-1]
    return (
        task.name,
        seed,
        f"{last.activation_bits} bits",
        _percent(steps["float"]),
        _percent(steps["shared, trained"]),
        _percent(steps["fixed point, trained"]),
        _percent(steps["integer"]),
        f"{found.loss:+.2f}",
        f"{last.size:,}",
        last.cycles,
        engines,
    )


def _as_long(task: Task, data: Dataset, seed: int) -> float:
    """Accuracy of the network in real numbers, trained for as many epochs in all."""
    schedule = task.schedule
    epochs = schedule.epochs * (schedule.prunings - 1) + schedule.last_epochs
    epochs += schedule.codebook_epochs + schedule.fixed_epochs
    longer = copy.copy(task)
    object.__setattr__(longer, "float_epochs", task.float_epochs + epochs)
    model = longer.trained(data, seed)
    with still(model):
        return accuracy(model, data.test_inputs, data.test_labels)


def _at_once(task: Task, data: Dataset, model: torch.nn.Module, found: Retrained) -> float:
    """Accuracy of the model pruned to the same densities, without retraining."""
    pruned = copy.deepcopy(model)
    for name, matrix in find_matrices(pruned.get_submodule(task.head)).items():
        kept = torch.from_numpy(keep_mask(matrix.numbers(), found.densities[name]))
        matrix.value.mul_(kept)
    with still(pruned):
        return accuracy(pruned, data.test_inputs, data.test_labels)


def _engines(
    found: Retrained, task: Task, data: Dataset, design: eie.Design | None, *, cpp: bool
) -> tuple[eie.Design, str, bool]:
    """Run the test data on the engines, on `design` if the network fits it."""
    inputs = part_inputs(found.model, task.head, data.test_inputs)
    options = {"keep_weights": True, "calibration": found.calibration}
    try:
        if design is None:
            raise DoesNotFitError("no design yet")
        acc = eie.convert(found.part, design=design, **options)
    except DoesNotFitError:
        acc = eie.convert(found.part, board=BOARD, **options)
    with acc:
        engines = ["emulator", *(["c++"] if cpp else [])]
        outputs = [acc.predict(inputs, engine=engine) for engine in engines]
    same = all(np.array_equal(each, outputs[0]) for each in outputs)
    right = float((outputs[0].argmax(1) == data.test_labels).mean())
    same &= right == found.reports[-1].accuracy
    return acc.design, f"{', '.join(engines)}: {'same' if same else 'DIFFERENT'}", same


_BALANCE_HEADS = (
    "example", "seed", "masks", "integer", "layer", "heaviest / mean, rows in turn", "as packed",
    "cycles, rows in turn", "cycles, as packed",
)  # fmt: skip


def _balanced(
    task: Task, seed: int, data: Dataset, model: torch.nn.Module, plain: Retrained
) -> Iterator[tuple[object, ...]]:
    """Masks with and without balance at the same densities, on 16 PEs."""
    balanced = task.retrain(
        model, data, seed=seed, density=plain.densities, board=BALANCED_BOARD, balance=BALANCED
    )
    for name, found in (("plain", plain), ("balanced", balanced)):
        assert found.network is not None
        cost = cost_of(found.network, BALANCED_BOARD, BALANCED)
        assert cost is not None
        balance = balance_of(found.network, cost.design)
        for number, layer in enumerate(balance.layers):
            first = (task.name, seed, name, _percent(found.reports[-1].accuracy))
            yield (
                *(first if number == 0 else ("", "", "", "")),
                layer.name,
                f"{layer.natural:.2f}",
                f"{layer.packed:.2f}",
                *((balance.natural_cycles, balance.packed_cycles) if number == 0 else ("", "")),
            )


def _percent(share: float) -> str:
    return f"{100 * share:.2f} %"


if __name__ == "__main__":
    sys.exit(main())
