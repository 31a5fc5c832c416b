"""The tools that build a project and run it: g++, Vitis HLS, Vivado."""
