//! What the council knows beside its agents' opinions: the market's regime, and how a contradiction was resolved.

/// The state of the market by which strategies are weighted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Regime {
    /// Too early to say, or not looked at.
    #[default]
    Unknown = 0,
    /// One way, with less than its usual volatility.
    TrendCalm = 1,
    /// One way, with more.
    TrendVolatile = 2,
    /// No direction, little volatility.
    RangeCalm = 3,
    /// No direction, much volatility.
    RangeVolatile = 4,
    /// A fall with extreme volatility.
    Crisis = 5,
}

impl Regime {
    /// All regimes with their names.
    pub const ALL: [(Regime, &'static str); 6] = [
        (Regime::Unknown, "unknown"),
        (Regime::TrendCalm, "trend, calm"),
        (Regime::TrendVolatile, "trend, volatile"),
        (Regime::RangeCalm, "range, calm"),
        (Regime::RangeVolatile, "range, volatile"),
        (Regime::Crisis, "crisis"),
    ];

    /// Name for people and tables.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(r, _)| *r == self).map_or("?", |(_, name)| name)
    }

    /// The regime with this number in a journal.
    #[must_use]
    pub fn from_byte(byte: u8) -> Option<Regime> {
        Self::ALL.iter().map(|(r, _)| *r).find(|r| *r as u8 == byte)
    }
}

/// How opinions that contradict each other became one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Resolution {
    /// No contradiction.
    #[default]
    Agreement = 0,
    /// In a crisis contradicting opinions cancel each other.
    Caution = 1,
    /// In a trend the trend follower's side stands alone.
    TrendExpert = 2,
    /// In a range the mean-reversion trader's side stands alone.
    RangeExpert = 3,
    /// The side that is at least twice as strong stands alone.
    Confidence = 4,
    /// The sum of both sides.
    WeightedAverage = 5,
}

impl Resolution {
    /// The rules in the order in which they are tried, each with its name and its sentence.
    pub const ALL: [(Resolution, &'static str, &'static str); 6] = [
        (Resolution::Agreement, "agreement", "all opinions point the same way"),
        (Resolution::Caution, "caution", "in a crisis, contradicting opinions cancel: nothing is wanted"),
        (Resolution::TrendExpert, "trend expert", "the market trends, so the trend follower's side stands alone"),
        (
            Resolution::RangeExpert,
            "range expert",
            "the market goes nowhere, so the mean-reversion trader's side stands alone",
        ),
        (Resolution::Confidence, "confidence", "one side is at least twice as strong, so it stands alone"),
        (Resolution::WeightedAverage, "weighted average", "both sides are about as strong, so they are summed"),
    ];

    /// Name for people and tables.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(r, ..)| *r == self).map_or("?", |(_, name, _)| name)
    }

    /// Plain sentence.
    #[must_use]
    pub fn sentence(self) -> &'static str {
        Self::ALL.iter().find(|(r, ..)| *r == self).map_or("?", |(_, _, text)| text)
    }

    /// The rule with this number in a journal.
    #[must_use]
    pub fn from_byte(byte: u8) -> Option<Resolution> {
        Self::ALL.iter().map(|(r, ..)| *r).find(|r| *r as u8 == byte)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_journals() {
        for (i, (r, _)) in Regime::ALL.iter().enumerate() {
            assert_eq!((*r as usize, Regime::from_byte(i as u8)), (i, Some(*r)));
        }
        for (i, (r, ..)) in Resolution::ALL.iter().enumerate() {
            assert_eq!((*r as usize, Resolution::from_byte(i as u8)), (i, Some(*r)));
        }
        assert_eq!((Regime::from_byte(6), Resolution::from_byte(6)), (None, None));
    }
}
