"""Tuning: from approved examples to a proved, evaluated adapter. May use `evaluation`."""
