//! What each agent earned: its own wishes times what prices did, less its share of the costs. What is left of the account's
//! result is the council's doing: weights, sizes, limits, fills. The lines sum to the result exactly.

use pulp::Arch;
use tradegraph_columns::codec::{DecodeError, Decoder, Encoder};
use tradegraph_domain::{AgentId, NANO};
use tradegraph_quant::attribution::apportion;

/// What one agent earned, in 1e-9 of the base currency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Line {
    /// Σ over decisions and instruments of what it asked for × NAV × the return to the next decision.
    pub gross: i128,
    /// Its share of the costs of the trades that it asked for.
    pub costs: i128,
    /// Σ over decisions and instruments of |what it asked for| × NAV: the exposure that it asked for, decision by decision.
    pub exposure: i128,
    /// Decisions at which it asked for anything.
    pub decisions: u64,
}

impl Line {
    /// After costs.
    #[must_use]
    pub fn net(&self) -> i128 {
        self.gross - self.costs
    }

    /// Net result per unit of the exposure that it asked for on average, since the beginning; `None` without exposure.
    #[must_use]
    pub fn per_exposure(&self) -> Option<f64> {
        (self.exposure > 0).then(|| self.net() as f64 / (self.exposure as f64 / self.decisions as f64))
    }
}

/// The account's result, line by line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// NAV now less the money that was paid in.
    pub total: i128,
    /// By agent id.
    pub lines: Vec<Line>,
    /// What is left: construction and execution.
    pub construction: i128,
}

/// The agents' results so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Results {
    lines: Vec<Line>,
    /// NAV at the last decision at 1e-9; `None` if there was none.
    nav: Option<i128>,
}

impl Results {
    /// No results yet.
    #[must_use]
    pub fn new(n_agents: usize) -> Self {
        Results { lines: vec![Line::default(); n_agents], nav: None }
    }

    /// By agent id.
    #[must_use]
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// NAV at this decision, on which what is asked for now will be paid at the next.
    pub fn open(&mut self, nav_nano: Option<i128>) {
        self.nav = nav_nano;
    }

    /// Pays an agent for what it asked for at the last decision (1e-9 of NAV) by the returns since (1e-9).
    pub fn pay(&mut self, agent: AgentId, asked: &[i64], returns_nano: &[i64]) {
        let (Some(nav), Some(line)) = (self.nav, self.lines.get_mut(usize::from(agent.0))) else { return };
        let (sum, exposure) = Arch::new().dispatch(
            #[inline(always)]
            || earned(asked, returns_nano),
        );
        let nano = i128::from(NANO);
        // The sum is in 1e-18 of NAV; at 1e-9 it leaves room for the product.
        line.gross = line.gross.saturating_add((sum / nano).saturating_mul(nav) / nano);
        line.exposure = line.exposure.saturating_add(exposure.saturating_mul(nav) / nano);
        line.decisions += u64::from(exposure > 0);
    }

    /// Charges a cost of a trade (1e-9) to the agents by how much each asked for of its instrument. Nobody asked: it is left
    /// to construction and execution.
    pub fn charge<'a>(
        &mut self,
        cost_nano: i128,
        instrument: usize,
        asked: impl Iterator<Item = (AgentId, &'a [i64])>,
    ) {
        /// A council has at most so many agents with an opinion about one instrument.
        const MOST: usize = 32;
        let Ok(cost) = i64::try_from(cost_nano) else { return };
        let (mut who, mut weights, mut parts) = ([AgentId(0); MOST], [0_i64; MOST], [0_i64; MOST]);
        let mut n = 0;
        for (agent, asked) in asked.take(MOST) {
            let weight = asked.get(instrument).map_or(0, |a| a.saturating_abs());
            if weight > 0 {
                (who[n], weights[n]) = (agent, weight);
                n += 1;
            }
        }
        if cost == 0 || n == 0 || apportion(cost, &weights[..n], &mut parts[..n]).is_err() {
            return;
        }
        for (agent, part) in who.iter().zip(parts).take(n) {
            if let Some(line) = self.lines.get_mut(usize::from(agent.0)) {
                line.costs = line.costs.saturating_add(part.into());
            }
        }
    }

    /// The account's result line by line, from NAV now and the money paid in (1e-9).
    #[must_use]
    pub fn statement(&self, nav_nano: i128, paid_in_nano: i128) -> Statement {
        let total = nav_nano - paid_in_nano;
        let agents: i128 = self.lines.iter().map(Line::net).sum();
        Statement { total, lines: self.lines.clone(), construction: total - agents }
    }

    /// Writes the results canonically.
    pub fn save(&self, to: &mut Encoder) {
        to.len(self.lines.len());
        for l in &self.lines {
            [l.gross, l.costs, l.exposure].into_iter().for_each(|x| to.i128(x));
            to.u64(l.decisions);
        }
        to.bool(self.nav.is_some());
        to.i128(self.nav.unwrap_or_default());
    }

    /// Reads what `save` wrote.
    ///
    /// # Errors
    /// `DecodeError` if the bytes do not fit this council.
    pub fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), DecodeError> {
        let (found, expected) = (from.len("results")? as u64, self.lines.len() as u64);
        if found != expected {
            return Err(DecodeError::Mismatch { what: "results", found, expected });
        }
        for l in &mut self.lines {
            let mut x = || from.i128("result");
            let (gross, costs, exposure) = (x()?, x()?, x()?);
            *l = Line { gross, costs, exposure, decisions: from.u64("result")? };
        }
        let known = from.bool("NAV")?;
        let nav = from.i128("NAV")?;
        self.nav = known.then_some(nav);
        Ok(())
    }
}

/// Σ asked × return and Σ |asked|.
#[inline(always)]
fn earned(asked: &[i64], returns: &[i64]) -> (i128, i128) {
    /// So many products of numbers below 2²⁸ sum to less than 2⁶³.
    const TOGETHER: usize = 64;
    let (mut sum, mut exposure) = (0_i128, 0_i128);
    for (asked, returns) in asked.chunks(TOGETHER).zip(returns.chunks(TOGETHER)) {
        let (mut bits, mut narrow, mut size) = (0, 0_i64, 0_u64);
        for (a, r) in asked.iter().zip(returns) {
            bits |= (a ^ (a >> 63)) | (r ^ (r >> 63));
            narrow = narrow.wrapping_add(a.wrapping_mul(*r));
            size = size.wrapping_add(a.unsigned_abs());
        }
        if bits < 1 << 28 {
            sum += i128::from(narrow);
            exposure += i128::from(size);
            continue;
        }
        for (a, r) in asked.iter().zip(returns) {
            sum += i128::from(*a) * i128::from(*r);
            exposure += i128::from(a.unsigned_abs());
        }
    }
    (sum, exposure)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn hand_worked_statement() {
        let n = i128::from(NANO);
        let mut r = Results::new(3);
        r.open(Some(1_000 * n));
        // Agent 1 asked for 10 % of an instrument that rose 2 % and 5 % short of one that fell 4 %: 2 + 2 of 1,000.
        r.pay(AgentId(1), &[100_000_000, -50_000_000], &[20_000_000, -40_000_000]);
        r.pay(AgentId(2), &[0, 30_000_000], &[20_000_000, -40_000_000]);
        // A fee of 8 for the second instrument: 50 to 30 is 5 to 3.
        let asked = [(AgentId(1), &[100_000_000, -50_000_000][..]), (AgentId(2), &[0, 30_000_000][..])];
        r.charge(8, 1, asked.into_iter());
        r.charge(5, 2, asked.into_iter());
        let s = r.statement(1_010 * n, 1_000 * n);
        assert_eq!(s.total, 10 * n);
        assert_eq!(s.lines[1], Line { gross: 4 * n, costs: 5, exposure: 150 * n, decisions: 1 });
        assert_eq!(s.lines[2], Line { gross: -12 * n / 10, costs: 3, exposure: 30 * n, decisions: 1 });
        assert_eq!(s.construction, 10 * n - (4 * n - 5) - (-12 * n / 10 - 3));
        assert!((s.lines[1].per_exposure().unwrap() - 4.0 / 150.0).abs() < 1e-9);
        // Asking for nothing is no decision.
        r.pay(AgentId(2), &[0, 0], &[20_000_000, -40_000_000]);
        assert_eq!(r.lines()[2], s.lines[2]);
        // Without a NAV nothing is paid.
        r.open(None);
        r.pay(AgentId(1), &[NANO], &[NANO]);
        assert_eq!(r.lines()[1], s.lines[1]);
    }

    proptest! {
        #[test]
        fn what_is_earned_is_exact(
            pairs in prop::collection::vec((any::<i64>(), any::<i64>(), 20_u32..50), 0..200), wild in any::<bool>(),
        ) {
            let of = |x: i64, shift: u32| if wild { x >> (shift - 16) } else { x >> (shift + 13) };
            let (asked, returns): (Vec<i64>, Vec<i64>) = pairs.iter().map(|(a, r, s)| (of(*a, *s), of(*r, *s))).unzip();
            let sum: i128 = asked.iter().zip(&returns).map(|(a, r)| i128::from(*a) * i128::from(*r)).sum();
            let size: i128 = asked.iter().map(|a| i128::from(a.unsigned_abs())).sum();
            prop_assert_eq!(earned(&asked, &returns), (sum, size));
        }

        #[test]
        fn the_lines_sum_to_the_result(
            rows in prop::collection::vec((prop::collection::vec(-NANO..NANO, 4), prop::collection::vec(-NANO..2 * NANO, 4), 0_i128..1 << 80, 0_i64..1 << 40), 1..20),
            nav in 0_i128..1 << 90,
        ) {
            let mut r = Results::new(2);
            for (asked, returns, nav, fee) in &rows {
                r.open(Some(*nav));
                for (a, asked) in asked.chunks_exact(2).enumerate() {
                    r.pay(AgentId(a as u16), asked, &returns[..2]);
                }
                let both = asked.chunks_exact(2).enumerate().map(|(a, x)| (AgentId(a as u16), x));
                let before: i128 = r.lines().iter().map(|l| l.costs).sum();
                r.charge((*fee).into(), 0, both);
                let after: i128 = r.lines().iter().map(|l| l.costs).sum();
                prop_assert!(after - before == i128::from(*fee) || (asked[0] == 0 && asked[2] == 0));
            }
            let s = r.statement(nav, 7);
            prop_assert_eq!(s.construction + s.lines.iter().map(Line::net).sum::<i128>(), nav - 7);
            let mut e = Encoder::new();
            r.save(&mut e);
            let mut again = Results::new(2);
            again.load(&mut Decoder::new(e.as_bytes())).unwrap();
            prop_assert_eq!(again, r);
        }
    }
}
