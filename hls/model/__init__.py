"""The machine in numpy, fast in C++: what it computes, how long it takes, what it needs."""
