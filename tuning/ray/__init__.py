"""Trainings on a Ray cluster: the same training function, by several workers (data parallel)."""
