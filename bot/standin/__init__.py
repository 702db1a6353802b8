"""A strict stand-in for Slack: it keeps Slack's rules, for trials and tests without a workspace."""
