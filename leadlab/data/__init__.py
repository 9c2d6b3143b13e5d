"""Public data sets by address and checksum, and a simulated brokerage.

The data sets' readers are modules of their own (`leadlab.data.bpic2012`, ...); `load` finds them.
"""

from leadlab.data.brokerage import simulate
from leadlab.data.registry import (
    DataFile,
    DataSet,
    FileState,
    dataset,
    datasets,
    get,
    load,
    path,
    readers,
    verify,
)
from leadlab.data.table import LeadTable

__all__ = [
    "DataFile",
    "DataSet",
    "FileState",
    "LeadTable",
    "dataset",
    "datasets",
    "get",
    "load",
    "path",
    "readers",
    "simulate",
    "verify",
]
