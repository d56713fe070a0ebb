"""The NumPy functions of a program, each a method that emits one instruction: `w.multiply(x, y, out=z)`."""

from abc import ABC, abstractmethod
from typing import Any

from nnspec.runtime.compiler.program.instructions import ArrayCall, Assign, Effect, Fill, Instruction
from nnspec.runtime.compiler.program.operands import Operand, Value


class Arithmetic(ABC):
    """Emits instructions, in the order of the calls."""

    @abstractmethod
    def emit(self, instruction: Instruction) -> None:
        """Append an instruction."""

    def call(self, function: str, *operands: Value, out: Operand, comment: str = "", **options: Any) -> None:
        """Emit a function of NumPy with keyword arguments, written into `out`."""
        self.emit(ArrayCall(function, operands, out, tuple(options.items()), comment))

    def assign(self, target: Operand, value: Value) -> None:
        """Set a Python variable, or elements of an array or a list."""
        self.emit(Assign((target,), value))

    def run(self, call: Operand) -> None:
        """ArrayCall a Python function for its effect."""
        self.emit(Effect(call))

    def copy(self, source: Operand, out: Operand, **options: str) -> None:
        """out ← source, element by element."""
        self.call("np.copyto", source, out=out, **options)

    def fill(self, array: Operand, number: float) -> None:
        """array ← number, each element."""
        self.emit(Fill(array, number))

    def add(self, x: Value, y: Value, out: Operand) -> None:
        """out ← x + y"""
        self.call("np.add", x, y, out=out)

    def subtract(self, x: Value, y: Value, out: Operand, **options: str) -> None:
        """out ← x − y"""
        self.call("np.subtract", x, y, out=out, **options)

    def multiply(self, x: Value, y: Value, out: Operand) -> None:
        """out ← x · y, element by element"""
        self.call("np.multiply", x, y, out=out)

    def divide(self, x: Value, y: Value, out: Operand) -> None:
        """out ← x / y"""
        self.call("np.divide", x, y, out=out)

    def negative(self, x: Value, out: Operand) -> None:
        """out ← −x"""
        self.call("np.negative", x, out=out)

    def maximum(self, x: Value, y: Value, out: Operand) -> None:
        """out ← the larger of x and y"""
        self.call("np.maximum", x, y, out=out)

    def minimum(self, x: Value, y: Value, out: Operand) -> None:
        """out ← the smaller of x and y"""
        self.call("np.minimum", x, y, out=out)

    def exp(self, x: Value, out: Operand) -> None:
        """out ← eˣ"""
        self.call("np.exp", x, out=out)

    def log(self, x: Value, out: Operand) -> None:
        """out ← ln x"""
        self.call("np.log", x, out=out)

    def sqrt(self, x: Value, out: Operand) -> None:
        """out ← √x"""
        self.call("np.sqrt", x, out=out)

    def tanh(self, x: Value, out: Operand) -> None:
        """out ← tanh x"""
        self.call("np.tanh", x, out=out)

    def rint(self, x: Value, out: Operand) -> None:
        """out ← x rounded to a whole number"""
        self.call("np.rint", x, out=out)

    def greater(self, x: Value, y: Value, out: Operand) -> None:
        """out ← x > y"""
        self.call("np.greater", x, y, out=out)

    def greater_equal(self, x: Value, y: Value, out: Operand) -> None:
        """out ← x ≥ y"""
        self.call("np.greater_equal", x, y, out=out)

    def less(self, x: Value, y: Value, out: Operand, comment: str = "") -> None:
        """out ← x < y"""
        self.call("np.less", x, y, out=out, comment=comment)

    def equal(self, x: Value, y: Value, out: Operand) -> None:
        """out ← x = y"""
        self.call("np.equal", x, y, out=out)

    def sum(self, x: Operand, out: Operand, axis: int | tuple[int, ...], keepdims: bool = False) -> None:
        """out ← Σ x over these axes"""
        self._reduce("np.add.reduce", x, out, axis, keepdims)

    def max(self, x: Operand, out: Operand, axis: int, keepdims: bool = False, comment: str = "") -> None:
        """out ← the largest of x along an axis"""
        self._reduce("np.maximum.reduce", x, out, axis, keepdims, comment)

    def _reduce(self, name: str, x: Operand, out: Operand, axis: Any, keepdims: bool, comment: str = "") -> None:
        options: dict[str, Any] = {"axis": axis, "keepdims": True} if keepdims else {"axis": axis}
        self.call(name, x, out=out, comment=comment, **options)

    def einsum(self, subscripts: str, x: Operand, y: Operand, out: Operand) -> None:
        """out ← Σ x · y by Einstein's notation"""
        self.call("np.einsum", subscripts, x, y, out=out)

    def dot(self, x: Operand, y: Operand, out: Operand) -> None:
        """out ← the matrix product x · y"""
        self.call("np.dot", x, y, out=out)

    def matmul(self, x: Operand, y: Operand, out: Operand, **options: str) -> None:
        """out ← the matrix product x · y, of each matrix in a stack"""
        self.call("np.matmul", x, y, out=out, **options)

    def take(self, x: Operand, indices: Operand, out: Operand, axis: int | None = None) -> None:
        """out ← x[indices]; indices beyond the ends count as the ends"""
        options: dict[str, Any] = {"mode": "clip"} if axis is None else {"axis": axis, "mode": "clip"}
        self.call("np.take", x, indices, out=out, **options)

    def put(self, numbers: Operand, indices: Operand, out: Operand) -> None:
        """out[indices] ← numbers; indices beyond the ends count as the ends"""
        self.call("np.put", indices, numbers, out=out, mode="clip")
