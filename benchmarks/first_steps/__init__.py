"""The first steps with eie and with hls4ml, side by side."""
