"""The paper's evaluation, run on our models and on this machine: ``python -m benchmarks``."""
