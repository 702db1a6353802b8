"""Recipes to begin from, by name: YAML files, each number with its reason."""
