"""Which design for a network: fit, and explore."""
