"""The paper's evaluation, run on our models and on this machine: ``python -m benchmarks``.

``paper`` is what the paper states, ``measure`` what is measured, ``page``
docs/explanation/evaluation.md.
"""
