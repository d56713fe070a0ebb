"""Convolutions, pools, and modules that enlarge or cut an image."""

from typing import Any

from nnspec.exchange.models.page import Draft, both, options, size
from nnspec.exchange.models.torch.words import CannotSay, Leaf, module


def _reads(leaf: Leaf, draft: Draft, axes: int) -> None:
    """Say that a module reads and returns an image, or steps with the channels first. Raises CannotSay otherwise."""
    wanted = "image" if axes == 2 else "channels first"
    if draft.axes not in (wanted, ""):
        raise CannotSay(f"it reads {'an image' if axes == 2 else '(channels, time)'}, and has {draft.axes} before it")
    draft.axes = wanted


def _tuple(numbers: Any, axes: int) -> tuple[int, ...]:
    return (numbers,) * axes if isinstance(numbers, int) else tuple(numbers)


def _windows(leaf: Leaf, axes: int) -> dict[str, Any]:
    """Return stride, padding and dilation of a convolution, without those at their defaults."""
    if leaf.get("padding_mode", "zeros") != "zeros":
        raise CannotSay(f"padding_mode={leaf.get('padding_mode')!r}: write pad mode=reflect or mode=edge before it")
    pad, found = leaf.get("padding", 0), {}
    for name, default in (("stride", 1), ("dilation", 1)):
        given = _tuple(leaf.get(name, default), axes)
        found[name] = None if set(given) == {default} else both(given)
    if isinstance(pad, str):
        found["pad"] = None if pad == "valid" else pad
    else:
        cells = _tuple(pad, axes)
        found["pad"] = None if not any(cells) else both(cells)
    return found


@module("Conv1d", "Conv2d")
def _conv(leaf: Leaf, draft: Draft) -> list[str]:
    axes = int(leaf.kind[-2])
    _reads(leaf, draft, axes)
    channels, filters, groups = leaf.get("in_channels"), leaf.get("out_channels"), leaf.get("groups", 1)
    window, more = size(_tuple(leaf.get("kernel_size"), axes)), _windows(leaf, axes)
    bias = None if leaf.get("bias", True) else False
    if groups > 1 and groups == channels:
        multiplier = filters // channels
        draft.expect(leaf.path, *_tuple(leaf.get("kernel_size"), axes), 1, filters)
        text = f"depthwise {window}" + options(multiplier=multiplier if multiplier > 1 else None)
        return [text + options(**more, bias=bias)]
    draft.expect(leaf.path, *_tuple(leaf.get("kernel_size"), axes), channels // groups, filters)
    return [f"conv {window} x{size(filters)}" + options(**more, groups=groups if groups > 1 else None, bias=bias)]


@module("ConvTranspose1d", "ConvTranspose2d")
def _transposed(leaf: Leaf, draft: Draft) -> list[str]:
    axes = int(leaf.kind[-2])
    _reads(leaf, draft, axes)
    groups, more = leaf.get("groups", 1), _tuple(leaf.get("output_padding", 0), axes)
    filters = leaf.get("out_channels") // groups
    draft.expect(leaf.path, *_tuple(leaf.get("kernel_size"), axes), leaf.get("in_channels"), filters)
    text = f"transposed {size(_tuple(leaf.get('kernel_size'), axes))} x{leaf.get('out_channels')}"
    return [
        text
        + options(
            **_windows(leaf, axes),
            output_pad=both(more) if any(more) else None,
            groups=groups if groups > 1 else None,
            bias=None if leaf.get("bias", True) else False,
        )
    ]


@module("MaxPool1d", "MaxPool2d", "AvgPool1d", "AvgPool2d")
def _pool(leaf: Leaf, draft: Draft) -> list[str]:
    axes = int(leaf.kind[-2])
    _reads(leaf, draft, axes)
    window = _tuple(leaf.get("kernel_size"), axes)
    strides, pad = _tuple(leaf.get("stride") or window, axes), _tuple(leaf.get("padding", 0), axes)
    dilation, average = _tuple(leaf.get("dilation", 1), axes), leaf.kind.startswith("Avg")
    if leaf.get("divisor_override") is not None:
        raise CannotSay("divisor_override is not of the language")
    if average and leaf.from_text:
        draft.note(
            "what print shows of AvgPool does not have ceil_mode and count_include_pad: PyTorch's defaults are taken"
        )
    return [
        f"{'avgpool' if average else 'maxpool'} {both(window)}"
        + options(
            stride=None if strides == window else both(strides),
            pad=both(pad) if any(pad) else None,
            dilation=both(dilation) if set(dilation) != {1} else None,
            ceil_mode=bool(leaf.get("ceil_mode", False)) or None,
            count_include_pad=False if average and not leaf.get("count_include_pad", True) else None,
        )
    ]


@module("AdaptiveAvgPool1d", "AdaptiveAvgPool2d", "AdaptiveMaxPool1d", "AdaptiveMaxPool2d")
def _global_pool(leaf: Leaf, draft: Draft) -> list[str]:
    axes = int(leaf.kind[-2])
    _reads(leaf, draft, axes)
    if set(_tuple(leaf.get("output_size"), axes)) != {1}:
        raise CannotSay(f"output_size={leaf.get('output_size')}: the language pools to one number for each channel")
    draft.axes = "row"
    return ["globalavgpool" if "Avg" in leaf.kind else "globalmaxpool"]


_PADS = {"ZeroPad": None, "ReflectionPad": "reflect", "ReplicationPad": "edge"}


@module(*(f"{kind}{axes}d" for kind in _PADS for axes in (1, 2)))
def _padding(leaf: Leaf, draft: Draft) -> list[str]:
    axes = int(leaf.kind[-2])
    _reads(leaf, draft, axes)
    sides = _tuple(leaf.get("padding"), 2 * axes)  # the last axis first
    cells = sides if axes == 1 else (*sides[2:], *sides[:2])
    return [f"pad {both(cells)}" + options(mode=_PADS[leaf.kind[:-2]])]


@module("Upsample", "UpsamplingNearest2d", "UpsamplingBilinear2d")
def _upsample(leaf: Leaf, draft: Draft) -> list[str]:
    factor = leaf.get("scale_factor")
    factors = factor if isinstance(factor, tuple) else (factor,)
    if factor is None or any(float(each) != int(each) for each in factors):
        raise CannotSay("it takes a whole scale_factor in the language")
    mode = {"linear": "bilinear"}.get(leaf.get("mode", "nearest"), leaf.get("mode", "nearest"))
    if mode not in ("nearest", "bilinear"):
        raise CannotSay(f"mode={mode!r} is not of the language")
    if leaf.from_text and mode == "bilinear":
        draft.note("what print shows of Upsample does not have align_corners: PyTorch's default, False, is taken")
    corners = bool(leaf.get("align_corners", False)) or None
    return [f"upsample {both([int(each) for each in factors])}" + options(
        mode=mode if mode != "nearest" else None, align_corners=corners
    )]  # fmt: skip
