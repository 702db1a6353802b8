"""Words about the bot itself: rights, tokens, what went wrong."""

NOT_AN_OPERATOR = (
    "Only {people} may do this for {assistant}. The list stands in the assistant's file under "
    "slack.operators."
)
NOT_A_REVIEWER = (
    "Only {people} may review examples for {assistant}. The list stands in the assistant's file "
    "under slack.reviewers."
)
UNEXPECTED = "Something went wrong on our side. It is logged under {reference}."
