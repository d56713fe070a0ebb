"""One direction of a recurrent layer over a sequence: a product for all steps, and a loop of a cell along views made
once.

Inside, a sequence is (time, samples, features): the states before all steps, what the input adds to them and the
gradients are matrices. A step of the loop is one product, h · U, and a few operations in place.
"""

from collections.abc import Callable, Mapping
from math import ceil

from nnspec.runtime.compiler.kernels import KernelContext
from nnspec.runtime.compiler.kernels._cells import CELL_KERNELS, TIME_STEP, AtStep
from nnspec.runtime.compiler.kernels._products import QUICK, sum_of_rows
from nnspec.runtime.compiler.kernels.dropout import drop_factor
from nnspec.runtime.compiler.kernels.embedding import look_up
from nnspec.runtime.compiler.padding import padding_after_strides
from nnspec.runtime.compiler.program.instructions import For, Views
from nnspec.runtime.compiler.program.operands import Formula, Index, Local, Operand, Ref, View, expression, formula
from nnspec.runtime.compiler.program.writer import ProgramWriter
from nnspec.spec_lang.vocabulary.layers.recurrent import BACKWARDS, Pass, Recurrent

FEW_SAMPLES = 4
"""Rows of a product that are too few to be cut, and that a transposed weight does not slow down."""


class PaddingMask:
    """Where sequences have ended: whether any has, and the steps that are real or gone, as 1 and 0 in (time, samples,
    1)."""

    def __init__(self, context: KernelContext):
        w, name = context.writer, context.node.name
        time = context.node.input_shapes[0][0]
        self.padded = w.local(f"{name}_padded")
        self.real, self.gone = (w.buffer(f"{name}_{part}", (time, w.samples, 1)) for part in ("real", "gone"))
        clock, one = w.local(f"{name}_clock"), w.scalar("one", 1.0)
        w.set_up(clock, f"np.arange({time})[:, None]")
        padding = Local("mode.padding")
        if name in padding_after_strides(context.schedule.nodes):
            padding = w.local(f"{name}_padding")
            w.assign(padding, expression(f"mode.of({name!r}).behind"))
        w.assign(self.padded, formula("{} is not None and {}.any()", padding, padding))
        with w.when(self.padded):
            w.less(clock, formula(f"{time} - {{}}", padding), out=self.real[..., 0])
            w.subtract(one, self.real, out=self.gone)


def drawn_numbers(context: KernelContext, word: Recurrent) -> Ref:
    """Return the random numbers of a training step, (samples, rows, width)."""
    shape = word.draws(context.node.input_shapes[0])
    assert shape is not None
    return Ref(f"draws[{context.node.name!r}]", (context.writer.samples, *shape))


class Direction:
    """The sequence read in one direction: a loop of a cell over states, one more than there are steps.

    The first state is zeros, or what the layer carries from the batch before. See `_cells.Sequence` for the attributes.
    """

    def __init__(self, context: KernelContext, word: Recurrent, rows: Ref, one: Pass, mask: PaddingMask | None):
        self.context, self.word, self.rows, self.one = context, word, rows, one
        self.padded = mask.padded if mask is not None else None
        if mask is not None:
            self.real, self.gone = mask.real, mask.gone
        self.time, self.samples = context.node.input_shapes[0][0], context.writer.samples
        self.units, self.columns = word.units, word.gates * word.units
        self.label = f"{context.node.name}_{one.prefix}"
        self.from_the_end = word.reverse or one.direction == BACKWARDS
        self.first, self.last = (self.time, 0) if self.from_the_end else (0, self.time)  # of the states
        all_but_last, all_but_first = slice(None, -1), slice(1, None)
        following: Operand = formula("{} + 1", TIME_STEP)
        self.before: Index = following if self.from_the_end else TIME_STEP
        self.after: Index = TIME_STEP if self.from_the_end else following
        self.all_before: slice = all_but_first if self.from_the_end else all_but_last
        all_after = all_but_last if self.from_the_end else all_but_first
        self.weight = self.parameter("hidden_weight")  # (units, columns)
        self.input_weight = self.parameter("input_weight")  # (features, columns)
        self.states = self.over_time("states", self.units, more=1)
        self.states_after, self.states_before = self.states[all_after], self.states[self.all_before]
        self.sums = self.over_time("sums", self.columns)
        self.product = self.scratch("product", self.columns)
        self.spare = self.scratch("spare", self.units)
        if context.training:
            self.d_h = self.scratch("d_h", self.units)
        self.input_factor = self._factor("inputs", one.input_mask, word.input_dropout)
        self.state_factor = self._factor("state", one.state_mask, word.recurrent_dropout)
        self.met = self.scratch("met", self.units) if self.state_factor is not None else None
        self.cell = CELL_KERNELS[type(word)](self)

    @property
    def writer(self) -> ProgramWriter:
        """What instructions are emitted to."""
        return self.context.writer

    def parameter(self, name: str) -> Ref:
        """Return a parameter of this direction."""
        value, _ = self.context.parameter(f"{self.one.prefix}{name}")
        return self.writer.view(f"{self.label}{name}", value)

    def _factor(self, wish: str, part: slice, probability: float) -> Ref | None:
        """Return the factors of a mask of a training step, (samples, numbers); None where it drops nothing."""
        if not self.context.training or part.start == part.stop:
            return None
        drawn = drawn_numbers(self.context, self.word)
        rows = self.word.masks(self.context.node.input_shapes[0]).rows
        numbers = drawn[:, :rows].reshape(self.samples, rows * drawn.shape[2])[:, part]
        return drop_factor(self.context, f"{self.label}{wish}", numbers, probability)

    def over_time(self, wish: str, columns: int, more: int = 0) -> Ref:
        """Return a new array (time + more, samples, columns) of zeros."""
        return self.writer.buffer(f"{self.label}{wish}", (self.time + more, self.samples, columns), 0)

    def scratch(self, wish: str, columns: int) -> Ref:
        """Return a new array (samples, columns)."""
        return self.writer.buffer(f"{self.label}{wish}", (self.samples, columns))

    def as_rows(self, array: Operand) -> View:
        """Return an array over time as a matrix, (time * samples, columns)."""
        return array.reshape(self.time * self.samples, array.shape[-1])

    def add_up(self, d_columns: Operand, parameter: str) -> None:
        """Write the gradient of a parameter that is added at each step."""
        sum_of_rows(self.context, self.as_rows(d_columns), f"{self.one.prefix}{parameter}")

    def forward(self) -> None:
        """Compute what the input adds at all steps, then the steps."""
        w = self.writer
        sums = self.as_rows(self.sums)
        if self.input_factor is not None:
            seen = w.buffer(f"{self.label}seen_inputs", self.rows.shape)
            w.multiply(self._steps(self.rows), self.input_factor, out=self._steps(seen))
            self.rows = seen
        if self.rows.symbols is not None:
            look_up(self.context, self.rows.symbols, self.input_weight, out=sums)
        else:
            w.dot(self.rows, self.input_weight, out=sums)
        if self.word.bias:
            w.add(sums, self.parameter("bias"), out=sums)
        state = self._carried()
        self._copy_state(state, load=True)
        views = {"h": self.states[self.before], "h_next": self.states[self.after], "a": self.sums[TIME_STEP]}
        self._loop("forward", views | self.cell.views(), self._step, self.from_the_end)
        self._copy_state(state, load=False)

    def _steps(self, rows: Ref) -> View:
        """Return rows as (time, samples, columns)."""
        return rows.reshape(self.time, self.samples, rows.shape[1])

    def _carried(self) -> Local | None:
        """Return what the layer carries from batch to batch, (samples, states * units) or None at run time."""
        if not self.word.carries(self.context.node.input_shapes[0]):
            return None
        return self.writer.once(f"{self.label}carried", f"mode.of({self.context.node.name!r}).state")

    def _copy_state(self, state: Local | None, load: bool) -> None:
        """Load the first state from what is carried, or store the last one there."""
        if state is None:
            return
        begin = self.one.layer * self.word.states
        wide = Local(state.name, (self.samples, self.word.layers * self.word.states * self.units))
        with self.writer.when(formula("{} is not None", state)):
            for i, array in enumerate([self.states, self.cell.second] if self.cell.second else [self.states], begin):
                place = wide[:, i * self.units : (i + 1) * self.units]
                if load:
                    self.writer.copy(place, out=array[self.first])
                else:
                    self.writer.copy(array[self.last], out=place)

    def _step(self, at: AtStep) -> None:
        w, spare = self.writer, self.spare
        met = at["h"]
        if self.state_factor is not None and self.met is not None:
            met = self.met
            w.multiply(at["h"], self.state_factor, out=met)
        self._product(met, self.weight, out=self.product)
        self.cell.step(at)
        if self.padded is None:
            return
        with w.when(self.padded, comment="a step of padding leaves the state as it is"):
            for before, after in (("h", "h_next"), ("c", "c_next")):
                if before in at:
                    w.multiply(at[after], at["real"], out=at[after])
                    w.multiply(at[before], at["gone"], out=spare)
                    w.add(at[after], spare, out=at[after])

    def _loop(self, wish: str, views: Mapping[str, View], step: Callable[[AtStep], None], from_the_end: bool) -> None:
        """Emit a loop over time; the setup makes the views of each step."""
        w = self.writer
        if self.padded is not None:
            views = {**views, "real": self.real[TIME_STEP], "gone": self.gone[TIME_STEP]}
        at = {
            role: Ref(w.name(f"{self.label}{role}_t"), view.shape, memory=view.memory) for role, view in views.items()
        }
        with w.collected() as body:
            step(at)
        steps = w.local(f"{self.label}{wish}")
        times = f"range({self.time - 1}, -1, -1)" if from_the_end else f"range({self.time})"
        template = f"[({', '.join(['{}'] * len(views))}) for t in {times}]"
        w.setup.append(Views(steps, Formula(template, tuple(views.values()))))
        w.emit(For(tuple(at.values()), steps, tuple(body)))

    def _product(self, left: Ref, right: Operand, out: Ref) -> None:
        """out ← left · right of a step, cut into as many rows at once as are quick."""
        w, rows = self.writer, QUICK // (self.units * self.columns)
        if self.samples <= rows or rows < FEW_SAMPLES:
            w.dot(left, right, out=out)
            return
        size = ceil(self.samples / ceil(self.samples / rows))
        for start in range(0, self.samples, size):
            part = slice(start, min(start + size, self.samples))
            w.dot(left[part], right, out=out[part])

    def backward(self, d_y: View, every: bool) -> Ref | None:
        """Emit the backward pass, from the gradient of all states (time, samples, units) or of the last one.

        Returns the gradient of the rows, where it is needed.
        """
        w, cell = self.writer, self.cell
        cell.write_factors()
        turned: Operand = self.weight.T
        if self.samples > FEW_SAMPLES:
            turned = w.buffer(f"{self.label}turned", (self.columns, self.units))
            w.copy(self.weight.T, out=turned)
        if every:
            w.fill(self.d_h, 0)
        else:
            w.copy(d_y, out=self.d_h)

        def step(at: AtStep) -> None:
            if every:
                w.add(self.d_h, at["d_y"], out=self.d_h)
            cell.back(at)
            self._product(at["d_p"], turned, out=self.d_h)
            if self.state_factor is not None:
                w.multiply(self.d_h, self.state_factor, out=self.d_h)
            cell.after_product()

        views = {"d_a": self.sums[TIME_STEP], "d_p": cell.d_product[TIME_STEP]}
        if every:
            views["d_y"] = d_y[TIME_STEP]
        self._loop("backward", views | cell.back_views(), step, not self.from_the_end)
        d_sums = self.as_rows(self.sums)
        w.dot(self.rows.T, d_sums, out=self._gradient("input_weight"))
        d_product = self.as_rows(cell.d_product)
        met: Operand = self.states_before
        if self.state_factor is not None:
            met = self.over_time("met_states", self.units)
            w.multiply(self.states_before, self.state_factor, out=met)
        w.dot(self.as_rows(met).T, d_product, out=self._gradient("hidden_weight"))
        if self.word.bias:
            self.add_up(self.sums, "bias")
        cell.own_gradients()
        if not (self.one.layer or self.context.needs_gradient[0]):
            return None
        d_rows = w.buffer(f"d_{self.label}in", self.rows.shape)
        w.dot(d_sums, self.input_weight.T, out=d_rows)
        if self.input_factor is not None:
            w.multiply(self._steps(d_rows), self.input_factor, out=self._steps(d_rows))
        return d_rows

    def _gradient(self, name: str) -> Ref:
        _, gradient = self.context.parameter(f"{self.one.prefix}{name}")
        return self.writer.view(f"d_{self.label}{name}", gradient)
