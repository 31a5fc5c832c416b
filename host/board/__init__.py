"""The accelerator on a board."""
