"""One step of a recurrent layer and its way back, as lines of a program.

What they compute is defined in runtime/layers/recurrent.py. A cell's gradients are factors times the gradient of its
state. The factors hold for all steps at once and are computed before the way back, over the gates, in the same memory;
the loop back only multiplies.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Protocol

from nnspec.runtime.compiler.writer import INDENT, Writer
from nnspec.spec_lang.vocabulary.layers.recurrent import Gru, Lstm, Recurrent, Rnn

At = Mapping[str, str]
"""The names that a loop has for what it goes along, by what it is."""


class Sequence(Protocol):
    """What a cell is told of the reading that it is part of: names of arrays, most of them (time, samples, columns)."""

    word: Recurrent
    samples: int
    units: int
    sums: str  # x·W + b of each step; the cell makes gates of them, and then their gradients
    product: str  # h·U of the step at hand, (samples, columns)
    shown: str  # the state behind each step
    former: str  # the state before each step
    spare: str  # scratch (samples, units)
    d_h: str  # the gradient of the state, (samples, units)
    now: str  # the index of a step's state behind it, where there is one more state than there are steps
    past: str  # and of the one before it
    all_past: str  # the same before all steps
    padded: str  # whether there is padding, empty where there never is; then `real` and `gone` are (time, samples, 1)
    real: str
    gone: str

    @property
    def writer(self) -> Writer:
        """Where all is written."""

    def parameter(self, name: str, shape: tuple[int, ...]) -> str:
        """A view of a parameter."""

    def over_time(self, wish: str, columns: int, more: int = 0) -> str:
        """A new array (time + more, samples, columns) of zeros."""

    def scratch(self, wish: str, columns: int) -> str:
        """A new array (samples, columns)."""

    def add_up(self, d_columns: str, parameter: str, units: int) -> None:
        """Write the gradient of what is added at each step."""


class Cell(ABC):
    """The lines of a cell. `second` is an array like the states, of what is handed on beside them."""

    second = ""

    def __init__(self, one: Sequence):
        self.one = one
        self.d_product = one.sums  # the gradient of h·U at each step, where it is not that of the sums

    def block(self, array: str, first: int, last: int | None = None) -> str:
        """The columns of one gate, or from one gate up to before another."""
        units = self.one.units
        return f"{array}[..., {first * units}:{(first + 1 if last is None else last) * units}]"

    def gates(self, array: str, count: int) -> str:
        """The first gates' columns of a step apart, (samples, gates, units)."""
        one = self.one
        return f"{array}[:, :{count * one.units}].reshape({one.samples}, {count}, {one.units})"

    def do(self, *lines: str) -> None:
        """Lines of the step."""
        for line in lines:
            self.one.writer.do(line)

    def where_real(self, *factors: str, kept: str = "") -> None:
        """Nothing comes from a step of padding: its factors are 0, and that of the state that is `kept` is 1."""
        one = self.one
        if not one.padded:
            return
        self.do(f"if {one.padded}:", *(f"{INDENT}np.multiply({f}, {one.real}, out={f})" for f in factors))
        if kept:
            self.do(f"{INDENT}np.multiply({kept}, {one.real}, out={kept})")
            self.do(f"{INDENT}np.add({kept}, {one.gone}, out={kept})")

    def views(self) -> dict[str, str]:
        """What else the loop goes along, beside `h`, `a` and `h_next`, by expressions of a step t."""
        return {}

    @abstractmethod
    def step(self, at: At) -> list[str]:
        """From the sums `a`, the product and the state `h` to `h_next`."""

    @abstractmethod
    def write_factors(self) -> None:
        """What the way back multiplies with, of all steps."""

    def back_views(self) -> dict[str, str]:
        """What else the loop back goes along, beside `d_a`."""
        return {}

    @abstractmethod
    def back(self, at: At) -> list[str]:
        """The gradient of the state behind a step is in `d_h`: lines for those of the sums and of the product."""

    def behind(self, at: At) -> list[str]:
        """Lines when `d_h` has come through the product: what else the state gets, which is what was put aside."""
        one = self.one
        return [f"if {one.padded}:", f"{INDENT}np.add({one.d_h}, {one.spare}, out={one.d_h})"] if one.padded else []

    def aside(self, at: At) -> list[str]:
        """Lines that put aside the gradient that a step of padding hands on as it is."""
        one = self.one
        return (
            [f"if {one.padded}:", f"{INDENT}np.multiply({one.d_h}, {at['gone']}, out={one.spare})"]
            if one.padded
            else []
        )

    def own_gradients(self) -> None:  # noqa: B027 most cells have none
        """Lines for the gradients of the cell's own parameters."""


class RnnCell(Cell):
    """h' = f(x·W + b + h·U)."""

    def step(self, at: At) -> list[str]:
        """A sum and its function."""
        w, one = self.one.writer, self.one
        add = f"np.add({at['a']}, {one.product}, out={at['a']})"
        if self._tanh:
            return [add, f"np.tanh({at['a']}, out={at['h_next']})"]
        return [add, f"np.maximum({at['a']}, {w.scalar('zero', 0.0)}, out={at['h_next']})"]

    @property
    def _tanh(self) -> bool:
        assert isinstance(self.one.word, Rnn)
        return self.one.word.activation == "tanh"

    def write_factors(self) -> None:
        """f' = 1 − h'² of tanh, 1 where h' > 0 of relu."""
        one, w = self.one, self.one.writer
        if self._tanh:
            self.do(f"np.multiply({one.shown}, {one.shown}, out={one.sums})")
            self.do(f"np.subtract({w.scalar('one', 1.0)}, {one.sums}, out={one.sums})")
        else:
            self.do(f"np.greater({one.shown}, {w.scalar('zero', 0.0)}, out={one.sums})")
        self.where_real(one.sums)

    def back(self, at: At) -> list[str]:
        """All of the gradient goes through f."""
        return [f"np.multiply({at['d_a']}, {self.one.d_h}, out={at['d_a']})", *self.aside(at)]


class LstmCell(Cell):
    """c' = σ(f)·c + σ(i)·tanh(g), h' = σ(o)·tanh(c'); σ(x) = (1 + tanh(x / 2)) / 2, one tanh for all gates."""

    def __init__(self, one: Sequence):
        super().__init__(one)
        self.second = one.over_time("cells", one.units, more=1)
        self.seen = one.over_time("seen", one.units)  # tanh(c')

    def views(self) -> dict[str, str]:
        """The cell before and behind the step, its tanh, and the gates."""
        one = self.one
        gates = {gate: self.block(f"{one.sums}[t]", place) for place, gate in enumerate("ifgo")}
        cells = {"c": f"{self.second}[{one.past}]", "c_next": f"{self.second}[{one.now}]", "s": f"{self.seen}[t]"}
        return cells | gates

    def step(self, at: At) -> list[str]:
        """All gates by one tanh, then the cell and what it shows."""
        w, one = self.one.writer, self.one
        slope, shift = w.name("slope"), w.name("shift_of_gates")
        gates = [
            f"np.repeat(np.asarray({row}, {one.sums}.dtype), {one.units})"
            for row in ("(0.5, 0.5, 1, 0.5)", "(0.5, 0.5, 0, 0.5)")
        ]
        w.setup += [f"{slope} = {gates[0]}", f"{shift} = {gates[1]}"]
        a, s, c_next = at["a"], at["s"], at["c_next"]
        return [
            f"np.add({a}, {one.product}, out={a})",
            f"np.multiply({a}, {slope}, out={a})",
            f"np.tanh({a}, out={a})",
            f"np.multiply({a}, {slope}, out={a})",
            f"np.add({a}, {shift}, out={a})",
            f"np.multiply({at['f']}, {at['c']}, out={c_next})",
            f"np.multiply({at['i']}, {at['g']}, out={s})",
            f"np.add({c_next}, {s}, out={c_next})",
            f"np.tanh({c_next}, out={s})",
            f"np.multiply({at['o']}, {s}, out={at['h_next']})",
        ]

    def write_factors(self) -> None:
        """d_c gets o·(1 − s²)·d_h; the gates get g·i·(1 − i), c·f·(1 − f), i·(1 − g²) times d_c and s·o·(1 − o)·d_h."""
        one = self.one
        unit = one.writer.scalar("one", 1.0)
        self.through, self.forget, some = (one.over_time(wish, one.units) for wish in ("through", "forget", "some"))
        i, f, g, o = (self.block(one.sums, place) for place in range(4))
        self.do(
            f"np.multiply({self.seen}, {self.seen}, out={self.through})",
            f"np.subtract({unit}, {self.through}, out={self.through})",
            f"np.multiply({self.through}, {o}, out={self.through})",
            f"np.copyto({self.forget}, {f})",
            f"np.subtract({unit}, {o}, out={some})",
            f"np.multiply({some}, {o}, out={some})",
            f"np.multiply({some}, {self.seen}, out={o})",
            f"np.subtract({unit}, {f}, out={some})",
            f"np.multiply({some}, {f}, out={some})",
            f"np.multiply({some}, {self.second}[{one.all_past}], out={f})",
            f"np.subtract({unit}, {i}, out={some})",
            f"np.multiply({some}, {i}, out={some})",
            f"np.multiply({some}, {g}, out={some})",
            f"np.multiply({g}, {g}, out={g})",
            f"np.subtract({unit}, {g}, out={g})",
            f"np.multiply({g}, {i}, out={g})",
            f"np.copyto({i}, {some})",
        )
        self.where_real(one.sums, self.through, kept=self.forget)
        self.d_c = one.scratch("d_c", one.units)
        self.wide = one.writer.view(f"{self.d_c}_wide", f"{self.d_c}[:, None]", (one.samples, 1, one.units)).name
        self.do(f"{self.d_c}.fill(0)")

    def back_views(self) -> dict[str, str]:
        """The factors of d_c, of i f g together and of o."""
        step = f"{self.one.sums}[t]"
        own = {"through": f"{self.through}[t]", "forget": f"{self.forget}[t]"}
        return own | {"d_ifg": self.gates(step, 3), "d_o": self.block(step, 3)}

    def back(self, at: At) -> list[str]:
        """Into the cell and the gates."""
        one, d_c = self.one, self.d_c
        lines = [
            f"np.multiply({one.d_h}, {at['through']}, out={one.spare})",
            f"np.add({d_c}, {one.spare}, out={d_c})",
            f"np.multiply({at['d_ifg']}, {self.wide}, out={at['d_ifg']})",
            f"np.multiply({at['d_o']}, {one.d_h}, out={at['d_o']})",
            f"np.multiply({d_c}, {at['forget']}, out={d_c})",
        ]
        return lines + self.aside(at)


class GruCell(Cell):
    """r, z = σ(x·W + b + h·U), n = tanh(x·W + b + r·(h·U + hidden_bias)), h' = n + z·(h − n)."""

    def __init__(self, one: Sequence):
        super().__init__(one)
        self.recalled = one.over_time("recalled", one.units)  # h·U + hidden_bias
        self.hidden_bias = one.parameter("hidden_bias", (one.units,)) if one.word.bias else ""

    def views(self) -> dict[str, str]:
        """The gates, and what n recalls."""
        step = f"{self.one.sums}[t]"
        gates = {
            "rz": self.block(step, 0, 2),
            "r": self.block(step, 0),
            "z": self.block(step, 1),
            "n": self.block(step, 2),
        }
        return gates | {"m": f"{self.recalled}[t]"}

    def step(self, at: At) -> list[str]:
        """The two gates, what is new, and the mixture of it and the old."""
        w, one = self.one.writer, self.one
        half, spare = w.scalar("half", 0.5), one.scratch("mixed", one.units)
        shape = (one.samples, one.units)
        first = w.view(
            f"{one.product}_rz", self.block(one.product, 0, 2), (one.samples, 2 * one.units), solid=False
        ).name
        third = w.view(f"{one.product}_n", self.block(one.product, 2), shape, solid=False).name
        rz, n, m = at["rz"], at["n"], at["m"]
        return [
            f"np.add({rz}, {first}, out={rz})",
            f"np.multiply({rz}, {half}, out={rz})",
            f"np.tanh({rz}, out={rz})",
            f"np.multiply({rz}, {half}, out={rz})",
            f"np.add({rz}, {half}, out={rz})",
            f"np.add({third}, {self.hidden_bias}, out={m})" if self.hidden_bias else f"np.copyto({m}, {third})",
            f"np.multiply({at['r']}, {m}, out={spare})",
            f"np.add({n}, {spare}, out={n})",
            f"np.tanh({n}, out={n})",
            f"np.subtract({at['h']}, {n}, out={spare})",
            f"np.multiply({at['z']}, {spare}, out={spare})",
            f"np.add({n}, {spare}, out={at['h_next']})",
        ]

    def write_factors(self) -> None:
        """n gets (1 − z)·(1 − n²), z gets (h − n)·z·(1 − z), r gets what n gets times (h·U + hidden_bias)·r·(1 − r)."""
        one = self.one
        unit = one.writer.scalar("one", 1.0)
        self.d_product = one.over_time("d_product", 3 * one.units)
        self.kept, new, some = (one.over_time(wish, one.units) for wish in ("kept", "new", "some"))
        r, z, n = (self.block(one.sums, place) for place in range(3))
        self.do(
            f"np.copyto({self.kept}, {z})",
            f"np.subtract({unit}, {z}, out={some})",
            f"np.multiply({n}, {n}, out={new})",
            f"np.subtract({unit}, {new}, out={new})",
            f"np.multiply({new}, {some}, out={new})",
            f"np.multiply({z}, {some}, out={z})",
            f"np.subtract({one.former}, {n}, out={some})",
            f"np.multiply({z}, {some}, out={z})",
            f"np.copyto({n}, {new})",
            f"np.multiply({new}, {r}, out={self.block(self.d_product, 2)})",
            f"np.subtract({unit}, {r}, out={some})",
            f"np.multiply({r}, {some}, out={r})",
            f"np.multiply({r}, {self.recalled}, out={r})",
            f"np.multiply({r}, {new}, out={r})",
            f"np.copyto({self.block(self.d_product, 0, 2)}, {self.block(one.sums, 0, 2)})",
        )
        self.where_real(one.sums, self.d_product, kept=self.kept)
        self.wide = one.writer.view(f"{one.d_h}_wide", f"{one.d_h}[:, None]", (one.samples, 1, one.units)).name

    def back_views(self) -> dict[str, str]:
        """The factors of all gates, of the product, and of the state itself."""
        gates, product = self.gates(f"{self.one.sums}[t]", 3), self.gates(f"{self.d_product}[t]", 3)
        return {"d_gates": gates, "d_gates_of_h": product, "kept": f"{self.kept}[t]"}

    def back(self, at: At) -> list[str]:
        """Into the gates and the product; z keeps its share of the gradient aside."""
        one = self.one
        return [
            f"np.multiply({at['d_gates']}, {self.wide}, out={at['d_gates']})",
            f"np.multiply({at['d_gates_of_h']}, {self.wide}, out={at['d_gates_of_h']})",
            f"np.multiply({one.d_h}, {at['kept']}, out={one.spare})",
        ]

    def behind(self, at: At) -> list[str]:
        """What z kept."""
        return [f"np.add({self.one.d_h}, {self.one.spare}, out={self.one.d_h})"]

    def own_gradients(self) -> None:
        """The gradient of hidden_bias."""
        if self.hidden_bias:
            self.one.add_up(self.block(self.d_product, 2), "hidden_bias", self.one.units)


CELLS: dict[type[Recurrent], type[Cell]] = {Rnn: RnnCell, Lstm: LstmCell, Gru: GruCell}
"""The lines of each recurrent layer."""
