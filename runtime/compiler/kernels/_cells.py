"""One step of a recurrent layer and its backward pass.

What they compute is defined in runtime/layers/recurrent.py. A cell's gradients are factors times the gradient of its
state. The factors of all steps are computed at once before the loop of the backward pass, over the gates and in their
memory; the loop only multiplies.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Protocol

from nnspec.runtime.compiler.program.operands import Index, Local, Operand, Ref, View
from nnspec.runtime.compiler.program.writer import ProgramWriter
from nnspec.spec_lang.vocabulary.layers.recurrent import Gru, Lstm, Recurrent, Rnn

AtStep = Mapping[str, Ref]
"""The views of one step, by their role."""

TIME_STEP = Local("t")
"""The index of a step."""


class Sequence(Protocol):
    """What a cell knows of the sequence that it reads. Arrays are (time, samples, columns), unless noted."""

    word: Recurrent
    samples: int
    units: int
    sums: Ref  # x · W + b of each step; the cell overwrites it with the gates, then with their gradients
    product: Ref  # h · U of this step, (samples, columns)
    states_after: View  # the state after each step
    states_before: View  # the state before each step
    spare: Ref  # scratch, (samples, units)
    d_h: Ref  # the gradient of the state, (samples, units)
    before: Index  # of the state before a step, in arrays with one more state than steps
    after: Index  # of the state after it
    all_before: slice  # of the states before all steps
    padded: Local | None  # whether this batch has padding; None where none can. Then `real` and `gone` are:
    real: Ref  # 1 at the steps that are not padding, (time, samples, 1)
    gone: Ref  # 1 at the steps that are

    @property
    def writer(self) -> ProgramWriter:
        """What instructions are emitted to."""

    def parameter(self, name: str) -> Ref:
        """Return a parameter of this direction."""

    def over_time(self, wish: str, columns: int, more: int = 0) -> Ref:
        """Return a new array (time + more, samples, columns) of zeros."""

    def scratch(self, wish: str, columns: int) -> Ref:
        """Return a new array (samples, columns)."""

    def add_up(self, d_columns: Operand, parameter: str) -> None:
        """Write the gradient of a parameter that is added at each step."""


class CellKernel(ABC):
    """Emits the steps of a cell."""

    second: Ref | None = None  # what it hands on besides the state, (time + 1, samples, units)

    def __init__(self, sequence: Sequence):
        self.sequence = sequence
        self.d_product = sequence.sums  # the gradient of h · U at each step, where it is not that of the sums

    @property
    def writer(self) -> ProgramWriter:
        """What instructions are emitted to."""
        return self.sequence.writer

    def block(self, array: Operand, first: int, end: int | None = None) -> View:
        """Return the columns of one gate, or from one gate up to before another."""
        units = self.sequence.units
        return array[..., first * units : (first + 1 if end is None else end) * units]

    def gates(self, array: Operand, count: int) -> View:
        """Return the columns of the first gates at a step, (samples, gates, units)."""
        units = self.sequence.units
        return array[:, : count * units].reshape(self.sequence.samples, count, units)

    def where_real(self, *factors: Operand, kept: Operand | None = None) -> None:
        """Set the factors of padding to 0, and that of the state that is `kept` to 1."""
        w, sequence = self.writer, self.sequence
        if sequence.padded is None:
            return
        with w.when(sequence.padded):
            for factor in factors:
                w.multiply(factor, sequence.real, out=factor)
            if kept is not None:
                w.multiply(kept, sequence.real, out=kept)
                w.add(kept, sequence.gone, out=kept)

    def views(self) -> dict[str, View]:
        """Return what the loop reads and writes besides `h`, `a` and `h_next`, at step t."""
        return {}

    @abstractmethod
    def step(self, at: AtStep) -> None:
        """Compute `h_next` from the sums `a`, the product and the state `h`."""

    @abstractmethod
    def write_factors(self) -> None:
        """Compute what the backward pass multiplies by, for all steps."""

    def back_views(self) -> dict[str, View]:
        """Return what the loop of the backward pass reads and writes besides `d_a`, at step t."""
        return {}

    @abstractmethod
    def back(self, at: AtStep) -> None:
        """Compute the gradients of the sums and of the product from `d_h`, the gradient of the state after a step."""

    def after_product(self) -> None:
        """Add to `d_h`, once it is that of the state before, the part that did not pass through the product."""
        if self.sequence.padded is not None:
            with self.writer.when(self.sequence.padded):
                self.writer.add(self.sequence.d_h, self.sequence.spare, out=self.sequence.d_h)

    def keep_at_padding(self, at: AtStep) -> None:
        """Keep the gradient of the state at a step of padding, which passes it on unchanged."""
        if self.sequence.padded is not None:
            with self.writer.when(self.sequence.padded):
                self.writer.multiply(self.sequence.d_h, at["gone"], out=self.sequence.spare)

    def own_gradients(self) -> None:  # noqa: B027 most cells have none
        """Write the gradients of the cell's own parameters."""


class RnnKernel(CellKernel):
    """h' = f(x · W + b + h · U)."""

    def step(self, at: AtStep) -> None:
        """f(a + h · U), f tanh or relu."""
        w, a = self.writer, at["a"]
        w.add(a, self.sequence.product, out=a)
        if self._tanh:
            w.tanh(a, out=at["h_next"])
        else:
            w.maximum(a, w.scalar("zero", 0.0), out=at["h_next"])

    @property
    def _tanh(self) -> bool:
        assert isinstance(self.sequence.word, Rnn)
        return self.sequence.word.activation == "tanh"

    def write_factors(self) -> None:
        """f' = 1 − h'² of tanh, 1 where h' > 0 of relu."""
        w, h, factor = self.writer, self.sequence.states_after, self.sequence.sums
        if self._tanh:
            w.multiply(h, h, out=factor)
            w.subtract(w.scalar("one", 1.0), factor, out=factor)
        else:
            w.greater(h, w.scalar("zero", 0.0), out=factor)
        self.where_real(factor)

    def back(self, at: AtStep) -> None:
        """d_a = f' · d_h"""
        self.writer.multiply(at["d_a"], self.sequence.d_h, out=at["d_a"])
        self.keep_at_padding(at)


class LstmKernel(CellKernel):
    """c' = σ(f) · c + σ(i) · tanh(g), h' = σ(o) · tanh(c'); σ(x) = (1 + tanh(x / 2)) / 2, one tanh for all gates."""

    def __init__(self, sequence: Sequence):
        super().__init__(sequence)
        self.cells = self.second = sequence.over_time("cells", sequence.units, more=1)
        self.seen = sequence.over_time("seen", sequence.units)  # tanh(c')

    def views(self) -> dict[str, View]:
        """The cell before and after the step, tanh(c'), and the gates."""
        sums = self.sequence.sums[TIME_STEP]
        cells = {
            "c": self.cells[self.sequence.before],
            "c_next": self.cells[self.sequence.after],
            "s": self.seen[TIME_STEP],
        }
        return cells | {gate: self.block(sums, place) for place, gate in enumerate("ifgo")}

    def step(self, at: AtStep) -> None:
        """All gates by one tanh, then c' and h'."""
        w, sums = self.writer, self.sequence.sums
        slope, shift = w.local("slope"), w.local("shift_of_gates")
        for local, row in ((slope, (0.5, 0.5, 1, 0.5)), (shift, (0.5, 0.5, 0, 0.5))):
            w.set_up(local, f"np.repeat(np.asarray({row}, {sums}.dtype), {self.sequence.units})")
        a, c_next, s = at["a"], at["c_next"], at["s"]
        w.add(a, self.sequence.product, out=a)
        w.multiply(a, slope, out=a)
        w.tanh(a, out=a)
        w.multiply(a, slope, out=a)
        w.add(a, shift, out=a)
        w.multiply(at["f"], at["c"], out=c_next)
        w.multiply(at["i"], at["g"], out=s)
        w.add(c_next, s, out=c_next)
        w.tanh(c_next, out=s)
        w.multiply(at["o"], s, out=at["h_next"])

    def write_factors(self) -> None:
        """d_c gets o·(1 − s²)·d_h; the gates get g·i·(1 − i), c·f·(1 − f), i·(1 − g²) times d_c and s·o·(1 − o)·d_h."""
        w, sequence = self.writer, self.sequence
        one, units = w.scalar("one", 1.0), sequence.units
        self.through, self.forget, some = (sequence.over_time(wish, units) for wish in ("through", "forget", "some"))
        i, f, g, o = (self.block(sequence.sums, place) for place in range(4))
        w.multiply(self.seen, self.seen, out=self.through)
        w.subtract(one, self.through, out=self.through)
        w.multiply(self.through, o, out=self.through)
        w.copy(f, out=self.forget)
        w.subtract(one, o, out=some)
        w.multiply(some, o, out=some)
        w.multiply(some, self.seen, out=o)
        w.subtract(one, f, out=some)
        w.multiply(some, f, out=some)
        w.multiply(some, self.cells[sequence.all_before], out=f)
        w.subtract(one, i, out=some)
        w.multiply(some, i, out=some)
        w.multiply(some, g, out=some)
        w.multiply(g, g, out=g)
        w.subtract(one, g, out=g)
        w.multiply(g, i, out=g)
        w.copy(some, out=i)
        self.where_real(sequence.sums, self.through, kept=self.forget)
        self.d_c = sequence.scratch("d_c", units)
        self.d_c_wide = w.view(f"{self.d_c}_wide", self.d_c[:, None])  # (samples, 1, units)
        w.fill(self.d_c, 0)

    def back_views(self) -> dict[str, View]:
        """The factors of d_c, of i f g together and of o."""
        sums = self.sequence.sums[TIME_STEP]
        own = {"through": self.through[TIME_STEP], "forget": self.forget[TIME_STEP]}
        return own | {"d_ifg": self.gates(sums, 3), "d_o": self.block(sums, 3)}

    def back(self, at: AtStep) -> None:
        """d_c += through · d_h, d_gates = factors · (d_c, d_h), and d_c of the step before."""
        w, d_h, spare, d_c = self.writer, self.sequence.d_h, self.sequence.spare, self.d_c
        w.multiply(d_h, at["through"], out=spare)
        w.add(d_c, spare, out=d_c)
        w.multiply(at["d_ifg"], self.d_c_wide, out=at["d_ifg"])
        w.multiply(at["d_o"], d_h, out=at["d_o"])
        w.multiply(d_c, at["forget"], out=d_c)
        self.keep_at_padding(at)


class GruKernel(CellKernel):
    """r, z = σ(x · W + b + h · U), n = tanh(x · W + b + r · (h · U + hidden_bias)), h' = n + z · (h − n)."""

    def __init__(self, sequence: Sequence):
        super().__init__(sequence)
        self.recalled = sequence.over_time("recalled", sequence.units)  # h · U + hidden_bias
        self.hidden_bias = sequence.parameter("hidden_bias") if sequence.word.bias else None

    def views(self) -> dict[str, View]:
        """The gates, and what n recalls."""
        sums = self.sequence.sums[TIME_STEP]
        gates = {gate: self.block(sums, place) for place, gate in enumerate("rzn")}
        return {"rz": self.block(sums, 0, 2), **gates, "m": self.recalled[TIME_STEP]}

    def step(self, at: AtStep) -> None:
        """r and z by one tanh, n, and the mixture of n and h."""
        w, sequence, product = self.writer, self.sequence, self.sequence.product
        half, spare = w.scalar("half", 0.5), sequence.scratch("mixed", sequence.units)
        product_rz = w.view(f"{product}_rz", self.block(product, 0, 2), contiguous=False)
        product_n = w.view(f"{product}_n", self.block(product, 2), contiguous=False)
        rz, n, m = at["rz"], at["n"], at["m"]
        w.add(rz, product_rz, out=rz)
        w.multiply(rz, half, out=rz)
        w.tanh(rz, out=rz)
        w.multiply(rz, half, out=rz)
        w.add(rz, half, out=rz)
        if self.hidden_bias is not None:
            w.add(product_n, self.hidden_bias, out=m)
        else:
            w.copy(product_n, out=m)
        w.multiply(at["r"], m, out=spare)
        w.add(n, spare, out=n)
        w.tanh(n, out=n)
        w.subtract(at["h"], n, out=spare)
        w.multiply(at["z"], spare, out=spare)
        w.add(n, spare, out=at["h_next"])

    def write_factors(self) -> None:
        """n gets (1 − z)·(1 − n²), z gets (h − n)·z·(1 − z), r gets what n gets times (h·U + hidden_bias)·r·(1 − r)."""
        w, sequence = self.writer, self.sequence
        one, units = w.scalar("one", 1.0), sequence.units
        self.d_product = sequence.over_time("d_product", 3 * units)
        self.kept, new, some = (sequence.over_time(wish, units) for wish in ("kept", "new", "some"))
        r, z, n = (self.block(sequence.sums, place) for place in range(3))
        w.copy(z, out=self.kept)
        w.subtract(one, z, out=some)
        w.multiply(n, n, out=new)
        w.subtract(one, new, out=new)
        w.multiply(new, some, out=new)
        w.multiply(z, some, out=z)
        w.subtract(sequence.states_before, n, out=some)
        w.multiply(z, some, out=z)
        w.copy(new, out=n)
        w.multiply(new, r, out=self.block(self.d_product, 2))
        w.subtract(one, r, out=some)
        w.multiply(r, some, out=r)
        w.multiply(r, self.recalled, out=r)
        w.multiply(r, new, out=r)
        w.copy(self.block(sequence.sums, 0, 2), out=self.block(self.d_product, 0, 2))
        self.where_real(sequence.sums, self.d_product, kept=self.kept)
        self.d_h_wide = w.view(f"{sequence.d_h}_wide", sequence.d_h[:, None])  # (samples, 1, units)

    def back_views(self) -> dict[str, View]:
        """The factors of all gates, of the product, and of the state itself."""
        gates, product = self.gates(self.sequence.sums[TIME_STEP], 3), self.gates(self.d_product[TIME_STEP], 3)
        return {"d_gates": gates, "d_gates_of_h": product, "kept": self.kept[TIME_STEP]}

    def back(self, at: AtStep) -> None:
        """d_gates = factors · d_h; z · d_h is kept apart, for it does not pass through the product."""
        w = self.writer
        w.multiply(at["d_gates"], self.d_h_wide, out=at["d_gates"])
        w.multiply(at["d_gates_of_h"], self.d_h_wide, out=at["d_gates_of_h"])
        w.multiply(self.sequence.d_h, at["kept"], out=self.sequence.spare)

    def after_product(self) -> None:
        """Add what z kept."""
        self.writer.add(self.sequence.d_h, self.sequence.spare, out=self.sequence.d_h)

    def own_gradients(self) -> None:
        """The gradient of hidden_bias."""
        if self.hidden_bias is not None:
            self.sequence.add_up(self.block(self.d_product, 2), "hidden_bias")


CELL_KERNELS: dict[type[Recurrent], type[CellKernel]] = {Rnn: RnnKernel, Lstm: LstmKernel, Gru: GruKernel}
"""The kernel of each recurrent layer's cell."""
