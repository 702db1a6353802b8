"""What people write in Slack, from the door to the customer: kept, in order, taken in once."""
