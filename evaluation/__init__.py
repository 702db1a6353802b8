"""Evidence: versions answer frozen cases through the engine, and a gate says what that shows."""
