//! Scores decisions, says what each agent earned, and learns weights from it. It changes nothing by itself: what it learns
//! becomes an event.
#![forbid(unsafe_code)]

mod hedger;
mod moves;
mod results;
mod scoreboard;

pub use hedger::{Hedger, HedgerParameters, Lesson};
pub use moves::Moves;
pub use results::{Line, Results, Statement};
pub use scoreboard::{Score, Scoreboard};
