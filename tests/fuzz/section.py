"""The part of docs/explanation/reliability.md that says what a campaign found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from fuzz.limits import MEMORY_BOUND
from fuzz.verdict import FAULTS
from fuzz.worker import Chunk

#: What is said of each kind.
_TEXTS = {
    "networks": "files of small networks, changed in values, arrays, header, members, archive and "
    "bytes, mostly with the SHA-256 that belongs to what they say then",
    "designs": "design files, changed in their values, forms of TOML, lines and bytes",
    "packets": "packets to the accelerator, changed in bits, fields, sections and contents, with "
    "right CRCs and wrong, and in one case of ten answers to the host",
    "onnx": "ONNX models, changed in nodes, names, attributes, tensors, versions and bytes; what "
    "was taken had to compute what onnx's own reference implementation does",
}


def section(
    chunks: Sequence[Chunk], *, command: str, seed: int, limit: float, replay: Callable[..., str]
) -> str:
    """Text of the part.

    Parameters
    ----------
    chunks
        Of the campaign.
    command
        What ran it.
    seed
        Of the campaign.
    limit
        Seconds that a case might take.
    replay
        Gives the command that runs a case again.
    """
    kinds = list(dict.fromkeys(chunk.kind for chunk in chunks))
    cases = sum(chunk.counts.total() for chunk in chunks)
    seconds = sum(chunk.seconds for chunk in chunks)
    faults = sum(sum(_faults(chunk.counts).values()) for chunk in chunks)
    parts = [
        "## Bad input",
        f"    {command}",
        f"""gave eie {cases:,} mutated inputs (seed {seed}; {seconds:,.0f} s of one core). What is
valid is decided by readers of their own (`tests/fuzz/valid_*.py`): what they refuse had to be
refused with an `EieError`, and what they take had to be taken for exactly that. A network taken was
saved, loaded, packed and run; a design was saved, loaded, reported, estimated, and in one case of
500 rendered. Packets went to the compiled kernel and to the emulator in lock-step, with runs after
them: answers had to be equal byte by byte, and outputs those of a dense product of 64-bit integers.
No case might take more than {limit:g} s, nor a process more than {MEMORY_BOUND >> 20} MiB beyond
what it had.""",
        "**No case went wrong.**"
        if not faults
        else f"**{faults:,} {'case' if faults == 1 else 'cases'} went wrong.**",
        "\n".join(
            [
                "| kind | cases | refused | accepted, and right | wrong | slowest case | memory "
                "| cases/s a core |",
                "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
                *(_row(kind, [chunk for chunk in chunks if chunk.kind == kind]) for kind in kinds),
            ]
        ),
        "Memory is the most that a process had beyond what it began with, or a compiled kernel at "
        "all.",
    ]
    for kind in kinds:
        counts = _counts(chunks, kind)
        rows = [
            f"| {end} | {count:,} |"
            for end, count in sorted(counts.items())
            if not end.startswith("FAULT")
        ]
        parts.append(f"{kind.capitalize()}: {_TEXTS.get(kind, kind)}.")
        parts.append("\n".join(["| how they ended | cases |", "| --- | ---: |", *rows]))
    if faults:
        parts.append(f"What went wrong (`{replay('KIND', 'NUMBER')}` runs one again):")
        rows = [
            f"| {kind} | {end.removeprefix('FAULT ')} | {count:,} |"
            for kind in kinds
            for end, count in _faults(_counts(chunks, kind)).most_common()
        ]
        parts.append("\n".join(["| kind | what | cases |", "| --- | --- | ---: |", *rows]))
        parts.append("\n".join(f"- {name}: {text}" for name, text in FAULTS.items()))
    return "\n\n".join(parts)


def _counts(chunks: Sequence[Chunk], kind: str) -> Counter[str]:
    return sum((chunk.counts for chunk in chunks if chunk.kind == kind), Counter())


def _faults(counts: Counter[str]) -> Counter[str]:
    return Counter({end: count for end, count in counts.items() if end.startswith("FAULT")})


def _row(kind: str, chunks: Sequence[Chunk]) -> str:
    counts = _counts(chunks, kind)
    refused = sum(count for end, count in counts.items() if "refused" in end and "FAULT" not in end)
    wrong = _faults(counts).total()
    slowest, number = max(chunk.slowest for chunk in chunks)
    memory = max(max(chunk.memory, chunk.others) for chunk in chunks) / (1 << 20)
    seconds = sum(chunk.seconds for chunk in chunks)
    return (
        f"| {kind} | {counts.total():,} | {refused:,} | {counts.total() - refused - wrong:,} | "
        f"{wrong:,} | {1000 * slowest:,.0f} ms ({kind}:{number}) | {memory:,.0f} MiB | "
        f"{counts.total() / seconds if seconds else 0:,.0f} |"
    )
