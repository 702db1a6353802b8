"""Taking a customer out of everything, and saying what was trained on them."""
