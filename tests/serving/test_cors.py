"""Which pages of other origins may call."""

import pytest

from serving.cors import Cors, is_preflight, origins_of

SHOP = b"https://shop.example"
ASKS = {b"origin": SHOP, b"access-control-request-method": b"POST"}


def test_by_default_no_page_may_call() -> None:
    cors = Cors(origins_of(""))
    assert not cors.asked_for
    assert cors.headers(SHOP) == ()


def test_named_origins_may_call_and_caches_are_told() -> None:
    cors = Cors(origins_of(" https://shop.example/ , https://help.example"))
    assert cors.asked_for
    assert dict(cors.headers(SHOP))[b"access-control-allow-origin"] == SHOP
    assert dict(cors.headers(SHOP))[b"vary"] == b"Origin"
    for other in (b"https://shop.example.evil", b"null", b"", None):
        assert cors.headers(other) == ((b"vary", b"Origin"),)
        assert not cors.allows(other or b"")


def test_a_star_allows_all_but_never_with_cookies() -> None:
    headers = dict(Cors(origins_of("*")).headers(b"https://any.example"))
    assert headers[b"access-control-allow-origin"] == b"*"
    assert b"access-control-allow-credentials" not in headers


def test_a_browser_is_told_what_it_may_send() -> None:
    cors = Cors({SHOP.decode()})
    names = b"authorization,content-type,x-stainless-lang"
    told = dict(cors.preflight({**ASKS, b"access-control-request-headers": names}))
    assert told[b"access-control-allow-headers"] == names
    assert b"POST" in told[b"access-control-allow-methods"]
    evil = dict(cors.preflight({**ASKS, b"access-control-request-headers": b"a\r\nset-cookie: x"}))
    assert evil[b"access-control-allow-headers"] == b"authorization, content-type"


@pytest.mark.parametrize(
    ("method", "headers", "asks"),
    [("OPTIONS", ASKS, True), ("POST", ASKS, False), ("OPTIONS", {b"origin": SHOP}, False)],
)
def test_a_browsers_question_is_known(
    method: str, headers: dict[bytes, bytes], *, asks: bool
) -> None:
    assert is_preflight(method, headers) is asks
