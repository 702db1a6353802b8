"""Promoting a version from Slack: by one operator, or by two where the assistant wants that."""

import asyncio
from collections.abc import Callable

from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy.orm import Session

from bot import wording
from bot.desk import Desk
from bot.releases.naming import names_of
from records import consents, versions
from records.assistant import Assistant
from records.database import lock_assistant


async def promote(
    desk: Desk,
    client: AsyncWebClient,
    version_id: str,
    *,
    user: str,
    check: Callable[[Session], None],
) -> str | None:
    """Promote a version, or note this operator's yes to it; returns what to tell them.

    `check` raises where what they pressed speaks of another state of things; it is called with the
    assistant's lock held.

    Raises:
        Forbidden: they are no operator.
        Conflict: the state of things forbids it.
        AdapterTampered, NotFound: the adapter's files are not what they were.
    """
    version = await desk.read(lambda session: versions.get(session, version_id))
    assistant = desk.assistant(version.assistant)
    await desk.roles.require_operator(client, assistant, user)
    await asyncio.to_thread(versions.check_files, desk.database, desk.artifacts, version_id)
    return await desk.write(
        lambda session: _promote(session, version_id, assistant, user=user, check=check)
    )


def _promote(
    session: Session,
    version_id: str,
    assistant: Assistant,
    *,
    user: str,
    check: Callable[[Session], None],
) -> str | None:
    lock_assistant(session, assistant.name)
    check(session)
    version = versions.get(session, version_id)
    if assistant.slack.two_person_promotion:
        versions.require_evidence(session, version)
        if len(consents.agree_to_promote(session, version, actor=user)) == 1:
            named = names_of(session, version.assistant).full(version_id)
            return wording.releases.CONSENT_NOTED.format(version=named)
    versions.promote(session, version_id, actor=user)
    return None
