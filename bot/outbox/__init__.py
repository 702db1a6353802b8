"""Messages to Slack: what waits, what it shows, in which order and how fast, once each."""
