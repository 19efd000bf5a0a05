//! `Universe`: the instruments of a run, with dense indices.

use tradegraph_domain::{Instrument, InstrumentId};

/// Two instruments of one symbol.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("symbol '{0}' is in the universe twice")]
pub struct DuplicateSymbol(pub String);

/// The instruments of a run. Their order is the order of every column.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Universe {
    instruments: Vec<Instrument>,
    /// Indices in the order of their symbols.
    by_symbol: Vec<InstrumentId>,
}

impl Universe {
    /// A universe in the given order.
    ///
    /// # Errors
    /// `DuplicateSymbol`.
    pub fn new(instruments: Vec<Instrument>) -> Result<Self, DuplicateSymbol> {
        let mut by_symbol: Vec<_> = (0..instruments.len()).map(|i| InstrumentId(i as u32)).collect();
        by_symbol.sort_by(|a, b| instruments[a.index()].symbol.cmp(&instruments[b.index()].symbol));
        for pair in by_symbol.windows(2) {
            let symbol = &instruments[pair[0].index()].symbol;
            if *symbol == instruments[pair[1].index()].symbol {
                return Err(DuplicateSymbol(symbol.clone()));
            }
        }
        Ok(Universe { instruments, by_symbol })
    }

    /// Number of instruments.
    #[must_use]
    pub fn len(&self) -> usize {
        self.instruments.len()
    }

    /// True without instruments.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.instruments.is_empty()
    }

    /// The instrument at an index.
    #[inline]
    #[must_use]
    pub fn get(&self, i: InstrumentId) -> Option<&Instrument> {
        self.instruments.get(i.index())
    }

    /// The index of a symbol.
    #[must_use]
    pub fn find(&self, symbol: &str) -> Option<InstrumentId> {
        let at = self.by_symbol.binary_search_by(|i| self.instruments[i.index()].symbol.as_str().cmp(symbol)).ok()?;
        self.by_symbol.get(at).copied()
    }

    /// All instruments in order.
    pub fn iter(&self) -> impl Iterator<Item = (InstrumentId, &Instrument)> {
        self.instruments.iter().enumerate().map(|(i, x)| (InstrumentId(i as u32), x))
    }
}
