"""Everything that a person reads in Slack and that isn't a record, in one place.

A module for each thing that people do. Sentences are whole, with named gaps, so that each can be
put into another language by itself.
"""

from bot.wording import (
    asking,
    conversations,
    experiments,
    explaining,
    home,
    machine,
    releases,
    replies,
    retraining,
    review,
)

__all__ = [
    "asking",
    "conversations",
    "experiments",
    "explaining",
    "home",
    "machine",
    "releases",
    "replies",
    "retraining",
    "review",
]
