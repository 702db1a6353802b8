"""Documents: pages of the team's knowledge read as text, and the questions that they answer."""
