//! Schedules in whole lots: by time, by volume, and by what the market trades.

use super::{ExecutionError, at_least_zero, length, within};
use crate::attribution::apportion;
use tradegraph_columns::codec::{DecodeError, Decoder, Encoder};

/// Most lots of an order.
const MOST_LOTS: i64 = 1 << 53;
fn order(lots: i64) -> Result<i64, ExecutionError> {
    within("lots", lots as f64, "0 to 2^53", (0..=MOST_LOTS).contains(&lots))?;
    Ok(lots)
}

/// Spreads an order over buckets in proportion to `weights`: a volume curve makes a VWAP schedule of it, the trades of a
/// trajectory an implementation-shortfall one. Each bucket gets its exact share rounded down; the lots that are left go, one
/// each, to the largest remainders, of equal ones to the earlier bucket. The parts sum to the order, and each is within
/// one lot of its share.
///
/// - Shape: a cell a weight, one or more. Units: lots, 0 to 2⁵³; weights of any scale, 0 or more, not all 0.
/// - Source: Hamilton's method, Balinski and Young, Fair Representation (1982), chapter 3.
///
/// # Errors
/// `Length`, `OutOfRange`, `NoVolume`; `out` is then unchanged.
pub fn schedule(lots: i64, weights: &[f64], out: &mut [i64]) -> Result<(), ExecutionError> {
    order(lots)?;
    length("schedule", out.len(), weights.len())?;
    let mut most = 0.0_f64;
    for w in weights {
        most = most.max(at_least_zero("weight", *w)?);
    }
    if most == 0.0 {
        return Err(ExecutionError::NoVolume);
    }
    // A power of two makes integers of them without rounding any that is not tiny beside the largest, so ties stay ties.
    let (_, exponent) = libm::frexp(most);
    let counted: Vec<i64> = weights.iter().map(|w| libm::scalbn(*w, 53 - exponent).round() as i64).collect();
    apportion(lots, &counted, out).map_err(|_| ExecutionError::NoVolume)
}

/// Spreads an order evenly: buckets differ by one lot at most, the larger ones first.
///
/// - Shape: a cell a bucket, one or more. Units: lots, 0 to 2⁵³.
///
/// # Errors
/// `Length`, `OutOfRange`; `out` is then unchanged.
pub fn twap(lots: i64, out: &mut [i64]) -> Result<(), ExecutionError> {
    order(lots)?;
    let n = out.len() as i64;
    if n == 0 {
        length("schedule", 0, 1)?;
    }
    for (k, part) in out.iter_mut().enumerate() {
        *part = lots / n + i64::from((k as i64) < lots % n);
    }
    Ok(())
}

/// Participation: an order that keeps to a share of what trades, as it is seen to trade.
///
/// A share `r` of all volume is `r / (1 − r)` of the others' volume. After each period the order may have sent that much of
/// what the others traded since its start; what could not be sent or did not fill is made up for later, but in no period by
/// more than the share `cap` of the volume of that period. It never sends more than the order.
#[derive(Clone, Debug, PartialEq)]
pub struct Pov {
    lots: i64,
    share: f64,
    cap: f64,
    volume: f64,
    sent: i64,
}

impl Pov {
    /// An order of `lots` (0 to 2⁵³) that takes the share `share` of all volume (above 0, below 1), and of the volume of one
    /// period at most `cap` (`share` or more, below 1).
    ///
    /// # Errors
    /// `OutOfRange`.
    pub fn new(lots: i64, share: f64, cap: f64) -> Result<Self, ExecutionError> {
        order(lots)?;
        within("share of volume", share, "above 0 and below 1", share > 0.0 && share < 1.0)?;
        within("cap on a period's share", cap, "not below the share and below 1", cap >= share && cap < 1.0)?;
        Ok(Pov { lots, share, cap, volume: 0.0, sent: 0 })
    }

    /// Lots to send now that a period is over in which others traded `volume` lots (0 or more, own trades not counted).
    ///
    /// # Errors
    /// `OutOfRange`; nothing is changed then.
    pub fn next(&mut self, volume: f64) -> Result<i64, ExecutionError> {
        let total = self.volume + at_least_zero("volume", volume)?;
        at_least_zero("volume since the start", total)?;
        self.volume = total;
        // Casts saturate: a volume beyond all lots is one that allows the whole order.
        let due = (self.share / (1.0 - self.share) * total) as i64;
        let most = (self.cap / (1.0 - self.cap) * volume) as i64;
        let lots = due.saturating_sub(self.sent).min(most).min(self.lots - self.sent).max(0);
        self.sent += lots;
        Ok(lots)
    }

    /// Takes back lots that were sent and will not fill; more than were sent count as all that were.
    pub fn unfilled(&mut self, lots: u64) {
        self.sent -= i64::try_from(lots).unwrap_or(i64::MAX).min(self.sent);
    }

    /// Lots that are still to be sent.
    #[must_use]
    pub fn remaining(&self) -> i64 {
        self.lots - self.sent
    }

    /// Writes the state canonically.
    pub fn save(&self, to: &mut Encoder) {
        to.i64(self.lots);
        [self.share, self.cap, self.volume].into_iter().for_each(|x| to.f64(x));
        to.i64(self.sent);
    }

    /// Reads what `save` wrote.
    ///
    /// # Errors
    /// `DecodeError` if the bytes are damaged.
    pub fn load(from: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let lots = from.i64("lots of a participation")?;
        let (share, cap, volume) = (from.f64("share")?, from.f64("cap")?, from.f64("volume")?);
        let sent = from.i64("lots sent")?;
        let damaged = |found: u64| DecodeError::Mismatch { what: "participation", found, expected: lots as u64 };
        let mut pov = Pov::new(lots, share, cap).map_err(|_| damaged(share.to_bits()))?;
        if !((0..=lots).contains(&sent) && volume >= 0.0 && volume.is_finite()) {
            return Err(damaged(sent as u64));
        }
        (pov.volume, pov.sent) = (volume, sent);
        Ok(pov)
    }
}
