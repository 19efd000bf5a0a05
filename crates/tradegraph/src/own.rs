//! The agents that this program adds to the council, set once before the first command.

use crate::failure::{Failure, Kind};
use std::sync::OnceLock;
use tradegraph_engine::{OwnAgent, check_own};

static OWN: OnceLock<Vec<OwnAgent>> = OnceLock::new();

/// The own agents of this program.
pub fn agents() -> &'static [OwnAgent] {
    OWN.get().map_or(&[], Vec::as_slice)
}

/// Checks and sets them.
pub fn register(own: &[OwnAgent]) -> Result<(), Failure> {
    check_own(own).map_err(|e| {
        Failure::new(Kind::Failed, e.to_string())
            .next("change the list that the program's main gives to tradegraph::run")
    })?;
    OWN.set(own.to_vec()).map_err(|_| Failure::new(Kind::Failed, "a program can call tradegraph::run once"))
}
