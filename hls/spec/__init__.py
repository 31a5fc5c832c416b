"""The contract: design, packets, registers, formats. Standard library and numpy alone."""
