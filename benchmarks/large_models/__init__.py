"""Large models at full size, step by step: ``python -m benchmarks.large_models``."""
