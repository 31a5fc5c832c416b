"""The page ``evaluation.md``, made from results alone."""
