"""Agents ask versions of the assistant in Slack."""
