"""Where patches lie, against marks that are carried through the windows one by one."""

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from nnspec.runtime.explain.patches import AxisWindow, PatchBatch, PhasedImages, position_groups, whole_image
from nnspec.spec_lang.vocabulary.spatial import window_extent

LENGTH = 17


@st.composite
def stacks(draw: st.DrawFn) -> list[AxisWindow]:
    """Windows over windows, along an axis of LENGTH cells."""
    length, found = LENGTH, []
    for _ in range(draw(st.integers(1, 3))):
        cells, stride, dilation = draw(st.integers(1, 4)), draw(st.integers(1, 3)), draw(st.integers(1, 2))
        along = window_extent(length, cells, stride, draw(st.sampled_from(["valid", "same", 1, 2])), dilation)
        assume(along.places >= 1)
        found.append(AxisWindow(along.places, cells, stride, dilation, along.before, draw(st.booleans())))
        length = along.places
    return found


def changed(cells: set[int], layer: AxisWindow) -> set[int]:
    """The places that look at any of these cells."""
    return {
        place
        for place in range(layer.outputs)
        if any(place * layer.stride - layer.before + u * layer.dilation in cells for u in range(layer.taps))
    }


@settings(max_examples=100, deadline=None)
@given(layers=stacks(), window=st.integers(1, 5), stride=st.integers(1, 4))
def test_every_place_of_an_occluder_is_in_one_run_and_its_patches_hold_all_that_it_changes(
    layers: list[AxisWindow], window: int, stride: int
) -> None:
    found = []
    for group in position_groups(LENGTH, window, stride, layers):
        for place in range(group.members):
            single = group.subset(place, place + 1)
            found.append(single.first)
            cells = set(range(single.first * stride, single.first * stride + window))
            for depth, layer in enumerate(layers, 1):
                cells = changed(cells, layer)
                start, size = single.starts[depth], single.sizes[depth]
                looked_at = layers[depth:] and layers[depth].needs_all  # then what nobody sees is left out
                assert looked_at or cells <= set(range(start, start + size))
    assert sorted(found) == list(range((LENGTH - window) // stride + 1))


def test_a_patch_is_no_larger_than_what_changes_within_the_image() -> None:
    conv, pool = AxisWindow(26, 3, needs_all=False), AxisWindow(13, 2, 2)
    even, odd = position_groups(28, 3, 1, [conv, pool])
    assert (even.first, even.every, even.members, odd.first) == (0, 2, 13, 1)
    assert even.sizes == (3, 6, 3) and odd.sizes == (
        3,
        6,
        3,
    )  # five rows of the convolution change, in three of the pool
    assert even.moves == (2, 2, 1)


def test_what_lies_outside_is_told_for_each_cell_of_a_patch() -> None:
    (group,) = position_groups(6, 3, 1, [AxisWindow(6, 3, before=1, needs_all=False)])
    patch = np.array(
        [[group.starts[1] + cell + place for place in range(group.members)] for cell in range(group.sizes[1])]
    )
    marked = np.zeros(patch.shape, bool)
    for cell, places in group.outside(1):
        marked[cell, places] = True
    np.testing.assert_array_equal(marked, (patch < 0) | (patch >= 6))


@settings(max_examples=50, deadline=None)
@given(layers=stacks(), window=st.integers(1, 5), stride=st.integers(1, 4), depth=st.integers(0, 1))
def test_patches_are_read_where_they_lie_and_as_zeros_beyond_what_was_given(
    layers: list[AxisWindow], window: int, stride: int, depth: int
) -> None:
    found, image = position_groups(LENGTH, window, stride, layers), whole_image(LENGTH, layers)
    start, size = image.starts[depth], image.sizes[depth]
    whole = np.arange(1.0, size * size * 2 + 1).reshape(size, size, 1, 1, 1, 2)
    laid = PhasedImages(whole, PatchBatch(image, image, slice(0, 2)), depth, found, found)
    place = PatchBatch(found[0], found[-1], slice(1, 2))
    read = np.empty((*place.sizes(depth), 1, *place.counts))
    for columns, there in laid.patches(place):
        read[:, columns] = there
    for at in np.ndindex(read.shape):
        row, column = (
            group.starts[depth] + at[axis] + at[3 + axis] * group.moves[depth] - start
            for axis, group in enumerate((place.rows, place.columns))
        )
        inside = 0 <= row < size and 0 <= column < size
        assert read[at] == (whole[row, column, 0, 0, 0, 1] if inside else 0)
