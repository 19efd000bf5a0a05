//! `Event`: everything that happens, in one order.
//!
//! Sources merge by (`ts`, class, source rank, source sequence); `seq` numbers the result. At equal `ts` the classes
//! come in the order of `EventClass`: an open belongs to the interval that begins, so the decision at that moment
//! never sees it and its orders may fill on it.

use crate::order::VenueReport;
use crate::time::Timestamp;

/// Number of an event in the order in which the engine consumed it, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Seq(pub u64);

/// Dense index of a feed (one source of one bar specification) in a run; also its rank among sources.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct FeedId(pub u16);

/// Dense index of a decision schedule of the mandate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct ScheduleId(pub u16);

/// A row of a feed's batch: all instruments of one bar specification at one moment. Market data is named, not copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchRef {
    /// The feed whose batch it is.
    pub feed: FeedId,
    /// Row in the batch, oldest first.
    pub row: u32,
}

/// A stretch of time that a datum describes: from its start up to, not including, its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interval {
    /// First instant.
    pub start: Timestamp,
    /// First instant after it.
    pub end: Timestamp,
}

/// Classes of events in their order at equal time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum EventClass {
    /// A session opens or closes.
    Session = 0,
    /// A venue's report from outside.
    Venue = 1,
    /// Bars, quotes and trades.
    Market = 2,
    /// The answer of a model, a vendor or a person.
    Answer = 3,
    /// A timer that was asked for.
    Timer = 4,
    /// The council decides.
    Decide = 5,
    /// Splits, dividends, renames, delistings: between what was traded before them, which the bars known at their
    /// moment are, and the first price after them.
    CorporateAction = 6,
    /// The first price of the interval that begins.
    Open = 7,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Payload {
    /// A venue's report.
    Venue(VenueReport),
    /// Bars that are now complete.
    Bars(BatchRef),
    /// A person's command: nothing may increase risk until it is lifted.
    Halt,
    /// A person's command: lift the halt.
    Resume,
    /// The council decides.
    Decide(ScheduleId),
    /// A corporate action takes effect: its place in the run's table of actions.
    Action(u32),
    /// Bars that begin: their opens.
    Open(BatchRef),
}

impl Payload {
    /// The class that places the event among others of its moment.
    #[must_use]
    pub const fn class(&self) -> EventClass {
        match self {
            Payload::Venue(_) => EventClass::Venue,
            Payload::Bars(_) => EventClass::Market,
            Payload::Halt | Payload::Resume => EventClass::Answer,
            Payload::Decide(_) => EventClass::Decide,
            Payload::Action(_) => EventClass::CorporateAction,
            Payload::Open(_) => EventClass::Open,
        }
    }
}

/// One thing that happened, when it could be known, and the stretch of time it describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// Place in the one order of events.
    pub seq: Seq,
    /// When the engine may know it.
    pub ts: Timestamp,
    /// What it describes; for events of a moment, that moment.
    pub about: Interval,
    /// What happened.
    pub payload: Payload,
}

/// The key by which sources merge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SourceKey {
    /// When it may be known.
    pub ts: Timestamp,
    /// Class at equal time.
    pub class: EventClass,
    /// Rank of the source in the mandate.
    pub source_rank: u16,
    /// Number within the source.
    pub source_seq: u64,
}
