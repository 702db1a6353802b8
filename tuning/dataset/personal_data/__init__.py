"""Personal data in what trains: found, and replaced by typed placeholders."""
