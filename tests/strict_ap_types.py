"""The vendor's arithmetic headers, made to say what synthesis would do with what C++ lets through.

In simulation a fresh ``ap_uint`` of the static kind is zero, one on the stack often is, and a shift
by the whole width or more gives zero or the sign. In synthesis both are undefined: the registers
hold anything, and the compiler may make anything of the shift (UG1399, "Undefined Behaviors"). The
compiler's sanitizers see neither, since to them these are members of a class and branches of an
``if``. So what tests compile takes a copy of the headers in which whatever is not initialised holds
a pattern, and a shift too far ends the program.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

__all__ = ["PATTERN", "strict_ap_types"]

#: What every byte of a number holds that was given no value.
PATTERN = 0xA5

_HEADER = Path("etc") / "ap_private.h"
_FIRST_INCLUDE = "#include <math.h>\n"
_REPORT = """#include <cstdio>
#include <cstdlib>
//! Ends the program: eie's tests have put this here.
inline void eie_shifts_too_far(long long by, int width) {
  std::fprintf(stderr, "a shift by %lld of a number of %d bits\\n", by, width);
  std::abort();
}
"""
#: What is replaced, how often it is there, and with what.
_EDITS = (
    (
        "  INLINE ap_private() {\n    set_canary();\n    clearUnusedBits();\n",
        1,
        "  INLINE ap_private() {{\n    set_canary();\n    VAL = (ValType){word}ULL;\n"
        "    clearUnusedBits();\n",
    ),
    (
        "  INLINE ap_private() {\n    set_canary();\n    clearUnusedBits();\n",
        1,
        "  INLINE ap_private() {{\n    set_canary();\n"
        "    for (int word = 0; word < _AP_N; ++word) pVal[word] = {word}ULL;\n"
        "    clearUnusedBits();\n",
    ),
    (
        "    if (op >= _AP_W) return ap_private(0);            \\\n",
        2,
        "    if (op >= _AP_W) eie_shifts_too_far((long long)op, _AP_W); \\\n",
    ),
    (
        "    if (op >= _AP_W) {                                \\\n",
        2,
        "    if (op >= _AP_W) {{ eie_shifts_too_far((long long)op, _AP_W); \\\n",
    ),
)


def strict_ap_types(headers: Path, folder: Path) -> Path:
    """Copy the headers to a folder of this test run, once for all its processes, and edit them.

    Raises
    ------
    AssertionError
        If they are not those that the edits are for.
    """
    if folder.exists():
        return folder
    text = (headers / _HEADER).read_text(encoding="utf-8")
    if _REPORT in text:  # a test run within a test run
        return headers
    made = folder.with_name(f"{folder.name}.{os.getpid()}.partial")
    shutil.copytree(headers, made)
    word = f"0x{PATTERN:02X}" + 7 * f"{PATTERN:02X}"
    for old, count, new in _EDITS:
        assert text.count(old) >= count, f"{_HEADER} is another than the tests know: {old!r}"
        text = text.replace(old, new.format(word=word), count)
    assert all(old not in text for old, _, _ in _EDITS), f"more places in {_HEADER} than are known"
    text = text.replace(_FIRST_INCLUDE, _REPORT + _FIRST_INCLUDE, 1)
    (made / _HEADER).write_text(text, encoding="utf-8")
    try:
        made.rename(folder)
    except OSError:  # another process was first
        shutil.rmtree(made)
    return folder
