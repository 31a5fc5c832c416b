"""The boundary: what comes in is checked, what goes out appears whole, and errors that say so."""
