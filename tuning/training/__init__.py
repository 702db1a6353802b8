"""Training one adapter: the recipe, the trainer's own process and the folder it works in."""
