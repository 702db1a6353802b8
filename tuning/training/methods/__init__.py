"""The ways of training: each says what a step is made of and what its loss is."""
