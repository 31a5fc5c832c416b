"""From a network to the packets of a design."""
