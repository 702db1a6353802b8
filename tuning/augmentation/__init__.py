"""Other wordings of corrected questions, so that an answer is learned and not a sentence."""
