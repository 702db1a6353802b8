"""Which adapters are kept loaded, and which one goes."""

from hypothesis import given
from hypothesis import strategies as st

from serving.loading import Need, Want, kept, to_displace, wants_of
from serving.routing import Arm, Experiment, Lane, Shadow

NAMES = [f"v{i}" for i in range(8)]


def test_what_serves_comes_first_and_what_is_further_back_last() -> None:
    lane = Lane(
        ("now", "before", "older", "base"),
        Experiment("exp", (Arm("a", "arm", ()),)),
        Shadow("shd", "unseen", 0.1),
    )
    paths = {n: f"adapters/{n}" for n in (*lane.standing[:3], "arm", "unseen", "passed", "tried")}
    wants = wants_of(lane, paths=paths, serving="now", standby=["passed"], testers=["tried"])
    assert [(want.version, want.need) for want in wants] == [
        ("now", Need.CHAMPION),
        ("arm", Need.ARM),
        ("unseen", Need.SHADOW),
        ("before", Need.WAY_BACK),
        ("tried", Need.TESTER),
        ("passed", Need.STANDBY),
        ("older", Need.EARLIER),
    ]


def test_what_answers_until_the_champion_is_ready_is_as_needed_as_the_champion() -> None:
    lane = Lane(("new", "newer", "serving"))
    paths = {name: name for name in lane.standing}
    wants = wants_of(lane, paths=paths, serving="serving", standby=(), testers=())
    assert {want.version for want in wants if want.need is Need.CHAMPION} == {"new", "serving"}


def test_a_refused_version_takes_no_place() -> None:
    wants = [Want("bad", "p", Need.CHAMPION), Want("good", "p", Need.STANDBY)]
    assert [want.version for want in kept(wants, refused={"bad"}, most=1)] == ["good"]


@given(
    st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(Need)), unique_by=lambda w: w[0]),
    st.integers(0, 8),
)
def test_no_more_is_kept_than_there_is_room_for_and_nothing_before_what_is_more_urgent(
    wanted: list[tuple[str, Need]], most: int
) -> None:
    wants = [Want(name, name, need) for name, need in wanted]
    found = kept(wants, refused=(), most=most)
    assert len(found) == min(most, len(wants))
    left = [want.need for want in wants if want not in found]
    assert not left or not found or max(want.need for want in found) <= min(left)


names = st.sets(st.sampled_from(NAMES))


@given(loaded=names, keep=names, in_use=names, most=st.integers(1, 9), data=st.data())
def test_the_least_recently_used_goes_and_never_what_is_kept(
    loaded: set[str], keep: set[str], in_use: set[str], most: int, data: st.DataObject
) -> None:
    used_at = {name: data.draw(st.floats(0, 100)) for name in loaded}
    gone = to_displace(loaded, keep=keep, most=most, in_use=in_use, used_at=used_at)
    assert not set(gone) & keep
    assert len(gone) == min(max(0, len(loaded) + 1 - most), len(loaded - keep))
    stay = loaded - keep - set(gone)
    for name in stay:
        for other in gone:
            assert (other in in_use, used_at[other]) <= (name in in_use, used_at[name])
