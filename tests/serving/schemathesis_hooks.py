"""What no JSON Schema can say of a valid request: it names what there is, and nothing that will be.

Else most chat requests would end in 404, and most outcomes would lie in the future.
"""

import os
from typing import Any

import schemathesis
from schemathesis.generation import GenerationMode


@schemathesis.hook
def before_call(_context: Any, case: Any, **_: Any) -> None:
    if case.meta is None or case.meta.generation.mode is not GenerationMode.POSITIVE:
        return
    operation = case.operation.definition.raw.get("operationId")
    if operation == "create_chat_completion" and isinstance(case.body, dict):
        case.body["model"] = os.environ["MODEL"]
        case.headers.pop("X-Understudy-Version", None)
    if operation == "report_outcome" and isinstance(case.body, dict):
        moment = case.body.get("occurred_at")
        if isinstance(moment, str):
            case.body["occurred_at"] = f"1996{moment[4:]}"
