"""What people see in Slack: pure builders that take records and return Block Kit."""
