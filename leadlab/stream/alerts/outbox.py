"""What is still to be delivered: on disk with the alerts, each delivery once, until settled."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from leadlab.stream.alerts.alert import Alert
from leadlab.stream.alerts.alert_file import AlertFile
from leadlab.stream.alerts.history import note

_DECODER = msgspec.json.Decoder(Alert)
_MINE = "alert = ? AND route = ? AND step = ? AND state = 'waiting'"


@dataclass(frozen=True, slots=True)
class Due:
    """A delivery that is to be attempted now.

    Attributes
    ----------
    alert : Alert
        As it stands now.
    route, step : str
        `step` is "raised" or "escalated".
    attempts : int
        So far.
    """

    alert: Alert
    route: str
    step: str
    attempts: int

    @property
    def key(self) -> str:
        """What receivers know a repeated delivery by."""
        return f"{self.alert.id}:{self.route}:{self.step}"


class Outbox:
    """Deliveries of the file; any thread and process may work on them.

    Parameters
    ----------
    file : AlertFile
    """

    def __init__(self, file: AlertFile) -> None:
        self._file = file

    def claim(self, route: str, now_us: int, lease_us: int, most: int) -> list[Due]:
        """Deliveries of one route that are due; nobody else gets them while the lease runs."""
        with self._file.writing() as db:
            rows = db.execute(
                "SELECT o.alert, o.step, o.attempts, a.body FROM outbox o JOIN alerts a"
                " ON a.id = o.alert WHERE o.route = ? AND o.state = 'waiting'"
                " AND o.next_try_us <= ? ORDER BY o.next_try_us, o.alert LIMIT ?",
                (route, now_us, most),
            ).fetchall()
            db.executemany(
                f"UPDATE outbox SET next_try_us = ? WHERE {_MINE}",  # noqa: S608  (own names)
                [(now_us + lease_us, alert, route, step) for alert, step, _, _ in rows],
            )
        return [Due(_DECODER.decode(body), route, step, n) for _, step, n, body in rows]

    def is_due(self, route: str, now_us: int) -> bool:
        """Whether anything of a route is due; takes no lock of the file."""
        with self._file.reading() as db:
            found = db.execute(
                "SELECT 1 FROM outbox WHERE route = ? AND state = 'waiting' AND next_try_us <= ?"
                " LIMIT 1",
                (route, now_us),
            ).fetchone()
        return found is not None

    def settle(self, due: Due, now_us: int, what: str, text: str) -> None:
        """Done with: "delivered" or "given up"."""
        state = "sent" if what == "delivered" else "given up"
        with self._file.writing() as db:
            done = db.execute(
                f"UPDATE outbox SET state = ?, attempts = attempts + 1 WHERE {_MINE}",  # noqa: S608
                (state, due.alert.id, due.route, due.step),
            ).rowcount
            if done:
                note(db, due.alert.id, now_us, what, None, f"{due.route}: {text}")

    def retry(self, due: Due, now_us: int, next_try_us: int, text: str) -> None:
        """Attempted in vain; again later."""
        with self._file.writing() as db:
            done = db.execute(
                f"UPDATE outbox SET next_try_us = ?, attempts = attempts + 1 WHERE {_MINE}",  # noqa: S608
                (next_try_us, due.alert.id, due.route, due.step),
            ).rowcount
            if done:
                note(db, due.alert.id, now_us, "failed", None, f"{due.route}: {text}")

    def postpone(self, due: Due, next_try_us: int) -> None:
        """Not attempted; later."""
        with self._file.writing() as db:
            db.execute(
                f"UPDATE outbox SET next_try_us = ? WHERE {_MINE}",  # noqa: S608  (own names)
                (next_try_us, due.alert.id, due.route, due.step),
            )

    def routes(self) -> list[str]:
        """Routes for which something waits."""
        with self._file.reading() as db:
            rows = db.execute("SELECT DISTINCT route FROM outbox WHERE state = 'waiting'")
            return sorted(route for (route,) in rows)
