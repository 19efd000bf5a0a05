//! `Schedule`: a broker's published prices, with where they were read and when, and the fees of regulators that it passes
//! on. A schedule bills an order, not a fill: its minimum and maximum hold for all fills of an order together.

use crate::decimal::{NANO, Overflow, div_nano_half_even};
use crate::money::Bps;
use crate::order::Side;
use crate::quantity::Quantity;
use crate::time::Date;

/// Price per unit from a number of units in the calendar month on; marginal: only units beyond it pay it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tier {
    /// Whole units of the month from which it holds; 0 for the first.
    pub from_units: i64,
    /// 1e-9 of the currency per unit.
    pub per_unit_nano: i64,
}

/// Fees of US regulators from a day on, until the day of the next row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Regulatory {
    /// First trade date, as days since 1970-01-01.
    pub from: Date,
    /// SEC section 31: 1e-9 of the value of a sale ($20.60 per million is 20,600).
    pub sale_nano: i64,
    /// FINRA trading activity fee: 1e-9 of a dollar per unit sold.
    pub sale_per_unit_nano: i64,
    /// The most that the trading activity fee takes of one trade, at 1e-9.
    pub sale_maximum_nano: i64,
    /// Consolidated audit trail: 1e-9 of a dollar per unit bought or sold.
    pub per_unit_nano: i64,
}

/// A published schedule of prices.
#[derive(Debug, PartialEq, Eq)]
pub struct Schedule {
    /// The name that mandates use.
    pub name: &'static str,
    /// What it is, in a line.
    pub title: &'static str,
    /// The page.
    pub source: &'static str,
    /// The state of the page, in words.
    pub as_of: &'static str,
    /// On which side it errs, and what it leaves out.
    pub errs: &'static str,
    /// Share of the notional.
    pub rate: Bps,
    /// Prices per unit by the month's volume; empty for none.
    pub tiers: &'static [Tier],
    /// The least for an order, at 1e-9.
    pub minimum_nano: i64,
    /// The most for an order, as a share of its notional; stronger than the minimum. Zero for none.
    pub maximum: Bps,
    /// What exchanges and clearing take per unit, at 1e-9, outside minimum and maximum.
    pub venue_per_unit_nano: i64,
    /// What is passed on as a share of the broker's own commission, at 1e-9.
    pub pass_through_nano: i64,
    /// Regulators' fees, oldest first; the first row also holds for the time before it. Empty for none.
    pub regulatory: &'static [Regulatory],
    /// Each regulator's fee is rounded up to a multiple of this; zero for exact.
    pub round_up_nano: i64,
}

/// What an order was billed so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Billed {
    /// Σ of rates and tiers at 1e-9, before minimum and maximum.
    pub raw_nano: i128,
    /// Broker's own commission at 1e-9, within minimum and maximum.
    pub own_nano: i128,
    /// Notional that traded, at 1e-9.
    pub notional_nano: i128,
}

/// The parts of a fill's fee, at 1e-9 of the currency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fees {
    /// What broker, exchanges and clearing take.
    pub commission_nano: i128,
    /// What regulators take.
    pub regulatory_nano: i128,
}

impl Fees {
    /// Both together.
    ///
    /// # Errors
    /// `Overflow`.
    pub fn total_nano(self) -> Result<i128, Overflow> {
        self.commission_nano.checked_add(self.regulatory_nano).ok_or(FEE)
    }
}

const FEE: Overflow = Overflow("fee");

impl Schedule {
    /// True if the price depends on the volume of the month.
    #[must_use]
    pub const fn is_tiered(&self) -> bool {
        self.tiers.len() > 1
    }

    /// The fees of one fill, and the order's bill after it. `notional_nano` without sign; `month` units of the calendar
    /// month that traded before it.
    ///
    /// # Errors
    /// `Overflow` if a number does not fit.
    pub fn fees(
        &self,
        side: Side,
        notional_nano: i128,
        quantity: Quantity,
        day: Date,
        month: Quantity,
        billed: Billed,
    ) -> Result<(Fees, Billed), Overflow> {
        let units = quantity.abs().nano();
        let notional = billed.notional_nano.checked_add(notional_nano).ok_or(FEE)?;
        let raw = self.rate.of_nano(notional_nano)?.checked_add(self.tiered(month, quantity.abs())?).ok_or(FEE)?;
        let raw = billed.raw_nano.checked_add(raw).ok_or(FEE)?;
        let mut own = raw.max(self.minimum_nano.into());
        if self.maximum != Bps::ZERO {
            own = own.min(self.maximum.of_nano(notional)?);
        }
        let share = own.checked_sub(billed.own_nano).ok_or(FEE)?;
        let passed = share_of(share, self.pass_through_nano)?;
        let venue = share_of(units, self.venue_per_unit_nano)?;
        let commission_nano = share.checked_add(passed).and_then(|s| s.checked_add(venue)).ok_or(FEE)?;
        let regulatory_nano = match self.rates(day) {
            Some(rates) => self.regulators(rates, side, notional_nano, units)?,
            None => 0,
        };
        let billed = Billed { raw_nano: raw, own_nano: own, notional_nano: notional };
        Ok((Fees { commission_nano, regulatory_nano }, billed))
    }

    /// The most that one order of this size may cost, whatever its side, its day and the month's volume.
    ///
    /// # Errors
    /// `Overflow` if a number does not fit.
    pub fn most_nano(&self, notional_nano: i128, quantity: Quantity) -> Result<i128, Overflow> {
        let day = self.regulatory.first().map_or(Date(0), |r| r.from);
        let (fees, _) = self.fees(Side::Buy, notional_nano, quantity, day, Quantity::ZERO, Billed::default())?;
        let units = quantity.abs().nano();
        let mut most = 0;
        for rates in self.regulatory {
            most = self.regulators(rates, Side::Sell, notional_nano, units)?.max(most);
        }
        fees.commission_nano.checked_add(most).ok_or(FEE)
    }

    /// The regulators' fees of a trade date.
    #[must_use]
    pub fn rates(&self, day: Date) -> Option<&'static Regulatory> {
        self.regulatory.iter().rev().find(|r| r.from <= day).or(self.regulatory.first())
    }

    fn regulators(&self, r: &Regulatory, side: Side, notional: i128, units: i128) -> Result<i128, Overflow> {
        let audit = self.rounded(share_of(units, r.per_unit_nano)?)?;
        if side == Side::Buy {
            return Ok(audit);
        }
        let section_31 = self.rounded(share_of(notional, r.sale_nano)?)?;
        let activity = self.rounded(share_of(units, r.sale_per_unit_nano)?)?.min(r.sale_maximum_nano.into());
        audit.checked_add(section_31).and_then(|s| s.checked_add(activity)).ok_or(FEE)
    }

    fn rounded(&self, fee: i128) -> Result<i128, Overflow> {
        let step = i128::from(self.round_up_nano);
        match fee.checked_rem(step) {
            None | Some(0) => Ok(fee),
            Some(rest) => fee.checked_sub(rest).and_then(|f| f.checked_add(step)).ok_or(FEE),
        }
    }

    /// Prices per unit of `quantity` units that follow `month` units.
    fn tiered(&self, month: Quantity, quantity: Quantity) -> Result<i128, Overflow> {
        let (from, to) = (month.nano(), month.checked_add(quantity)?.nano());
        let mut sum = 0_i128;
        let mut ends = self.tiers.iter().skip(1).map(|t| i128::from(t.from_units).saturating_mul(NANO.into()));
        for tier in self.tiers {
            let start = i128::from(tier.from_units).saturating_mul(NANO.into());
            let end = ends.next().unwrap_or(i128::MAX);
            let units = to.min(end).saturating_sub(from.max(start)).max(0);
            sum = sum.checked_add(share_of(units, tier.per_unit_nano)?).ok_or(FEE)?;
        }
        Ok(sum)
    }
}

/// A price of 1e-9 for each of `units` (1e-9), or a share at 1e-9 of an amount.
fn share_of(units: i128, nano: i64) -> Result<i128, Overflow> {
    if nano == 0 {
        return Ok(0);
    }
    units.checked_mul(nano.into()).map(div_nano_half_even).ok_or(FEE)
}

/// All schedules with the names that mandates use.
pub const SCHEDULES: &[&Schedule] = &[&ALPACA, &IBKR_FIXED, &IBKR_TIERED, &BINANCE_SPOT];

/// The schedule of a name.
#[must_use]
pub fn schedule(name: &str) -> Option<&'static Schedule> {
    SCHEDULES.iter().copied().find(|s| s.name == name)
}

const fn row(from: i32, sale: i64, taf: i64, taf_max: i64, cat: i64) -> Regulatory {
    Regulatory {
        from: Date(from),
        sale_nano: sale,
        sale_per_unit_nano: taf,
        sale_maximum_nano: taf_max,
        per_unit_nano: cat,
    }
}

/// SEC section 31 by charge date (fee rate advisories; 22.10 to 2021-02-24 and 5.10 after: advisory 2 of fiscal year 2021;
/// 8.00: Interactive Brokers' comparison page; 27.80, then 0.00 from 2025-05-14: advisory of 2025-04-08; 20.60 from
/// 2026-04-04: Rel. 34-104909, 91 FR 10643). FINRA trading activity fee by Schedule A section 1 and SR-FINRA-2024-019
/// (Rel. 34-101696: 2026 $0.000195, at most $9.79). Audit trail: Alpaca's pages of early 2025 and after 2025-05-14; no
/// fee before 2024-09-01. A rate announced for a later year is not here before it is in force; the activity
/// fee's holiday of late 2026 (SR-FINRA-2026-021) is left out, which is conservative.
const US: &[Regulatory] = &[
    row(18_310, 22_100, 119_000, 5_950_000_000, 0),      // 2020-02-18
    row(18_683, 5_100, 119_000, 5_950_000_000, 0),       // 2021-02-25
    row(18_993, 5_100, 130_000, 6_490_000_000, 0),       // 2022-01-01
    row(19_126, 22_900, 130_000, 6_490_000_000, 0),      // 2022-05-14
    row(19_358, 22_900, 145_000, 7_270_000_000, 0),      // 2023-01-01
    row(19_415, 8_000, 145_000, 7_270_000_000, 0),       // 2023-02-27
    row(19_723, 8_000, 166_000, 8_300_000_000, 0),       // 2024-01-01
    row(19_865, 27_800, 166_000, 8_300_000_000, 0),      // 2024-05-22
    row(19_967, 27_800, 166_000, 8_300_000_000, 53_000), // 2024-09-01
    row(20_222, 0, 166_000, 8_300_000_000, 26_500),      // 2025-05-14
    row(20_454, 0, 195_000, 9_790_000_000, 26_500),      // 2026-01-01
    row(20_547, 20_600, 195_000, 9_790_000_000, 26_500), // 2026-04-04
];

/// Alpaca, US shares.
pub static ALPACA: Schedule = Schedule {
    name: "alpaca",
    title: "Alpaca, US shares: no commission; SEC, FINRA and audit-trail fees passed on, each rounded up to a cent",
    source: "https://alpaca.markets/support/regulatory-fees",
    as_of: "page with the rates of 2025-05-14; rates of 2026 from the SEC and FINRA",
    errs: "rounds up every fill, where the broker rounds the total of a day: conservative",
    rate: Bps::ZERO,
    tiers: &[],
    minimum_nano: 0,
    maximum: Bps::ZERO,
    venue_per_unit_nano: 0,
    pass_through_nano: 0,
    regulatory: US,
    round_up_nano: 10_000_000,
};

/// Interactive Brokers Pro, US shares, fixed.
pub static IBKR_FIXED: Schedule = Schedule {
    name: "ibkr-fixed",
    title: "Interactive Brokers Pro fixed, US shares: $0.005 a share, $1 to 1 % of an order; regulators' fees passed on",
    source: "https://www.interactivebrokers.co.uk/en/pricing/commissions-stocks.php?re=amer",
    as_of: "page with the regulators' rates of 2024-05-22; rates after it from the SEC and FINRA",
    errs: "minimum and maximum hold for an order over all days that it lives, where the broker counts each day anew",
    rate: Bps::ZERO,
    tiers: &[Tier { from_units: 0, per_unit_nano: 5_000_000 }],
    minimum_nano: NANO,
    maximum: Bps::from_units(100),
    venue_per_unit_nano: 0,
    pass_through_nano: 0,
    regulatory: US,
    round_up_nano: 0,
};

/// Interactive Brokers Pro, US shares, tiered.
pub static IBKR_TIERED: Schedule = Schedule {
    name: "ibkr-tiered",
    title: "Interactive Brokers Pro tiered, US shares: $0.0035 to $0.0005 a share by the month's volume, $0.35 to 1 % of an \
            order; $0.0030 exchange and $0.0002 clearing a share; pass-through and regulators' fees",
    source: "https://www.interactivebrokers.co.uk/en/pricing/commissions-stocks.php?re=amer",
    as_of: "page with the regulators' rates of 2024-05-22; exchange fee: Nasdaq, taking liquidity; rates after it from the \
            SEC and FINRA",
    errs: "every fill takes liquidity at the full access fee and no rebate is paid: conservative; under $1 a share \
           exchanges charge a share of the value, which is less",
    rate: Bps::ZERO,
    tiers: &[
        Tier { from_units: 0, per_unit_nano: 3_500_000 },
        Tier { from_units: 300_000, per_unit_nano: 2_000_000 },
        Tier { from_units: 3_000_000, per_unit_nano: 1_500_000 },
        Tier { from_units: 20_000_000, per_unit_nano: 1_000_000 },
        Tier { from_units: 100_000_000, per_unit_nano: 500_000 },
    ],
    minimum_nano: 350_000_000,
    maximum: Bps::from_units(100),
    venue_per_unit_nano: 3_200_000,
    pass_through_nano: 738_000, // NYSE 0.000175 + FINRA 0.000563
    regulatory: US,
    round_up_nano: 0,
};

/// Binance spot, regular user.
pub static BINANCE_SPOT: Schedule = Schedule {
    name: "binance-spot",
    title: "Binance spot, regular user: 0.1 % of the value, maker and taker",
    source: "https://www.binance.com/en/fee/schedule",
    as_of: "2025, as public posts of the exchange quote it",
    errs: "no VIP level and no discount for paying in BNB: conservative; the fee is taken in the quote currency",
    rate: Bps::from_units(10),
    tiers: &[],
    minimum_nano: 0,
    maximum: Bps::ZERO,
    venue_per_unit_nano: 0,
    pass_through_nano: 0,
    regulatory: &[],
    round_up_nano: 0,
};

#[cfg(test)]
mod tests;
