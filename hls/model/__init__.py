"""The machine in numpy, and in C++ for speed: what it computes, how long it takes, what it needs."""
