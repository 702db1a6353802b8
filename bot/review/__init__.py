"""Flags, App Home, and decisions on examples."""
