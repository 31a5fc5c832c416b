"""Run a campaign, or one case again: ``python tests/fuzz``."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
import time
import traceback
from pathlib import Path

# One thread a worker: there is a worker for each core.
for _threads in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_threads, "1")
# The folder of tests is no package of this environment: the fuzzer and the page's writer lie in it.
_TESTS = Path(__file__).parents[1]
sys.path[:1] = [str(_TESTS), str(_TESTS / "network")]

from reliability_page import PAGE, write_part  # noqa: E402

from fuzz.campaign import Campaign  # noqa: E402
from fuzz.design_target import DesignTarget  # noqa: E402
from fuzz.failures import Failures  # noqa: E402
from fuzz.mutated_networks import bomb  # noqa: E402
from fuzz.network_target import NetworkTarget  # noqa: E402
from fuzz.onnx_target import OnnxTarget  # noqa: E402
from fuzz.packet_target import PacketTarget  # noqa: E402
from fuzz.progress import ROOT, Progress, fingerprint  # noqa: E402
from fuzz.section import section  # noqa: E402
from fuzz.twin import Twins, prepare  # noqa: E402
from fuzz.verdict import Target  # noqa: E402
from fuzz.worker import judge  # noqa: E402

#: Share of each kind among the cases.
SHARES = {"networks": 0.3, "designs": 0.25, "packets": 0.35, "onnx": 0.1}


def main() -> int:
    """Do what the command line says; 0 when nothing went wrong, else 1."""
    parser = argparse.ArgumentParser(prog="python tests/fuzz", description=__doc__)
    parser.add_argument("--cases", type=int, default=1_000_000, help="of all kinds together")
    parser.add_argument("--only", choices=SHARES, help="cases of one kind")
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--case", metavar="KIND:NUMBER", help="run one case again, and say all")
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--time-limit", type=float, default=10.0, help="seconds a case")
    parser.add_argument(
        "--folder", type=Path, default=ROOT / "build" / "fuzz", help="progress and failing cases"
    )
    parser.add_argument("--no-page", action="store_true", help=f"do not write {PAGE.name}")
    options = parser.parse_args()
    # Told to end, it ends its workers as well.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    folder, limit, seed = options.folder, options.time_limit, options.seed
    projects, scratch = folder / "projects", folder / "scratch"

    def targets() -> dict[str, Target]:
        mine = scratch / str(os.getpid())
        mine.mkdir(parents=True, exist_ok=True)
        # The kernel gives up before the case does, so that it is the kernel that is named.
        twins = Twins.of_projects(projects, 0.8 * limit)
        return {
            "networks": NetworkTarget(seed, mine, twins),
            "designs": DesignTarget(seed, mine),
            "onnx": OnnxTarget(seed, mine),
            "packets": PacketTarget(seed, Twins.of_projects(projects, 0.8 * limit)),
        }

    if (options.case or options.only or "").partition(":")[0] not in ("designs", "onnx"):
        print("compiling the kernels", flush=True)
        prepare(projects)
        bomb()  # takes seconds, and is kept for all workers
    try:
        if options.case:
            return _again(options.case, targets, limit, folder)
        start = time.monotonic()
        shares = {options.only: 1.0} if options.only else SHARES
        cases = {kind: round(share * options.cases) for kind, share in shares.items()}
        identity = {"seed": seed, "code": fingerprint(), "time limit": limit}
        progress = Progress(folder / "progress.jsonl", identity)
        if progress.anew:
            print("the code, the seed or the limit is another: beginning anew")
        failures = Failures(folder / "failures", seed)
        campaign = Campaign(
            cases, targets, progress, failures, limit=limit, jobs=options.jobs,
            say=lambda line: print(line, flush=True),
        )  # fmt: skip
        chunks = campaign.run()
    except KeyboardInterrupt:
        print("stopped; the same command goes on from here", file=sys.stderr)
        return 130
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    command = "make fuzz" + _arguments()
    text = section(chunks, command=command, seed=seed, limit=limit, replay=failures.replay)
    print(text)
    print(f"\n{time.monotonic() - start:.0f} s")
    if not options.no_page:
        write_part("bad input", text)
        print(f"wrote {PAGE.name}")
    return int("**No case went wrong.**" not in text)


def _arguments() -> str:
    """What `make fuzz` was given."""
    given = " ".join(sys.argv[1:])
    return f' FUZZ="{given}"' if given else ""


def _again(name: str, targets, limit: float, folder: Path) -> int:  # type: ignore[no-untyped-def]
    """Run one case, and say all about it."""
    kind, _, number = name.partition(":")
    target = targets()[kind]
    case = target.make(int(number))
    file = folder / f"{kind}-{number}{target.suffix}"
    file.write_bytes(case.data)
    print(f"{case.story}\nthe input is {file}")
    try:
        end, failure = judge(target, kind, int(number), limit)
    except BaseException:
        traceback.print_exc()
        raise
    finally:
        target.close()
    print(end if failure is None else f"{end}\n{failure.detail}")
    return int(failure is not None)


if __name__ == "__main__":
    sys.exit(main())
