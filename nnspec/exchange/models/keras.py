"""A Keras model as a page: the JSON of model.to_json(), of Keras 2 and 3, or the config.json inside a .keras file."""

from collections.abc import Callable, Mapping
from typing import Any

from nnspec.exchange.errors import ExchangeError
from nnspec.exchange.models.page import Draft, both, options, size

Config = Mapping[str, Any]
Layer = Callable[[Config, Draft], list[str]]
"""A function from the arguments of a layer to its stages; it says in the draft what the next layer reads."""

_LAYERS: dict[str, tuple[Layer, frozenset[str]]] = {}

_ALWAYS = {
    "name", "trainable", "dtype", "batch_input_shape", "batch_shape", "build_config", "seed", "autocast", "sparse",
    "ragged", "input_dtype", "ragged_rank", "optional", "activity_regularizer",
}  # fmt: skip
"""Arguments that say nothing of what a layer computes, or that are looked at for every layer."""

_TRAINING = ("_initializer", "_regularizer", "_constraint")

_INITIALIZERS = {
    "GlorotUniform": "xavier_uniform", "GlorotNormal": "xavier", "HeUniform": "he_uniform", "HeNormal": "he",
    "LecunNormal": "lecun", "Orthogonal": "orthogonal",
}  # fmt: skip

ACTIVATIONS = {
    "relu": "relu", "sigmoid": "sigmoid", "tanh": "tanh", "softmax": "softmax", "elu": "elu", "selu": "selu",
    "gelu": "gelu", "softplus": "softplus", "silu": "silu", "swish": "silu", "mish": "mish",
}  # fmt: skip


def layer(*names: str, takes: str = "") -> Callable[[Layer], Layer]:
    """Register a function for classes of layers, with the names of the arguments that it reads."""

    def register(function: Layer) -> Layer:
        for name in names:
            _LAYERS[name] = function, frozenset(takes.split())
        return function

    return register


def keras_draft(model: Config, name: str, given_input: str = "") -> Draft:
    """Return the draft of a model. Raises ExchangeError for a layer that the language cannot say, by its name."""
    draft = Draft("Keras", name, given_input)
    chain = _chain(model)
    _begin(draft, chain)
    initializers: set[str] = set()
    for each in chain:
        config, kind = each["config"], each["class_name"]
        called = str(config.get("name", kind))
        try:
            stages = _stages(kind, config, draft)
        except _CannotSay as error:
            raise ExchangeError(f"{called} ({kind}): {error}") from None
        except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
            raise ExchangeError(f"{called} ({kind}): an argument is missing or of another kind ({error})") from None
        draft.add(stages, called if _named_by_hand(called, kind) else "")
        initializers |= _initializers(config)
        _note_training(config, called, draft)
    if len(initializers) == 1 and (known := _INITIALIZERS.get(initializers.pop())):
        draft.settings.append(f"init {known}")
    return draft


class _CannotSay(Exception):
    """What the language lacks for a layer, in words."""


def _chain(model: Config) -> list[Config]:
    """Return the layers of a model in order, those of models inside it in their place.

    Raises ExchangeError for a model with branches, and for one that is not a chain of layers.
    """
    kind, config = model.get("class_name"), model.get("config")
    layers = config.get("layers") if isinstance(config, Mapping) else config
    if not isinstance(kind, str) or not isinstance(layers, list):
        raise ExchangeError(
            "it does not describe a Keras model\n  help: open('model.json', 'w').write(model.to_json())"
        )
    if kind not in ("Sequential", "Functional", "Model"):
        raise ExchangeError(f"the model is a {kind}: only Sequential, or a chain of layers, can be said")
    found: list[Config] = []
    before = None
    for each in layers:
        if not isinstance(each, Mapping) or not isinstance(each.get("config"), Mapping | list):
            raise ExchangeError("a layer of the model has no class and arguments")
        inner = each["config"]
        called = each.get("name") or (inner.get("name") if isinstance(inner, Mapping) else None)
        if kind != "Sequential" and each.get("class_name") != "InputLayer":
            sources = set(_sources(each.get("inbound_nodes")))
            if sources != {before}:
                raise ExchangeError(f"{called}: it reads {_listed(sources)}: only a chain of layers can be said")
        before = called
        nested = each.get("class_name") in ("Sequential", "Functional", "Model")
        found += _chain(each) if nested else [each]
    return found


def _listed(sources: set[Any]) -> str:
    return ", ".join(sorted(map(str, sources))) or "nothing"


def _sources(nodes: Any) -> list[Any]:
    """Return the names of the layers that a layer reads, as Keras 3 or Keras 2 writes them."""
    if isinstance(nodes, Mapping):
        history = nodes.get("keras_history")
        return [history[0]] if isinstance(history, list) and history else _sources(list(nodes.values()))
    if isinstance(nodes, list):
        if len(nodes) >= 3 and isinstance(nodes[0], str) and isinstance(nodes[1], int):
            return [nodes[0]]
        return [name for each in nodes for name in _sources(each)]
    return []


def _begin(draft: Draft, chain: list[Config]) -> None:
    """Take the shape of a sample from the first layers, and what the first one that computes reads."""
    shape = None
    for each in chain[:2]:
        config, built = each["config"], each.get("build_config")
        built = built.get("input_shape") if isinstance(built, Mapping) else None
        shape = shape or config.get("batch_shape") or config.get("batch_input_shape") or built
    first = next((each["class_name"] for each in chain if each["class_name"] != "InputLayer"), "")
    sizes = list(shape[1:]) if isinstance(shape, list) else []
    if len(sizes) > 3:
        raise ExchangeError(f"a sample has {len(sizes)} axes, and an image or a sequence has three at most")
    symbols = first == "Embedding"
    draft.axes = "symbols" if symbols else {3: "image", 2: "steps", 1: "row"}.get(len(sizes), "")
    known = bool(sizes) and all(isinstance(length, int) and length > 0 for length in sizes)
    if not draft.input and known:
        sequence = len(sizes) == 2 and first not in ("Flatten", "Reshape")
        draft.input = size(sizes) + (" sequence" if sequence else "")


def _named_by_hand(called: str, kind: str) -> bool:
    """Return whether a name is one that Keras has not made of the class."""
    from nnspec.exchange.weights.files.keras import snake_case

    base, _, number = called.rpartition("_")
    return called != snake_case(kind) and not (number.isdecimal() and base == snake_case(kind))


def _stages(kind: str, config: Config, draft: Draft) -> list[str]:
    """Return the stages of a layer. Raises _CannotSay for another class, or an argument that it does not read."""
    if kind not in _LAYERS:
        raise _CannotSay(_INSTEAD.get(kind, "the language has no such layer"))
    function, taken = _LAYERS[kind]
    for name, value in config.items():
        known = name in taken or name in _ALWAYS or name.endswith(_TRAINING)
        if not known and value not in (None, False, 0, 0.0, "", [], {}):
            raise _CannotSay(f"{name}={value!r} is not of the language")
    if config.get("data_format", "channels_last") not in ("channels_last", None):
        raise _CannotSay("its images have the channels first; build the model with data_format='channels_last'")
    return function(config, draft)


def _note_training(config: Config, called: str, draft: Draft) -> None:
    for name, value in config.items():
        if value is not None and name.endswith(("_regularizer", "_constraint")):
            draft.note(f"{called}: {name} is left out; it changes training alone")


def _initializers(config: Config) -> set[str]:
    """Return the initializers of a layer's kernels, by class."""
    return {
        str(value.get("class_name") if isinstance(value, Mapping) else value)
        for name, value in config.items()
        if name in ("kernel_initializer", "depthwise_initializer", "pointwise_initializer") and value is not None
    }


_INSTEAD = {
    "Rescaling": "scale samples by the data statement: data … normalize=unit",
    "Normalization": "normalize samples by the data statement: data … normalize=zscore",
    "SpatialDropout1D": "the language drops single numbers; write dropout in its place",
    "SpatialDropout2D": "the language drops single numbers; write dropout in its place",
    "GaussianNoise": "the language has no noise inside a network; write augment noise= for images",
    "AlphaDropout": "the language has no alpha dropout; write dropout in its place",
    "RepeatVector": "the language does not repeat a row over time",
    "Lambda": "it is a Python function, which is not executed",
    "Masking": "a shorter sequence is padded with −1 symbols here",
    "Add": "only a chain of layers can be said; write (a + b) on the page",
    "Concatenate": "only a chain of layers can be said; write (a | b) on the page",
}


def activation(config: Config, key: str = "activation") -> str:
    """Return the word of an activation, "" for none. Raises _CannotSay for one that the language lacks."""
    value = config.get(key)
    if isinstance(value, Mapping):
        value = value.get("config") if isinstance(value.get("config"), str) else value.get("class_name")
    if value in (None, "linear"):
        return ""
    if str(value).lower() not in ACTIVATIONS:
        raise _CannotSay(f"the activation {value} is not of the language")
    return ACTIVATIONS[str(value).lower()]


def _word(text: str, config: Config, key: str = "activation") -> str:
    """Return a stage with its activation in its line."""
    word = activation(config, key)
    return f"{text} {word}" if word else text


def _bias(config: Config) -> bool | None:
    return False if config.get("use_bias") is False else None


@layer("InputLayer", takes="batch_input_shape batch_shape")
def _input(config: Config, draft: Draft) -> list[str]:
    return []


@layer("Dense", takes="units activation use_bias")
def _dense(config: Config, draft: Draft) -> list[str]:
    if draft.axes == "image":
        raise _CannotSay("it acts on each pixel: write conv 1x1, or a Flatten before it")
    draft.axes = "steps" if draft.axes == "steps" else "row"
    return [_word(f"dense {size(config['units'])}", config) + options(bias=_bias(config))]


@layer("TimeDistributed", takes="layer")
def _time_distributed(config: Config, draft: Draft) -> list[str]:
    inner = config["layer"]
    if inner.get("class_name") != "Dense":
        raise _CannotSay(f"only Dense is said at every step, not {inner.get('class_name')}")
    return _stages("Dense", inner["config"], draft)


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
    text = _word(f"conv {size(config['kernel_size'])} x{size(config['filters'])}", config)
    return [text + options(**_windows(config, axes), groups=groups if groups > 1 else None, bias=_bias(config))]


def _axes(window: Any, draft: Draft) -> int:
    """Return how many axes a window has, and say in the draft what the layer returns."""
    axes = 1 if isinstance(window, int) else len(window)
    draft.axes = "image" if axes == 2 else "steps"
    return axes


@layer("DepthwiseConv1D", "DepthwiseConv2D", takes=_CONV + " depth_multiplier")
def _depthwise(config: Config, draft: Draft) -> list[str]:
    axes, more = _axes(config["kernel_size"], draft), config.get("depth_multiplier", 1)
    text = _word(f"depthwise {size(config['kernel_size'])}", config)
    return [text + options(multiplier=more if more > 1 else None, **_windows(config, axes), bias=_bias(config))]


@layer("SeparableConv1D", "SeparableConv2D", takes=_CONV + " depth_multiplier")
def _separable(config: Config, draft: Draft) -> list[str]:
    axes, more = _axes(config["kernel_size"], draft), config.get("depth_multiplier", 1)
    text = _word(f"separable {size(config['kernel_size'])} x{size(config['filters'])}", config)
    return [text + options(multiplier=more if more > 1 else None, **_windows(config, axes), bias=_bias(config))]


@layer("Conv1DTranspose", "Conv2DTranspose", takes=_CONV)
def _transposed(config: Config, draft: Draft) -> list[str]:
    axes = _axes(config["kernel_size"], draft)
    reach = zip(_list(config["kernel_size"], axes), _list(config.get("strides", 1), axes), strict=True)
    if config.get("padding") == "valid" and any(window < stride for window, stride in reach):
        raise _CannotSay("its window is smaller than its stride: write output_pad= on the page")
    text = _word(f"transposed {size(config['kernel_size'])} x{size(config['filters'])}", config)
    return [text + options(**_windows(config, axes), bias=_bias(config))]


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
        raise _CannotSay(f"interpolation={mode!r} is not of the language")
    return [f"upsample {both(config['size'])}" + options(mode=mode if mode != "nearest" else None)]


@layer("Flatten", takes="data_format")
def _flatten(config: Config, draft: Draft) -> list[str]:
    draft.axes = "row"
    return ["flatten"]


@layer("Reshape", takes="target_shape")
def _reshape(config: Config, draft: Draft) -> list[str]:
    sizes = list(config["target_shape"])
    if not sizes or min(sizes) < 1:
        raise _CannotSay(f"target_shape={sizes} leaves a size open: write it out")
    draft.axes = {3: "image", 2: "steps", 1: "row"}.get(len(sizes), "")
    return [f"reshape {size(sizes)}" + (" sequence" if len(sizes) == 2 else "")]


@layer("Permute", takes="dims")
def _permute(config: Config, draft: Draft) -> list[str]:
    return [f"permute {size(config['dims']).replace('x', ' ')}" + (" sequence" if len(config["dims"]) == 2 else "")]


@layer("Dropout", takes="rate")
def _dropout(config: Config, draft: Draft) -> list[str]:
    return [f"dropout {config['rate']:g}"] if config["rate"] else []


@layer("Activation", takes="activation")
def _activation(config: Config, draft: Draft) -> list[str]:
    value = config.get("activation")
    if isinstance(value, Mapping) and value.get("class_name") in _LAYERS:
        return _stages(str(value["class_name"]), value.get("config") or {}, draft)
    if value == "leaky_relu":
        return ["leaky_relu slope=0.2"]
    word = activation(config)
    return [word] if word else []


@layer("ReLU", takes="negative_slope")
def _relu(config: Config, draft: Draft) -> list[str]:
    slope = config.get("negative_slope") or 0
    return [f"leaky_relu slope={slope:g}"] if slope else ["relu"]


@layer("LeakyReLU", takes="negative_slope alpha")
def _leaky_relu(config: Config, draft: Draft) -> list[str]:
    return [f"leaky_relu slope={config.get('negative_slope', config.get('alpha', 0.3)):g}"]


@layer("ELU", takes="alpha")
def _elu(config: Config, draft: Draft) -> list[str]:
    alpha = float(config.get("alpha", 1.0))
    return ["elu" + options(alpha=alpha if alpha != 1 else None)]


@layer("PReLU", takes="shared_axes")
def _prelu(config: Config, draft: Draft) -> list[str]:
    before = {"image": [1, 2], "steps": [1], "row": []}.get(draft.axes)
    if before is None or sorted(config.get("shared_axes") or []) != before:
        raise _CannotSay(f"its slopes are one for each number; write shared_axes={before or [1, 2]} there")
    return ["prelu shared=no"]


@layer("Softmax", takes="axis")
def _softmax(config: Config, draft: Draft) -> list[str]:
    _check_last(config, draft)
    return ["softmax"]


def _check_last(config: Config, draft: Draft) -> None:
    """Raise _CannotSay for another axis than the last."""
    axis = config.get("axis", -1)
    axis = axis[0] if isinstance(axis, list) and len(axis) == 1 else axis
    if axis not in (-1, {"image": 3, "steps": 2, "row": 1}.get(draft.axes)):
        raise _CannotSay(f"axis={axis}: it is the last axis here")


@layer("BatchNormalization", takes="axis momentum epsilon center scale renorm_momentum")
def _batchnorm(config: Config, draft: Draft) -> list[str]:
    _check_last(config, draft)
    _check_learned(config)
    momentum = round(1 - float(config.get("momentum", 0.99)), 9)
    return ["batchnorm" + options(momentum=momentum, eps=float(config.get("epsilon", 1e-3)))]


def _check_learned(config: Config) -> None:
    for name in ("center", "scale"):
        if config.get(name) is False:
            raise _CannotSay(f"{name}=False: it learns a scale and a shift here")


@layer("LayerNormalization", takes="axis epsilon center scale")
def _layernorm(config: Config, draft: Draft) -> list[str]:
    _check_last(config, draft)
    _check_learned(config)
    return ["layernorm" + options(eps=float(config.get("epsilon", 1e-3)))]


@layer("GroupNormalization", takes="groups axis epsilon center scale")
def _groupnorm(config: Config, draft: Draft) -> list[str]:
    _check_last(config, draft)
    _check_learned(config)
    eps = options(eps=float(config.get("epsilon", 1e-3)))
    groups = config.get("groups", 32)
    return [f"instancenorm learned=yes{eps}" if groups == -1 else f"groupnorm {size(groups)}{eps}"]


@layer("Embedding", takes="input_dim output_dim input_length")
def _embedding(config: Config, draft: Draft) -> list[str]:
    draft.axes = "steps"
    return [f"embed {size(config['output_dim'])} vocab={size(config['input_dim'])}"]


_RECURRENT = (
    "units activation recurrent_activation use_bias return_sequences go_backwards dropout recurrent_dropout "
    "reset_after implementation unit_forget_bias zero_output_for_mask unroll time_major use_cudnn"
)


_RECURRENT_WORDS = {"SimpleRNN": "rnn", "LSTM": "lstm", "GRU": "gru"}


@layer("SimpleRNN", takes=_RECURRENT)
def _rnn(config: Config, draft: Draft) -> list[str]:
    return [_recurrent("rnn", config, draft)]


@layer("LSTM", takes=_RECURRENT)
def _lstm(config: Config, draft: Draft) -> list[str]:
    return [_recurrent("lstm", config, draft)]


@layer("GRU", takes=_RECURRENT)
def _gru(config: Config, draft: Draft) -> list[str]:
    if config.get("reset_after", True) is False:
        raise _CannotSay("reset_after=False: here the reset gate multiplies the state after the product")
    if config.get("use_bias", True):
        draft.note("a gru has one bias for r and z here, and two there: it has fewer parameters, and computes the same")
    return [_recurrent("gru", config, draft)]


def _recurrent(word: str, config: Config, draft: Draft, bidirectional: bool | None = None) -> str:
    act = activation(config) if "activation" in config else "tanh"
    if act not in (("tanh", "relu") if word == "rnn" else ("tanh",)):
        raise _CannotSay(f"the activation {act or 'linear'} is not of the language; it is tanh")
    if word != "rnn" and activation(config, "recurrent_activation") not in ("sigmoid", ""):
        raise _CannotSay("recurrent_activation is sigmoid in the language")
    every, backwards = bool(config.get("return_sequences")), bool(config.get("go_backwards"))
    if backwards and (every or bidirectional):
        raise _CannotSay("go_backwards with return_sequences or Bidirectional returns the steps in reverse")
    draft.axes = "steps" if every else "row"
    return f"{word} {size(config['units'])}{' relu' if act == 'relu' else ''}" + options(
        **{"return": "sequence" if every else None},
        reverse=backwards or None,
        bidirectional=bidirectional,
        input_dropout=float(config.get("dropout") or 0) or None,
        recurrent_dropout=float(config.get("recurrent_dropout") or 0) or None,
        bias=_bias(config),
    )


@layer("Bidirectional", takes="layer backward_layer merge_mode")
def _bidirectional(config: Config, draft: Draft) -> list[str]:
    inner = config["layer"]
    kind = str(inner.get("class_name"))
    if kind not in _RECURRENT_WORDS:
        raise _CannotSay(f"only recurrent layers read both ways, not {kind}")
    if config.get("merge_mode", "concat") != "concat":
        raise _CannotSay(f"merge_mode={config['merge_mode']!r}: both states are concatenated in the language")
    _stages(kind, inner["config"], draft)  # refuses what it cannot say
    return [_recurrent(_RECURRENT_WORDS[kind], inner["config"], draft, bidirectional=True)]
