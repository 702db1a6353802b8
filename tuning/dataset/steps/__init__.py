"""Cleaning one example at a time: each step a pure function in a file of its own."""
