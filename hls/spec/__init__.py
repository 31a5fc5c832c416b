"""The contract: design, packets, registers, formats, errors. Standard library and numpy alone."""
