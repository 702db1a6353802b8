"""The Slack app: where a support team takes over, corrects, approves and releases."""
