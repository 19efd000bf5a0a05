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
    /// A contract for delivery at an expiry.
    Future,
    /// A right to buy or sell until or at an expiry.
    Option,
    /// A crypto contract without an expiry, tied to its underlying by funding payments.
    Perpetual,
    /// A contract for difference with a broker.
    Cfd,
}

impl AssetClass {
    /// All classes with the names used in mandates.
    pub const ALL: [(AssetClass, &'static str); 10] = [
        (AssetClass::Equity, "equity"),
        (AssetClass::Etf, "etf"),
        (AssetClass::Index, "index"),
        (AssetClass::Fx, "fx"),
        (AssetClass::Crypto, "crypto"),
        (AssetClass::Commodity, "commodity"),
        (AssetClass::Future, "future"),
        (AssetClass::Option, "option"),
        (AssetClass::Perpetual, "perpetual"),
        (AssetClass::Cfd, "cfd"),
    ];

    /// True for what is paid in full when it is bought, so that price × quantity is all there is to book. Contracts on
    /// margin (futures, options, perpetuals, contracts for difference) have margins, expiries and funding, which the
    /// books do not know: they are quoted here and not traded, like indices.
    #[must_use]
    pub const fn is_tradable(self) -> bool {
        match self {
            AssetClass::Equity | AssetClass::Etf | AssetClass::Fx | AssetClass::Crypto | AssetClass::Commodity => true,
            AssetClass::Index | AssetClass::Future | AssetClass::Option | AssetClass::Perpetual | AssetClass::Cfd => {
                false
            }
        }
    }
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
    /// Units of the underlying in one unit of the instrument, above zero: 1 but for contracts. Price × quantity ×
    /// multiplier is what a position is worth.
    pub multiplier: Quantity,
    /// Whether it trades.
    pub status: TradingStatus,
}
