"""The queue of examples: order, filters, counts, near-duplicates; and it opens quickly."""

import time
from dataclasses import replace

from records import examples, flags, imports, review
from records.database import Database
from records.flags import Judgement
from records.imports import Lesson
from records.messages import Message, Role
from records.review import Wanted, Whose
from records.states import ExampleSource, FlagReason
from records.tables import Example
from tests.records.talks import a_conversation, waiting_example

ALL = Wanted("U0REV", ("support",))


def import_questions(
    database: Database, *pairs: tuple[str, str], assistant: str = "support"
) -> None:
    with database.write() as session:
        for asked, answer in pairs:
            imports.add_imported(
                session,
                Lesson([Message(Role.CUSTOMER, asked)], answer),
                assistant=assistant,
                key=f"import:{assistant}:{asked}",
                approved=False,
                actor="ops",
            )


def flag(database: Database, correction: str, *, agent: str = "U1", reason: FlagReason) -> None:
    _, turn_id = a_conversation(database)
    with database.write() as session:
        judgement = Judgement(reason=reason, correction=correction)
        flags.add(session, turn_id, agent=agent, judgement=judgement)


def walk(database: Database, wanted: Wanted, steps: int) -> list[str]:
    """The right answers in the order in which a reviewer who skips all sees them."""
    seen: list[Example] = []
    with database.read() as session:
        for _ in range(steps):
            after = seen[-1] if seen else None
            found = review.following(session, wanted, after=after)
            if found is not None:
                seen.append(found)
    return [example.chosen for example in seen]


def test_flags_come_before_imports_and_skipping_goes_round(database: Database) -> None:
    import_questions(database, ("a", "import 1"), ("b", "import 2"))
    flag(database, "flag 1", reason=FlagReason.WRONG)
    flag(database, "flag 2", reason=FlagReason.TONE)
    assert walk(database, ALL, 5) == ["flag 1", "flag 2", "import 1", "import 2", "flag 1"]


def test_places_count_from_one_in_that_order(database: Database) -> None:
    import_questions(database, ("a", "import 1"), ("b", "import 2"))
    flag(database, "flag 1", reason=FlagReason.WRONG)
    with database.read() as session:
        places, after = [], None
        for _ in range(3):
            after = review.following(session, ALL, after=after)
            assert after is not None
            places.append(review.place(session, ALL, after))
    assert places == [1, 2, 3]


def test_filters_narrow_the_queue_and_the_counts_agree(database: Database) -> None:
    import_questions(database, ("a", "import"))
    import_questions(database, ("a", "elsewhere"), assistant="other")
    flag(database, "wrong", reason=FlagReason.WRONG)
    flag(database, "mine", agent="U0REV", reason=FlagReason.TONE)
    cases = {
        ALL: ["wrong", "mine", "import"],
        replace(ALL, source=ExampleSource.IMPORT): ["import"],
        replace(ALL, reason=FlagReason.WRONG): ["wrong"],
        replace(ALL, whose=Whose.MINE): ["mine"],
        replace(ALL, whose=Whose.OTHERS): ["wrong", "import"],
        replace(ALL, assistants=("support", "other"), source=ExampleSource.IMPORT): [
            "import",
            "elsewhere",
        ],
        replace(ALL, reason=FlagReason.UNSAFE): [],
    }
    with database.read() as session:
        waiting = review.counted(session, "U0REV", ["support", "other"])
    for wanted, expected in cases.items():
        assert walk(database, wanted, len(expected)) == expected
        assert review.number(waiting, wanted) == len(expected)


def test_what_was_decided_is_passed_over(database: Database) -> None:
    import_questions(database, ("a", "1"), ("b", "2"))
    with database.write() as session:
        first = review.following(session, ALL, after=None)
        assert first is not None
        examples.decide(session, first.id, approve=True, actor="U0REV")
        assert not review.is_wanted(session, ALL, first)
        second = review.following(session, ALL, after=first)
        assert second is not None
        assert second.chosen == "2"
        examples.decide(session, second.id, approve=False, actor="U0REV")
        assert review.following(session, ALL, after=second) is None


def test_nearly_the_same_questions_are_found_and_others_are_not(database: Database) -> None:
    import_questions(
        database,
        ("How do I change my PIN?", "In the app."),
        ("How do I change my PIN??", "In the app."),
        ("how do i change my pin code?", "At a machine."),
        ("Where is my card?", "In the post."),
    )
    with database.read() as session:
        first = review.following(session, ALL, after=None)
        assert first is not None
        near = review.near(session, first, most=5)
    assert [review.question_of(one) for one in near] == [
        "How do I change my PIN??",
        "how do i change my pin code?",
    ]
    assert [review.teaches_the_same(one, first) for one in near] == [True, False]


def test_other_words_for_a_question_are_found_where_the_answer_is_the_same(
    database: Database,
) -> None:
    import_questions(
        database,
        ("Where can I change my PIN", "At a cash machine."),
        ("Where could I change my PIN", "At a cash machine."),
        ("Where would I change my PIN", "In the app."),
    )
    with database.read() as session:
        first = review.following(session, ALL, after=None)
        assert first is not None
        near = review.near(session, first, most=5)
    assert [review.question_of(one) for one in near] == ["Where could I change my PIN"]


def test_the_same_words_in_other_conversations_are_another_question(database: Database) -> None:
    talks = [
        ["My card was stolen last night in Berlin", "Shall I block it now?", "Yes, please do that"],
        ["I want to order foreign money for a trip", "Cash or card?", "Yes, please do that"],
    ]
    with database.write() as session:
        for index, said in enumerate(talks):
            roles = (Role.CUSTOMER, Role.ASSISTANT, Role.CUSTOMER)
            lesson = Lesson([Message(r, t) for r, t in zip(roles, said, strict=True)], "Done.")
            imports.add_imported(
                session, lesson, assistant="support", key=f"{index}", approved=False, actor="ops"
            )
    with database.read() as session:
        first = review.following(session, ALL, after=None)
        assert first is not None
        assert review.near(session, first, most=5) == []


def test_amounts_and_signs_make_answers_different() -> None:
    def example(chosen: str, *, escalate: bool = False) -> Example:
        return Example(chosen=chosen, should_escalate=escalate)

    same, other = example("It costs 5 €."), example("it costs  5 €.")
    assert review.teaches_the_same(same, other)
    assert not review.teaches_the_same(same, example("It costs 5 $."))
    assert not review.teaches_the_same(same, example("It costs 9 €."))
    assert not review.teaches_the_same(same, example("It costs 5 €.", escalate=True))


def test_five_thousand_waiting_examples_are_looked_through_quickly(database: Database) -> None:
    with database.write() as session:
        session.add_all(waiting_example(number) for number in range(5000))
    began = time.perf_counter()
    with database.read() as session:
        waiting = review.counted(session, "U0REV", ["support"])
        example = review.following(session, ALL, after=None)
        assert example is not None
        place = review.place(session, ALL, example)
        review.near(session, example, most=8)
    assert time.perf_counter() - began < 1
    assert (review.number(waiting, ALL), place) == (5000, 1)
