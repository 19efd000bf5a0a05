//! Mandates that cheat are caught; the program's own are not.

use super::cut::{perturbed, truncated};
use super::lookahead::look;
use super::*;
use crate::samples::MANDATES;
use tradegraph_domain::Timestamp;

fn subject(text: &MandateText) -> Subject<'static> {
    let mandate = text.parse().unwrap_or_else(|e| panic!("{e:?}"));
    let unchecked = load_unchecked(&mandate, &text.folder, None).unwrap_or_else(|e| panic!("{e:?}"));
    Subject::of(mandate, unchecked, Some(1))
}

fn small() -> Subject<'static> {
    let text = "name = \"small\"\n[account]\ncash = \"100000\"\n[[data]]\nsource = \"sample:us20\"\nsymbols = [\"AAPL\", \"KO\"]\n\
                from = \"2019-01-01\"\nto = \"2020-12-31\"\n[agents.momentum_trader]\nfast = 10\nslow = 30\n[allocator]\n\
                kind = \"council\"\nmax_weight = \"60%\"\ngross = \"95%\"\n";
    subject(&MandateText { file: "small".to_owned(), text: text.to_owned(), folder: ".".into() })
}

fn moments(s: &Subject<'_>, at: &[usize]) -> Vec<Timestamp> {
    at.iter().map(|k| s.bars[0].interval(*k).end).collect()
}

/// Each bar shows the prices of the next one: data that say they are known a day before they are.
fn known_too_early(bars: &Batch) -> Batch {
    let mut parts = bars.parts().clone();
    let width = parts.width;
    for column in [&mut parts.open, &mut parts.high, &mut parts.low, &mut parts.close] {
        let n = column.len().saturating_sub(width);
        column.copy_within(width.min(n).., 0);
    }
    Batch::new(parts).unwrap_or_else(|e| panic!("{e}"))
}

/// Prices as shares of the highest of all time, also of the time to come.
fn scaled_by_all(bars: &Batch) -> Batch {
    let mut parts = bars.parts().clone();
    let most = parts.close.iter().copied().max().unwrap_or(1) as f64;
    for column in [&mut parts.open, &mut parts.high, &mut parts.low, &mut parts.close] {
        column.iter_mut().for_each(|v| *v = (*v as f64 / most * 500e9).round() as i64);
    }
    Batch::new(parts).unwrap_or_else(|e| panic!("{e}"))
}

fn cheating(how: fn(&Batch) -> Batch) -> Subject<'static> {
    let honest = small();
    let build = honest.build;
    let build = Box::new(move |bars: &[Batch], actions: &Arc<Actions>| {
        build(&bars.iter().map(how).collect::<Vec<_>>(), actions)
    });
    Subject { build, ..honest }
}

#[test]
fn knowing_the_future_is_caught() {
    let honest = small();
    let at = moments(&honest, &[120, 250, 400]);
    let (found, compared) = look(&honest, &at, 1, &mut |_| ()).unwrap_or_else(|e| panic!("{e:?}"));
    assert!(found.is_none() && compared > 100, "{compared}");
    for how in [known_too_early, scaled_by_all] {
        let (found, _) = look(&cheating(how), &at, 1, &mut |_| ()).unwrap_or_else(|e| panic!("{e:?}"));
        let d = found.unwrap_or_else(|| panic!("a cheat passed"));
        assert!(d.ts <= d.moment && d.moment == at[0] && d.future == "changed", "{} {}", d.ts, d.moment);
        assert!(!d.text.is_empty() && d.json["symbol"].is_string(), "{}", d.json);
    }
    // Today's decision knows tomorrow's close: the first difference is at the moment itself, before it both agree.
    let (found, _) = look(&cheating(known_too_early), &at, 1, &mut |_| ()).unwrap_or_else(|e| panic!("{e:?}"));
    assert_eq!(found.map(|d| d.ts), Some(at[0]));
    // The scale of everything is in every order: the first one differs, and both waterfalls are shown.
    let (found, _) = look(&cheating(scaled_by_all), &at, 1, &mut |_| ()).unwrap_or_else(|e| panic!("{e:?}"));
    let d = found.unwrap_or_else(|| panic!("a cheat passed"));
    assert!(
        d.ts < at[0] && d.json["first"]["waterfall"].is_array() && d.json["second"]["waterfall"].is_array(),
        "{}",
        d.json
    );
}

#[test]
fn the_programs_own_mandates_do_not_know_the_future() {
    for (name, _) in MANDATES {
        let text = MandateText::read(&format!("sample:{name}")).unwrap_or_else(|e| panic!("{e:?}"));
        let s = subject(&text);
        let rows = s.bars[0].rows();
        let at = moments(&s, &[rows / 5]);
        let (found, compared) = look(&s, &at, 2, &mut |_| ()).unwrap_or_else(|e| panic!("{name}: {e:?}"));
        assert!(found.is_none() && compared > 0, "{name}: {:?}", found.map(|d| d.text));
    }
}

#[test]
fn only_the_future_is_changed() {
    let s = subject(&MandateText::read("sample:us4-ohlcv").unwrap_or_else(|e| panic!("{e:?}")));
    let (bars, t) = (&s.bars[0], s.bars[0].interval(99).end);
    let [a, b] = [1, 2].map(|seed| perturbed(bars, t, seed).unwrap_or_else(|e| panic!("{e:?}")));
    for k in 0..bars.rows() {
        let same = (0..bars.width()).all(|i| bars.close(k, i) == a.close(k, i) && bars.open(k, i) == a.open(k, i));
        assert_eq!(same, k < 100, "row {k}");
        for i in 0..bars.width() {
            assert!(a.low(k, i) <= a.open(k, i) && a.close(k, i) <= a.high(k, i), "row {k}");
        }
    }
    assert_ne!(a.id(), b.id());
    let cut = truncated(bars, t).unwrap_or_else(|e| panic!("{e:?}"));
    assert_eq!((cut.rows(), cut.closes(0, 100)), (100, bars.closes(0, 100)));
    // In the middle of a bar its open is known and nothing else.
    let during = Timestamp(bars.interval(100).start.0 + 1);
    let c = perturbed(bars, during, 1).unwrap_or_else(|e| panic!("{e:?}"));
    assert!(c.open(100, 0) == bars.open(100, 0) && c.close(100, 0) != bars.close(100, 0));
    assert!(c.low(100, 0) <= c.open(100, 0) && c.open(100, 0) <= c.high(100, 0));
    assert_eq!(truncated(bars, during).map(|b| b.rows()).ok(), Some(101));
}

#[test]
fn an_average_forgets_where_it_began() {
    let s = small();
    let l = warmup::later(&s, 25, 1e-6).unwrap_or_else(|e| panic!("{e:?}"));
    let after = l.agrees_after.unwrap_or(usize::MAX);
    // An EMA of 30 bars keeps (29/31)^n of its start: 207 bars to a millionth, fewer of what its score makes of it.
    assert!((40..=300).contains(&after) && l.end < 1e-9, "{after} {}", l.end);
    let exact = warmup::later(&s, 25, 0.0).unwrap_or_else(|e| panic!("{e:?}"));
    assert!(exact.agrees_after.is_none_or(|n| n > after));
    assert!(l.last.is_some_and(|(n, _, w)| n < after && w.difference > 1e-6));
}
