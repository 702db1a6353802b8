"""One file per thing that a person does in Slack."""

from slack_bolt.async_app import AsyncApp

from bot.asking.asking import Asking
from bot.attendance import Attendance
from bot.desk import Desk
from bot.incoming.hints import Hints
from bot.listeners import (
    ask,
    ask_again,
    assign,
    cancel_job,
    change_reply,
    compare,
    compare_answers,
    decide_example,
    discard,
    edit_draft,
    explain,
    flag_answer,
    flag_by_reaction,
    hand_back,
    open_home,
    open_messages,
    pause,
    pick_version,
    promote,
    rate_answer,
    reject_in_words,
    reply,
    resolve,
    retrain,
    retry_reply,
    review_conversation,
    review_decide,
    review_edit,
    review_filter,
    review_next,
    review_reject,
    review_settle,
    rollback,
    send_again,
    send_draft,
    start_experiment,
    steer_experiment,
    take_over,
    versions,
    withdraw_flag,
)


def register(
    app: AsyncApp, desk: Desk, attendance: Attendance, asking: Asking, hints: Hints
) -> None:
    """Make the app listen to everything.

    Of two that listen to the same, the one that was registered first is told: what is said to the
    bot itself comes before all other messages.
    """
    ask.register(app, desk, hints, asking)
    ask_again.register(app, desk, attendance, asking)
    change_reply.register(app, desk, hints)
    reply.register(app, desk, hints)
    for listener in (
        open_messages,
        pick_version,
        rate_answer,
        compare_answers,
        send_draft,
        edit_draft,
        take_over,
        assign,
        pause,
        resolve,
        hand_back,
        retry_reply,
        send_again,
        flag_answer,
        flag_by_reaction,
        withdraw_flag,
        decide_example,
        reject_in_words,
        open_home,
        review_filter,
        review_next,
        review_conversation,
        review_decide,
        review_settle,
        review_reject,
        review_edit,
        retrain,
        cancel_job,
        promote,
        discard,
        rollback,
        start_experiment,
        steer_experiment,
        versions,
        compare,
        explain,
    ):
        listener.register(app, desk, attendance)
