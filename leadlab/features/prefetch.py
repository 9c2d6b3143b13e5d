"""Ask the processor for memory before it is needed."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic


@intrinsic
def prefetch_row(typing: Any, table: Any, row: Any, item: Any) -> Any:
    """Fetch the cache line of ``table[row, item]`` of a C-ordered table for writing.

    A training set is computed lead by lead and written in the order of the log, so each row lies
    somewhere else; without this the kernel waits for memory a third of its time.
    """

    def code(context: Any, builder: Any, _: Any, args: Any) -> Any:
        array = context.make_array(table)(context, builder, args[0])
        stride = builder.extract_value(array.strides, 0)
        size = ir.Constant(stride.type, table.dtype.bitwidth // 8)
        offset = builder.add(
            builder.mul(builder.sext(args[1], stride.type), stride),
            builder.mul(builder.sext(args[2], stride.type), size),
        )
        byte = ir.IntType(8)
        data = builder.bitcast(array.data, byte.as_pointer())
        address = builder.gep(data, [offset])
        word = ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [byte.as_pointer(), word, word, word])
        function = builder.module.declare_intrinsic("llvm.prefetch", [byte.as_pointer()], kind)
        for_writing, keep, data_cache = (ir.Constant(word, x) for x in (1, 3, 1))
        builder.call(function, [address, for_writing, keep, data_cache])
        return context.get_dummy_value()

    return types.none(table, types.intp, types.intp), code
