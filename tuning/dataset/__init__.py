"""From approved examples to an immutable dataset: collect, clean, mix, split, snapshot."""
