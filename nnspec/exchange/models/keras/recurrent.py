"""Recurrent layers."""

from nnspec.exchange.models.keras.words import CannotSay, Config, activation, bias, layer, stages
from nnspec.exchange.models.page import Draft, options, size

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
        raise CannotSay("reset_after=False: here the reset gate multiplies the state after the product")
    if config.get("use_bias", True):
        draft.note("a gru has one bias for r and z here, and two there: it has fewer parameters, and computes the same")
    return [_recurrent("gru", config, draft)]


def _recurrent(word: str, config: Config, draft: Draft, bidirectional: bool | None = None) -> str:
    act = activation(config) if "activation" in config else "tanh"
    if act not in (("tanh", "relu") if word == "rnn" else ("tanh",)):
        raise CannotSay(f"the activation {act or 'linear'} is not of the language; it is tanh")
    if word != "rnn" and activation(config, "recurrent_activation") not in ("sigmoid", ""):
        raise CannotSay("recurrent_activation is sigmoid in the language")
    every, backwards = bool(config.get("return_sequences")), bool(config.get("go_backwards"))
    if backwards and (every or bidirectional):
        raise CannotSay("go_backwards with return_sequences or Bidirectional returns the steps in reverse")
    draft.axes = "steps" if every else "row"
    return f"{word} {size(config['units'])}{' relu' if act == 'relu' else ''}" + options(
        **{"return": "sequence" if every else None},
        reverse=backwards or None,
        bidirectional=bidirectional,
        input_dropout=float(config.get("dropout") or 0) or None,
        recurrent_dropout=float(config.get("recurrent_dropout") or 0) or None,
        bias=bias(config),
    )


@layer("Bidirectional", takes="layer backward_layer merge_mode")
def _bidirectional(config: Config, draft: Draft) -> list[str]:
    inner = config["layer"]
    kind = str(inner.get("class_name"))
    if kind not in _RECURRENT_WORDS:
        raise CannotSay(f"only recurrent layers read both ways, not {kind}")
    if config.get("merge_mode", "concat") != "concat":
        raise CannotSay(f"merge_mode={config['merge_mode']!r}: both states are concatenated in the language")
    stages(kind, inner["config"], draft)  # refuses what it cannot say
    return [_recurrent(_RECURRENT_WORDS[kind], inner["config"], draft, bidirectional=True)]
