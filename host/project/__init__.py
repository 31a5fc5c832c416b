"""A design's HLS project, with golden packets for its test bench."""
