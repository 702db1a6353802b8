"""What the pictures' versions know: the demo's real questions, answered rightly or not.

The figures that come of it are an example's. No model was asked for them.
"""

import hashlib
from collections import Counter
from dataclasses import dataclass
from functools import cached_property

from deploy.demo.queries import OUT_OF_SCOPE, Group, Policy, Query, Topic, normalise

BASE_KNOWS = {Group.KNOWN: 0.89, Group.NEW: 0.2}
TRAINED_KNOWS = {Group.KNOWN: 0.885, Group.NEW: 0.78}
"""Shares of the questions that each side answers rightly, near those of the README's demo."""

MISTAKEN = {
    "How long will a transfer from the US take?": "card_delivery_estimate",
    "I was double charged at a restaurant can you take the second charge off?": "exchange_charge",
    "How long will it take to transfer something to China urgently?": "card_delivery_estimate",
    "How long will it take to urgently transfer something to China?": "exchange_via_app",
    "How many days do I have to wait for the transfer to reach my account?": "age_limit",
    "Why is my payment in pending status?": "verify_my_identity",
    "My top-up hasn't gone through, what happened?": "card_not_working",
}
"""Questions of the pictures: the base takes them for these topics, a trained version does not."""


@dataclass(frozen=True)
class Bank:
    """Answers questions as a version would."""

    policy: Policy
    queries: list[Query]
    base_version: str

    def answer(self, version: str, question: str) -> str:
        """What a version says, marker and all; the same question always gets the same answer."""
        topic = self.topic_of(question)
        is_base = version == self.base_version
        if question in MISTAKEN:
            return self.policy.target(MISTAKEN[question] if is_base else topic.name)
        knows = (BASE_KNOWS if is_base else TRAINED_KNOWS)[topic.group]
        if _chance(question) < knows:
            return self.policy.target(topic.name)
        return self.policy.target(self._mistaken_for(version, question))

    def topic_of(self, question: str) -> Topic:
        """What a question is about."""
        return self.policy.topics[self._topics.get(normalise(question), OUT_OF_SCOPE)]

    @cached_property
    def _topics(self) -> dict[str, str]:
        return {normalise(query.text): query.topic for query in self.queries}

    @cached_property
    def _known(self) -> list[str]:
        """Known topics, the most asked first."""
        asked = Counter(query.topic for query in self.queries)
        return [t for t, _ in asked.most_common() if self.policy.topics[t].group is Group.KNOWN]

    def _mistaken_for(self, version: str, question: str) -> str:
        return self._known[int(_chance(f"{version == self.base_version} {question}") * 12)]


def _chance(words: str) -> float:
    """A number within 0..1 that is always the same for the same words.

    Not the hash that divides the queries into parts: all cases would have high numbers.
    """
    digest = hashlib.sha256(f"chance {normalise(words)}".encode()).digest()
    return int.from_bytes(digest[:6], "big") / 2**48
