"""What is measured: each part gives rows, from which the page is made."""
