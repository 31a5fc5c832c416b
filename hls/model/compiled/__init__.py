"""The model in C++, for speed: equal to the one in numpy in every number."""
