"""How rows are dealt to files."""

from hypothesis import given
from hypothesis import strategies as st

from musicnet_build.packing.peers.rows import shard_groups


@given(st.lists(st.integers(0, 100), max_size=40), st.integers(1, 120))
def test_every_row_is_in_one_file_in_order_and_no_file_of_several_is_too_large(sizes: list[int], limit: int) -> None:
    groups = shard_groups(sizes, limit)
    assert [place for group in groups for place in group] == list(range(len(sizes)))
    assert all(group for group in groups)
    assert all(len(group) == 1 or sum(sizes[place] for place in group) <= limit for group in groups)
