// What nearly every source includes, compiled beforehand: see conftest.py. That each header
// includes what it needs is seen where projects are compiled without it, by their own Makefile.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <functional>
#include <iostream>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <ap_int.h>
