"""Words of what becomes of an agent's words to a customer."""

COLLEAGUE = "colleague"
CHANNEL = "channel"

HINT_NOBODY = "Nobody has taken this over, so your message stays internal. Press *Take over* first."
HINT_OTHER = "{owner} speaks with this customer; your message stays internal."
HINT_RESOLVED = "This is resolved, so your message stays internal."
HINT_TOO_LATE = (
    "Your message came when this was resolved already, so the customer has *not* got it: “{words}”"
)
HINT_EARLIER = (
    "You wrote this before you took over, so it stays internal. Write it again if the customer "
    "shall get it: “{words}”"
)
HINT_BROADCAST = (
    "A message that is also sent to the channel stays internal. Write it in the thread only if the "
    "customer shall get it."
)

HINT_EDITED_UNSEEN = (
    "You wrote and edited this while the bot was away, so the customer has *not* got it: “{words}” "
    "Write it again if they shall."
)

HINT_PASSED = (
    "{owner} had taken this over when your message came, so the customer has *not* got it: "
    "“{words}”"
)
HINT_NO_WORDS = (
    "Nothing went to the customer: your message holds no text, and an emoji of your workspace's "
    "own can't be passed on. Write in words what they shall get."
)

FILES_AND_TEXT = "Your text went to the customer without {files}: only text can be passed on."
FILES_ONLY = "Nothing went to the customer: only text can be passed on, not {files}."
FORWARDED = "the forwarded message"
FILE_KINDS = {
    "image": "the picture {name}",
    "video": "the video {name}",
    "audio": "the recording {name}",
    "text": "the text file {name}",
    "application": "the document {name}",
}
FILE = "the file {name}"
NO_NAME = "without a name"

NOT_RECORDED = (
    ":warning: Your message could not be recorded, so the customer has *not* got it: “{words}”\n"
    "It is tried again by itself, and what you write here after it waits for it. It gets its "
    ":hourglass_flowing_sand: when that works. You can also try now."
)
NOT_RECORDED_EVER = (
    ":warning: Your message could not be recorded, so the customer has *not* got it: “{words}”\n"
    "Press *Retry*, or write it again if that does not help."
)
NOT_RECORDED_PLAIN = "Your message could not be recorded, so the customer has not got it."
RETRY = "Retry"
RETRIED = ":white_check_mark: Sent by {author}: “{words}”"
RETRIED_INTERNAL = "This is no message to the customer, so it stays internal."
RETRY_NOT_YOURS = "Only {author} can send this: it is their message."
RETRY_GONE = "The message does not stand there any more, so nothing is sent."

EDIT_LATE = (
    "The customer keeps your message as it was: edits and deletions follow for {duration} only. "
    "Write what is right now in a new message."
)
EDIT_NEVER = "The customer keeps your message as it was: write what is right now in a new message."
EDIT_NOTE = "A note stays a note, whatever is made of it: write a new message to the customer."
EDIT_QUESTION = (
    "What you wrote to me stays internal, whatever is made of it: write a new message to the "
    "customer."
)
EDIT_REMOVED = (
    "The customer does not see this message any more, because it was internal for a while. Write "
    "a new one."
)
EDIT_NOT_RECORDED = (
    "What you changed could not be recorded, so the customer keeps your message as it was. {reason}"
)

UNREAD = (
    ":hourglass_flowing_sand: {author}, your reply of {at} has not reached the customer yet: they "
    "are not connected. They get it when they come back."
)
UNREAD_TRIED = "Sent again by {by} at {at}, in vain so far."
UNREAD_AGAIN = "Sent again by {by} at {at}. Waiting for the customer to connect."
UNREAD_DELIVERED = ":white_check_mark: Delivered at {at}"
UNREAD_REMOVED = "{author} took this reply back before the customer had it."
UNREAD_PLAIN = "A reply has not reached the customer yet."
