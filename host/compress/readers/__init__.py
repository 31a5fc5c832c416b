"""Readers of formats that are not torch's: each gives a :mod:`eie.host.compress.model_graph`."""
