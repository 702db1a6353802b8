"""Where examples come from besides Slack: files of past conversations, and documents."""
