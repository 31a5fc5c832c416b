"""The C++ compiler: found, run as a process that ends with us, and what it made is kept."""
