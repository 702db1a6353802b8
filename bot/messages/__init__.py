"""What the bot shows in Slack for rows of the outbox, by the records as they are now."""
