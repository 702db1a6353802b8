"""Words about the bot itself: rights, tokens, what went wrong."""

NOT_AN_OPERATOR = (
    "Only {people} may do this for {assistant}. The list stands in the assistant's file under "
    "slack.operators."
)
NOT_A_REVIEWER = (
    "Only {people} may review examples for {assistant}. The list stands in the assistant's file "
    "under slack.reviewers."
)
GROUPS_UNREAD = (
    "Slack does not say who is in {groups}, so it cannot be seen whether you may do this. Try "
    "again; if the group is gone, it must be taken out of the assistant's file (slack.operators, "
    "slack.reviewers). {why}"
)
UNEXPECTED = "Something went wrong on our side. It is logged under {reference}."
NOTICE_TITLE = "Understudy"
CLOSE = "Close"
LOADING = "One moment …"
FORM_LATE = "Slack was too slow to open the form: please press again."

STRANGER = (
    "You belong to another organisation, so you can read here but not act. Somebody of this team "
    "can name you in the assistant's file (slack.operators or slack.reviewers)."
)
STRANGER_WROTE = (
    "You belong to another organisation, so what you write here stays among those who read it: the "
    "customer does not get it, and the assistant does not answer. Somebody of this team can name "
    "you in the assistant's file (slack.operators or slack.reviewers)."
)
ELSEWHERE = "This belongs to another workspace."
OTHER_WORKSPACE = (
    "The assistant {assistant} belongs to the workspace {wanted}, but SLACK_BOT_TOKEN is one of "
    "{team}: set the token of {wanted}, or mend slack.workspace in the assistant's file."
)
REMOVED = (
    "The app was removed from its workspace or its token was revoked: install it again, set "
    "SLACK_BOT_TOKEN and restart the bot. What waits to be sent is kept."
)
NOT_INSTALLED = (
    "The app is not installed in the workspace {team} of the assistant {assistant}: open "
    "/slack/install at the bot's address and choose that workspace. What waits to be sent is kept."
)
NOWHERE_INSTALLED = (
    "The app is not installed in any workspace: open /slack/install at the bot's address."
)
WHICH_WORKSPACE = (
    "The app is installed in several workspaces ({teams}): name that of the assistant {assistant} "
    "under slack.workspace in its file."
)
UNWANTED_WORKSPACE = (
    "No assistant belongs to the workspace {team}, so the app was not installed. Name it under "
    "slack.workspace in an assistant's file, restart the bot, and install the app again."
)
LEFT = (
    "The app was removed from the workspace {team}, or its token was revoked: open /slack/install "
    "at the bot's address to install it again. What waits to be sent is kept."
)
NOT_ROTATED = (
    "Slack does not renew the token of the workspace {team}: open /slack/install at the bot's "
    "address and install the app there again."
)
INSTALLED_TITLE = "Installed"
INSTALLED = "The app is installed in {team}. Invite the bot in the assistant's channel."
NOT_INSTALLED_TITLE = "Not installed"
INSTALL_TITLE = "Understudy for Slack"
INSTALL = "Install the app in a workspace"
INSTALL_FAILED = "Slack or your browser broke it off ({reason}). Begin again at /slack/install."
ORG_WIDE = "Install the app in one workspace, not in a whole organisation."
SOCKET_REFUSED = (
    "Slack refuses SLACK_APP_TOKEN ({code}): set an app-level token (xapp-…) of this app with the "
    "scope connections:write, and see that Socket Mode is on."
)
NO_SOCKET = (
    "The bot has no connection to Slack and hears nothing: see that Slack can be reached, that "
    "Socket Mode is on and that SLACK_APP_TOKEN is still valid. It connects again by itself."
)
BY_SOCKET = "it hears Slack over a socket"
BY_HTTP = "without SLACK_APP_TOKEN it hears what Slack sends to /slack/events, by HTTP"
IN_WORKSPACE = "In the workspace {team}: {sentence}"
NOT_HERE = "The app is not installed in this workspace any more: install it again."
SCOPES_MISSING = "The app lacks rights: {scopes}. Install it again with deploy/slack/manifest.yaml."
NO_CHANNEL = (
    "The bot sees no channel #{channel}: create it and invite the bot there (/invite @Understudy), "
    "or name another in the file of the assistant {assistant}."
)
CHANNEL_ARCHIVED = (
    "The channel #{channel} is archived: name another in the file of the assistant {assistant}."
)
NOT_IN_CHANNEL = (
    "The bot is not in the channel #{channel} of the assistant {assistant}: /invite @Understudy "
    "there."
)
OF_THE_APP: dict[str, str] = {
    "invalid_client_id": "Slack knows no app with this UNDERSTUDY_SLACK_CLIENT_ID: set the one "
    "under Basic Information, App Credentials, and restart the bot.",
    "bad_client_secret": "Slack refuses UNDERSTUDY_SLACK_CLIENT_SECRET: set the one under Basic "
    "Information, App Credentials, and restart the bot.",
    "bad_redirect_uri": "Slack does not know the address to which it should send browsers back: "
    "name it under the app's redirect URLs, and in UNDERSTUDY_SLACK_REDIRECT_URL.",
}
"""Refusals of what the settings say of the app, in whichever workspace."""
SLACK_REFUSALS: dict[str, str] = {
    **OF_THE_APP,
    "invalid_auth": "Slack refuses the token: set SLACK_BOT_TOKEN rightly, or install the app "
    "again at /slack/install.",
    "not_authed": "Slack got no token: set SLACK_BOT_TOKEN.",
    "token_revoked": "The token was revoked: install the app again, and set SLACK_BOT_TOKEN unless "
    "it was installed at /slack/install.",
    "token_expired": "The token has expired: install the app again, and set SLACK_BOT_TOKEN unless "
    "it was installed at /slack/install.",
    "account_inactive": "The app was removed from the workspace: install it again.",
    "missing_scope": "The app lacks a scope ({needed}): install it again with "
    "deploy/slack/manifest.yaml.",
    "not_in_channel": "The bot is not in the channel: /invite @Understudy there.",
    "channel_not_found": "The bot sees no such channel: invite it there, or mend slack.channel in "
    "the assistant's file.",
    "is_archived": "The channel is archived: name another under slack.channel in the assistant's "
    "file.",
    "team_access_not_granted": "The app may not work in this workspace: an admin of the "
    "organisation must add it there.",
    "org_login_required": "The organisation is being moved or asks for another login: an admin "
    "must sign the app in again.",
    "ekm_access_denied": "The organisation's admins have suspended messages for now (Enterprise "
    "Key Management): they must allow them again.",
    "no_permission": "The app lacks a right in this workspace: an admin must allow it, or install "
    "it again with deploy/slack/manifest.yaml.",
    "access_denied": "The app lacks access in this workspace: an admin must allow it.",
}
SLACK_UNREACHABLE = "Slack cannot be reached: {error}."
SLACK_BROKE_OFF = "The call to Slack broke off: {error}."
SLACK_SAYS_WAIT = "Slack asks to wait a little."
SLACK_FAILED = "Slack failed: {code}."
SLACK_BUSY = "Slack is busy: {code}."
SLACK_REFUSES = "Slack refuses it: {code}."
SLACK_RESTRICTS = (
    "The channel's settings forbid the bot to post there ({code}): allow it under Posting "
    "permissions, or name another channel under slack.channel in the assistant's file."
)
SLACK_DISLIKES = (
    "Slack refuses it for now ({code}): look the code up in Slack's documentation of the method. "
    "It is tried again."
)
ARCHIVED = (
    "The channel #{channel} is archived: name another under slack.channel in the assistant's file."
)
UNSEEN_CHANNEL = (
    "The bot sees no channel #{channel}: create it and invite the bot there (/invite @Understudy), "
    "or name another under slack.channel in the assistant's file."
)
SCOPES: dict[str, str] = {
    "app_mentions:read": "hear who mentions the bot",
    "channels:history": "read replies in escalations' threads, and whether a message arrived",
    "channels:read": "find the channel by its name",
    "chat:write": "cards, transcripts, progress, reports",
    "commands": "slash commands and the message shortcut",
    "files:write": "plots, long transcripts",
    "groups:history": "the same in private channels",
    "groups:read": "the same in private channels",
    "im:history": "read what people ask the bot directly",
    "reactions:read": "hear who flags an answer with a reaction",
    "reactions:write": "the ✅ on a reply that was passed on",
    "usergroups:read": "who is in a user group that may release or review",
    "users:read": "nobody assigns a conversation to a bot, or to somebody who has left",
}
"""What the app may do in a workspace, and what for: no more than it uses."""
NO_ASSISTANT = "No assistant {name}; there are: {known}."
CANCEL = "Cancel"
SECONDS = "{number} s"
MINUTES = "{number} min"
HOURS = "{number} h"
DAYS = "{number} days"
LEFT_OUT = "_{number} more characters are left out here._"
HEAD_FAILED = "What it belongs to could not be sent: retry that first."
UNKNOWN_KIND = "This version of the bot does not know messages of the kind {kind}."
NOT_OPEN = "The bot is starting or stopping."
TOO_MANY_EVENTS = "{number} events wait to be worked on."
JOURNAL_FAILED = "The journal of events in {path} cannot be written ({error})."
FORM_KEPT = (
    "The records cannot be reached right now. What you entered is kept here and will be recorded "
    "as soon as they are back; you need not enter it again."
)
TOO_LATE = (
    "The bot was away when you pressed a button or sent a form, and so much time has passed that "
    "nothing was done. Look how things stand, and do it again if it is still right."
)
