#!/usr/bin/env python3
"""Makes crates/market/src/calendar/fx.txt (embedded) and fx_oracle.txt (test only).

The week of currencies runs from Sunday 17:00 to Friday 17:00 in New York without a pause; the session of a date, Monday
to Friday, is the 24 hours that end at 17:00 of it. There is no exchange and so no list of holidays: quotes are thin or
absent around 25 December and 1 January, and which hours depends on the source.

The oracle is the calendar FX of pandas_market_calendars (hours in UTC), its Sundays left out: it dates a session to them
that would begin on Saturday, when nothing is quoted. That Monday to Friday are the dates is what the calendar 24/5 of
exchange_calendars says.

    python3 -m venv calendars-venv
    calendars-venv/bin/pip install exchange_calendars==4.13.2 pandas_market_calendars==5.5.0
    calendars-venv/bin/python scripts/calendars/fx.py
"""

import datetime as dt
from importlib.metadata import version

import exchange_calendars
import pandas_market_calendars

from xnys import FIRST, LAST, OUT, days, hm, summers

# Letters of the oracle: hours in UTC, from the day before to the date itself.
LETTERS = {("22:00", "22:00"): "W", ("21:00", "21:00"): "S"}


def main():
    theirs = pandas_market_calendars.get_calendar("FX").schedule(FIRST, LAST)
    hours = {i.date(): (o.to_pydatetime(), c.to_pydatetime())
             for i, o, c in zip(theirs.index, theirs["market_open"], theirs["market_close"])}
    weekdays = {i.date() for i in exchange_calendars.get_calendar("24/5", start=FIRST, end=LAST).schedule.index}
    assert weekdays == {d for d in hours if d.weekday() < 5}

    lines = [
        "# Made by scripts/calendars/fx.py: do not edit.",
        f"# Source: pandas_market_calendars {version('pandas_market_calendars')}, calendar FX without its Sundays; dates",
        f"# as in exchange_calendars {version('exchange_calendars')}, calendar 24/5.",
        f"covers {FIRST} {LAST}",
        "offset -05:00",
        "hours -07:00 17:00",
        *summers(),
    ]
    (OUT / "fx.txt").write_text("\n".join(lines) + "\n")

    oracle = [
        "# Made by scripts/calendars/fx.py: one line a month, one letter a day, '.' where there is no session.",
        f"# Source: pandas_market_calendars {version('pandas_market_calendars')}, FX, its own UTC stamps.",
        "# " + " ".join(f"{letter}={a}-{b}" for (a, b), letter in LETTERS.items()),
    ]
    months = {}
    for day in days():
        letter = "."
        if day in weekdays:
            opens, closes = hours[day]
            assert opens.date() == day - dt.timedelta(days=1) and closes.date() == day, day
            letter = LETTERS[hm(opens), hm(closes)]
        months.setdefault(day.strftime("%Y-%m"), []).append(letter)
    oracle += [f"{month} {''.join(letters)}" for month, letters in months.items()]
    (OUT / "fx_oracle.txt").write_text("\n".join(oracle) + "\n")
    print(f"{len(weekdays)} sessions")


if __name__ == "__main__":
    main()
