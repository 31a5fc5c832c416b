"""The paper's evaluation, run on our models and on this machine: ``python -m benchmarks``.

``paper`` is what the paper states and the array it describes, ``measure`` what is measured, one
module for each part, and ``page`` the template and the plots of docs/evaluation.md.
"""
