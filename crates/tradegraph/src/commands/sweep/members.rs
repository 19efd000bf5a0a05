//! The members of a sweep: every combination of a grid, or draws from it.

use super::Arguments;
use crate::failure::{Failure, Kind};
use crate::mandate::{Mandate, MandateText};
use crate::settings::set;
use tradegraph_quant::performance::Random;

/// Members that one sweep may have.
const MOST: usize = 20_000;

/// What a key may be.
#[derive(Clone, Debug, PartialEq)]
enum Values {
    List(Vec<String>),
    /// From, to, decimals, and the unit behind the number (`%`, `bp`); for draws.
    Range(f64, f64, usize, String),
}

/// One key of a sweep.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    /// Its path in the mandate.
    pub key: String,
    values: Values,
}

/// A mandate of a sweep.
#[derive(Clone, Debug)]
pub struct Member {
    /// Its values in the order of the axes.
    pub values: Vec<String>,
    /// The mandate.
    pub mandate: Mandate,
    /// What it decides, as hexadecimal digits.
    pub fingerprint: String,
}

/// Members, and how many combinations the mandate refuses with the first reason.
pub struct Members {
    /// The axes.
    pub axes: Vec<Axis>,
    /// Those that can be run, each once.
    pub list: Vec<Member>,
    /// Those that cannot.
    pub refused: usize,
    /// Why the first cannot.
    pub reason: Option<String>,
}

fn axis(text: &str) -> Result<Axis, Failure> {
    let bad = |what: String| Failure::new(Kind::Usage, what).next("as --set agents.momentum_trader.fast=10,20,40");
    let Some((key, values)) = text.split_once('=').filter(|(k, v)| !k.trim().is_empty() && !v.trim().is_empty()) else {
        return Err(bad(format!("'{text}' is not KEY=V1,V2,…")));
    };
    let key = key.trim().to_owned();
    if let Some((from, to)) = values.split_once("..") {
        let unit = |t: &str| t.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.' || c == '-').to_owned();
        let number = |t: &str| t.trim().trim_end_matches(&unit(t.trim())).parse::<f64>().ok().filter(|x| x.is_finite());
        let decimals =
            |t: &str| t.split_once('.').map_or(0, |(_, d)| d.chars().take_while(char::is_ascii_digit).count());
        let (Some(a), Some(b)) = (number(from), number(to)) else {
            return Err(bad(format!("'{values}' of '{key}' is no range of numbers")));
        };
        if a >= b || unit(from.trim()) != unit(to.trim()) {
            return Err(bad(format!("'{values}' of '{key}': the first number must be the smaller one, in one unit")));
        }
        let places = decimals(from).max(decimals(to));
        return Ok(Axis { key, values: Values::Range(a, b, places, unit(to.trim())) });
    }
    let list: Vec<String> = values.split(',').map(|v| v.trim().to_owned()).collect();
    if list.iter().any(String::is_empty) {
        return Err(bad(format!("'{values}' of '{key}' has an empty value")));
    }
    Ok(Axis { key, values: Values::List(list) })
}

fn draw(values: &Values, random: &mut Random) -> String {
    match values {
        Values::List(list) => list.get(random.below(list.len().max(1))).cloned().unwrap_or_default(),
        Values::Range(a, b, places, unit) => {
            // Every number with these decimals is as likely as any other.
            let scale = 10_f64.powi(i32::try_from(*places).unwrap_or(0));
            let steps = ((b - a) * scale).round() as usize;
            format!("{:.places$}{unit}", a + random.below(steps.saturating_add(1)) as f64 / scale)
        }
    }
}

/// The members of a sweep of this mandate.
pub fn members(text: &MandateText, base: &Mandate, a: &Arguments) -> Result<Members, Failure> {
    let axes = a.set.iter().map(|s| axis(s)).collect::<Result<Vec<_>, _>>()?;
    for (at, axis) in axes.iter().enumerate() {
        if axes.iter().take(at).any(|other| other.key == axis.key) {
            return Err(Failure::new(Kind::Usage, format!("'{}' is set twice", axis.key)));
        }
    }
    let combinations = combinations(&axes, a)?;
    let table: toml::Table = text.text.parse().map_err(|e: toml::de::Error| {
        Failure::new(Kind::Input, format!("{}: {}", text.file, e.message())).next("correct the mandate")
    })?;
    let mut found = Members { axes, list: Vec::new(), refused: 0, reason: None };
    let mut seen = std::collections::BTreeSet::new();
    for values in combinations {
        let mut own = table.clone();
        for (axis, value) in found.axes.iter().zip(&values) {
            set(&mut own, &axis.key, value)?;
        }
        let named = MandateText {
            file: format!("{} with {}", text.file, label(&found.axes, &values)),
            text: own.to_string(),
            folder: text.folder.clone(),
        };
        let mandate = match named.parse() {
            Ok(mandate) => mandate,
            Err(failure) => {
                found.refused += 1;
                found.reason.get_or_insert(failure.what);
                continue;
            }
        };
        if mandate.data != base.data {
            let what = "a sweep runs on one set of data: keys of [[data]] cannot be swept";
            return Err(Failure::new(Kind::Usage, what).next("write a mandate for each set of data"));
        }
        let fingerprint = blake3::Hash::from(mandate.fingerprint()).to_hex().to_string();
        if seen.insert(fingerprint.clone()) {
            found.list.push(Member { values, mandate, fingerprint });
        }
    }
    if found.list.is_empty() {
        let what = found.reason.take().unwrap_or_else(|| "the sweep has no member".to_owned());
        return Err(Failure::new(Kind::Input, format!("no combination can be run; the first: {what}")));
    }
    Ok(found)
}

fn combinations(axes: &[Axis], a: &Arguments) -> Result<Vec<Vec<String>>, Failure> {
    if let Some(n) = a.random {
        let mut random = Random::new(a.seed);
        return Ok((0..n).map(|_| axes.iter().map(|x| draw(&x.values, &mut random)).collect()).collect());
    }
    let mut all: Vec<Vec<String>> = vec![vec![]];
    for axis in axes {
        let Values::List(list) = &axis.values else {
            let what = format!("'{}' is a range: a grid needs its values one by one", axis.key);
            return Err(Failure::new(Kind::Usage, what).next("give a list V1,V2,… or --random N"));
        };
        let n = all.len().saturating_mul(list.len());
        if n > MOST {
            let what = format!("the grid has more than {MOST} members");
            return Err(Failure::new(Kind::Usage, what).next("draw from it with --random N"));
        }
        all = all
            .iter()
            .flat_map(|c| list.iter().map(move |v| [c.as_slice(), std::slice::from_ref(v)].concat()))
            .collect();
    }
    Ok(all)
}

/// `fast=10, slow=30`: the last part of each key, more where two keys end alike.
pub fn label(axes: &[Axis], values: &[String]) -> String {
    // As many parts of the path, from its end, as tell the keys apart.
    let tail = |key: &str, parts: usize| {
        let at = key.rmatch_indices('.').nth(parts - 1).map_or(0, |(at, _)| at + 1);
        key[at..].to_owned()
    };
    let apart = |parts: &usize| {
        let tails: std::collections::BTreeSet<_> = axes.iter().map(|a| tail(&a.key, *parts)).collect();
        tails.len() == axes.len()
    };
    let parts = (1..8).find(apart).unwrap_or(8);
    let short = |key: &str| tail(key, parts);
    axes.iter().zip(values).map(|(a, v)| format!("{}={v}", short(&a.key))).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(set: &[&str], random: Option<u32>) -> Arguments {
        Arguments { set: set.iter().map(|s| (*s).to_owned()).collect(), random, seed: 7, ..Arguments::default() }
    }

    fn check(set: &[&str], random: Option<u32>) -> Vec<Vec<String>> {
        let a = arguments(set, random);
        let axes: Vec<Axis> = a.set.iter().map(|s| axis(s).unwrap_or_else(|e| panic!("{e:?}"))).collect();
        combinations(&axes, &a).unwrap_or_else(|e| panic!("{e:?}"))
    }

    #[test]
    fn grids_and_draws() {
        let grid = check(&["a.x=1,2", "y=u,v,w"], None);
        assert_eq!(grid.len(), 6);
        assert_eq!((grid[0].join(" "), grid[5].join(" ")), ("1 u".to_owned(), "2 w".to_owned()));
        let draws = check(&["a=5..9", "b=0.5%..1.5%", "c=-2..2"], Some(200));
        assert_eq!(draws.len(), 200);
        for d in &draws {
            let a: i64 = d[0].parse().unwrap_or(-1);
            let b: f64 = d[1].trim_end_matches('%').parse().unwrap_or(-1.0);
            let c: i64 = d[2].parse().unwrap_or(-9);
            assert!((5..=9).contains(&a) && (0.5..=1.5).contains(&b) && (-2..=2).contains(&c), "{d:?}");
        }
        for (at, n) in [(0, 5), (1, 11), (2, 5)] {
            let seen: std::collections::BTreeSet<_> = draws.iter().map(|d| &d[at]).collect();
            assert_eq!(seen.len(), n, "{seen:?}");
        }
        assert_eq!(draws, check(&["a=5..9", "b=0.5%..1.5%", "c=-2..2"], Some(200)));
        for bad in ["x", "=1", "x=", "x=1,,2", "x=9..5", "x=1%..2bp", "x=a..b"] {
            assert!(axis(bad).is_err(), "{bad}");
        }
    }
}
