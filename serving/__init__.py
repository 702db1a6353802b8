"""The customers' endpoint: routing between versions, recording, escalation, admin API."""
