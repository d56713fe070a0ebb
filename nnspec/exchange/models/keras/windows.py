"""Convolutions, pools, and layers that enlarge or cut an image."""

from typing import Any

from nnspec.exchange.models.keras.words import CannotSay, Config, bias, layer, with_activation
from nnspec.exchange.models.page import Draft, both, options, size


def _windows(config: Config, axes: int) -> dict[str, Any]:
    """Return the stride, padding and dilation of a window, without those at their defaults."""
    strides, dilation = config.get("strides", 1), config.get("dilation_rate", 1)
    pad: str | None = config.get("padding", "valid")
    if pad == "causal":
        reach = _first(dilation) * (_first(config["kernel_size"]) - 1)
        pad = f"{reach}x0" if reach else "valid"
    return {
        "stride": both(strides) if both(strides) != "1" else None,
        "pad": None if pad == "valid" else pad,
        "dilation": both(dilation) if both(dilation) != "1" else None,
    }


def _first(numbers: Any) -> int:
    return int(numbers if isinstance(numbers, int) else numbers[0])


_CONV = "filters kernel_size strides padding data_format dilation_rate groups activation use_bias rank"


@layer("Conv1D", "Conv2D", takes=_CONV)
def _conv(config: Config, draft: Draft) -> list[str]:
    axes = _axes(config["kernel_size"], draft)
    groups = config.get("groups", 1)
    text = with_activation(f"conv {size(config['kernel_size'])} x{size(config['filters'])}", config)
    return [text + options(**_windows(config, axes), groups=groups if groups > 1 else None, bias=bias(config))]


def _axes(window: Any, draft: Draft) -> int:
    """Return how many axes a window has, and say in the draft what the layer returns."""
    axes = 1 if isinstance(window, int) else len(window)
    draft.axes = "image" if axes == 2 else "steps"
    return axes


@layer("DepthwiseConv1D", "DepthwiseConv2D", takes=_CONV + " depth_multiplier")
def _depthwise(config: Config, draft: Draft) -> list[str]:
    axes, more = _axes(config["kernel_size"], draft), config.get("depth_multiplier", 1)
    text = with_activation(f"depthwise {size(config['kernel_size'])}", config)
    return [text + options(multiplier=more if more > 1 else None, **_windows(config, axes), bias=bias(config))]


@layer("SeparableConv1D", "SeparableConv2D", takes=_CONV + " depth_multiplier")
def _separable(config: Config, draft: Draft) -> list[str]:
    axes, more = _axes(config["kernel_size"], draft), config.get("depth_multiplier", 1)
    text = with_activation(f"separable {size(config['kernel_size'])} x{size(config['filters'])}", config)
    return [text + options(multiplier=more if more > 1 else None, **_windows(config, axes), bias=bias(config))]


@layer("Conv1DTranspose", "Conv2DTranspose", takes=_CONV)
def _transposed(config: Config, draft: Draft) -> list[str]:
    axes = _axes(config["kernel_size"], draft)
    reach = zip(_list(config["kernel_size"], axes), _list(config.get("strides", 1), axes), strict=True)
    if config.get("padding") == "valid" and any(window < stride for window, stride in reach):
        raise CannotSay("its window is smaller than its stride: write output_pad= on the page")
    text = with_activation(f"transposed {size(config['kernel_size'])} x{size(config['filters'])}", config)
    return [text + options(**_windows(config, axes), bias=bias(config))]


def _list(numbers: Any, axes: int) -> list[int]:
    return [int(numbers)] * axes if isinstance(numbers, int) else [int(each) for each in numbers]


_POOL = "pool_size strides padding data_format"


@layer("MaxPooling1D", "MaxPooling2D", takes=_POOL)
def _max_pool(config: Config, draft: Draft) -> list[str]:
    return [_pool("maxpool", config, draft)]


@layer("AveragePooling1D", "AveragePooling2D", takes=_POOL)
def _average_pool(config: Config, draft: Draft) -> list[str]:
    counted = False if config.get("padding") == "same" else None
    return [_pool("avgpool", config, draft) + options(count_include_pad=counted)]


def _pool(word: str, config: Config, draft: Draft) -> str:
    axes = _axes(config["pool_size"], draft)
    window, strides = config["pool_size"], config.get("strides") or config["pool_size"]
    stride = None if _list(strides, axes) == _list(window, axes) else both(strides)
    same = "same" if config.get("padding") == "same" else None
    return f"{word} {both(window)}" + options(stride=stride, pad=same)


@layer("GlobalAveragePooling1D", "GlobalAveragePooling2D", takes="data_format")
def _global_average(config: Config, draft: Draft) -> list[str]:
    draft.axes = "row"
    return ["globalavgpool"]


@layer("GlobalMaxPooling1D", "GlobalMaxPooling2D", takes="data_format")
def _global_max(config: Config, draft: Draft) -> list[str]:
    draft.axes = "row"
    return ["globalmaxpool"]


@layer("ZeroPadding1D", "ZeroPadding2D", takes="padding data_format")
def _padding(config: Config, draft: Draft) -> list[str]:
    return [f"pad {_sides(config['padding'], draft)}"]


@layer("Cropping1D", "Cropping2D", takes="cropping data_format")
def _cropping(config: Config, draft: Draft) -> list[str]:
    return [f"crop {_sides(config['cropping'], draft)}"]


def _sides(given: Any, draft: Draft) -> str:
    """Return the cells at each side: N, BEFORExAFTER over time, TOPxBOTTOMxLEFTxRIGHT."""
    if isinstance(given, int):
        return str(given)
    numbers = [number for each in given for number in (each if isinstance(each, list | tuple) else [each])]
    if draft.axes == "image" and len(numbers) == 2:
        numbers = [numbers[0], numbers[0], numbers[1], numbers[1]]
    return both(numbers)


@layer("UpSampling1D", "UpSampling2D", takes="size interpolation data_format")
def _upsampling(config: Config, draft: Draft) -> list[str]:
    mode = config.get("interpolation", "nearest")
    if mode not in ("nearest", "bilinear"):
        raise CannotSay(f"interpolation={mode!r} is not of the language")
    return [f"upsample {both(config['size'])}" + options(mode=mode if mode != "nearest" else None)]
