"""From a network and its hardware to a board: one zip, and the way there over ssh."""
