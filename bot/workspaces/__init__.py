"""The Slack workspaces that the app is in: tokens, channels, rights, and where one ends."""
