"""Modules and functions that written files may need besides PyTorch's own. Their source goes into the files.

Nothing here is imported by nnspec: only the text is read, so that files are written where PyTorch is missing. Arrays of
sequences are (batch, time, features); `padding` (batch,) is the number of padded steps at the end of each.
"""

import torch
from torch import nn
from torch.nn import functional as F


def padding_of(x):
    """Return the number of padded steps, −1, after the last symbol of each sequence (batch, time)."""
    return (x < 0).flip(1).to(torch.int).cumprod(1).sum(1)


def real_steps(padding, time):
    """Return which steps of sequences are not padding, (batch, time)."""
    return torch.arange(time, device=padding.device) < (time - padding)[:, None]


def one_hot(x, count):
    """Return a row with a one for each symbol (batch, time), and a row of zeros for padding."""
    return (x.round().long()[..., None] == torch.arange(count, device=x.device)).to(x.dtype)


def embedded(x, weight):
    """Return the row of a weight for each symbol (batch, time), and zeros for padding."""
    symbols = x.round().long()
    return F.embedding(symbols.clamp(min=0), weight) * (symbols >= 0)[..., None].to(weight.dtype)


def sinusoids(time, features, period):
    """Return sin(t / period^(2i / C)) in the even columns and the cosine in the odd ones, (time, features)."""
    angles = torch.arange(time)[:, None] / period ** (torch.arange(0, features, 2, dtype=torch.float64) / features)
    table = torch.empty(time, features, dtype=torch.float64)
    table[:, 0::2], table[:, 1::2] = angles.sin(), angles.cos()[:, : features // 2]
    return table


def mean_of_steps(x, real):
    """Return the mean of the steps that are real, (batch, features)."""
    share = real.to(x.dtype) / real.sum(1, keepdim=True).clamp(min=1)
    return (x * share[..., None]).sum(1)


def largest_of_steps(x, real):
    """Return the largest number of each feature over the steps that are real."""
    real = real | ~real.any(1, keepdim=True)
    return x.masked_fill(~real[..., None], -torch.inf).amax(1)


def on_real_steps(norm, x, real):
    """Return a batch normalization of sequences whose statistics leave padding out."""
    if not norm.training or real.all():
        return norm(x.flatten(0, 1)).reshape(x.shape)
    y = (x - x[real].mean(0)) / (x[real].var(0, unbiased=False) + norm.eps).sqrt() * norm.weight + norm.bias
    norm(x[real])  # moves the running averages
    return y


class EmbedColumns(nn.Module):
    """The other numbers of a row, then a learned vector for each one-hot column (start, size)."""

    def __init__(self, columns, units):
        super().__init__()
        self.columns = columns
        for number, (_, size) in enumerate(columns, 1):
            self.register_parameter(f"weight{number}", nn.Parameter(torch.zeros(size, units)))

    def forward(self, x):
        inside = {place for start, size in self.columns for place in range(start, start + size)}
        rest = x[:, [place for place in range(x.shape[1]) if place not in inside]]
        vectors = [
            x[:, start : start + size] @ getattr(self, f"weight{number}")
            for number, (start, size) in enumerate(self.columns, 1)
        ]
        return torch.cat([rest, *vectors], 1)


class Attention(nn.Module):
    """Self-attention: one product gives q, k and v, side by side; another one joins the heads."""

    def __init__(self, features, width, heads, causal=False, dropout=0.0, bias=True):
        super().__init__()
        self.heads, self.causal = heads, causal
        self.input = nn.Linear(features, 3 * width, bias)
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(width, features, bias)

    def forward(self, x, real=None):
        batch, time, _ = x.shape
        q, k, v = self.input(x).reshape(batch, time, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        scores = q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5  # (batch, heads, time, time)
        if self.causal:
            later = torch.ones(time, time, dtype=torch.bool, device=x.device).triu(1)
            scores = scores.masked_fill(later, -1e30)
        if real is not None:
            scores = scores.masked_fill(~real[:, None, None], -1e30)
        heads = self.dropout(scores.softmax(-1)) @ v  # (batch, heads, time, width / heads)
        return self.output(heads.transpose(1, 2).reshape(batch, time, -1))


class Recurrent(nn.Module):
    """An rnn, gru or lstm, whose arrays are named and laid out as nnspec's: (in, gates · units), one bias for a gate.

    The gates are i f g o of an lstm and r z n of a gru. A padded step leaves the state as it is. `input_dropout` and
    `recurrent_dropout` drop the same numbers at every step of a sequence.
    """

    def __init__(
        self, kind, features, units, layers=1, bidirectional=False, reverse=False, sequence=False, bias=True,
        dropout=0.0, input_dropout=0.0, recurrent_dropout=0.0,
    ):  # fmt: skip
        super().__init__()
        self.kind, self.units, self.layers, self.reverse, self.sequence = kind, units, layers, reverse, sequence
        self.directions = ("", "reverse_") if bidirectional else ("",)
        self.between = nn.Dropout(dropout)
        self.input_dropout, self.recurrent_dropout = nn.Dropout(input_dropout), nn.Dropout(recurrent_dropout)
        columns = units * {"rnn": 1, "rnn_relu": 1, "gru": 3, "lstm": 4}[kind]
        for layer in range(layers):
            for direction in self.directions:
                prefix = f"layer{layer + 1}_{direction}" if layer else direction
                shapes = {"input_weight": (features, columns), "hidden_weight": (units, columns)}
                if bias:
                    shapes["bias"] = (columns,)
                if bias and kind == "gru":
                    shapes["hidden_bias"] = (units,)
                for name, shape in shapes.items():
                    self.register_parameter(prefix + name, nn.Parameter(torch.zeros(shape)))
            features = units * len(self.directions)

    def forward(self, x, real=None):
        for layer in range(self.layers):
            states, last = [], []
            for direction in self.directions:
                prefix = f"layer{layer + 1}_{direction}" if layer else direction
                every, final = self.read(x, prefix, self.reverse or direction == "reverse_", real)
                states.append(every)
                last.append(final)
            x = torch.cat(states, -1)
            if layer + 1 < self.layers:
                x = self.between(x)
        return x if self.sequence else torch.cat(last, -1)

    def read(self, x, prefix, backwards, real):
        """Return the states after every step, (batch, time, units), and the one at the end."""
        arrays = {name.removeprefix(prefix): a for name, a in self.named_parameters() if name.startswith(prefix)}
        x = x * self.input_dropout(torch.ones_like(x[:, :1]))
        drive = x @ arrays["input_weight"] + arrays.get("bias", 0)
        h = c = x.new_zeros(len(x), self.units)
        mask = self.recurrent_dropout(torch.ones_like(h))
        states = [h] * x.shape[1]
        for t in reversed(range(x.shape[1])) if backwards else range(x.shape[1]):
            h_next, c_next = self.cell(drive[:, t], (h * mask) @ arrays["hidden_weight"], h, c, arrays)
            if real is not None:
                h_next, c_next = torch.where(real[:, t, None], h_next, h), torch.where(real[:, t, None], c_next, c)
            states[t], h, c = h_next, h_next, c_next
        return torch.stack(states, 1), h

    def cell(self, drive, product, h, c, arrays):
        if self.kind == "gru":
            r, z, _ = (drive + product).sigmoid().chunk(3, 1)
            recalled = product[:, 2 * self.units :] + arrays.get("hidden_bias", 0)
            n = torch.tanh(drive[:, 2 * self.units :] + r * recalled)
            return n + z * (h - n), c
        if self.kind == "lstm":
            i, f, g, o = (drive + product).chunk(4, 1)
            c = f.sigmoid() * c + i.sigmoid() * g.tanh()
            return o.sigmoid() * c.tanh(), c
        sums = drive + product
        return (sums.relu() if self.kind == "rnn_relu" else sums.tanh()), c
