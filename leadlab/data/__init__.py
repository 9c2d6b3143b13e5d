"""Public data sets by address and checksum, and simulated events.

The data sets' readers are modules of their own (`leadlab.data.bpic2012`, ...); `load` finds them.
"""

from leadlab.data.generated import generated_log
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
    "generated_log",
    "get",
    "load",
    "path",
    "readers",
    "verify",
]
