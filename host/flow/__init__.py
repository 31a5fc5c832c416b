"""The whole way as one call: from a model to a report."""
