"""Live lead scores: `panel serve apps/hub.py`.

Replays the log that `leadlab demo` left through the online store, and shows scores, the scoreboard
and the reasons of a lead as they come out of the pipeline. ``LEADLAB_HOME`` says where to look.
"""

import panel as pn

from leadlab.ui.hub import shared_hub
from leadlab.ui.page import HubPage

pn.extension("tabulator")
page = HubPage(shared_hub())
pn.state.onload(page.start)
page.template().servable(title="leadlab: live scores")
