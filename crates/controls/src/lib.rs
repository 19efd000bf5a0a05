//! Pre-trade risk, compliance and tax rules: the only place that can say no.
#![forbid(unsafe_code)]
