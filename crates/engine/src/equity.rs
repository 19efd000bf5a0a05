//! The equity curve: net asset value at the end of each UTC day on which anything happened.

use tradegraph_columns::codec::{DecodeError, Decoder, Encoder};
use tradegraph_domain::{Date, Nanos, Timestamp};

/// One day's last net asset value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EquityPoint {
    /// UTC date; midnight belongs to the day that ends.
    pub date: Date,
    /// NAV at 1e-9 of the base currency.
    pub nav_nano: i128,
}

/// NAV by day. A day is written when the first event after it comes.
#[derive(Clone, Debug)]
pub(crate) struct EquityCurve {
    points: Vec<EquityPoint>,
    day_end: Timestamp,
}

impl EquityCurve {
    pub(crate) fn new() -> Self {
        EquityCurve { points: vec![], day_end: Timestamp::MIN }
    }

    /// True if an event at `ts` is past the day that is open.
    #[inline]
    pub(crate) fn is_past(&self, ts: Timestamp) -> bool {
        ts > self.day_end
    }

    /// The day that is open.
    pub(crate) fn day(&self) -> Option<Date> {
        (self.day_end > Timestamp::MIN).then(|| Timestamp(self.day_end.0.saturating_sub(1)).date())
    }

    /// Writes the open day with the NAV before the first event after it, and opens the day of `ts`.
    pub(crate) fn roll(&mut self, ts: Timestamp, nav_nano: Option<i128>) {
        self.close(nav_nano);
        let day = Timestamp(ts.0.saturating_sub(1)).date();
        self.day_end = Timestamp(day.midnight().0.saturating_add(Nanos::DAY.0));
    }

    /// Writes the open day.
    pub(crate) fn close(&mut self, nav_nano: Option<i128>) {
        if let (Some(nav_nano), true) = (nav_nano, self.day_end > Timestamp::MIN) {
            let date = Timestamp(self.day_end.0.saturating_sub(1)).date();
            match self.points.last_mut() {
                Some(p) if p.date == date => p.nav_nano = nav_nano,
                _ => self.points.push(EquityPoint { date, nav_nano }),
            }
        }
    }

    pub(crate) fn points(&self) -> &[EquityPoint] {
        &self.points
    }

    pub(crate) fn save(&self, to: &mut Encoder) {
        to.i64(self.day_end.0);
        to.len(self.points.len());
        for p in &self.points {
            to.i32(p.date.0);
            to.i128(p.nav_nano);
        }
    }

    pub(crate) fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), DecodeError> {
        self.day_end = Timestamp(from.i64("day end")?);
        let n = from.len("equity")?;
        let mut point = || Ok(EquityPoint { date: Date(from.i32("date")?), nav_nano: from.i128("equity")? });
        self.points = (0..n).map(|_| point()).collect::<Result<_, _>>()?;
        Ok(())
    }
}
