"""Several float32 side by side, as one value inside a Numba kernel.

Numba vectorises a loop only when LLVM can prove that its arrays do not overlap, which it seldom
can for short loops over scratch space.  Here the vector is said outright: `load` takes neighbouring
numbers from an array's `place`, ``+ - *`` work on all of them, `store` puts them back.  LLVM maps
the type to whatever the processor has (one AVX-512 register, four of SSE or NEON), so the kernel is
right everywhere and fast where it can be.

The width is that of the value that `ones` made; the other functions take such a value as `like`.
Arithmetic may be contracted and reordered; comparisons are ordered and untouched by that, so a NaN
is never less than anything.

Examples
--------
>>> import numpy as np
>>> from numba import njit
>>> @njit
... def double(values):
...     one, at = ones(4), place(values)
...     store(at, 0, load(at, 0, one) * (one + one))
>>> values = np.arange(4, dtype=np.float32)
>>> double(values)
>>> values.tolist()
[0.0, 2.0, 4.0, 6.0]
"""

from __future__ import annotations

import operator
from typing import Any

from llvmlite import ir
from numba import types
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import intrinsic, lower_builtin, models, register_model

FLAGS = ("reassoc", "contract", "nsz")


class Lanes(types.Type):  # type: ignore[misc, unused-ignore]
    """The type of `width` float32 held side by side."""

    def __init__(self, width: int) -> None:
        self.width = width
        super().__init__(name=f"Lanes({width})")


@register_model(Lanes)
class _LanesModel(models.PrimitiveModel):  # type: ignore[misc]
    def __init__(self, manager: Any, lanes: Lanes) -> None:
        super().__init__(manager, lanes, ir.VectorType(ir.FloatType(), lanes.width))


def _spread(builder: Any, value: Any, width: int) -> Any:
    blank = ir.Constant(ir.VectorType(ir.FloatType(), width), ir.Undefined)
    first = ir.Constant(ir.IntType(32), 0)
    order = ir.Constant(ir.VectorType(ir.IntType(32), width), [0] * width)
    return builder.shuffle_vector(builder.insert_element(blank, value, first), blank, order)


def _address(builder: Any, place: Any, index: Any, vector: Any) -> Any:
    return builder.bitcast(builder.gep(place, [index]), vector.as_pointer())


@intrinsic
def place(typing: Any, array: Any) -> Any:
    """Give the address of the flat float32 `array`, which the caller must keep.

    Unlike an array, an address can be handed to inner functions without counting references.
    """
    del typing

    def build(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        return context.make_array(sig.args[0])(context, builder, args[0]).data

    return types.CPointer(types.float32)(array), build


@intrinsic
def ones(typing: Any, width: Any) -> Any:
    """Give `width` (a literal) ones side by side."""
    del typing
    if not isinstance(width, types.IntegerLiteral):
        return None
    lanes = Lanes(width.literal_value)

    def build(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        del builder, args
        return ir.Constant(context.get_value_type(sig.return_type), [1.0] * lanes.width)

    return lanes(width), build


@intrinsic
def count(typing: Any, like: Any) -> Any:
    """Give the number of values in `like`, a constant when compiled."""
    del typing

    def build(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        del builder, args
        return context.get_constant(sig.return_type, like.width)

    return types.intp(like), build


@intrinsic
def splat(typing: Any, value: Any, like: Any) -> Any:
    """Give the float32 `value` in every place."""
    del typing, value

    def build(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        del context, sig
        return _spread(builder, args[0], like.width)

    return like(types.float32, like), build


@intrinsic
def load(typing: Any, place: Any, index: Any, like: Any) -> Any:
    """Give the values at `place` from `index` on."""
    del typing, index

    def build(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        del sig
        vector = context.get_value_type(like)
        return builder.load(_address(builder, args[0], args[1], vector), align=4)

    return like(place, types.intp, like), build


@intrinsic
def load_one(typing: Any, place: Any, index: Any, like: Any) -> Any:
    """Give the one value at `place` and `index`, everywhere."""
    del typing, index

    def build(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        del context, sig
        return _spread(builder, builder.load(builder.gep(args[0], [args[1]])), like.width)

    return like(place, types.intp, like), build


@intrinsic
def store(typing: Any, place: Any, index: Any, value: Any) -> Any:
    """Put `value` at `place` from `index` on."""
    del typing, index

    def build(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        del sig
        builder.store(args[2], _address(builder, args[0], args[1], args[2].type), align=4)
        return context.get_dummy_value()

    return types.void(place, types.intp, value), build


@intrinsic
def where_less(typing: Any, value: Any, cut: Any, then: Any) -> Any:
    """Give `then` where `value` is less than the float32 `cut`, and zero elsewhere."""
    del typing, cut

    def build(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        del context, sig
        cuts = _spread(builder, args[1], value.width)
        less = builder.fcmp_ordered("<", args[0], cuts)
        return builder.select(less, args[2], ir.Constant(args[2].type, [0.0] * value.width))

    return then(value, types.float32, then), build


def _teach(function: Any, instruction: str) -> None:
    @infer_global(function)
    class _Typing(AbstractTemplate):  # type: ignore[misc]
        def generic(self, args: Any, kws: Any) -> Any:
            alike = len(args) == 2 and isinstance(args[0], Lanes) and args[0] == args[1]
            return signature(args[0], *args) if alike and not kws else None

    @lower_builtin(function, Lanes, Lanes)
    def _lower(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        del context, sig
        return getattr(builder, instruction)(args[0], args[1], flags=FLAGS)


_teach(operator.add, "fadd")
_teach(operator.sub, "fsub")
_teach(operator.mul, "fmul")
