"""The retraining as a durable sequence of steps, the worker that runs it, and what asks for it."""
