//! The nouns of trading with their units.
#![forbid(unsafe_code)]
