"""Networks written out: names, blocks, repeats, branches, variables, shapes and limits."""

import pytest

from nnspec.spec_lang.check.spec import Fork, Spec
from nnspec.spec_lang.limits import MAX_LAYERS, MAX_NESTING
from tests.support.spec_findings import codes_of, error_of, errors_of, spec_of

RES = "block res(w) = (conv 3x3 x$w pad=same relu -> conv 3x3 x$w pad=same + skip) -> relu\n"


def names(spec: Spec) -> list[str]:
    return [node.name for node in spec.nodes]


def test_layers_are_counted_by_their_kind() -> None:
    assert names(spec_of("input 4 -> dense 3 -> relu -> dense 2 -> relu")) == ["dense1", "relu1", "dense2", "relu2"]


def test_a_name_of_one_s_own_is_kept_and_its_kind_is_not_counted() -> None:
    assert names(spec_of("input 4 -> dense 3 -> stem: dense 3 -> dense 2")) == ["dense1", "stem", "dense2"]
    assert list(spec_of("input 4 -> stem: dense 3").parameters()) == ["stem/weight", "stem/bias"]


def test_a_counted_name_passes_over_one_that_is_taken() -> None:
    assert names(spec_of("input 4 -> dense1: relu -> dense 3 -> dense 2")) == ["dense1", "dense2", "dense3"]


def test_two_layers_cannot_have_one_name() -> None:
    error = error_of("input 4 -> a: dense 3 -> a: dense 3")
    assert (error.code, error.span.text) == ("E107", "a: dense 3")
    assert codes_of("input 4 -> dense 3 -> dense1: dense 3") == ["E107"]


def test_a_repeat_has_weights_of_its_own_each_time() -> None:
    assert names(spec_of("input 4 -> repeat 3 (dense 4 -> relu)")) == [
        "dense1",
        "relu1",
        "dense2",
        "relu2",
        "dense3",
        "relu3",
    ]
    assert names(spec_of("input 4 -> repeat 3 (a: dense 4)")) == ["a", "a2", "a3"]
    assert names(spec_of("input 4 -> a2: relu -> repeat 2 (a: dense 4)")) == ["a2", "a", "a3"]
    assert names(spec_of("let n = 2\ninput 4 -> repeat $n (dense 4)")) == ["dense1", "dense2"]
    assert names(spec_of("input 4 -> body: repeat 2 (dense 4)")) == ["body/dense1", "body2/dense1"]


def test_blocks_put_their_names_in_front() -> None:
    spec = spec_of(RES + "input 8x8x4\nres 4 -> last: res 4 -> repeat 2 (res w=4)")
    assert names(spec)[:4] == ["res1/conv1", "res1/conv2", "res1/add1", "res1/relu1"]
    assert [name for name in names(spec) if name.endswith("conv2")] == [
        "res1/conv2", "last/conv2", "res2/conv2", "res3/conv2"
    ]  # fmt: skip
    assert "last/conv1/weight" in spec.parameters()


def test_blocks_use_blocks_and_see_the_lets_but_not_what_is_around_their_use() -> None:
    text = "let w = 3\nblock a(w) = dense $w\nblock b(v) = a $v -> dense $w\ninput 4\nb 7"
    assert [(node.name, node.output_shape) for node in spec_of(text).nodes] == [
        ("b1/a1/dense1", (7,)),
        ("b1/dense1", (3,)),
    ]
    assert error_of("block a() = dense $v\nblock b(v) = a\ninput 4\nb 3").message == 'nothing gives "$v" a value'


def test_a_block_takes_values_of_any_kind() -> None:
    text = "block a(window, filters, act, pad) = conv $window x$filters $act pad=$pad\ninput 8x8x1\n"
    layer = spec_of(text + "a 3x3 8 relu same").nodes[0].layer
    assert layer == spec_of(text + "a pad=same act=relu 3x3 8").nodes[0].layer
    assert spec_of(text + "a 3x3 8 relu 1").output_shape == (8, 8, 8)
    assert spec_of("block a(c) = conv 3x3 $c\ninput 8x8x1\na x8").output_shape == (6, 6, 8)


@pytest.mark.parametrize(
    ("use", "code", "at", "message"),
    [
        ("a 3", "E105", "a 3", "a needs its v"),
        ("a", "E105", "a", "a needs its w"),
        ("a 3 4 5", "E104", "5", "a takes w, v, here are 3 values"),
        ("a 3 x=4", "E102", "x", 'a has no option "x", it takes w, v'),
        ("a w=3 w=4 v=1", "E106", "w=4", "w is given twice"),
        ("a w=3, 4 v=1", "E201", "w=3, 4", "w takes one value"),
    ],
)  # fmt: skip
def test_a_use_that_does_not_fit_a_block_is_told(use: str, code: str, at: str, message: str) -> None:
    error = error_of(f"block a(w, v) = dense $w -> dense $v\ninput 4\n{use}")
    assert (error.code, error.span.text, error.message) == (code, at, message)


def test_a_block_that_uses_itself_is_named_with_the_way_back() -> None:
    assert error_of("block a() = a\ninput 4\na").message == "the block a uses itself: a -> a"
    assert (
        error_of("block a() = b -> b\nblock b() = relu -> a\ninput 4\na").message
        == "the block a uses itself: a -> b -> a"
    )


@pytest.mark.parametrize("name", ["conv", "optimizer", "skip", "relu"])
def test_a_block_cannot_have_a_name_that_means_something_else(name: str) -> None:
    assert error_of(f"block {name}(w) = dense $w\ninput 4\ndense 3").code == "E107"


def test_a_block_has_each_parameter_once() -> None:
    assert error_of("block a(w, w) = dense $w\ninput 4\na 3 3").message == "block a has two parameters called w"


def test_branches_are_added_and_concatenated() -> None:
    spec = spec_of("input 8x8x2\n(conv 3x3 x2 pad=same + skip + conv 1x1 x2) -> (skip | conv 1x1 x3 -> relu)")
    add, concatenate = spec.network
    assert isinstance(add, Fork) and isinstance(concatenate, Fork)
    assert [len(branch) for branch in add.branches] == [1, 0, 1]
    assert (add.merge.inputs, add.merge.output_shape) == (("conv1", "input", "conv2"), (8, 8, 2))
    assert (concatenate.merge.inputs, concatenate.merge.output_shape) == (("add1", "relu1"), (8, 8, 5))


def test_nodes_stand_in_an_order_in_which_each_reads_what_is_before_it() -> None:
    spec = spec_of(RES + "input 8x8x4\nrepeat 2 (res 4 -> (skip | (skip + conv 1x1 x4)) -> conv 1x1 x4) -> dense 3")
    ready = {"input"}
    for node in spec.nodes:
        assert set(node.inputs) <= ready
        ready.add(node.name)


@pytest.mark.parametrize(
    ("join", "message"),
    [
        ("conv 3x3 x2 + skip", "Branches that are added must have the same shape; these have 6x6x2 + 8x8x2."),
        ("conv 1x1 x3 + skip", "Branches that are added must have the same shape; these have 8x8x3 + 8x8x2."),
        ("conv 3x3 x2 | skip", "Branches that are concatenated may differ only in channels; these have 6x6x2 | 8x8x2."),
    ],
)  # fmt: skip
def test_branches_that_do_not_fit_each_other_are_told(join: str, message: str) -> None:
    error = error_of(f"input 8x8x2\n({join}) -> dense 3")
    assert (error.code, error.message, error.notes[0]) == ("E301", "the branches do not fit each other", message)


def test_a_misfit_tells_the_shape_at_every_step_with_the_values_of_variables() -> None:
    text = "let k = 5x5\nblock a(w) = conv $k x$w  # wide\n -> maxpool 2\ninput 20x20x1\na 4 -> conv 99x99 x8"
    assert error_of(text).notes == (
        "A window of 99x99 does not fit into a 8x8x4 image.",
        "20x20x1 · conv 5x5 x4 · 16x16x4 · maxpool 2 · 8x8x4",
    )


def test_a_long_way_is_told_by_its_beginning_and_its_end() -> None:
    note = error_of("input 9x9x1\nrepeat 40 (conv 1x1 x2) -> conv 99x99 x8").notes[1]
    assert note.startswith("9x9x1 · … 28 more layers … · conv 1x1 x2 · 9x9x2 · ")
    assert note.count("conv 1x1 x2") == 12


def test_what_stands_behind_a_misfit_is_bound_but_its_shape_is_not_judged() -> None:
    found = errors_of("input 8x8x1\nconv 9x9 x8 -> conv 99x99 x8 -> dense 3 rellu")
    assert [(error.code, error.span.text) for error in found] == [("E301", "conv 9x9 x8"), ("E103", "rellu")]


def test_a_mistake_in_a_block_is_told_at_its_first_use_alone() -> None:
    error = error_of("block a(w) = dense $w slope=1\ninput 4\nrepeat 2 (a 3) -> a 4")
    assert [(trace.what, trace.span.shown()) for trace in error.around()] == [("block a", "net.nnspec:3:11")]


def test_variables_are_looked_up_among_the_lets_above() -> None:
    text = "let a = 3\nlet b = $a\nlet c = relu\ninput 4\ndense $b $c"
    assert spec_of(text).output_shape == (3,)
    assert error_of("let b = $a\nlet a = 3\ninput 4\ndense $b").message == 'nothing gives "$a" a value'
    assert error_of("let width = 3\ninput 4\ndense $widht").help == "did you mean $width?"
    assert error_of("input 4\ndense $w").help == "write let w = … above"
    assert error_of("let w = relu\ninput 4x4\nconv 3x3 x$w").message == "x$w is a count, and $w is no whole number"
    assert spec_of("let w = 0.5\ninput 4\noptimizer sgd lr=$w\ndense 3").optimizer.lr == 0.5


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("skip 3", "E104"), ("a: skip", "E104"), ("repeat 0 (dense 3)", "E202"), ("repeat -3 (dense 3)", "E202"),
        ("repeat $n (dense 3)", "E103"), ("input 3", "E101"),
    ],
)  # fmt: skip
def test_what_skip_and_repeat_cannot_be(text: str, code: str) -> None:
    assert error_of(f"input 4 -> {text} -> dense 3").code == code


def test_a_repeat_takes_a_whole_number_from_its_let() -> None:
    assert error_of("let n = relu\ninput 4\nrepeat $n (dense 3)").message == "repeat takes a whole number"


def test_ten_thousand_layers_are_allowed_and_not_one_more() -> None:
    assert len(spec_of(f"input 4\nrepeat {MAX_LAYERS} (dense 4)").nodes) == MAX_LAYERS
    error = error_of(f"input 4\nrepeat {MAX_LAYERS + 1} (dense 4)")
    assert (error.code, error.message, error.span.text) == (
        "E003",
        "the network has more than 10,000 layers",
        "repeat 10001",
    )
    assert error_of("input 4\ndense 4" + " -> dense 4" * MAX_LAYERS).code == "E003"


@pytest.mark.parametrize(
    "text",
    [
        "repeat 100000000 (skip)",
        "repeat 100000 (repeat 100000 (repeat 100000 (skip))) -> dense 3",
        "repeat 9223372036854775807 (dense 4)",
        "repeat 99999 (skip + skip)",
        "".join(f"block b{i}() = b{i + 1} -> b{i + 1}\n" for i in range(60)) + "block b60() = skip\ninput 4\nb0",
        "block a() = (skip + skip) -> (skip + skip) -> (skip + skip)\ninput 4\nrepeat 999999 (a) -> dense 3",
    ],
)  # fmt: skip
def test_what_would_be_written_out_without_end_is_refused(text: str) -> None:
    assert codes_of(text if "input" in text else f"input 4\n{text}") == ["E003"]


def test_blocks_and_groups_together_may_be_sixty_four_levels_deep() -> None:
    def nested(blocks: int) -> str:
        text = "".join(f"block b{i}() = (b{i + 1})\n" for i in range(blocks - 1))
        return f"{text}block b{blocks - 1}() = dense 3\ninput 4\nb0"

    assert codes_of(nested(MAX_NESTING // 2)) == []
    error = error_of(nested(MAX_NESTING))
    assert (error.code, error.message) == ("E003", "blocks and groups inside each other, more than 64 levels deep")


def test_a_repeat_and_its_parentheses_are_one_level() -> None:
    assert codes_of(f"input 4\n{'repeat 1 (' * MAX_NESTING}dense 3{')' * MAX_NESTING}\n") == []
    block = f"block a() = {'(' * MAX_NESTING}dense 3{')' * MAX_NESTING}\n"
    assert error_of(f"{block}input 4\nrepeat 2 (a)\n").help is None
