"""``import eie``: everything is there, nothing is loaded before it is used."""

from __future__ import annotations

import io
import pydoc
import subprocess
import sys
from importlib.metadata import version

import pytest

import eie


def run(program: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_importing_loads_nothing():
    heavy = "{'numpy', 'torch', 'pynq', 'jinja2', 'scipy', 'importlib.metadata', 'eie.hls'}"
    assert run(f"import eie, sys; print({heavy} & set(sys.modules))") == "set()\n"


def test_what_needs_no_torch_loads_none():
    program = (
        "import sys, eie\n"
        "for name in dir(eie):\n"
        "    if eie._DEFINED_IN.get(name) not in eie._OF_TORCH: getattr(eie, name)\n"
        "print({'torch', 'pynq', 'jinja2', 'matplotlib', 'distributed'} & set(sys.modules))\n"
    )
    assert run(program) == "set()\n"


def test_without_torch_it_says_so_and_the_rest_is_there():
    program = (
        "import sys, pydoc, importlib.util\n"
        "real = importlib.util.find_spec\n"
        "importlib.util.find_spec = lambda name, *a: None if name == 'torch' else real(name, *a)\n"
        "sys.modules['torch'] = None\n"
        "import eie\n"
        "assert 'compress' not in dir(eie) and 'fit' in dir(eie)\n"
        "assert 'AcceleratedModel' in pydoc.render_doc(eie)\n"
        "try: eie.compress\n"
        "except ImportError as error: print(error)\n"
    )
    assert "pip install '.[compress]'" in run(program)


def test_every_name_is_there_once_and_documented():
    assert set(eie.__all__) == {"__version__", *eie._DEFINED_IN}
    assert len(eie.__all__) == len(set(eie.__all__))
    assert set(eie.__all__) <= set(dir(eie))
    for name in eie._DEFINED_IN:
        value = getattr(eie, name)
        assert value is getattr(eie, name)
        assert name == "BOARDS" or value.__doc__


def test_version():
    assert eie.__version__ == version("eie")


def test_another_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'eie' has no attribute 'nothing'"):
        eie.nothing  # noqa: B018
    assert not hasattr(eie, "nothing")


def test_star_import():
    names: dict[str, object] = {}
    exec("from eie import *", names)
    assert set(eie.__all__) <= set(names)


def test_help_tells_the_way_in_order():
    output = io.StringIO()
    pydoc.Helper(output=output)(eie)
    text = output.getvalue()
    places = [text.index(word) for word in ("eie.convert(", "acc.summary()", "eie.compress(")]
    places += [text.index(word) for word in ("eie.fit(", "eie.generate(", "eie.emulate(")]
    assert places == sorted(places)
    for part in ("convert(model", "class AcceleratedModel", "class Network", "calibration"):
        assert part in text
    # Fields of values, with their units.
    assert "int16, shape (16,): the shared weights" in text


def test_it_is_the_command():
    done = subprocess.run(
        [sys.executable, "-m", "eie", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout == f"eie {eie.__version__}\n"


def test_a_notebook_draws_a_design():
    """In IPython a design is its array, and the table is folded away."""
    program = (
        "import io, contextlib\n"
        "from IPython.core.interactiveshell import InteractiveShell\n"
        "shell = InteractiveShell.instance()\n"
        "import eie, sys\n"
        "assert 'eie.host.view' not in sys.modules\n"
        "data, _ = shell.display_formatter.format(eie.Design(pes=4))\n"
        "print(data['text/html'][:4], 'detect_nonzero' in data['text/html'],"
        " '<details>' in data['text/html'])\n"
        "print(data['text/plain'][:6])\n"
    )
    assert run(program) == "<svg True True\nDesign\n"
