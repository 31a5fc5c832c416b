"""Batches on an engine, with the model beside it."""
