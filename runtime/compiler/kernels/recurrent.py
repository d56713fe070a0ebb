"""Recurrent layers: products over whole sequences, and between them a loop over time along views made beforehand.

Inside, a sequence is (time, samples, features): the states before all steps, what the input adds to them and the
gradients are matrices, and a step of the loop is one product, h·U, and a few operations in place.
"""

from collections.abc import Callable, Mapping
from math import ceil

from nnspec.runtime.compiler.graph import reads_symbols
from nnspec.runtime.compiler.kernels import KernelContext, Written, kernel
from nnspec.runtime.compiler.kernels._cells import CELLS, At
from nnspec.runtime.compiler.kernels._products import QUICK
from nnspec.runtime.compiler.kernels.dense import sum_of_rows
from nnspec.runtime.compiler.kernels.embedding import look_up
from nnspec.runtime.compiler.kernels.reshape import step_rows, unrolled
from nnspec.runtime.compiler.padding import behind_strides
from nnspec.runtime.compiler.writer import INDENT, Ref, Writer
from nnspec.spec_lang.vocabulary.layers.recurrent import BACKWARDS, Recurrent

FEW = 4
"""Rows of a product that are too few to be cut, and that a transposed weight does not slow down."""


@kernel(*CELLS)
def recurrent(word: Recurrent, site: KernelContext) -> Written:
    """One or two readings of the sequence, their states beside each other."""
    w, units = site.writer, word.units
    every = word.return_ == "sequence"
    rows = step_rows(site, site.x)
    mask = _Mask.written(site) if reads_symbols((node.layer, node.inputs) for node in site.schedule.nodes) else None
    readings = [Reading(site, word, rows, direction, mask) for direction in word.directions]
    for one in readings:
        one.forward()
    parts = [f"{i * units}:{(i + 1) * units}" for i in range(len(readings))]
    if every and len(readings) == 1:
        y = w.view(site.node.name, readings[0].shown, (readings[0].time, w.samples, units))
    else:
        y = site.output()
        for one, part in zip(readings, parts, strict=True):
            place, state = (f"[..., {part}]", one.shown) if every else (f"[{part}]", f"{one.states}[{one.end}].T")
            w.do(f"np.copyto({y.name}{place}, {state})")

    def backward(d_y: Ref) -> list[Ref | None]:
        total: Ref | None = None
        for one, part in zip(readings, parts, strict=True):
            d_x = one.backward(f"{d_y.name}[..., {part}]" if every else f"{d_y.name}[{part}].T", every)
            if total is not None and d_x is not None:
                w.do(f"np.add({d_x.name}, {total.name}, out={d_x.name})")
            total = d_x
        return [unrolled(site, total) if total is not None else None]

    return y.kept(), backward


class _Mask:
    """Names of what tells where sequences have ended: whether any has, and the steps that are real or gone, as 1 and 0
    in (time, samples, 1)."""

    def __init__(self, padded: str, real: str, gone: str):
        self.padded, self.real, self.gone = padded, real, gone

    @classmethod
    def written(cls, site: KernelContext) -> "_Mask":
        """The names, when the lines that set them are written."""
        w, name = site.writer, site.node.name
        time = site.node.input_shapes[0][0]
        shape = (time, w.samples, 1)
        mask = cls(w.name(f"{name}_padded"), w.buffer(f"{name}_real", shape).name, w.buffer(f"{name}_gone", shape).name)
        clock, one = w.name(f"{name}_clock"), w.scalar("one", 1.0)
        w.setup.append(f"{clock} = np.arange({time})[:, None]")
        padding = "mode.padding"
        if name in behind_strides(site.schedule.nodes):
            padding = w.name(f"{name}_padding")
            w.do(f"{padding} = mode.of({name!r}).behind")
        w.do(f"{mask.padded} = {padding} is not None and {padding}.any()")
        w.do(f"if {mask.padded}:")
        w.do(f"{INDENT}np.less({clock}, {time} - {padding}, out={mask.real}[..., 0])")
        w.do(f"{INDENT}np.subtract({one}, {mask.real}, out={mask.gone})")
        return mask


class Reading:
    """The sequence read in one direction: a loop of a cell over states, one more than there are steps.

    The first state is zeros, or what the layer carries from the batch before. `start` and `end` are its place and that
    of the last one, `past` and `now` those before and behind step t. The rest is told in `_cells.Sequence`.
    """

    def __init__(self, site: KernelContext, word: Recurrent, rows: Ref, direction: str, mask: _Mask | None):
        self.site, self.word, self.rows, self.direction = site, word, rows, direction
        self.padded, self.real, self.gone = (mask.padded, mask.real, mask.gone) if mask is not None else ("", "", "")
        self.time, self.samples = site.node.input_shapes[0][0], site.writer.samples
        self.units, self.columns = word.units, word.gates * word.units
        self.label = f"{site.node.name}_{direction}"
        self.backwards = word.reverse or direction == BACKWARDS
        self.start, self.end = (self.time, 0) if self.backwards else (0, self.time)
        self.past, self.now = ("t + 1", "t") if self.backwards else ("t", "t + 1")
        self.all_past, self.all_now = ("1:", ":-1") if self.backwards else (":-1", "1:")
        self.weight = self.parameter("hidden_weight", (self.units, self.columns))
        self.input_weight = self.parameter("input_weight", (rows.shape[1], self.columns))
        self.states = self.over_time("states", self.units, more=1)
        self.shown, self.former = f"{self.states}[{self.all_now}]", f"{self.states}[{self.all_past}]"
        self.sums = self.over_time("sums", self.columns)
        self.product = self.scratch("product", self.columns)
        self.spare = self.scratch("spare", self.units)
        self.d_h = self.scratch("d_h", self.units) if site.training else ""
        self.cell = CELLS[type(word)](self)

    @property
    def writer(self) -> Writer:
        """Where all is written."""
        return self.site.writer

    def parameter(self, name: str, shape: tuple[int, ...]) -> str:
        """A view of a parameter of this direction."""
        value, _ = self.site.parameter(f"{self.direction}{name}")
        return self.writer.view(f"{self.label}{name}", value, shape).name

    def over_time(self, wish: str, columns: int, more: int = 0) -> str:
        """A new array (time + more, samples, columns) of zeros."""
        return self.writer.buffer(f"{self.label}{wish}", (self.time + more, self.samples, columns), 0).name

    def scratch(self, wish: str, columns: int) -> str:
        """A new array (samples, columns)."""
        return self.writer.buffer(f"{self.label}{wish}", (self.samples, columns)).name

    def as_rows(self, array: str, columns: int) -> str:
        """An array over time as a matrix, (time * samples, columns)."""
        return f"{array}.reshape({self.time * self.samples}, {columns})"

    def add_up(self, d_columns: str, parameter: str, units: int) -> None:
        """Write the gradient of what is added at each step."""
        rows = self.time * self.samples
        sum_of_rows(self.site, f"{d_columns}.reshape({rows}, {units})", rows, f"{self.direction}{parameter}", units)

    def forward(self) -> None:
        """Lines for what the input adds at all steps, and for the steps."""
        w = self.writer
        sums = self.as_rows(self.sums, self.columns)
        if self.rows.symbols is not None:
            look_up(self.site, self.rows.symbols, self.input_weight, sums)
        else:
            w.do(f"np.dot({self.rows.name}, {self.input_weight}, out={sums})")
        if self.word.bias:
            w.do(f"np.add({sums}, {self.parameter('bias', (self.columns,))}, out={sums})")
        state = self._carried()
        self._carry(state, "np.copyto({array}[" + str(self.start) + "], {place})")
        views = {"h": f"{self.states}[{self.past}]", "h_next": f"{self.states}[{self.now}]", "a": f"{self.sums}[t]"}
        self._loop("forward", views | self.cell.views(), self._step, self.backwards)
        self._carry(state, "np.copyto({place}, {array}[" + str(self.end) + "])")

    def _carried(self) -> str:
        """The name of what the layer carries from batch to batch, (samples, states * units) or None; "" for nothing."""
        if not self.word.carries(self.site.node.input_shapes[0]):
            return ""
        state = self.writer.name(f"{self.label}carried")
        self.writer.setup.append(f"{state} = mode.of({self.site.node.name!r}).state")
        return state

    def _carry(self, state: str, copy: str) -> None:
        """Lines that copy each part of the state, if it is carried."""
        arrays = [array for array in (self.states, self.cell.second) if array] if state else []
        if arrays:
            self.writer.do(f"if {state} is not None:")
        for i, array in enumerate(arrays):
            place = f"{state}[:, {i * self.units}:{(i + 1) * self.units}]"
            self.writer.do(INDENT + copy.format(array=array, place=place))

    def _step(self, at: At) -> list[str]:
        lines = [*self._products(at["h"], self.weight, self.product), *self.cell.step(at)]
        if self.padded:
            lines.append(f"if {self.padded}:  # a step of padding leaves the state as it is")
            for former, now in (("h", "h_next"), ("c", "c_next")):
                if former in at:
                    lines += [
                        f"{INDENT}np.multiply({at[now]}, {at['real']}, out={at[now]})",
                        f"{INDENT}np.multiply({at[former]}, {at['gone']}, out={self.spare})",
                        f"{INDENT}np.add({at[now]}, {self.spare}, out={at[now]})",
                    ]
        return lines

    def _loop(self, wish: str, views: Mapping[str, str], step: Callable[[At], list[str]], backwards: bool) -> None:
        """A loop over time, and in the setup the views that it goes along."""
        w = self.writer
        if self.padded:
            views = {**views, "real": f"{self.real}[t]", "gone": f"{self.gone}[t]"}
        at = {view: w.name(f"{self.label}{view}_t") for view in views}
        lines = step(at)
        steps = w.name(f"{self.label}{wish}")
        times = f"range({self.time - 1}, -1, -1)" if backwards else f"range({self.time})"
        w.setup.append(f"{steps} = [({', '.join(views.values())}) for t in {times}]")
        w.do(f"for {', '.join(at.values())} in {steps}:")
        for line in lines:
            w.do(f"{INDENT}{line}")

    def _products(self, left: str, right: str, out: str) -> list[str]:
        """left·right for a step, cut into as many rows at once as are quick."""
        rows = QUICK // (self.units * self.columns)
        if self.samples <= rows or rows < FEW:
            return [f"np.dot({left}, {right}, out={out})"]
        size = ceil(self.samples / ceil(self.samples / rows))
        cuts = [f"[{start}:{min(start + size, self.samples)}]" for start in range(0, self.samples, size)]
        return [f"np.dot({left}{cut}, {right}, out={out}{cut})" for cut in cuts]

    def backward(self, d_y: str, every: bool) -> Ref | None:
        """Lines for the gradients, from that of all states (time, samples, units) or of the last (samples, units).

        Returns the gradient of the rows, where it is wanted.
        """
        w, cell, units = self.writer, self.cell, self.units
        cell.write_factors()
        turned = f"{self.weight}.T"
        if self.samples > FEW:
            turned = w.buffer(f"{self.label}turned", (self.columns, units)).name
            w.do(f"np.copyto({turned}, {self.weight}.T)")
        w.do(f"{self.d_h}.fill(0)" if every else f"np.copyto({self.d_h}, {d_y})")

        def step(at: At) -> list[str]:
            come = [f"np.add({self.d_h}, {at['d_y']}, out={self.d_h})"] if every else []
            return [*come, *cell.back(at), *self._products(at["d_p"], turned, self.d_h), *cell.behind(at)]

        views = {"d_a": f"{self.sums}[t]", "d_p": f"{cell.d_product}[t]", **({"d_y": f"{d_y}[t]"} if every else {})}
        self._loop("backward", views | cell.back_views(), step, not self.backwards)
        d_sums = self.as_rows(self.sums, self.columns)
        for name, left, right, shape in (
            ("input_weight", self.rows.name, d_sums, (self.rows.shape[1], self.columns)),
            (
                "hidden_weight",
                self.as_rows(self.former, units),
                self.as_rows(cell.d_product, self.columns),
                (units, self.columns),
            ),
        ):
            gradient = self.site.parameter(f"{self.direction}{name}")[1]
            w.do(f"np.dot({left}.T, {right}, out={w.view(f'd_{self.label}{name}', gradient, shape).name})")
        if self.word.bias:
            self.add_up(self.sums, "bias", self.columns)
        cell.own_gradients()
        if not self.site.wanted[0]:
            return None
        d_rows = w.buffer(f"d_{self.label}in", self.rows.shape)
        w.do(f"np.dot({d_sums}, {self.input_weight}.T, out={d_rows.name})")
        return d_rows
