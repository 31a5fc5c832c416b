"""The machine in numpy: what it computes, how long it takes, what it needs."""
