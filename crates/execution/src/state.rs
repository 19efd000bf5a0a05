//! The order state machine as a table. What is not in the table is an anomaly: it is booked, flagged and counted, and
//! the state stays as it is. `Unknown` is left only by proof from the venue; a time-out is never a rejection.

/// Where an order stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum OrderState {
    /// Approved and recorded, not sent.
    Approved = 0,
    /// Sent; the venue has not answered.
    Sent = 1,
    /// In the venue's book.
    Working = 2,
    /// Part of it traded, the rest is in the book.
    PartiallyFilled = 3,
    /// We asked for a cancel; it may still trade.
    CancelRequested = 4,
    /// The connection failed before an answer: it may be anywhere. Keeps its hold.
    Unknown = 5,
    /// All of it traded.
    Filled = 6,
    /// The rest will not trade.
    Cancelled = 7,
    /// It never entered the book.
    Rejected = 8,
}

/// What moves an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Input {
    /// We sent it.
    Send = 0,
    /// The venue has it in its book.
    Accepted = 1,
    /// A part traded.
    PartFill = 2,
    /// The rest traded.
    LastFill = 3,
    /// We asked for a cancel.
    RequestCancel = 4,
    /// The venue ended it.
    Cancelled = 5,
    /// The venue refused it.
    Rejected = 6,
    /// No answer in time.
    TimedOut = 7,
}

impl OrderState {
    /// All states with their names, in order.
    pub const ALL: [(OrderState, &'static str); 9] = [
        (OrderState::Approved, "approved"),
        (OrderState::Sent, "sent"),
        (OrderState::Working, "working"),
        (OrderState::PartiallyFilled, "partially filled"),
        (OrderState::CancelRequested, "cancel requested"),
        (OrderState::Unknown, "unknown"),
        (OrderState::Filled, "filled"),
        (OrderState::Cancelled, "cancelled"),
        (OrderState::Rejected, "rejected"),
    ];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(s, _)| *s == self).map_or("?", |(_, name)| name)
    }

    /// The state with this number in a snapshot.
    #[must_use]
    pub fn from_byte(byte: u8) -> Option<OrderState> {
        Self::ALL.iter().map(|(s, _)| *s).find(|s| *s as u8 == byte)
    }

    /// True if the order can do nothing more.
    #[inline]
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, OrderState::Filled | OrderState::Cancelled | OrderState::Rejected)
    }
}

impl Input {
    /// All inputs with their names, in order.
    pub const ALL: [(Input, &'static str); 8] = [
        (Input::Send, "send"),
        (Input::Accepted, "accepted"),
        (Input::PartFill, "part fill"),
        (Input::LastFill, "last fill"),
        (Input::RequestCancel, "request cancel"),
        (Input::Cancelled, "cancelled"),
        (Input::Rejected, "rejected"),
        (Input::TimedOut, "timed out"),
    ];
}

use Input as I;
use OrderState as S;

/// Every transition that exists. The docs show this table.
pub const TRANSITIONS: &[(OrderState, Input, OrderState)] = &[
    (S::Approved, I::Send, S::Sent),
    (S::Approved, I::RequestCancel, S::Cancelled), // it never left
    (S::Sent, I::Accepted, S::Working),
    (S::Sent, I::PartFill, S::PartiallyFilled), // a fill may overtake the acknowledgement
    (S::Sent, I::LastFill, S::Filled),
    (S::Sent, I::RequestCancel, S::CancelRequested),
    (S::Sent, I::Cancelled, S::Cancelled),
    (S::Sent, I::Rejected, S::Rejected),
    (S::Sent, I::TimedOut, S::Unknown),
    (S::Working, I::PartFill, S::PartiallyFilled),
    (S::Working, I::LastFill, S::Filled),
    (S::Working, I::RequestCancel, S::CancelRequested),
    (S::Working, I::Cancelled, S::Cancelled),
    (S::Working, I::TimedOut, S::Unknown),
    (S::PartiallyFilled, I::Accepted, S::PartiallyFilled), // the late acknowledgement
    (S::PartiallyFilled, I::PartFill, S::PartiallyFilled),
    (S::PartiallyFilled, I::LastFill, S::Filled),
    (S::PartiallyFilled, I::RequestCancel, S::CancelRequested),
    (S::PartiallyFilled, I::Cancelled, S::Cancelled),
    (S::PartiallyFilled, I::TimedOut, S::Unknown),
    (S::CancelRequested, I::Accepted, S::CancelRequested),
    (S::CancelRequested, I::PartFill, S::CancelRequested),
    (S::CancelRequested, I::LastFill, S::Filled), // the fill won the race
    (S::CancelRequested, I::Cancelled, S::Cancelled),
    (S::CancelRequested, I::Rejected, S::Rejected),
    (S::CancelRequested, I::TimedOut, S::Unknown),
    (S::Unknown, I::Accepted, S::Working),
    (S::Unknown, I::PartFill, S::PartiallyFilled),
    (S::Unknown, I::LastFill, S::Filled),
    (S::Unknown, I::RequestCancel, S::Unknown), // asking proves nothing
    (S::Unknown, I::Cancelled, S::Cancelled),
    (S::Unknown, I::Rejected, S::Rejected),
    (S::Unknown, I::TimedOut, S::Unknown),
];

const N_INPUTS: usize = Input::ALL.len();

/// The table as a dense array, for the hot path.
const DENSE: [[Option<OrderState>; N_INPUTS]; OrderState::ALL.len()] = {
    let mut dense = [[None; N_INPUTS]; OrderState::ALL.len()];
    let mut k = 0;
    #[allow(clippy::indexing_slicing, clippy::arithmetic_side_effects, reason = "evaluated by the compiler")]
    while k < TRANSITIONS.len() {
        let (from, input, to) = TRANSITIONS[k];
        dense[from as usize][input as usize] = Some(to);
        k += 1;
    }
    dense
};

/// The next state, or `None` if the input does not fit the state.
#[inline]
#[must_use]
pub fn next(state: OrderState, input: Input) -> Option<OrderState> {
    DENSE.get(state as usize)?.get(input as usize).copied().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dense_array_is_the_table_and_no_row_stands_twice() {
        for (state, _) in OrderState::ALL {
            for (input, _) in Input::ALL {
                let rows: Vec<_> = TRANSITIONS.iter().filter(|(s, i, _)| (*s, *i) == (state, input)).collect();
                assert!(rows.len() <= 1, "{state:?} {input:?}");
                assert_eq!(next(state, input), rows.first().map(|r| r.2));
            }
        }
    }

    #[test]
    fn final_states_are_never_left_and_every_other_state_can_end() {
        for (state, _) in OrderState::ALL {
            let out: Vec<_> = Input::ALL.iter().filter_map(|(i, _)| next(state, *i)).collect();
            assert_eq!(out.is_empty(), state.is_final(), "{state:?}");
            assert!(state.is_final() || out.iter().any(|s| s.is_final()) || state == OrderState::Approved);
        }
    }

    #[test]
    fn unknown_is_left_only_by_proof_from_the_venue() {
        for (input, _) in Input::ALL {
            let left = next(OrderState::Unknown, input).is_some_and(|s| s != OrderState::Unknown);
            let proof = matches!(input, I::Accepted | I::PartFill | I::LastFill | I::Cancelled | I::Rejected);
            assert_eq!(left, proof, "{input:?}");
        }
        for (state, _) in OrderState::ALL {
            assert_ne!(next(state, I::TimedOut), Some(S::Rejected));
        }
    }

    /// The docs hold the same table, row for row.
    #[test]
    fn the_docs_show_this_table() {
        let docs = include_str!("../../../docs/order-states.md");
        let name = |i: Input| Input::ALL.iter().find(|(x, _)| *x == i).unwrap().1;
        let rows: Vec<String> =
            TRANSITIONS.iter().map(|(s, i, t)| format!("| {} | {} | {} |", s.name(), name(*i), t.name())).collect();
        let shown: Vec<&str> = docs.lines().filter(|l| l.starts_with("| ") && !l.starts_with("| state")).collect();
        assert_eq!(shown, rows);
    }
}
