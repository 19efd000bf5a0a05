"""Writes crates/tradegraph/oracles/report_curve.csv (the curves of a run) and report.csv (what empyrical says of them).

Usage: python scripts/oracles/report.py RUN_FOLDER
RUN_FOLDER is that of a run of sample:us4-ohlcv and holds equity.csv.
Needs empyrical-reloaded 0.7.1, quantstats 0.0.86, pandas, numpy, scipy.
"""
import sys
from importlib.metadata import version
from pathlib import Path

import empyrical as ep
import numpy as np
import pandas as pd
import quantstats.stats as qs
from scipy import stats

OUT = Path(__file__).resolve().parents[2] / "crates/tradegraph/oracles"


def main(folder):
    curves = pd.read_csv(Path(folder) / "equity.csv", parse_dates=["date"], index_col="date")
    curves = curves[["nav", "equal_weight", "buy_and_hold"]].round(4)
    curves.to_csv(OUT / "report_curve.csv", date_format="%Y-%m-%d")
    per_year = (len(curves) - 1) / ((curves.index[-1] - curves.index[0]).days / 365.25)
    at = {"annualization": per_year}
    e, q = f"empyrical {version('empyrical-reloaded')}", f"quantstats {version('quantstats')}"
    rows = []
    returns = curves.pct_change().iloc[1:]
    for column, r in returns.items():
        put = lambda name, value, source: rows.append((name, column, repr(float(value)), source))
        put("Growth a year (CAGR)", ep.annual_return(r, **at), e)
        put("Total return", ep.cum_returns_final(r), e)
        put("Volatility a year", ep.annual_volatility(r, **at), e)
        put("Sharpe ratio", ep.sharpe_ratio(r, **at), e)
        put("Sortino ratio", ep.sortino_ratio(r, **at), e)
        put("Calmar ratio", ep.calmar_ratio(r, **at), e)
        put("Omega ratio", ep.omega_ratio(r), e)
        put("Deepest fall", -ep.max_drawdown(r), e)
        fall = (curves[column] / curves[column].cummax() - 1).iloc[1:]
        put("Ulcer index", np.sqrt((fall**2).mean()), "numpy, Martin and McCann 1989")
        put("Downside deviation a year", ep.downside_risk(r, **at), e)
        put("Value at risk of a day, 95 %", -ep.value_at_risk(r, 0.05), e)
        put("Expected shortfall of a day, 95 %", -ep.conditional_value_at_risk(r, 0.05), e)
        put("Best day", qs.best(r), q)
        put("Days that gained", qs.win_rate(r), q)
        put("Tail ratio", ep.tail_ratio(r), e)
        put("Skewness", stats.skew(r), "scipy")
        put("Excess kurtosis", stats.kurtosis(r), "scipy")
    own, theirs = returns["nav"], returns["equal_weight"]
    put = lambda name, value, source: rows.append((name, "against", repr(float(value)), source))
    put("beta", ep.beta(own, theirs), e)
    put("alpha", (1 + ep.alpha(own, theirs, **at)) ** (1 / per_year) * per_year - per_year, e + ", not compounded")
    put("tracking_error", (own - theirs).std(ddof=1) * np.sqrt(per_year), "pandas")
    put("information_ratio", ep.excess_sharpe(own, theirs) * np.sqrt(per_year), e)
    put("up_capture", capture(own, theirs, per_year, 1), e)
    put("down_capture", capture(own, theirs, per_year, -1), e)
    for period, r in ep.aggregate_returns(own, "monthly").items():
        rows.append((f"{period[0]}-{period[1]:02d}", "month", repr(float(r)), e))
    for year, r in ep.aggregate_returns(own, "yearly").items():
        rows.append((str(year), "year", repr(float(r)), e))
    rolling = ep.roll_sharpe_ratio(own, window=252, annualization=per_year)
    for day in ["2014-06-30", "2018-12-31", "2023-09-21"]:
        rows.append((day, "rolling sharpe", repr(float(rolling.loc[day])), e))
    pd.DataFrame(rows, columns=["name", "curve", "value", "source"]).to_csv(OUT / "report.csv", index=False)


def capture(own, theirs, per_year, sign):
    """empyrical's up_capture and down_capture take no annualization: the same ratio of its annual_return."""
    side = sign * theirs > 0
    return ep.annual_return(own[side], annualization=per_year) / ep.annual_return(theirs[side], annualization=per_year)


main(sys.argv[1])
