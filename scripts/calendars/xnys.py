#!/usr/bin/env python3
"""Makes crates/market/src/calendar/xnys.txt (embedded) and xnys_oracle.txt (test only).

The embedded table says what differs from the rule "Monday to Friday, 09:30 to 16:00 in New York": closed weekdays,
sessions with other hours, and when daylight-saving time starts and ends. The oracle says for every day of 1990-2027
when the session opens and closes in UTC, straight from exchange_calendars, so that the test also checks the rule and
the conversion to UTC.

    python3 -m venv calendars-venv
    calendars-venv/bin/pip install exchange_calendars==4.13.2 pandas_market_calendars==5.5.0
    calendars-venv/bin/python scripts/calendars/xnys.py
"""

import datetime as dt
import pathlib
from importlib.metadata import version
from zoneinfo import ZoneInfo

import exchange_calendars
import pandas_market_calendars

FIRST, LAST = "1990-01-01", "2027-12-31"
NEW_YORK = ZoneInfo("America/New_York")
OUT = pathlib.Path(__file__).resolve().parents[2] / "crates/market/src/calendar"
# Letters of the oracle: UTC hours of the sessions that occur.
LETTERS = {
    ("14:30", "21:00"): "W",
    ("13:30", "20:00"): "S",
    ("14:30", "18:00"): "w",
    ("13:30", "17:00"): "s",
    ("14:30", "19:00"): "x",
    ("13:30", "18:00"): "y",
}


def days():
    day, last = dt.date.fromisoformat(FIRST), dt.date.fromisoformat(LAST)
    while day <= last:
        yield day
        day += dt.timedelta(days=1)


def hm(stamp):
    return stamp.strftime("%H:%M")


def summers():
    """The dates, both included, on which noon in New York is four hours behind UTC."""
    for year in range(int(FIRST[:4]), int(LAST[:4]) + 1):
        summer = [d for d in (dt.date(year, 1, 1) + dt.timedelta(days=n) for n in range(365))
                  if dt.datetime(d.year, d.month, d.day, 12, tzinfo=NEW_YORK).utcoffset() == dt.timedelta(hours=-4)]
        yield f"summer {summer[0]} {summer[-1]}"


def main():
    ours = exchange_calendars.get_calendar("XNYS", start=FIRST, end=LAST).schedule
    other = pandas_market_calendars.get_calendar("NYSE").schedule(FIRST, LAST)
    utc = {i.date(): (o.to_pydatetime(), c.to_pydatetime()) for i, o, c in zip(ours.index, ours["open"], ours["close"])}
    second = {i.date(): (o.to_pydatetime(), c.to_pydatetime())
              for i, o, c in zip(other.index, other["market_open"], other["market_close"])}
    new_york = {d: tuple(hm(t.astimezone(NEW_YORK)) for t in times) for d, times in utc.items()}

    notes = []
    for day in days():
        a = new_york.get(day)
        b = tuple(hm(t.astimezone(NEW_YORK)) for t in second[day]) if day in second else None
        if a != b:
            show = lambda hours: "-".join(hours) if hours else "closed"
            notes.append(f"# {day} here {show(a)}, there {show(b)}")

    lines = [
        "# Made by scripts/calendars/xnys.py: do not edit.",
        f"# Source: exchange_calendars {version('exchange_calendars')}, calendar XNYS.",
        f"# Compared with pandas_market_calendars {version('pandas_market_calendars')}, calendar NYSE. It has the same "
        "session dates; its hours differ on these days:",
        *notes,
        "# Halts and late openings inside a session (minutes of silence, snow, the falls of 1997) are not scheduled hours",
        "# and are left out. For 1999-12-31 the early close of exchange_calendars is kept: the table follows one source,",
        "# and a close assumed too early only refuses orders.",
        f"covers {FIRST} {LAST}",
        "offset -05:00",
        "hours 09:30 16:00",
        *summers(),
    ]
    for day in days():
        hours = new_york.get(day)
        if day.weekday() >= 5:
            assert hours is None, day
        elif hours is None:
            lines.append(f"closed {day}")
        elif hours != ("09:30", "16:00"):
            lines.append(f"special {day} {hours[0]} {hours[1]}")
    (OUT / "xnys.txt").write_text("\n".join(lines) + "\n")

    oracle = [
        "# Made by scripts/calendars/xnys.py: one line a month, one letter a day, '.' where there is no session.",
        f"# Source: exchange_calendars {version('exchange_calendars')}, XNYS, its own UTC stamps.",
        "# " + " ".join(f"{letter}={a}-{b}" for (a, b), letter in LETTERS.items()),
    ]
    months = {}
    for day in days():
        times = utc.get(day)
        if times:
            assert all(t.date() == day and t.second == 0 for t in times), day
        months.setdefault(day.strftime("%Y-%m"), []).append(LETTERS[tuple(map(hm, times))] if times else ".")
    oracle += [f"{month} {''.join(letters)}" for month, letters in months.items()]
    (OUT / "xnys_oracle.txt").write_text("\n".join(oracle) + "\n")
    print(f"{len(utc)} sessions, {len(notes)} differences, table of {len(lines)} lines")


if __name__ == "__main__":
    main()
