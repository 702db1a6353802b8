"""The demo's agents find what they press: buttons, forms and marks as the bot shows them now."""

from bot.standin.people import text_of
from deploy.demo import agents
from deploy.demo.queries import load_policy, load_queries
from records import examples
from tests.bot.office import ANSWER, CHANNEL, Office, found, offering
from tests.bot.releases import approve_examples


async def test_they_take_over_answer_flag_resolve_and_approve(office: Office) -> None:
    policy = load_policy()
    queries = [query for query in load_queries() if query.topic in policy.topics]
    chosen = list({query.topic: query for query in queries}.values())[:2]
    waiting = []
    for query in chosen:
        _, answer = office.ask(query.text, ANSWER, key=query.topic)
        waiting.append(office.escalate(answer))
    standin = f"http://127.0.0.1:{office.slack_port}"
    team = agents.make_team(standin, CHANNEL, policy, queries)
    done: list[None] = []
    await agents.handle_escalations(team, waiting, on_done=lambda: done.append(None))
    await office.all_sent()
    with office.database.read() as session:
        approved = {example.chosen for example in examples.approved(session, "support")}
    assert approved == {policy.topics[query.topic].answer for query in chosen}
    assert len(done) == len(chosen)


async def test_the_operator_asks_for_a_retraining_by_the_form(office: Office) -> None:
    approve_examples(office)
    standin = f"http://127.0.0.1:{office.slack_port}"
    await agents.ask_to_retrain(agents.make_team(standin, CHANNEL, load_policy(), []))
    message = await found(office.person("U0ANN"), offering("cancel_job"))
    assert f"asked for by <@{agents.OPERATOR}>" in text_of(message)
