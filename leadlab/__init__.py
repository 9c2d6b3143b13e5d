"""leadlab: features without hindsight and exactly explained scores, from an event log.

The rooms are imported by name (`leadlab.schema`, `leadlab.features`, `leadlab.models`,
`leadlab.explain`, ...); this module itself loads none of them.
"""

__version__ = "0.1.0"
