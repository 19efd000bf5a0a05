//! What the compiler must refuse: an approval that the gate did not give, or that is used twice.

/// One file a case, each with the compiler's message. `TRYBUILD=overwrite` rewrites the messages.
#[test]
fn approvals_cannot_be_forged() {
    trybuild::TestCases::new().compile_fail("tests/it/compile_fail/*.rs");
}
