"""Promotions from Slack, and what commands name."""
