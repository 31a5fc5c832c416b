"""A design's HLS project, rendered from the templates."""
