"""A finder and a concealer as an assistant without options has them, built once."""

import pytest

from tuning.dataset.options import PersonalDataOptions
from tuning.dataset.personal_data.conceal import Concealer
from tuning.dataset.personal_data.finder import Finder


@pytest.fixture(scope="session")
def finder() -> Finder:
    return Finder(PersonalDataOptions())


@pytest.fixture(scope="session")
def concealer() -> Concealer:
    options = PersonalDataOptions(
        patterns={"CUSTOMER_ID": r"\bKD-\d{4}\b"},
        own=("alder.example", "0800 123 4567", "bob@alder.example"),
    )
    return Concealer(options, system_prompt="You answer for Alder Bank, phone +49 30 999 8887.")
