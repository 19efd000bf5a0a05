//! `Instrument`: what is traded, with the steps of its price and size.

use crate::money::Currency;
use crate::price::Price;
use crate::quantity::Quantity;

/// Dense index of an instrument in the universe of a run, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct InstrumentId(pub u32);

impl InstrumentId {
    /// The index as a position in a column.
    #[inline]
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// Kinds of instruments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AssetClass {
    /// A share or depositary receipt.
    Equity,
    /// An exchange-traded fund.
    Etf,
    /// An index: quoted, not tradable.
    Index,
    /// A currency pair.
    Fx,
    /// A spot crypto asset.
    Crypto,
    /// A commodity reference price.
    Commodity,
}

impl AssetClass {
    /// All classes with the names used in mandates.
    pub const ALL: [(AssetClass, &'static str); 6] = [
        (AssetClass::Equity, "equity"),
        (AssetClass::Etf, "etf"),
        (AssetClass::Index, "index"),
        (AssetClass::Fx, "fx"),
        (AssetClass::Crypto, "crypto"),
        (AssetClass::Commodity, "commodity"),
    ];
}

/// Whether an instrument can be traded now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum TradingStatus {
    /// It trades.
    #[default]
    Active,
    /// Trading is suspended.
    Halted,
    /// It no longer exists.
    Delisted,
}

/// One instrument of the universe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instrument {
    /// The symbol that people use.
    pub symbol: String,
    /// Kind.
    pub class: AssetClass,
    /// Currency of its price, fees and profit.
    pub currency: Currency,
    /// Market identifier code (ISO 10383), or a source's name where there is none.
    pub venue: String,
    /// Smallest price step; zero on adjusted series, where no tick exists.
    pub tick: Price,
    /// Smallest quantity step.
    pub lot: Quantity,
    /// Whether it trades.
    pub status: TradingStatus,
}
