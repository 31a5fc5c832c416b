"""What the paper states: its nine layers, and the array it describes."""
