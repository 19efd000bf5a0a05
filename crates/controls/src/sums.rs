//! Sums over all instruments of what open orders can make of each: formed anew when marks, positions or rates have
//! changed, and carried along from order to order in between, so that n orders of a cycle over m instruments cost
//! n + m.
//!
//! A sum over reservations would not do, since a sale that only closes turns into one that opens when another sale of
//! the same instrument fills first: the worst case is a function of position and reservations of each instrument.

use crate::limits::{AccountKind, Groups, Limits};
use crate::margin::InForce;
use tradegraph_domain::{AssetClass, InstrumentId, Price, Quantity};
use tradegraph_ledger::{Ledger, NavMissing};
use tradegraph_market::Panel;

/// The worst cases of one instrument, or sums of them, at 1e-9 of the base currency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Worst {
    /// |position|, whichever open orders fill.
    pub(crate) gross: i128,
    /// Value of a long position with all open buys filled.
    pub(crate) long: i128,
    /// Signed value with all open buys filled.
    pub(crate) up: i128,
    /// Signed value with all open sales filled.
    pub(crate) down: i128,
    /// Initial margin.
    pub(crate) initial: i128,
    /// Maintenance margin.
    pub(crate) maintenance: i128,
}

/// Position and reservations of one instrument.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Units {
    pub(crate) held: i128,
    pub(crate) buying: i128,
    pub(crate) selling: i128,
}

impl Units {
    #[inline]
    pub(crate) fn of(i: InstrumentId, books: &Ledger) -> Units {
        let holds = books.holds();
        Units { held: books.position(i).nano(), buying: holds.buying(i).nano(), selling: holds.selling(i).nano() }
    }

    /// An instrument without reservations.
    #[inline]
    fn held(i: InstrumentId, books: &Ledger) -> Units {
        Units { held: books.position(i).nano(), buying: 0, selling: 0 }
    }

    #[inline]
    fn is_nothing(self) -> bool {
        self.held == 0 && self.buying == 0 && self.selling == 0
    }
}

impl Worst {
    /// The worst cases of an instrument at a price. `margin` is asked for only if the account is one on margin.
    ///
    /// # Errors
    /// `NavMissing` without a rate, or if a number does not fit.
    #[inline]
    pub(crate) fn of(
        i: InstrumentId,
        units: Units,
        price: Price,
        margin: Option<(&InForce, AssetClass)>,
        books: &Ledger,
    ) -> Result<Worst, NavMissing> {
        let value = |n: i128| -> Result<i128, NavMissing> {
            let own = price.notional_nano(Quantity::from_nano(n)).map_err(|_| NavMissing::Overflow)?;
            Ok(books.to_base(i, own.saturating_abs())?.saturating_mul(n.signum()))
        };
        let (high, low) = (units.held.saturating_add(units.buying), units.held.saturating_sub(units.selling));
        let up = value(high)?;
        let down = if low == high { up } else { value(low)? };
        let mut worst = Worst {
            gross: up.saturating_abs().max(down.saturating_abs()),
            long: up.max(0),
            up,
            down,
            ..Worst::default()
        };
        if let Some((rules, class)) = margin {
            let need = |n: i128| rules.margin(class, n, price).map_err(|_| NavMissing::Overflow);
            let (a, b) = (need(high)?, need(low)?);
            worst.initial = books.to_base(i, a.0.max(b.0))?;
            worst.maintenance = books.to_base(i, a.1.max(b.1))?;
        }
        Ok(worst)
    }

    /// The sum with one instrument more.
    #[inline]
    fn plus(self, one: Worst) -> Worst {
        Worst {
            gross: self.gross.saturating_add(one.gross),
            long: self.long.saturating_add(one.long),
            up: self.up.saturating_add(one.up),
            down: self.down.saturating_add(one.down),
            initial: self.initial.saturating_add(one.initial),
            maintenance: self.maintenance.saturating_add(one.maintenance),
        }
    }

    /// The sum with `with` in the place of `without`.
    #[inline]
    pub(crate) fn swap(self, without: Worst, with: Worst) -> Worst {
        let f = |sum: i128, old: i128, new: i128| sum.saturating_sub(old).saturating_add(new);
        Worst {
            gross: f(self.gross, without.gross, with.gross),
            long: f(self.long, without.long, with.long),
            up: f(self.up, without.up, with.up),
            down: f(self.down, without.down, with.down),
            initial: f(self.initial, without.initial, with.initial),
            maintenance: f(self.maintenance, without.maintenance, with.maintenance),
        }
    }
}

/// The sums, and of which books they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sums {
    version: Option<u64>,
    rules: Option<InForce>,
    pub(crate) all: Worst,
    /// Gross by sector, currency and venue.
    groups: [Vec<i128>; 3],
}

/// Kinds of groups in the order of precedence of their rules.
pub(crate) fn groups(limits: &Limits) -> [&Groups; 3] {
    [&limits.sector, &limits.currency, &limits.venue]
}

impl Sums {
    /// True if nothing has changed since the sums were formed.
    #[inline]
    pub(crate) fn are_of(&self, books: &Ledger, rules: Option<InForce>) -> bool {
        self.version == Some(books.version()) && self.rules == rules
    }

    /// Forms the sums of these books, unless they are there.
    ///
    /// # Errors
    /// `NavMissing` if an instrument with a position or an open order has no rate, or if a number does not fit.
    #[inline]
    pub(crate) fn refresh(
        &mut self,
        limits: &Limits,
        rules: Option<InForce>,
        panel: &Panel,
        books: &Ledger,
    ) -> Result<(), NavMissing> {
        if self.are_of(books, rules) {
            return Ok(());
        }
        self.version = None;
        self.rules = rules;
        self.all = Worst::default();
        for (sums, kind) in self.groups.iter_mut().zip(groups(limits)) {
            sums.clear();
            sums.resize(kind.len(), 0);
        }
        if self.rules.is_none() && self.groups.iter().all(Vec::is_empty) {
            self.all = self.all_without_margin(panel, books)?;
        } else {
            for i in (0..books.width()).map(|i| InstrumentId(i as u32)) {
                let units = Units::of(i, books);
                if !units.is_nothing() {
                    let worst = self.worst(i, units, mark(i, panel, books), panel, books)?;
                    self.put(limits, i, Worst::default(), worst);
                }
            }
        }
        self.version = Some(books.version());
        Ok(())
    }

    /// The sums of an account without margin and without groups.
    fn all_without_margin(&self, panel: &Panel, books: &Ledger) -> Result<Worst, NavMissing> {
        let mut all = Worst::default();
        // What is held without an open order has one value; as many as there are instruments fit 128 bits.
        let (mut long, mut short) = (0_i128, 0_i128);
        let idle = books.holds().is_empty();
        for i in (0..books.width()).map(|i| InstrumentId(i as u32)) {
            let units = if idle { Units::held(i, books) } else { Units::of(i, books) };
            if units.is_nothing() {
                continue;
            }
            let price = mark(i, panel, books);
            if let (0, 0, Some(value)) = (units.buying, units.selling, narrow_value(i, units.held, price, books)?) {
                long = long.wrapping_add(value.max(0).into());
                short = short.wrapping_add(value.min(0).into());
                continue;
            }
            all = all.plus(Worst::of(i, units, price, None, books)?);
        }
        let up = long.wrapping_add(short);
        Ok(all.plus(Worst { gross: long.wrapping_sub(short), long, up, down: up, ..Worst::default() }))
    }

    /// The worst cases of an instrument, with margin if the sums have it.
    #[inline]
    pub(crate) fn worst(
        &self,
        i: InstrumentId,
        units: Units,
        price: Price,
        panel: &Panel,
        books: &Ledger,
    ) -> Result<Worst, NavMissing> {
        let class = || panel.universe().get(i).map_or(AssetClass::Index, |x| x.class);
        Worst::of(i, units, price, self.rules.as_ref().map(|r| (r, class())), books)
    }

    /// What a group comes to, with `with` in the place of `without` for one of its instruments; `None` if the limit is
    /// off or the instrument belongs to none.
    pub(crate) fn group(&self, kind: usize, of: &Groups, i: InstrumentId, without: Worst, with: Worst) -> Option<i128> {
        let sum = *self.groups.get(kind)?.get(of.group(i.index())?)?;
        Some(sum.saturating_sub(without.gross).saturating_add(with.gross))
    }

    /// Takes over what an approval changed: the sums are those of the books as they now are.
    pub(crate) fn carry(&mut self, limits: &Limits, i: InstrumentId, without: Worst, with: Worst, books: &Ledger) {
        self.put(limits, i, without, with);
        self.version = Some(books.version());
    }

    fn put(&mut self, limits: &Limits, i: InstrumentId, without: Worst, with: Worst) {
        self.all = self.all.swap(without, with);
        for (sums, kind) in self.groups.iter_mut().zip(groups(limits)) {
            if let Some(sum) = kind.group(i.index()).and_then(|g| sums.get_mut(g)) {
                *sum = sum.saturating_sub(without.gross).saturating_add(with.gross);
            }
        }
    }
}

/// Signed value of a position at 1e-9 of the base currency, as `Worst::of` has it; `None` if it does not fit 64 bits.
///
/// # Errors
/// `NavMissing` without a rate, or if a number does not fit.
#[inline]
fn narrow_value(i: InstrumentId, held: i128, price: Price, books: &Ledger) -> Result<Option<i64>, NavMissing> {
    let own = price.notional_nano(Quantity::from_nano(held)).map_err(|_| NavMissing::Overflow)?;
    let size = i64::try_from(books.to_base(i, own.saturating_abs())?).ok();
    Ok(size.and_then(|size| if held < 0 { size.checked_neg() } else { Some(size) }))
}

/// The price at which the sums value an instrument.
#[inline]
pub(crate) fn mark(i: InstrumentId, panel: &Panel, books: &Ledger) -> Price {
    books.mark(i).or_else(|| panel.last(i).map(|(last, _)| last)).unwrap_or_default()
}

/// The margin rules that the account is under on a date.
#[inline]
pub(crate) fn rules_of(limits: &Limits, now: tradegraph_domain::Timestamp) -> Option<InForce> {
    (limits.account == AccountKind::Margin).then(|| InForce::on(now.date()))
}
